#include "query/flights.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace playhead::query {

namespace {

tl::unexpected<Error> cancelled() {
    return fail(ErrorCode::Cancelled, "the query was cancelled");
}

}  // namespace

/// Under the mutex. True when this caller had been cancelled.
bool Flights::leave(Flight& flight, std::uint64_t number) {
    const bool was_cancelled = flight.callers.at(number).cancelled;
    flight.callers.erase(number);
    return was_cancelled;
}

/// Under the mutex.
void Flights::land(const std::string& key, const FlightPtr& flight, Result<SharedTable> outcome) {
    flight->outcome = std::move(outcome);
    const auto open = open_.find(key);
    if (open != open_.end() && open->second == flight) open_.erase(open);
    std::erase_if(flights_, [&](const auto& each) { return each.second == flight; });
    changed_.notify_all();
}

Result<SharedTable> Flights::run(const std::string& key, const store::ChangeState& state,
                                 const std::string& name, const std::atomic<bool>* given_up,
                                 const Work& work) {
    std::unique_lock lock(mutex_);
    const std::uint64_t number = next_number_++;
    const auto same = open_.find(key);
    if (same != open_.end() && same->second->state == state) {
        const FlightPtr flight = same->second;
        Caller& self = flight->callers[number];
        self.name = name;
        if (given_up != nullptr && given_up->load()) self.cancelled = true;
        changed_.wait(lock, [&] { return flight->outcome.has_value() || self.cancelled; });
        if (leave(*flight, number)) return cancelled();
        return *flight->outcome;
    }
    const auto flight = std::make_shared<Flight>();
    flight->store_id = "flight-" + std::to_string(number);
    flight->state = state;
    flight->callers[number].name = name;
    // Whoever cancels sets the flag first and looks for the name then: one of the two sees it.
    if (given_up != nullptr && given_up->load()) return cancelled();
    open_[key] = flight;
    flights_[number] = flight;
    lock.unlock();
    Result<SharedTable> outcome = fail(ErrorCode::Internal, "the query ended without an answer");
    try {
        outcome = work(flight->store_id, flight->stop);
    } catch (...) {
        lock.lock();
        land(key, flight, std::move(outcome));
        throw;
    }
    lock.lock();
    land(key, flight, outcome);
    if (leave(*flight, number)) return cancelled();
    return outcome;
}

bool Flights::cancel(std::string_view name) {
    std::vector<std::string> stopped;
    bool found = false;
    {
        const std::lock_guard lock(mutex_);
        for (auto& [number, flight] : flights_) {
            for (auto& [caller_number, caller] : flight->callers) {
                if (name.empty() || caller.name != name) continue;
                caller.cancelled = true;
                found = true;
            }
            const bool wanted =
                std::any_of(flight->callers.begin(), flight->callers.end(),
                            [](const auto& each) { return !each.second.cancelled; });
            if (wanted || flight->stop) continue;
            flight->stop = true;
            stopped.push_back(flight->store_id);
            // Nobody new may wait for what is about to end.
            const FlightPtr& ended = flight;
            std::erase_if(open_, [&](const auto& each) { return each.second == ended; });
        }
    }
    for (const auto& id : stopped) store_.cancel(id);
    if (found) changed_.notify_all();
    return found;
}

std::optional<std::string> Flights::store_id(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, flight] : flights_) {
        for (const auto& [caller_number, caller] : flight->callers) {
            if (!name.empty() && caller.name == name) return flight->store_id;
        }
    }
    return std::nullopt;
}

}  // namespace playhead::query
