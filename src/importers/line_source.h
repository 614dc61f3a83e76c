/// Lines of a file or of standard input, plain, gzip or zstd (told by the first bytes). Holds one
/// buffer and the longest line, whatever the file's size. Not thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace playhead::importers {

/// Longer lines are not handed over; no CDN writes them.
inline constexpr std::size_t kLineBytesMax = 1U << 20U;

class LineSource {
public:
    /// `path` "-": standard input. NotFound when it cannot be opened.
    static Result<LineSource> open(const std::string& path);
    ~LineSource();
    LineSource(LineSource&&) noexcept;
    LineSource& operator=(LineSource&&) = delete;
    LineSource(const LineSource&) = delete;
    LineSource& operator=(const LineSource&) = delete;

    /// The next line without its end (LF or CR LF), valid until the next call; false at the end.
    /// A line that is too long comes empty with `too_long()`. Unavailable for damaged data.
    Result<bool> next(std::string_view& line);
    /// The next up to `size` bytes; 0 at the end. Not to be mixed with `next`.
    Result<std::size_t> read(char* to, std::size_t size);

    std::uint64_t number() const noexcept { return number_; }  ///< of the last line, from 1
    bool too_long() const noexcept { return too_long_; }
    const std::string& name() const noexcept { return name_; }

private:
    class Decoder;
    LineSource(std::string name, std::unique_ptr<Decoder> decoder);

    std::string name_;
    std::unique_ptr<Decoder> decoder_;
    std::string buffer_;
    std::size_t at_ = 0;
    bool ended_ = false;
    bool too_long_ = false;
    std::uint64_t number_ = 0;
};

}  // namespace playhead::importers
