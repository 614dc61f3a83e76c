#include "query/schedule/turn.h"

namespace playhead::query {

namespace {

// A query's statements are asked for many calls below the worker; its place goes with the thread.
thread_local Turn* turn_of_this_thread = nullptr;

}  // namespace

Turn* Turn::current() noexcept {
    return turn_of_this_thread;
}

Turn::Scope::Scope(Turn& turn) noexcept : before_(turn_of_this_thread) {
    turn_of_this_thread = &turn;
}

Turn::Scope::~Scope() {
    turn_of_this_thread = before_;
}

}  // namespace playhead::query
