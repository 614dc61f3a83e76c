/// The seam between the journal's writer and the disk, so that tests can make the disk fail.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace playhead::journal {

/// A segment being written. Used by one thread. Errors are Unavailable with the system's reason.
class SegmentFile {
public:
    virtual ~SegmentFile() = default;
    /// Writes all of `bytes` at `offset`, or fails; after a failure any part may have been written.
    virtual Result<void> write_at(std::uint64_t offset, std::string_view bytes) = 0;
    /// Returns once what was written is on the device (fdatasync).
    virtual Result<void> sync() = 0;
    virtual Result<void> truncate(std::uint64_t bytes) = 0;
};

/// Thread safe.
class FileSystem {
public:
    virtual ~FileSystem() = default;
    /// Creates the file, or empties it.
    virtual Result<std::unique_ptr<SegmentFile>> create(const std::string& path) = 0;
    virtual Result<void> remove(const std::string& path) = 0;
    /// Makes created and removed names of the directory durable.
    virtual Result<void> sync_directory(const std::string& path) = 0;
};

/// The operating system's files; lives as long as the process.
FileSystem& posix_file_system() noexcept;

/// An Unavailable error: "cannot <what> <path>: <reason of error_number>".
Error system_error(std::string_view what, std::string_view path, int error_number);

}  // namespace playhead::journal
