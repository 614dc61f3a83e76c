#include "ingest/pipeline.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/check.h"
#include "base/log.h"
#include "ingest/derived_dimensions.h"
#include "ingest/pipeline_parts.h"

namespace playhead::ingest {

namespace {

constexpr std::size_t kBlocksWaitingMax = 4;

/// A cut waits this many times as long as the store took for the last block: an insert costs as
/// much for one row as for a thousand, so a busy machine gets fewer and larger blocks.
constexpr std::int64_t kWaitPerStoreTime = 1;
constexpr std::int64_t kCutIntervalBusyMaxMs = 5000;

/// With more open sessions than this the rows cost more than the block.
constexpr std::size_t kSessionsForQuickCutsMax = 30'000;

}  // namespace

Pipeline::Pipeline(PipelineOptions options, store::Store& store, const RequestDecoder& decoder,
                   const Clock& clock)
    : options_(std::move(options)),
      store_(store),
      decoder_(decoder),
      clock_(clock),
      blocks_(std::make_unique<BoundedQueue<std::shared_ptr<Cut>>>(kBlocksWaitingMax)) {
    options_.workers = std::clamp(options_.workers, 1, static_cast<int>(kPartitions));
    for (auto& partition : partitions_) {
        partition = std::make_unique<timeline::Partition>(options_.timeline);
    }
}

Result<std::unique_ptr<Pipeline>> Pipeline::open(PipelineOptions options, store::Store& store,
                                                 const RequestDecoder& decoder, const Clock& clock,
                                                 MetricsRegistry& metrics,
                                                 const std::function<void(std::string)>& progress) {
    std::unique_ptr<Pipeline> pipeline(new Pipeline(std::move(options), store, decoder, clock));
    pipeline->metrics_ = &metrics;
    const std::string& dir = pipeline->options_.data_dir;
    std::error_code error;
    std::filesystem::create_directories(dir + "/snapshots", error);
    if (error) {
        return fail(
            ErrorCode::Unavailable,
            fmt::format("cannot write below the data directory {}: {}", dir, error.message()));
    }
    journal::JournalOptions journal_options;
    journal_options.dir = dir + "/journal";
    journal_options.durability = pipeline->options_.durability;
    journal_options.segment_bytes_max = pipeline->options_.segment_bytes_max;
    auto journal = journal::Journal::open(journal_options, clock, metrics);
    if (!journal) return fail(journal.error());
    pipeline->journal_ = std::move(*journal);
    if (auto recovered = pipeline->recover(progress); !recovered) return fail(recovered.error());
    pipeline->register_metrics(metrics);
    pipeline->start_threads();
    return pipeline;
}

Pipeline::~Pipeline() {
    if (!workers_.empty()) stop(0);
}

void Pipeline::start_threads() {
    for (int index = 0; index < options_.workers; ++index) {
        workers_.push_back(std::make_unique<Worker>(static_cast<std::size_t>(index)));
    }
    for (auto& worker : workers_) {
        worker->thread = std::thread([this, &worker = *worker] {
            pthread_setname_np(pthread_self(), "ph-timeline");
            run_worker(worker);
        });
    }
    writer_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "ph-store");
        run_writer();
    });
    journal_->set_sink([this](std::span<journal::Entry> entries) { take_group(entries); });
    last_snapshot_ms_ = clock_.now_ms();
    cutter_ = std::thread([this] { run_cutter(); });
}

Result<void> Pipeline::submit(const RequestRecord& record, std::string_view body,
                              std::unique_ptr<DecodedRequest> decoded,
                              std::function<void(const Result<void>&)> done) {
    if (stopping_.load(std::memory_order_relaxed)) {
        return fail(ErrorCode::Unavailable, "the server is stopping; try again");
    }
    const std::string head = encode_head(record);
    const std::array<std::string_view, 2> parts{head, body};
    return journal_->append(kRequestRecord, parts, std::move(decoded),
                            [done = std::move(done)](const Result<journal::Position>& written) {
                                if (written) {
                                    done({});
                                } else {
                                    done(fail(written.error()));
                                }
                            });
}

