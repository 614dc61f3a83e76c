#include "model/event.h"

#include <algorithm>
#include <cstring>

namespace playhead::model {

char* Arena::allocate(std::size_t size) {
    if (capacity_ - used_ < size) {
        capacity_ = std::max(kChunkBytes, size);
        chunks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
        bytes_ += capacity_;
        used_ = 0;
    }
    char* place = chunks_.back().get() + used_;
    used_ += size;
    return place;
}

std::string_view Arena::copy(std::string_view text) {
    if (text.empty()) return {};
    char* place = allocate(text.size());
    std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
}

}  // namespace playhead::model
