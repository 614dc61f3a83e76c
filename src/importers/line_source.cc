#include "importers/line_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace playhead::importers {

namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;
// 15 is the largest window, +16 the gzip wrapper.
constexpr int kGzipWindow = 15 + 16;
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

enum class Coding : std::uint8_t { Plain, Gzip, Zstd };

}  // namespace

/// The file's bytes, decompressed.
class LineSource::Decoder {
public:
    Decoder(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
    ~Decoder() {
        ::close(fd_);
        if (coding_ == Coding::Gzip) inflateEnd(&gzip_);
        ZSTD_freeDCtx(zstd_);
    }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    Result<void> begin() {
        // A pipe may give less than the magic bytes at once.
        while (size_ < kZstdMagic.size() && !file_ended_) {
            if (auto filled = fill(); !filled) return filled;
        }
        const std::string_view start(input_->data(), size_);
        if (start.starts_with(kGzipMagic)) {
            coding_ = Coding::Gzip;
            if (inflateInit2(&gzip_, kGzipWindow) != Z_OK) {
                return fail(ErrorCode::Internal, "zlib did not start");
            }
        } else if (start.starts_with(kZstdMagic)) {
            coding_ = Coding::Zstd;
            zstd_ = ZSTD_createDCtx();
        }
        return {};
    }

    /// 0 at the end.
    Result<std::size_t> read(char* to, std::size_t room) {
        while (true) {
            if (at_ == size_ && !file_ended_) {
                at_ = size_ = 0;
                if (auto filled = fill(); !filled) return fail(filled.error());
            }
            if (at_ == size_ && file_ended_) {
                if (inside_) return damaged("is cut short");
                return 0;
            }
            std::size_t made = 0;
            if (coding_ == Coding::Plain) {
                made = std::min(room, size_ - at_);
                std::memcpy(to, input_->data() + at_, made);
                at_ += made;
            } else {
                auto decoded =
                    coding_ == Coding::Gzip ? inflate_some(to, room) : decompress_some(to, room);
                if (!decoded) return decoded;
                made = *decoded;
            }
            if (made > 0) return made;
        }
    }

private:
    Result<void> fill() {
        const ssize_t got = ::read(fd_, input_->data() + size_, kBlockBytes - size_);
        if (got < 0 && errno == EINTR) return {};
        if (got < 0) {
            return fail(ErrorCode::Unavailable,
                        fmt::format("cannot read {}: {}", name_, std::strerror(errno)));
        }
        if (got == 0) file_ended_ = true;
        size_ += static_cast<std::size_t>(got);
        return {};
    }

    tl::unexpected<Error> damaged(std::string_view what) const {
        return fail(ErrorCode::Unavailable, fmt::format("{} {}", name_, what));
    }

    Result<std::size_t> inflate_some(char* to, std::size_t room) {
        gzip_.next_in = reinterpret_cast<Bytef*>(input_->data() + at_);
        gzip_.avail_in = static_cast<uInt>(size_ - at_);
        gzip_.next_out = reinterpret_cast<Bytef*>(to);
        gzip_.avail_out = static_cast<uInt>(room);
        const int code = inflate(&gzip_, Z_NO_FLUSH);
        at_ = size_ - gzip_.avail_in;
        inside_ = code != Z_STREAM_END;
        if (code == Z_STREAM_END) {
            // RFC 1952: a file may have several members.
            inflateReset(&gzip_);
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            return damaged("is no intact gzip file");
        }
        return room - gzip_.avail_out;
    }

    Result<std::size_t> decompress_some(char* to, std::size_t room) {
        ZSTD_inBuffer input{input_->data(), size_, at_};
        ZSTD_outBuffer output{to, room, 0};
        const std::size_t left = ZSTD_decompressStream(zstd_, &output, &input);
        if (ZSTD_isError(left) != 0) return damaged("is no intact zstd file");
        at_ = input.pos;
        inside_ = left != 0;
        return output.pos;
    }

    int fd_;
    std::string name_;
    std::unique_ptr<std::array<char, kBlockBytes>> input_ =
        std::make_unique<std::array<char, kBlockBytes>>();
    std::size_t at_ = 0, size_ = 0;
    bool file_ended_ = false;
    bool inside_ = false;  ///< of a compressed frame
    Coding coding_ = Coding::Plain;
    z_stream gzip_{};
    ZSTD_DCtx* zstd_ = nullptr;
};

LineSource::LineSource(std::string name, std::unique_ptr<Decoder> decoder)
    : name_(std::move(name)), decoder_(std::move(decoder)) {}
LineSource::~LineSource() = default;
LineSource::LineSource(LineSource&&) noexcept = default;

Result<LineSource> LineSource::open(const std::string& path) {
    // Our own copy of standard input: the engine gives /dev/null to the process later.
    const int fd = path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                               : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const std::string name = path == "-" ? "stdin" : path;
    if (fd < 0) {
        return fail(ErrorCode::NotFound,
                    fmt::format("cannot read {}: {}", name, std::strerror(errno)));
    }
    auto decoder = std::make_unique<Decoder>(fd, name);
    if (auto begun = decoder->begin(); !begun) return fail(begun.error());
    return LineSource(name, std::move(decoder));
}

Result<std::size_t> LineSource::read(char* to, std::size_t size) {
    return decoder_->read(to, size);
}

Result<bool> LineSource::next(std::string_view& line) {
    too_long_ = false;
    std::size_t searched = at_;
    while (true) {
        const std::size_t end = buffer_.find('\n', searched);
        if (end != std::string::npos || (ended_ && at_ < buffer_.size())) {
            const std::size_t stop = std::min(end, buffer_.size());
            line = std::string_view(buffer_).substr(at_, stop - at_);
            if (line.ends_with('\r')) line.remove_suffix(1);
            if (too_long_) line = {};
            at_ = std::min(stop + 1, buffer_.size());
            ++number_;
            return true;
        }
        if (ended_) return false;
        buffer_.erase(0, at_);
        at_ = 0;
        if (buffer_.size() > kLineBytesMax) {
            too_long_ = true;
            buffer_.clear();
            // What is left of the line keeps one byte, so that its end is still one.
            buffer_.push_back(' ');
        }
        searched = buffer_.size();
        buffer_.resize(searched + kBlockBytes);
        auto got = decoder_->read(buffer_.data() + searched, kBlockBytes);
        if (!got) return fail(got.error());
        buffer_.resize(searched + *got);
        ended_ = *got == 0;
    }
}

}  // namespace playhead::importers
