#include "importers/spool.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace playhead::importers {

namespace {

constexpr std::size_t kReadBytes = 256 * 1024;

/// What a report occupies beside its texts, about.
constexpr std::size_t kReportBytes = sizeof(Report) + 48;

bool earlier(const Report& left, const Report& right) {
    return left.time_ms < right.time_ms;
}

}  // namespace

/// One sorted file and the report at its front.
class Spool::Run {
public:
    explicit Run(std::string path) : path_(std::move(path)) {}

    Result<void> open() {
        file_.open(path_, std::ios::binary);
        if (file_) return {};
        return fail(ErrorCode::Unavailable, fmt::format("cannot read {} again", path_));
    }

    /// False at the end.
    Result<bool> advance() {
        while (true) {
            std::string_view rest = std::string_view(buffer_).substr(at_);
            const std::size_t before = rest.size();
            if (take_report(rest, front)) {
                at_ += before - rest.size();
                return true;
            }
            buffer_.erase(0, at_);
            at_ = 0;
            const std::size_t kept = buffer_.size();
            buffer_.resize(kept + kReadBytes);
            file_.read(buffer_.data() + kept, static_cast<std::streamsize>(kReadBytes));
            buffer_.resize(kept + static_cast<std::size_t>(file_.gcount()));
            if (buffer_.size() > kept) continue;
            if (kept == 0) return false;
            return fail(ErrorCode::Unavailable, fmt::format("{} has been cut short", path_));
        }
    }

    Report front;

private:
    std::string path_;
    std::ifstream file_;
    std::string buffer_;
    std::size_t at_ = 0;
};

Spool::Spool(const std::string& directory, std::size_t run_bytes)
    : parent_(directory), run_bytes_(run_bytes) {}

Spool::~Spool() {
    std::error_code error;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, error);
}

Result<void> Spool::add(Report report) {
    first_ms_ = size_ == 0 ? report.time_ms : std::min(first_ms_, report.time_ms);
    last_ms_ = size_ == 0 ? report.time_ms : std::max(last_ms_, report.time_ms);
    ++size_;
    pending_bytes_ +=
        kReportBytes + report.body.size() + report.user_agent.size() + report.address.size();
    pending_.push_back(std::move(report));
    return pending_bytes_ < run_bytes_ ? Result<void>() : write_run();
}

Result<void> Spool::write_run() {
    std::error_code error;
    if (folder_.empty()) {
        const std::string parent =
            parent_.empty() ? std::filesystem::temp_directory_path(error).string() : parent_;
        std::string pattern = parent + "/playhead-import-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) {
            return fail(ErrorCode::Unavailable, fmt::format("cannot make a folder below {}: {}",
                                                            parent, std::strerror(errno)));
        }
        folder_ = pattern;
    }
    if (runs_.size() >= kRunsMax) {
        return fail(ErrorCode::PayloadTooLarge,
                    "too much to sort at once; import fewer files at a time");
    }
    std::stable_sort(pending_.begin(), pending_.end(), earlier);
    const std::string path = fmt::format("{}/{}", folder_, runs_.size());
    std::ofstream file(path, std::ios::binary);
    std::string bytes;
    for (const Report& report : pending_) {
        append_report(bytes, report);
        if (bytes.size() < kReadBytes) continue;
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        bytes.clear();
    }
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) {
        return fail(
            ErrorCode::Unavailable,
            fmt::format("cannot write {}: is the disk full? (TMPDIR chooses another)", path));
    }
    runs_.push_back(std::make_unique<Run>(path));
    pending_.clear();
    pending_bytes_ = 0;
    return {};
}

Result<void> Spool::sort() {
    if (runs_.empty()) {
        std::stable_sort(pending_.begin(), pending_.end(), earlier);
        return {};
    }
    if (auto written = write_run(); !written) return written;
    pending_.shrink_to_fit();
    for (auto& run : runs_) {
        if (auto opened = run->open(); !opened) return opened;
        auto any = run->advance();
        if (!any) return fail(any.error());
        if (!*any) run.reset();
    }
    std::erase(runs_, nullptr);
    return {};
}

Result<bool> Spool::next(Report& report) {
    if (runs_.empty()) {
        if (at_ >= pending_.size()) return false;
        report = std::move(pending_[at_++]);
        return true;
    }
    // At most 512 runs, hardly ever more than a few: a heap would not pay. Of equal times the
    // earlier run has what was added first.
    const auto first = std::min_element(
        runs_.begin(), runs_.end(),
        [](const auto& left, const auto& right) { return earlier(left->front, right->front); });
    std::swap(report, (*first)->front);
    auto more = (*first)->advance();
    if (!more) return more;
    if (!*more) runs_.erase(first);
    return true;
}

}  // namespace playhead::importers
