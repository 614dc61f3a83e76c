/// The journal's writing side: records from many threads, one order, group commit.
///
/// A record counts once its group is on disk (durability Fsync) or with the operating system (Os).
/// The writer thread then acknowledges the group and hands it to the sink, both in journal order:
/// what the sink sees live is what `replay` shows later, in the same order.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "journal/file_system.h"
#include "journal/replay.h"

namespace playhead::journal {

enum class Durability { Fsync, Os };

struct JournalOptions {
    std::string dir;
    Durability durability = Durability::Fsync;
    std::uint64_t segment_bytes_max = 256U << 20U;
    std::uint32_t record_bytes_max = 16U << 20U;
    /// Bytes appended and not yet through the sink; `append` refuses beyond.
    std::size_t queue_bytes_max = 64U << 20U;
    /// How long the writer lets a group grow before it writes: fewer, larger writes for a little
    /// latency. 0 writes at once.
    std::uint32_t group_delay_us = 500;
    /// The same while several senders are at work (the last group held more than a few records): a
    /// sync costs as much for one record as for fifty. A lonely sender does not pay for it.
    std::uint32_t group_delay_busy_us = 4000;
    /// How often an idle journal whose last write failed tries whether the disk is well again.
    std::uint32_t probe_interval_ms = 1000;
};

/// Whatever a caller wants back with its record in the sink.
struct Attachment {
    virtual ~Attachment() = default;
};

/// A record on its way through the writer thread. The payload is valid during the callback only.
struct Entry {
    Position position;
    Position next;
    std::uint8_t type = 0;
    std::string_view payload;
    std::unique_ptr<Attachment> attachment;
};

/// Called once per record on the writer thread, in order: the position, or why it does not count.
using Completion = std::function<void(const Result<Position>&)>;
/// Called once per group on the writer thread: `error` is null when all entries count.
using GroupListener = std::function<void(std::span<Entry> entries, const Error* error)>;
/// Called once per group that counts, after its acknowledgements. May take the attachments.
using Sink = std::function<void(std::span<Entry> entries)>;

struct JournalStats {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::uint64_t groups = 0;
    std::uint64_t failed_groups = 0;
    std::uint64_t refused_records = 0;
    std::size_t queue_bytes = 0;
};

/// Thread safe. Callbacks run on the writer thread, must not throw, and may call `append` but not
/// `flush` or the destructor. A slow sink fills the queue: that is the back-pressure.
class Journal {
public:
    /// Takes the directory (created when missing), cuts off a torn tail, begins a new segment.
    /// Errors: Conflict when another process holds it, Unavailable when it cannot be written,
    /// Unprocessable for a newer format. `clock`, `metrics` and `files` must outlive the journal.
    static Result<std::unique_ptr<Journal>> open(const JournalOptions& options, const Clock& clock,
                                                 MetricsRegistry& metrics,
                                                 FileSystem& files = posix_file_system());
    /// Writes and hands on what is queued, then ends the writer thread.
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Set these before the first `append`.
    void set_sink(Sink sink);
    void set_group_listener(GroupListener listener);

    /// Copies the parts, one behind the other, as one record; returns without waiting for the disk.
    /// The record's position is known when its group is written, so it comes with the completion
    /// (which may be empty) and in the sink. Refused (nothing is called then): InvalidArgument for
    /// type 0, PayloadTooLarge, Unavailable while `queue_bytes_max` is reached.
    Result<void> append(std::uint8_t type, std::span<const std::string_view> parts,
                        std::unique_ptr<Attachment> attachment = nullptr,
                        Completion completion = {});
    Result<void> append(std::uint8_t type, std::string_view payload,
                        std::unique_ptr<Attachment> attachment = nullptr,
                        Completion completion = {}) {
        return append(type, std::span<const std::string_view>(&payload, 1), std::move(attachment),
                      std::move(completion));
    }

    /// Waits until everything appended before has been written (or has failed) and been through the
    /// sink; the end of the journal, or the last write's error.
    Result<Position> flush();

    /// Behind the last record that counts.
    Position end() const;

    /// As the free function, up to what counts now; safe while others append.
    Result<ReplayReport> replay(Position from, ReplayOptions replay_options,
                                const ReplayCallback& callback) const;

    /// Deletes the segments that lie wholly before `position`, never the one being written.
    /// Returns the bytes freed.
    Result<std::uint64_t> drop_before(Position position);

    /// Why the last write failed; empty while all is well. For readiness.
    std::optional<Error> last_error() const;
    JournalStats stats() const;
    /// Bytes of an unfinished write that `open` cut off.
    std::uint64_t torn_bytes_at_open() const noexcept { return torn_bytes_; }

private:
    struct State;
    explicit Journal(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
    std::uint64_t torn_bytes_ = 0;
};

}  // namespace playhead::journal
