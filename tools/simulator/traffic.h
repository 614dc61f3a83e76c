/// The stream of requests of a whole audience, in order of arrival at the server.
///
///     World world({.seed = 7});
///     Traffic traffic(world, {.seed = 7, .from_ms = from, .until_ms = from + 3'600'000,
///                             .sessions = 10'000});
///     traffic.on_truth([&](const Truth& truth) { totals.add(truth); });
///     Request request;
///     while (traffic.next(request)) send(request);
///
/// Lazy: memory is that of the sessions that overlap in time. Not thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "simulator/beacons.h"
#include "simulator/incidents.h"
#include "simulator/player.h"
#include "simulator/truth.h"
#include "simulator/writers.h"

namespace playhead::simulator {

/// Trouble on the way that must not change any result. Shares are of requests. Those of CMCD's
/// request mode are spared: nothing in them would tell a second from a first.
struct TransportFaults {
    double duplicate_share = 0;  ///< sent again, byte for byte, a little later
    double delay_share = 0;      ///< held back up to `delay_ms_max`: overtaken by later ones
    std::int64_t delay_ms_max = 20'000;
};

struct WireMix {
    double compact = 0.60, long_keys = 0.15, cmcd_event = 0.20, cmcd_query = 0.05;
};

struct TrafficOptions {
    std::uint64_t seed = 1;
    std::int64_t from_ms = 0;       ///< first arrivals of sessions
    std::int64_t until_ms = 0;      ///< no session begins after; those running play on
    std::uint64_t sessions = 1000;  ///< spread over the time by the rhythm of day and week
    WireMix mix;
    PlayerOptions player;
    BeaconOptions beacons;
    WriterOptions writer;
    TransportFaults faults;
    double application_share = 0.1;  ///< of SmartSight sessions also send App Analytics
    std::vector<Incident> incidents;
    std::uint32_t records_per_request = 1;  ///< > 1: /produce/batch and several CMCD lines
};

/// A session as simulated: what both the wire and the truth are made of.
struct Session {
    Playback playback;
    BeaconPlan plan;
};

/// Session `ordinal` beginning at `start_ms`: the same whatever came before it.
Session make_session(const World& world, const TrafficOptions& options, std::uint64_t ordinal,
                     std::int64_t start_ms);

/// Start times of `sessions` sessions in [from, until), ascending, by the world's demand.
class Arrivals {
public:
    Arrivals(const World& world, std::uint64_t seed, std::int64_t from_ms, std::int64_t until_ms,
             std::uint64_t sessions);
    /// False when all have come. Milliseconds.
    bool next(std::int64_t& start_ms);

private:
    Random random_;
    std::int64_t from_ms_, until_ms_;
    std::uint64_t left_;
    double unit_ = 0;                 ///< share of demand that has passed
    std::vector<double> cumulative_;  ///< demand up to the end of each step
    std::int64_t step_ms_ = 0;
    std::size_t step_ = 0;
};

class Traffic {
public:
    Traffic(const World& world, TrafficOptions options);
    ~Traffic();
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;

    /// Called once per session, when it begins, before its first request.
    void on_truth(std::function<void(const Truth&)> sink) { truth_sink_ = std::move(sink); }

    /// The next request; false at the end. Reuses the strings of `request`.
    bool next(Request& request);
    /// Arrival time of the next request; max() at the end. Lets a live driver wait.
    std::int64_t peek_ms();

    /// Adds a session by hand (live load). Its requests join the order.
    void start_session(std::uint64_t ordinal, std::int64_t start_ms);

    std::size_t active_sessions() const noexcept;
    std::uint64_t started_sessions() const noexcept { return started_; }

private:
    struct Active;
    struct Batch;
    struct Due {
        std::int64_t send_ms;
        std::uint64_t order;  ///< makes equal times deterministic
        std::uint32_t slot;
        bool repeated;
        std::int32_t beacon;
    };

    void admit();
    void write(const Due& due, Request& request);
    void advance(const Due& due);
    bool next_single(Request& request);
    bool next_batch(Request& request);

    const World& world_;
    TrafficOptions options_;
    Arrivals arrivals_;
    std::int64_t next_arrival_ms_ = 0;
    bool more_arrivals_ = true;
    std::uint64_t started_ = 0, order_ = 0;
    std::function<void(const Truth&)> truth_sink_;
    std::vector<std::unique_ptr<Active>> slots_;
    std::vector<std::uint32_t> free_slots_;
    std::vector<Due> heap_;
    std::unique_ptr<Batch> batch_;
};

}  // namespace playhead::simulator
