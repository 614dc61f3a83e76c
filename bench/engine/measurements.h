/// The measurements of bench_engine. Each prints one JSON line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace playhead::bench {

/// Inserts decoded beacons as JSON rows, `batch` a statement, into a fresh store below a temporary
/// directory: CPU of the process, merges included.
int measure_json_insert(std::uint64_t events, std::uint64_t batch);

/// Opens `sessions` sessions in one partition with up to `records` beacons each.
int measure_memory(std::uint64_t sessions, std::uint64_t records);

/// CPU seconds of this process.
double own_cpu_s();

[[noreturn]] void die(const std::string& why);

}  // namespace playhead::bench
