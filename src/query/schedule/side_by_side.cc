#include "query/schedule/side_by_side.h"

#include <atomic>
#include <future>
#include <optional>

#include "query/schedule/turn.h"

namespace playhead::query {

bool side_by_side(std::size_t count, const std::function<bool(std::size_t)>& step) {
    std::atomic<std::size_t> next{0};
    std::atomic<bool> good{true};
    const auto work = [&] {
        for (std::size_t i = next++; i < count && good; i = next++) {
            if (!step(i)) good = false;
        }
    };
    // Its destructor waits, should this thread's half throw.
    constexpr auto kOrAlone = std::launch::async | std::launch::deferred;
    auto other = std::async(kOrAlone, [&, turn = Turn::current()] {
        std::optional<Turn::Scope> scope;
        if (turn != nullptr) scope.emplace(*turn);
        work();
    });
    work();
    other.get();
    return good;
}

}  // namespace playhead::query