void Pipeline::take_group(std::span<journal::Entry> entries) {
    auto group = std::make_shared<std::vector<std::unique_ptr<DecodedRequest>>>();
    for (journal::Entry& entry : entries) {
        if (entry.type == kRequestRecord) {
            group->emplace_back(static_cast<DecodedRequest*>(entry.attachment.release()));
        } else if (entry.type == kCutRecord) {
            send(group);
            const auto cut = decode_cut(entry.payload);
            PH_CHECK(cut.has_value());
            send_cut(*cut, entry.next);
        }
    }
    send(group);
}

void Pipeline::send(std::shared_ptr<std::vector<std::unique_ptr<DecodedRequest>>>& group) {
    if (group->empty()) return;
    for (auto& worker : workers_) {
        Task task{group, nullptr};
        worker->tasks.push(task);
    }
    group = std::make_shared<std::vector<std::unique_ptr<DecodedRequest>>>();
}

void Pipeline::send_cut(const CutRecord& record, journal::Position next) {
    auto cut = std::make_shared<Cut>();
    cut->record = record;
    cut->next = next;
    cut->parts.resize(workers_.size());
    cut->workers_left = workers_.size();
    const std::int64_t now_ms = clock_.now_ms();
    if (stopping_ || now_ms - last_snapshot_ms_ >= options_.snapshot_interval_ms) {
        cut->wants_snapshot = true;
        last_snapshot_ms_ = now_ms;
    }
    for (auto& worker : workers_) {
        Task task{nullptr, cut};
        worker->tasks.push(task);
    }
}

void Pipeline::run_worker(Worker& worker) {
    const std::size_t count = workers_.size();
    while (auto task = worker.tasks.pop()) {
        if (give_up_) return;  // the next start replays it
        if (task->requests) {
            for (const auto& request : *task->requests) {
                for (std::size_t index = 0; index < request->batch.events.size(); ++index) {
                    const std::size_t partition = request->partitions[index];
                    if (partition % count != worker.index) continue;
                    partitions_[partition]->apply(request->batch.events[index], request->context);
                }
            }
            continue;
        }
        Cut& cut = *task->cut;
        std::size_t open = 0;
        for (std::size_t partition = worker.index; partition < kPartitions; partition += count) {
            partitions_[partition]->cut(cut.record.now_ms, cut.parts[worker.index],
                                        cut.record.kind);
            open += partitions_[partition]->open_sessions();
            if (cut.wants_snapshot) cut.snapshots[partition] = partitions_[partition]->snapshot();
        }
        derive_dimensions(cut.parts[worker.index]);
        worker.sessions_open = open;
        // The last worker hands the block on; blocks arrive in cut order since each worker works
        // in that order.
        if (cut.workers_left.fetch_sub(1) == 1) blocks_->push(task->cut);
    }
}

void Pipeline::run_cutter() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const std::int64_t busy_ms =
            std::min(kWaitPerStoreTime * store_time_ms_.load(), kCutIntervalBusyMaxMs);
        wake_cutter_.wait_for(
            lock, std::chrono::milliseconds(std::max(options_.cut_interval_ms, busy_ms)));
        if (stopping_) break;
        lock.unlock();
        if (auto appended = append_cut(kind_of_next_cut(), nullptr); !appended) {
            set_trouble(appended.error().message);
        }
        lock.lock();
    }
}

timeline::CutKind Pipeline::kind_of_next_cut() {
    std::size_t open = 0;
    for (const auto& worker : workers_) open += worker->sessions_open.load();
    const std::int64_t now_ms = clock_.monotonic_ns() / 1'000'000;
    // A quarter of a second early: cuts wait for a time of their own.
    constexpr std::int64_t kEarlyMs = 250;
    const bool due = now_ms - last_whole_cut_ms_ + kEarlyMs >= options_.whole_cut_interval_ms;
    if (!due) {
        return open > kSessionsForQuickCutsMax ? timeline::CutKind::Rows : timeline::CutKind::Quick;
    }
    last_whole_cut_ms_ = now_ms;
    return timeline::CutKind::Whole;
}

