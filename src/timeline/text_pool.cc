#include "timeline/text_pool.h"

#include <cstring>
#include <new>

#include "base/hash.h"

namespace playhead::timeline {

std::size_t TextPool::Hash::operator()(std::string_view text) const noexcept {
    return stable_hash(text);
}

std::size_t TextPool::Hash::operator()(const SharedText::Block* block) const noexcept {
    return stable_hash(block->view());
}

bool TextPool::Equal::operator()(std::string_view left,
                                 const SharedText::Block* right) const noexcept {
    return left == right->view();
}

SharedText TextPool::share(std::string_view text) {
    if (text.empty()) return {};
    const auto found = blocks_.find(text);
    if (found != blocks_.end()) {
        ++(*found)->references;
        return SharedText(*found);
    }
    void* memory = ::operator new(sizeof(SharedText::Block) + text.size());
    auto* block = new (memory) SharedText::Block{this, 1, static_cast<std::uint32_t>(text.size())};
    std::memcpy(block->characters(), text.data(), text.size());
    text_bytes_ += text.size();
    SharedText shared(block);
    blocks_.insert(block);
    return shared;
}

void TextPool::drop(SharedText::Block* block) noexcept {
    text_bytes_ -= block->size;
    blocks_.erase(block);
    ::operator delete(block);
}

std::size_t TextPool::bytes() const noexcept {
    return text_bytes_ + blocks_.size() * (sizeof(SharedText::Block) + sizeof(SharedText::Block*));
}

}  // namespace playhead::timeline
