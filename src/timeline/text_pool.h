/// Texts that many sessions have in common (player, version, device, city), each kept once.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace playhead::timeline {

class TextPool;

/// A counted reference to a text of a pool; empty by default. Must not outlive its pool.
/// Single-threaded like the pool.
class SharedText {
public:
    SharedText() noexcept = default;
    SharedText(const SharedText& other) noexcept;
    SharedText(SharedText&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    SharedText& operator=(SharedText other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }
    ~SharedText();
    std::string_view view() const noexcept;

private:
    friend class TextPool;
    struct Block;
    explicit SharedText(Block* block) noexcept : block_(block) {}
    Block* block_ = nullptr;
};

class TextPool {
public:
    TextPool() = default;
    TextPool(const TextPool&) = delete;
    TextPool& operator=(const TextPool&) = delete;

    /// The pool's copy of `text`; gone with its last reference.
    SharedText share(std::string_view text);
    /// Approximate; all of the pool.
    std::size_t bytes() const noexcept;
    /// The part of `bytes` that is characters.
    std::size_t text_bytes() const noexcept { return text_bytes_; }

private:
    friend class SharedText;
    struct Hash {
        using is_transparent = void;
        using is_avalanching = void;
        std::size_t operator()(std::string_view text) const noexcept;
        std::size_t operator()(const SharedText::Block* block) const noexcept;
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const SharedText::Block* left,
                        const SharedText::Block* right) const noexcept {
            return left == right;
        }
        bool operator()(std::string_view left, const SharedText::Block* right) const noexcept;
        bool operator()(const SharedText::Block* left, std::string_view right) const noexcept {
            return (*this)(right, left);
        }
    };
    void drop(SharedText::Block* block) noexcept;

    boost::unordered_flat_set<SharedText::Block*, Hash, Equal> blocks_;
    std::size_t text_bytes_ = 0;
};

struct SharedText::Block {
    TextPool* pool;
    std::uint32_t references;
    std::uint32_t size;
    // `size` characters follow.
    char* characters() noexcept { return reinterpret_cast<char*>(this + 1); }
    std::string_view view() const noexcept {
        return {reinterpret_cast<const char*>(this + 1), size};
    }
};

inline SharedText::SharedText(const SharedText& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
}

inline SharedText::~SharedText() {
    if (block_ != nullptr && --block_->references == 0) block_->pool->drop(block_);
}

inline std::string_view SharedText::view() const noexcept {
    return block_ == nullptr ? std::string_view() : block_->view();
}

}  // namespace playhead::timeline
