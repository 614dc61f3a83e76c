#include "journal/journal.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <thread>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "journal/directory.h"
#include "journal/segment_writer.h"

namespace playhead::journal {
namespace {

constexpr std::size_t kProbeBytes = 4096;
constexpr std::size_t kQuietGroupRecordsMax = 2;

/// Records that will be written with one write. Offsets are within `bytes`.
struct Group {
    struct Span {
        std::size_t offset = 0;
        std::uint32_t payload_bytes = 0;
    };
    std::string bytes;
    std::vector<Span> spans;
    std::vector<Entry> entries;
    std::vector<std::pair<std::size_t, Completion>> completions;

    void clear() {
        bytes.clear();
        spans.clear();
        entries.clear();
        completions.clear();
    }
};

struct Counters {
    Counters(MetricsRegistry& metrics)
        : records(metrics.counter("playhead_journal_records_total", "", "Records written.")),
          bytes(metrics.counter("playhead_journal_bytes_total", "", "Bytes written.")),
          groups(metrics.counter("playhead_journal_groups_total", "", "Groups written.")),
          failed_groups(metrics.counter("playhead_journal_failed_groups_total", "",
                                        "Groups that could not be written.")),
          refused(metrics.counter("playhead_journal_refused_records_total", "",
                                  "Records refused because the queue was full.")),
          sync_seconds(metrics.histogram("playhead_journal_sync_seconds", "",
                                         "Time the disk took to make a group durable.")) {}
    Counter& records;
    Counter& bytes;
    Counter& groups;
    Counter& failed_groups;
    Counter& refused;
    Histogram& sync_seconds;
};

/// Shared with the gauge, which the registry may read after the journal is gone.
struct Depth {
    std::atomic<std::size_t> queue_bytes{0};
};

std::string probe_record() {
    const std::string payload(kProbeBytes, '\0');
    const auto header =
        encode_record_header({kProbeBytes, crc32c(payload.data(), payload.size()), kInternalType});
    return std::string(header.data(), header.size()) + payload;
}

}  // namespace

struct Journal::State {
    State(const JournalOptions& journal_options, const Clock& clock, MetricsRegistry& metrics,
          FileSystem& file_system, DirectoryLock directory_lock)
        : options(journal_options),
          files(file_system),
          lock(std::move(directory_lock)),
          counters(metrics),
          writer({options.dir, options.durability == Durability::Fsync, options.segment_bytes_max},
                 files, clock, counters.sync_seconds) {
        metrics.gauge(
            "playhead_journal_queue_bytes", "", "Bytes appended and not yet handed on.",
            [shared = depth] {
                return static_cast<double>(shared->queue_bytes.load(std::memory_order_relaxed));
            });
    }

    void run();
    void wait_for_work(std::unique_lock<std::mutex>& held);
    void commit(Group& group);
    void settle(const Error* error);
    void probe();

    const JournalOptions options;
    FileSystem& files;
    DirectoryLock lock;
    Counters counters;
    std::shared_ptr<Depth> depth = std::make_shared<Depth>();
    Sink sink;
    GroupListener listener;

    /// Guards what follows, up to `writer`.
    mutable std::mutex mutex;
    std::condition_variable ready;
    std::condition_variable settled;
    Group filling;
    std::uint64_t appended = 0;
    std::uint64_t handed_on = 0;
    std::size_t flushing = 0;
    bool waiting = false;
    bool stopping = false;
    Position end;
    std::optional<Error> failure;

