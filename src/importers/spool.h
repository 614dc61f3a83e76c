/// Puts any number of reports in the order of their time, in bounded memory: CDNs write their logs
/// by edge and in no order, and time must not run backwards in the timeline. Sorted runs go to
/// files in a folder of their own, which goes away with the spool. Not thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "importers/report.h"

namespace playhead::importers {

class Spool {
public:
    static constexpr std::size_t kRunBytesMax = 64U << 20U;  ///< in memory before a run is written
    static constexpr std::size_t kRunsMax = 512;             ///< files; 32 GB of reports

    /// `directory` "": the system's folder for temporary files. `run_bytes`: for tests.
    explicit Spool(const std::string& directory = {}, std::size_t run_bytes = kRunBytesMax);
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    Result<void> add(Report report);
    /// After the last `add`.
    Result<void> sort();
    /// The next in order of time, of equal times as added; false at the end.
    Result<bool> next(Report& report);

    std::uint64_t size() const noexcept { return size_; }
    std::int64_t first_ms() const noexcept { return first_ms_; }
    std::int64_t last_ms() const noexcept { return last_ms_; }

private:
    class Run;
    Result<void> write_run();

    std::string parent_, folder_;
    std::size_t run_bytes_;
    std::vector<Report> pending_;
    std::size_t pending_bytes_ = 0;
    std::size_t at_ = 0;
    std::vector<std::unique_ptr<Run>> runs_;
    std::uint64_t size_ = 0;
    std::int64_t first_ms_ = 0, last_ms_ = 0;
};

}  // namespace playhead::importers
