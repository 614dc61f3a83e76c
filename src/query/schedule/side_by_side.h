/// Several statements of one turn at once.
#pragma once

#include <cstddef>
#include <functional>

namespace playhead::query {

/// Calls `step` with 0, 1, … `count` - 1 in this order, two at a time: on this thread and on
/// another one, both in this thread's turn. After a step that answered false no further ones begin;
/// false then. What a step throws is thrown here, when both threads are done.
bool side_by_side(std::size_t count, const std::function<bool(std::size_t)>& step);

}  // namespace playhead::query
