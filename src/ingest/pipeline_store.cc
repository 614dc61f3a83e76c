/// The pipeline's far end: blocks into the store, snapshots, and recovery from both.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/log.h"
#include "ingest/derived_dimensions.h"
#include "ingest/pipeline_parts.h"
#include "ingest/snapshot_file.h"
#include "store/rows.h"

namespace playhead::ingest {

namespace {

constexpr std::int64_t kRetryFirstMs = 100;
constexpr std::int64_t kRetryLastMs = 5000;
constexpr std::int64_t kProgressIntervalNs = 1'000'000'000;

/// The mark that block `number` is in the store, whole.
store::ColumnBatch mark_of(std::uint64_t number, std::int64_t now_ms) {
    store::ColumnBatch mark;
    mark.table = "ingest_cuts";
    mark.columns.emplace_back("cut", store::ColumnType::UInt64);
    mark.columns.emplace_back("cut_time", store::ColumnType::DateTime64);
    mark.columns[0].append_unsigned(number);
    mark.columns[1].append_signed(now_ms);
    return mark;
}

void merge(model::RowBlock& into, model::RowBlock&& from) {
    const auto move_all = [](auto& target, auto& source) {
        if (target.empty()) {
            target = std::move(source);
            return;
        }
        target.insert(target.end(), std::make_move_iterator(source.begin()),
                      std::make_move_iterator(source.end()));
    };
    move_all(into.sessions, from.sessions);
    move_all(into.live_sessions, from.live_sessions);
    move_all(into.slices, from.slices);
    move_all(into.events, from.events);
    move_all(into.ad_views, from.ad_views);
    move_all(into.app_events, from.app_events);
}

}  // namespace

Result<void> Pipeline::insert(const store::ColumnBatch& batch, const std::string& token) {
    const std::int64_t began_ns = clock_.monotonic_ns();
    auto done = store_.insert(batch, token);
    if (!done) return done;
    const std::string label = fmt::format("table=\"{}\"", batch.table);
    metrics_->counter("playhead_store_rows_total", label, "Rows inserted, by table")
        .add(batch.rows());
    metrics_->histogram("playhead_store_insert_seconds", label, "Time of an insert, by table")
        .observe(static_cast<double>(clock_.monotonic_ns() - began_ns) / 1e9);
    return {};
}

Result<void> Pipeline::store_block(std::uint64_t number, std::int64_t now_ms,
                                   const model::RowBlock& rows) {
    if (rows.empty()) return {};
    if (options_.changes != nullptr) options_.changes->begin_block(rows);
    const std::string token = fmt::format("cut:{}", number);
    // Closed sessions come first and their removal from live_sessions next: between the two they
    // are in both, so queries are told (see Pipeline::publication).
    const bool any_closed = !rows.sessions.empty();
    bool moving = false;
    Result<void> done;
    for (const store::ColumnBatch& batch : store::batches_of(rows)) {
        if (give_up_) {
            done = fail(ErrorCode::Unavailable, "the server is stopping");
            break;
        }
        const bool moves =
            any_closed && (batch.table == "sessions" || batch.table == "live_sessions");
        if (moves != moving) {
            publication_.fetch_add(1);
            moving = moves;
        }
        done = insert(batch, token);
        if (!done) break;
    }
    if (moving) publication_.fetch_add(1);
    if (!done) return done;
    if (options_.changes != nullptr) options_.changes->end_block();
    return store_.insert(mark_of(number, now_ms), token);
}

void Pipeline::run_writer() {
    while (auto next = blocks_->pop()) {
        Cut& cut = **next;
        model::RowBlock rows;
        for (auto& part : cut.parts) merge(rows, std::move(part));
        std::int64_t retry_ms = kRetryFirstMs;
        bool stored = false;
        const std::int64_t began_ns = clock_.monotonic_ns();
        while (!stored) {
            const auto done = store_block(cut.record.number, cut.record.now_ms, rows);
            stored = done.has_value();
            if (stored) break;
            if (give_up_) return;
            set_trouble(fmt::format("the store refuses a block: {}", done.error().message));
            std::unique_lock lock(mutex_);
            stored_.wait_for(lock, std::chrono::milliseconds(retry_ms),
                             [&] { return give_up_.load(); });
            retry_ms = std::min(retry_ms * 2, kRetryLastMs);
        }
        set_trouble({});
        store_time_ms_ = (clock_.monotonic_ns() - began_ns) / 1'000'000;
        {
            const std::lock_guard lock(mutex_);
            stored_cut_ = cut.record.number;
            watermark_ms_ = cut.record.now_ms;
        }
        stored_.notify_all();
        if (cut.wants_snapshot && !give_up_) save_snapshot(cut);
    }
}

journal::Position Pipeline::oldest_within_retention() const {
    const std::string dir = options_.data_dir + "/journal";
    auto segments = journal::list_segments(dir);
    if (!segments) return {};
    const auto oldest =
        std::chrono::file_clock::now() - std::chrono::milliseconds(options_.journal_retention_ms);
    for (const auto& segment : *segments) {
        std::error_code error;
        const auto changed = std::filesystem::last_write_time(
            dir + "/" + journal::segment_file_name(segment.segment), error);
        if (error || changed >= oldest) return {segment.segment, 0};
    }
    return journal_->end();
}

void Pipeline::save_snapshot(Cut& cut) {
    Snapshot snapshot;
    snapshot.cut = cut.record.number;
    snapshot.next = cut.next;
    snapshot.partitions.assign(std::make_move_iterator(cut.snapshots.begin()),
                               std::make_move_iterator(cut.snapshots.end()));
    const auto needed = write_snapshot(options_.data_dir + "/snapshots", snapshot);
    if (!needed) {
        log::warn("no snapshot taken, a start would replay more: {}", needed.error().message);
        return;
    }
    const journal::Position keep = std::min(*needed, oldest_within_retention());
    if (auto dropped = journal_->drop_before(keep); !dropped) {
        log::warn("old journal segments stay: {}", dropped.error().message);
    }
}

void Pipeline::restore_newest_snapshot(journal::Position& from, std::uint64_t& cut) {
    for (const std::string& path : list_snapshots(options_.data_dir + "/snapshots")) {
        auto snapshot = read_snapshot(path);
        Result<void> good;
        if (!snapshot) {
            good = fail(snapshot.error());
        } else if (snapshot->partitions.size() != kPartitions) {
            good = fail(ErrorCode::Internal, path + " has another number of partitions");
        }
        for (std::size_t index = 0; good && index < kPartitions; ++index) {
            good = partitions_[index]->restore(snapshot->partitions[index]);
        }
        if (good) {
            from = snapshot->next;
            cut = snapshot->cut;
            recovery_.from_snapshot = true;
            return;
        }
        log::warn("snapshot not used: {}", good.error().message);
        for (auto& partition : partitions_) {
            partition = std::make_unique<timeline::Partition>(options_.timeline);
        }
    }
}

Result<void> Pipeline::recover(const std::function<void(std::string)>& progress) {
    auto in_store = store_.largest("ingest_cuts", "cut");
    if (!in_store) return fail(in_store.error());
    journal::Position from;
    std::uint64_t last_cut = 0;
    restore_newest_snapshot(from, last_cut);

    Error failure;
    bool failed = false;
    std::int64_t said_ns = clock_.monotonic_ns();
    const auto take_request = [&](std::string_view payload) -> Result<void> {
        auto record = decode_record(payload);
        if (!record) return fail(record.error());
        auto decoded = decoder_.decode(record->record, record->body);
        if (!decoded) return fail(decoded.error());
        for (std::size_t index = 0; index < (*decoded)->batch.events.size(); ++index) {
            partitions_[(*decoded)->partitions[index]]->apply((*decoded)->batch.events[index],
                                                              (*decoded)->context);
        }
        return {};
    };
    const auto take_cut = [&](std::string_view payload) -> Result<void> {
        auto cut = decode_cut(payload);
        if (!cut) return fail(cut.error());
        model::RowBlock rows;
        for (auto& partition : partitions_) partition->cut(cut->now_ms, rows, cut->kind);
        derive_dimensions(rows);
        last_cut = std::max(last_cut, cut->number);
        if (cut->number <= *in_store) return {};
        ++recovery_.blocks_inserted;
        return store_block(cut->number, cut->now_ms, rows);
    };
    journal::ReplayOptions replay_options;
    replay_options.skip_corrupt = true;
    auto report = journal_->replay(from, replay_options, [&](const journal::Record& record) {
        recovery_.bytes += record.payload.size();
        ++recovery_.records;
        if (progress && clock_.monotonic_ns() - said_ns > kProgressIntervalNs) {
            said_ns = clock_.monotonic_ns();
            progress(fmt::format("replayed {:.1f} MB of the journal",
                                 static_cast<double>(recovery_.bytes) / 1e6));
        }
        const auto done =
            record.type == kCutRecord ? take_cut(record.payload) : take_request(record.payload);
        if (done) return true;
        if (record.type == kRequestRecord) {
            // It was acknowledged once, so an older version could read it: say so and go on.
            if (recovery_.losses.size() < journal::ReplayReport::kLossesMax) {
                recovery_.losses.push_back("a request could not be decoded: " +
                                           done.error().message);
            }
            return true;
        }
        failure = done.error();
        failed = true;
        return false;
    });
    if (failed) return fail(failure);
    if (!report) return fail(report.error());
    recovery_.losses.insert(recovery_.losses.end(), report->losses.begin(), report->losses.end());
    next_cut_ = std::max(last_cut, *in_store) + 1;
    stored_cut_ = next_cut_ - 1;
    watermark_ms_ = clock_.now_ms();
    return {};
}

}  // namespace playhead::ingest
