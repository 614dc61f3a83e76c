/// Taking possession of a journal directory: the lock, and where writing goes on after the last
/// run.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace playhead::journal {

/// Holds `<dir>/lock` (flock) until destroyed. Used by one thread.
class DirectoryLock {
public:
    /// Creates the directory when it is missing. Conflict when another process holds the lock,
    /// Unavailable when the directory cannot be created or written; both name the directory.
    static Result<DirectoryLock> acquire(const std::string& dir);
    DirectoryLock(DirectoryLock&& other) noexcept;
    DirectoryLock& operator=(DirectoryLock&& other) noexcept;
    ~DirectoryLock();

private:
    explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

/// Where a new run begins to write.
struct Continuation {
    std::uint64_t segment = 1;
    std::uint64_t previous_bytes = 0;
    /// What was cut off the last segment: the unfinished write of a crash.
    std::uint64_t torn_bytes = 0;
};

/// Finds the end of the last segment and cuts off a torn tail. Damage elsewhere is left for replay
/// to report. Fails for a newer format and for files that cannot be read or cut.
Result<Continuation> recover(const std::string& dir);

}  // namespace playhead::journal
