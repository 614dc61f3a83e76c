/// What the journal's tests share: a directory of their own and a disk that fails on demand.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "journal/journal.h"

namespace playhead::journal {

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "playhead_XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

inline std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Fails on demand, as a full or broken disk does; a failing write leaves half of its bytes behind.
class FaultyFileSystem final : public FileSystem {
public:
    std::atomic<bool> fail_writes{false};
    std::atomic<bool> fail_syncs{false};
    std::atomic<bool> fail_truncates{false};

    Result<std::unique_ptr<SegmentFile>> create(const std::string& path) override {
        auto file = posix_file_system().create(path);
        if (!file) return fail(file.error());
        return std::make_unique<File>(*this, std::move(*file), path);
    }
    Result<void> remove(const std::string& path) override {
        return posix_file_system().remove(path);
    }
    Result<void> sync_directory(const std::string& path) override {
        return posix_file_system().sync_directory(path);
    }

private:
    class File final : public SegmentFile {
    public:
        File(FaultyFileSystem& owner, std::unique_ptr<SegmentFile> file, std::string path)
            : owner_(owner), file_(std::move(file)), path_(std::move(path)) {}
        Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
            if (!owner_.fail_writes) return file_->write_at(offset, bytes);
            static_cast<void>(file_->write_at(offset, bytes.substr(0, bytes.size() / 2)));
            return fail(system_error("write", path_, ENOSPC));
        }
        Result<void> sync() override {
            if (owner_.fail_syncs) return fail(system_error("sync", path_, EIO));
            return file_->sync();
        }
        Result<void> truncate(std::uint64_t bytes) override {
            if (owner_.fail_truncates) return fail(system_error("truncate", path_, EIO));
            return file_->truncate(bytes);
        }

    private:
        FaultyFileSystem& owner_;
        std::unique_ptr<SegmentFile> file_;
        std::string path_;
    };
};

class JournalTest : public testing::Test {
protected:
    std::unique_ptr<Journal> open() {
        auto journal = Journal::open(options(), clock_, metrics_, files_);
        EXPECT_TRUE(journal) << journal.error().message;
        return journal ? std::move(*journal) : nullptr;
    }
    JournalOptions options() const {
        JournalOptions options;
        options.dir = directory_.path();
        options.segment_bytes_max = segment_bytes_max_;
        options.queue_bytes_max = queue_bytes_max_;
        options.group_delay_us = 0;
        options.probe_interval_ms = 10;
        return options;
    }
    std::vector<std::string> payloads(ReplayOptions replay_options = {}) {
        std::vector<std::string> found;
        auto report = replay(directory_.path(), {}, replay_options, [&](const Record& record) {
            found.emplace_back(record.payload);
            return true;
        });
        EXPECT_TRUE(report) << report.error().message;
        if (report) report_ = *report;
        return found;
    }
    /// The path of the newest segment, after the journal has been closed.
    std::string last_segment() const {
        return directory_.path() + "/" +
               segment_file_name(list_segments(directory_.path())->back().segment);
    }

    TemporaryDirectory directory_;
    SystemClock clock_;
    MetricsRegistry metrics_;
    FaultyFileSystem files_;
    std::uint64_t segment_bytes_max_ = 256U << 20U;
    std::size_t queue_bytes_max_ = 64U << 20U;
    ReplayReport report_;
};

}  // namespace playhead::journal