Result<void> Pipeline::append_cut(timeline::CutKind kind, std::uint64_t* number) {
    CutRecord cut;
    cut.kind = kind;
    cut.number = next_cut_.fetch_add(1);
    cut.now_ms = clock_.now_ms();
    if (number != nullptr) *number = cut.number;
    return journal_->append(kCutRecord, encode_cut(cut));
}

Result<void> Pipeline::flush(std::int64_t wait_ms) {
    std::uint64_t number = 0;
    if (auto appended = append_cut(timeline::CutKind::Whole, &number); !appended) return appended;
    std::unique_lock lock(mutex_);
    const bool reached = stored_.wait_for(lock, std::chrono::milliseconds(wait_ms),
                                          [&] { return stored_cut_.load() >= number; });
    if (reached) return {};
    return fail(ErrorCode::Timeout,
                trouble_.empty() ? "the store did not take the block in time" : trouble_);
}

void Pipeline::stop(std::int64_t wait_ms) {
    if (stopping_.exchange(true)) return;
    {
        const std::lock_guard lock(mutex_);
        wake_cutter_.notify_all();
    }
    if (cutter_.joinable()) cutter_.join();
    auto flushed = flush(wait_ms);
    if (!flushed && wait_ms > 0) {
        log::warn("stopping with a block not stored (it is in the journal): {}",
                  flushed.error().message);
    }
    // With everything stored the writer still saves its snapshot.
    give_up_ = !flushed;
    {
        const std::lock_guard lock(mutex_);
        stored_.notify_all();
    }
    // Nothing may wait for room any more: the workers' and the writer's queues drain or drop.
    for (auto& worker : workers_) worker->tasks.close();
    blocks_->close();
    for (auto& worker : workers_) {
        if (worker->thread.joinable()) worker->thread.join();
    }
    // The writer drops journal segments after a snapshot: the journal outlives it.
    if (writer_.joinable()) writer_.join();
    journal_.reset();
}

void Pipeline::set_trouble(std::string text) {
    const std::lock_guard lock(mutex_);
    if (trouble_ != text && !text.empty()) log::error("{}", text);
    if (text.empty() && !trouble_.empty()) log::info("storing again");
    trouble_ = std::move(text);
}

PipelineStatus Pipeline::status() const {
    PipelineStatus status;
    status.watermark_ms = watermark_ms_.load();
    status.stored_cut = stored_cut_.load();
    status.blocks_waiting = blocks_->size();
    for (const auto& worker : workers_) status.sessions_open += worker->sessions_open.load();
    if (journal_) {
        if (auto error = journal_->last_error()) status.trouble = error->message;
    }
    if (status.trouble.empty()) {
        const std::lock_guard lock(mutex_);
        status.trouble = trouble_;
    }
    return status;
}

void Pipeline::register_metrics(MetricsRegistry& metrics) {
    metrics.gauge("playhead_sessions_open", "", "Sessions in the timeline that are not closed",
                  [this] { return static_cast<double>(status().sessions_open); });
    metrics.gauge("playhead_queue_depth", "queue=\"blocks\"", "Items waiting, by queue",
                  [this] { return static_cast<double>(blocks_->size()); });
    metrics.gauge("playhead_queue_depth", "queue=\"timeline\"", "Items waiting, by queue", [this] {
        std::size_t waiting = 0;
        for (const auto& worker : workers_) waiting += worker->tasks.size();
        return static_cast<double>(waiting);
    });
    metrics.gauge("playhead_store_lag_seconds", "",
                  "Age of the newest moment up to which the store is complete", [this] {
                      return static_cast<double>(clock_.now_ms() - watermark_ms_.load()) / 1000;
                  });
    metrics.gauge("playhead_cuts_behind", "", "Cuts journalled and not yet in the store", [this] {
        return static_cast<double>(next_cut_.load() - 1 - stored_cut_.load());
    });
}

}  // namespace playhead::ingest
