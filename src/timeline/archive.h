/// A small binary form for snapshots: one `io` per type serves writing and reading. Little-endian
/// machines only, as everything that Playhead runs on.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace playhead::timeline {

class Writer {
public:
    static constexpr bool kReading = false;
    void raw(const void* data, std::size_t size) {
        out.append(static_cast<const char*>(data), size);
    }
    bool ok() const noexcept { return true; }
    std::uint32_t version = 0;  ///< as Reader's
    std::string out;
};

/// Reads what a Writer wrote; past the end or over a limit everything reads as zero and `ok` is
/// false.
class Reader {
public:
    static constexpr bool kReading = true;
    explicit Reader(std::string_view text) : in_(text) {}
    void raw(void* data, std::size_t size) {
        if (size > in_.size()) {
            failed_ = true;
            std::memset(data, 0, size);
            return;
        }
        std::memcpy(data, in_.data(), size);
        in_.remove_prefix(size);
    }
    void damage() noexcept { failed_ = true; }
    bool ok() const noexcept { return !failed_; }
    std::size_t left() const noexcept { return in_.size(); }
    std::uint32_t version = 0;  ///< of what is read, for types that have grown

private:
    std::string_view in_;
    bool failed_ = false;
};

template <class Archive, class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T>)
void io(Archive& archive, T& value) {
    archive.raw(&value, sizeof value);
}

/// Length of a sequence whose elements take at least one byte each.
template <class Archive>
std::size_t io_size(Archive& archive, std::size_t size) {
    auto count = static_cast<std::uint32_t>(size);
    io(archive, count);
    if constexpr (Archive::kReading) {
        if (count > archive.left()) {
            archive.damage();
            return 0;
        }
    }
    return count;
}

template <class Archive>
void io(Archive& archive, std::string& text) {
    const std::size_t size = io_size(archive, text.size());
    if constexpr (Archive::kReading) text.resize(size);
    archive.raw(text.data(), size);
}

template <class Archive, class T, class F>
void io_list(Archive& archive, std::vector<T>& list, F&& each) {
    const std::size_t size = io_size(archive, list.size());
    if constexpr (Archive::kReading) list.resize(size);
    for (std::size_t index = 0; index < size && archive.ok(); ++index) each(list[index]);
}

template <class Archive, class... T>
void io_all(Archive& archive, T&... values) {
    (io(archive, values), ...);
}

}  // namespace playhead::timeline
