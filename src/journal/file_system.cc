#include "journal/file_system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace playhead::journal {
namespace {

constexpr mode_t kFileMode = 0640;

class PosixSegmentFile final : public SegmentFile {
public:
    PosixSegmentFile(int descriptor, std::string path)
        : descriptor_(descriptor), path_(std::move(path)) {}
    ~PosixSegmentFile() override { ::close(descriptor_); }
    PosixSegmentFile(const PosixSegmentFile&) = delete;
    PosixSegmentFile& operator=(const PosixSegmentFile&) = delete;

    Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
        while (!bytes.empty()) {
            const ssize_t written =
                ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (written < 0) {
                if (errno == EINTR) continue;
                return fail(system_error("write", path_, errno));
            }
            offset += static_cast<std::uint64_t>(written);
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
        return {};
    }

    Result<void> sync() override {
        if (::fdatasync(descriptor_) != 0) return fail(system_error("sync", path_, errno));
        return {};
    }

    Result<void> truncate(std::uint64_t bytes) override {
        if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) {
            return fail(system_error("truncate", path_, errno));
        }
        return {};
    }

private:
    int descriptor_;
    std::string path_;
};

class PosixFileSystem final : public FileSystem {
public:
    Result<std::unique_ptr<SegmentFile>> create(const std::string& path) override {
        const int descriptor =
            ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
        if (descriptor < 0) return fail(system_error("create", path, errno));
        return std::make_unique<PosixSegmentFile>(descriptor, path);
    }

    Result<void> remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) return fail(system_error("remove", path, errno));
        return {};
    }

    Result<void> sync_directory(const std::string& path) override {
        const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor < 0) return fail(system_error("open", path, errno));
        const int outcome = ::fsync(descriptor);
        const int reason = errno;
        ::close(descriptor);
        if (outcome != 0) return fail(system_error("sync", path, reason));
        return {};
    }
};

}  // namespace

FileSystem& posix_file_system() noexcept {
    static PosixFileSystem instance;
    return instance;
}

Error system_error(std::string_view what, std::string_view path, int error_number) {
    return Error{
        ErrorCode::Unavailable,
        fmt::format("cannot {} {}: {}", what, path, std::generic_category().message(error_number)),
        {},
        std::string(path),
        {}};
}

}  // namespace playhead::journal
