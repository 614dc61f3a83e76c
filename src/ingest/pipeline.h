/// From acknowledged bytes to rows in the store.
///
///   submit ─▶ journal (durable, acknowledged) ─▶ workers (sessions, by hash) ─▶ writer ─▶ store
///
/// The journal's order is the only order: once a second a *cut* record is appended to it, and all
/// that was journalled before the cut becomes one block of rows. A replay meets the same cuts and
/// makes the same blocks; the store remembers which block it has (table `ingest_cuts`, and a token
/// per block and table), so nothing is inserted twice and nothing is left out.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "ingest/decode.h"
#include "ingest/request_record.h"
#include "journal/journal.h"
#include "store/changes.h"
#include "store/store.h"
#include "timeline/timeline.h"

namespace playhead::ingest {

struct PipelineOptions {
    std::string data_dir;  ///< absolute; journal/ and snapshots/ live below it
    journal::Durability durability = journal::Durability::Fsync;
    int workers = 1;                      ///< timeline threads, 1 to kPartitions
    std::int64_t cut_interval_ms = 1000;  ///< at least; longer while the store is busy
    /// Cuts in between are quick ones (timeline::CutKind), or cuts of rows where many sessions are
    /// open, so that these do not pile up; 0 = every cut is whole.
    std::int64_t whole_cut_interval_ms = 0;
    std::int64_t snapshot_interval_ms = 60'000;
    std::int64_t journal_retention_ms = 7LL * 24 * 3600 * 1000;  ///< kept for `recompute`
    std::uint64_t segment_bytes_max = 256U << 20U;
    timeline::Options timeline;
    store::Changes* changes = nullptr;  ///< is told of every block; may be null
};

/// What `open` did, for the log.
struct RecoveryReport {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::uint64_t blocks_inserted = 0;
    bool from_snapshot = false;
    std::vector<std::string> losses;  ///< one sentence each; empty when nothing was lost
};

struct PipelineStatus {
    std::int64_t watermark_ms = 0;  ///< everything received before is in the store
    std::uint64_t stored_cut = 0;
    std::size_t blocks_waiting = 0;  ///< cut, not yet in the store
    std::size_t sessions_open = 0;
    std::string trouble;  ///< why it cannot accept or store; empty when all is well
};

/// `submit` and `status` from any thread.
class Pipeline {
public:
    /// Opens journal and snapshots below the data directory and replays what the store does not
    /// have. `progress` hears "replayed N MB" about once a second. Errors: Conflict (directory in
    /// use), Unavailable (not writable, store refuses), Unprocessable (newer version). The store
    /// must be migrated. Everything passed must outlive the pipeline.
    static Result<std::unique_ptr<Pipeline>> open(PipelineOptions options, store::Store& store,
                                                  const RequestDecoder& decoder, const Clock& clock,
                                                  MetricsRegistry& metrics,
                                                  const std::function<void(std::string)>& progress);
    ~Pipeline();
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    /// Journals a request. `done` is called once, on the journal's thread, when its bytes are
    /// durable or could not be made so; not at all when submit itself fails (Unavailable: full).
    Result<void> submit(const RequestRecord& record, std::string_view body,
                        std::unique_ptr<DecodedRequest> decoded,
                        std::function<void(const Result<void>&)> done);

    /// Cuts now and waits until that block is in the store. For tests and `verify`.
    /// Timeout after `wait_ms`.
    Result<void> flush(std::int64_t wait_ms);

    /// Stops taking requests, stores what is journalled (for at most `wait_ms`), writes a snapshot.
    /// What is not stored by then is replayed at the next start.
    void stop(std::int64_t wait_ms);

    PipelineStatus status() const;
    /// Changes whenever sessions move from `live_sessions` to `sessions`; odd while they do.
    std::uint64_t publication() const noexcept { return publication_.load(); }
    const RecoveryReport& recovery() const noexcept { return recovery_; }

private:
    /// One block on its way: filled by the workers, stored by the writer.
    struct Cut;
    struct Task;
    struct Worker;

    Pipeline(PipelineOptions options, store::Store& store, const RequestDecoder& decoder,
             const Clock& clock);

    Result<void> recover(const std::function<void(std::string)>& progress);
    void restore_newest_snapshot(journal::Position& from, std::uint64_t& cut);
    void start_threads();

    void take_group(std::span<journal::Entry> entries);
    void send(std::shared_ptr<std::vector<std::unique_ptr<DecodedRequest>>>& group);
    void send_cut(const CutRecord& record, journal::Position next);
    void run_worker(Worker& worker);
    void run_writer();
    void run_cutter();
    Result<void> append_cut(timeline::CutKind kind, std::uint64_t* number);
    timeline::CutKind kind_of_next_cut();
    Result<void> insert(const store::ColumnBatch& batch, const std::string& token);
    Result<void> store_block(std::uint64_t number, std::int64_t now_ms,
                             const model::RowBlock& rows);
    void save_snapshot(Cut& cut);
    /// Start of the oldest segment that the journal's retention keeps.
    journal::Position oldest_within_retention() const;
    void set_trouble(std::string text);
    void register_metrics(MetricsRegistry& metrics);

    PipelineOptions options_;
    store::Store& store_;
    const RequestDecoder& decoder_;
    const Clock& clock_;
    RecoveryReport recovery_;

    std::array<std::unique_ptr<timeline::Partition>, kPartitions> partitions_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::unique_ptr<BoundedQueue<std::shared_ptr<Cut>>> blocks_;
    std::thread writer_;
    std::thread cutter_;

    std::atomic<std::uint64_t> next_cut_{1};
    std::atomic<std::uint64_t> stored_cut_{0};
    std::atomic<std::int64_t> watermark_ms_{0};
    std::atomic<std::uint64_t> publication_{0};
    std::atomic<std::int64_t> last_snapshot_ms_{0};
    std::int64_t last_whole_cut_ms_ = 0;  ///< of the cutter's thread
    MetricsRegistry* metrics_ = nullptr;
    std::atomic<std::int64_t> store_time_ms_{0};  ///< that the last block took
    std::atomic<bool> stopping_{false};
    std::atomic<bool> give_up_{false};

    mutable std::mutex mutex_;  ///< guards trouble_ and is the lock of the two conditions
    std::condition_variable stored_;
    std::condition_variable wake_cutter_;
    std::string trouble_;

    /// Last: its writer thread calls into all of the above.
    std::unique_ptr<journal::Journal> journal_;
};

}  // namespace playhead::ingest
