/// The timeline's state on disk, so that a start replays minutes of the journal, not days.
///
/// File `<dir>/<cut, 16 hex digits>.snapshot`, little endian:
///   "PHSNAP01" · u64 cut · u64 segment · u64 offset (where replay goes on) · u32 partitions ·
///   per partition u64 length and bytes · u32 crc32c of all before
/// Written whole under a temporary name, synced, then renamed: a crash leaves the older one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "journal/format.h"

namespace playhead::ingest {

struct Snapshot {
    std::uint64_t cut = 0;
    journal::Position next;               ///< first record that is not in it
    std::vector<std::string> partitions;  ///< one per partition, in order
};

/// How many are kept: the newest may be damaged.
inline constexpr std::size_t kSnapshotsKept = 2;

/// Writes it and deletes those older than the newest kSnapshotsKept. Returns the position before
/// which no kept snapshot needs the journal. Unavailable when the disk refuses.
Result<journal::Position> write_snapshot(const std::string& dir, const Snapshot& snapshot);

/// The kept ones, newest first, as file names.
std::vector<std::string> list_snapshots(const std::string& dir);

/// Internal for a damaged or foreign file.
Result<Snapshot> read_snapshot(const std::string& path);

}  // namespace playhead::ingest
