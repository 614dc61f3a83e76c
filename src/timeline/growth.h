/// How the lists of a session grow.
#pragma once

#include <vector>

namespace playhead::timeline {

/// Makes room for one more by an eighth instead of doubling: there are many sessions and their
/// lists are short, so what doubling leaves unused is most of the memory.
template <class T>
void grow_tightly(std::vector<T>& list) {
    constexpr std::size_t kStep = 4;
    if (list.size() == list.capacity()) list.reserve(list.size() + list.size() / 8 + kStep);
}

}  // namespace playhead::timeline