    /// The writer thread's own.
    SegmentWriter writer;
    Group writing;
    std::size_t last_group_records = 0;
    std::thread thread;
};

void Journal::State::wait_for_work(std::unique_lock<std::mutex>& held) {
    const auto has_work = [&] { return stopping || !filling.entries.empty(); };
    waiting = true;
    if (failure) {
        ready.wait_for(held, std::chrono::milliseconds(options.probe_interval_ms), has_work);
    } else {
        ready.wait(held, has_work);
    }
    waiting = false;
    if (filling.entries.empty() || stopping || flushing > 0 || options.group_delay_us == 0) return;
    held.unlock();
    const bool busy = last_group_records > kQuietGroupRecordsMax;
    std::this_thread::sleep_for(std::chrono::microseconds(
        busy ? std::max(options.group_delay_us, options.group_delay_busy_us)
             : options.group_delay_us));
    held.lock();
}

void Journal::State::run() {
    std::unique_lock held(mutex);
    for (;;) {
        wait_for_work(held);
        if (filling.entries.empty()) {
            if (stopping) return;
            held.unlock();
            probe();
            held.lock();
            continue;
        }
        std::swap(filling, writing);
        const std::uint64_t taken = appended;
        held.unlock();
        commit(writing);
        const std::size_t bytes = writing.bytes.size();
        last_group_records = writing.entries.size();
        writing.clear();
        held.lock();
        depth->queue_bytes.fetch_sub(bytes, std::memory_order_relaxed);
        handed_on = taken;
        settled.notify_all();
    }
}

/// Publishes how the last write went.
void Journal::State::settle(const Error* error) {
    const std::lock_guard held(mutex);
    end = writer.end();
    if (error != nullptr) {
        failure = *error;
    } else {
        failure.reset();
    }
}

void Journal::State::commit(Group& group) {
    const auto begin = writer.write(group.bytes);
    const Error* const error = begin ? nullptr : &begin.error();
    settle(error);
    for (std::size_t i = 0; i < group.entries.size(); ++i) {
        const auto [offset, payload_bytes] = group.spans[i];
        Entry& entry = group.entries[i];
        const std::size_t payload = offset + kRecordHeaderBytes;
        entry.payload = std::string_view(group.bytes).substr(payload, payload_bytes);
        if (!begin) continue;
        entry.position = {begin->segment, begin->offset + offset};
        entry.next = {begin->segment, begin->offset + payload + payload_bytes};
    }
    if (begin) {
        counters.groups.add();
        counters.records.add(group.entries.size());
        counters.bytes.add(group.bytes.size());
    } else {
        counters.failed_groups.add();
    }
    for (const auto& [index, completion] : group.completions) {
        completion(begin ? Result<Position>(group.entries[index].position)
                         : Result<Position>(fail(begin.error())));
    }
    if (listener) listener(group.entries, error);
    if (begin && sink) sink(group.entries);
}

/// Tries the disk while nobody appends: an unready server may get no requests to try with.
void Journal::State::probe() {
    const auto written = writer.write(probe_record());
    settle(written ? nullptr : &written.error());
}

Result<std::unique_ptr<Journal>> Journal::open(const JournalOptions& options, const Clock& clock,
                                               MetricsRegistry& metrics, FileSystem& files) {
    if (options.record_bytes_max > kPayloadBytesMax) {
        return fail_parameter("record_bytes_max", std::to_string(options.record_bytes_max),
                              fmt::format("at most {}", kPayloadBytesMax),
                              "the journal's record limit is above what its format allows");
    }
    auto lock = DirectoryLock::acquire(options.dir);
    if (!lock) return fail(lock.error());
    const auto continuation = recover(options.dir);
    if (!continuation) return fail(continuation.error());
    auto state = std::make_unique<State>(options, clock, metrics, files, std::move(*lock));
    const auto begun = state->writer.begin(continuation->segment, continuation->previous_bytes);
    if (!begun) return fail(begun.error());
    state->end = state->writer.end();
    std::unique_ptr<Journal> journal(new Journal(std::move(state)));
    journal->torn_bytes_ = continuation->torn_bytes;
    return journal;
}

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {
    state_->thread = std::thread([owned = state_.get()] {
        pthread_setname_np(pthread_self(), "ph-journal");
        owned->run();
    });
}

Journal::~Journal() {
    {
        const std::lock_guard held(state_->mutex);
        state_->stopping = true;
    }
    state_->ready.notify_one();
    state_->thread.join();
}

void Journal::set_sink(Sink sink) {
    state_->sink = std::move(sink);
}

void Journal::set_group_listener(GroupListener listener) {
    state_->listener = std::move(listener);
}

Result<void> Journal::append(std::uint8_t type, std::span<const std::string_view> parts,
                             std::unique_ptr<Attachment> attachment, Completion completion) {
    State& state = *state_;
    std::size_t payload_bytes = 0;
    std::uint32_t crc = 0;
    for (const auto part : parts) {
        payload_bytes += part.size();
        crc = crc32c(part.data(), part.size(), crc);
    }
    if (type == kInternalType) {
        return fail(ErrorCode::InvalidArgument, "journal record type 0 is the journal's own");
    }
    if (payload_bytes > state.options.record_bytes_max) {
        return fail(ErrorCode::PayloadTooLarge,
                    fmt::format("a journal record of {} bytes is over the limit of {}",
                                payload_bytes, state.options.record_bytes_max));
    }
    const auto payload_size = static_cast<std::uint32_t>(payload_bytes);
    const auto header = encode_record_header({payload_size, crc, type});
    const std::size_t record_bytes = kRecordHeaderBytes + payload_bytes;
    bool wake = false;
    {
        const std::lock_guard held(state.mutex);
        auto& queue_bytes = state.depth->queue_bytes;
        const std::size_t queued = queue_bytes.load(std::memory_order_relaxed);
        if (queued + record_bytes > state.options.queue_bytes_max) {
            state.counters.refused.add();
            return fail(ErrorCode::Unavailable,
                        state.failure ? state.failure->message
                                      : "the journal's queue is full: the disk or what follows it "
                                        "is too slow");
        }
        queue_bytes.store(queued + record_bytes, std::memory_order_relaxed);
        Group& group = state.filling;
        group.spans.push_back({group.bytes.size(), payload_size});
        group.bytes.append(header.data(), header.size());
        for (const auto part : parts) group.bytes.append(part);
        if (completion) group.completions.emplace_back(group.entries.size(), std::move(completion));
        Entry& entry = group.entries.emplace_back();
        entry.type = type;
        entry.attachment = std::move(attachment);
        ++state.appended;
        wake = std::exchange(state.waiting, false);
    }
    if (wake) state.ready.notify_one();
    return {};
}

Result<Position> Journal::flush() {
    State& state = *state_;
    std::unique_lock held(state.mutex);
    const std::uint64_t target = state.appended;
    ++state.flushing;
    state.settled.wait(held, [&] { return state.handed_on >= target; });
    --state.flushing;
    if (state.failure) return fail(*state.failure);
    return state.end;
}

Position Journal::end() const {
    const std::lock_guard held(state_->mutex);
    return state_->end;
}

Result<ReplayReport> Journal::replay(Position from, ReplayOptions replay_options,
                                     const ReplayCallback& callback) const {
    const Position counted = end();
    if (!replay_options.until || counted < *replay_options.until) replay_options.until = counted;
    return journal::replay(state_->options.dir, from, replay_options, callback);
}

Result<std::uint64_t> Journal::drop_before(Position position) {
    const auto segments = list_segments(state_->options.dir);
    if (!segments) return fail(segments.error());
    const std::uint64_t current = end().segment;
    std::uint64_t freed = 0;
    // Ascending, so that a failure half-way leaves no gap.
    for (const auto& [segment, bytes] : *segments) {
        const bool behind =
            segment < position.segment || (segment == position.segment && bytes <= position.offset);
        if (!behind || segment >= current) break;
        const auto removed =
            state_->files.remove(state_->options.dir + "/" + segment_file_name(segment));
        if (!removed) return fail(removed.error());
        freed += bytes;
    }
    if (freed > 0) {
        const auto synced = state_->files.sync_directory(state_->options.dir);
        if (!synced) return fail(synced.error());
    }
    return freed;
}

std::optional<Error> Journal::last_error() const {
    const std::lock_guard held(state_->mutex);
    return state_->failure;
}

JournalStats Journal::stats() const {
    const Counters& counters = state_->counters;
    return {counters.records.value(), counters.bytes.value(),
            counters.groups.value(),  counters.failed_groups.value(),
            counters.refused.value(), state_->depth->queue_bytes.load()};
}

}  // namespace playhead::journal
