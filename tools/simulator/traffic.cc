#include "simulator/traffic.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>

namespace playhead::simulator {
namespace {

constexpr std::int64_t kStepMs = 5 * 60'000;
constexpr std::size_t kDemandStepsMax = 200'000;
constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::max();

Wire pick_wire(const WireMix& mix, double unit) {
    const double total = mix.compact + mix.long_keys + mix.cmcd_event + mix.cmcd_query;
    // Subtracted one by one: other sums would round elsewhere, and the same seed gives the same
    // bytes.
    double point = unit * total - mix.compact;
    if (point < 0) return Wire::Compact;
    point -= mix.long_keys;
    if (point < 0) return Wire::Long;
    if (point - mix.cmcd_event < 0) return Wire::CmcdEvent;
    return mix.cmcd_query > 0 ? Wire::CmcdQuery : Wire::Compact;
}

std::size_t pick_country(const World& world, std::int64_t at_ms, double unit) {
    double total = 0;
    const std::size_t count = world.countries().size();
    for (std::size_t index = 0; index < count; ++index) total += world.demand(index, at_ms);
    double point = unit * total;
    for (std::size_t index = 0; index + 1 < count; ++index) {
        point -= world.demand(index, at_ms);
        if (point < 0) return index;
    }
    return count - 1;
}

std::string make_session_id(const World& world, const Playback& playback, std::uint64_t bits) {
    const std::uint64_t more = mix64(bits);
    if (playback.wire == Wire::Long) {
        const Device& device = world.devices()[playback.viewer.device];
        return fmt::format("{:016x}-{:012x}-{}_{}_{}_{}", bits, more >> 16U, playback.start_ms,
                           "RNPlayer", device.brand.empty() ? "web" : device.brand, "6.4.2");
    }
    std::string uuid =
        fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", bits >> 32U, (bits >> 16U) & 0xFFFFU,
                    bits & 0xFFFU, 0x8000U | (more & 0x3FFFU), more >> 16U);
    if (playback.wire == Wire::Compact) return fmt::format("{}-{}", uuid, playback.start_ms);
    return uuid;
}

}  // namespace

Session make_session(const World& world, const TrafficOptions& options, std::uint64_t ordinal,
                     std::int64_t start_ms) {
    const std::uint64_t bits = mix64(mix64(options.seed) ^ (ordinal * 2 + 1));
    Random random(bits, 3);
    Session session;
    Playback& playback = session.playback;
    playback.ordinal = ordinal;
    playback.start_ms = playback.end_ms = start_ms;
    playback.wire = pick_wire(options.mix, random.uniform());
    playback.country = pick_country(world, start_ms, random.uniform());
    playback.asset = world.pick_asset(random);
    playback.cdn = world.pick_cdn(random);
    playback.viewer = world.pick_viewer(playback.country, random);
    playback.session_id = make_session_id(world, playback, bits);
    BeaconOptions beacons = options.beacons;
    const bool smartsight = playback.wire == Wire::Compact || playback.wire == Wire::Long;
    beacons.application = smartsight && random.chance(options.application_share);
    play(world, options.player, matching(options.incidents, world, playback), Random(bits, 7),
         playback);
    session.plan = plan_beacons(beacons, Random(bits, 9), playback);
    return session;
}

Arrivals::Arrivals(const World& world, std::uint64_t seed, std::int64_t from_ms,
                   std::int64_t until_ms, std::uint64_t sessions)
    : random_(seed, 21), from_ms_(from_ms), until_ms_(until_ms), left_(sessions) {
    if (until_ms <= from_ms) {
        left_ = 0;
        return;
    }
    const std::int64_t span = until_ms - from_ms;
    step_ms_ = std::max(kStepMs, span / static_cast<std::int64_t>(kDemandStepsMax) + 1);
    double total = 0;
    for (std::int64_t at = from_ms; at < until_ms; at += step_ms_) {
        const std::int64_t length = std::min(step_ms_, until_ms - at);
        for (std::size_t country = 0; country < world.countries().size(); ++country) {
            total += world.demand(country, at + length / 2) * static_cast<double>(length);
        }
        cumulative_.push_back(total);
    }
}

bool Arrivals::next(std::int64_t& start_ms) {
    if (left_ == 0) return false;
    // The smallest of `left_` uniforms beyond `unit_`: order statistics without sorting.
    unit_ += (1 - unit_) * (1 - std::pow(1 - random_.uniform(), 1.0 / static_cast<double>(left_)));
    --left_;
    const double point = unit_ * cumulative_.back();
    while (step_ + 1 < cumulative_.size() && cumulative_[step_] < point) ++step_;
    const double before = step_ == 0 ? 0 : cumulative_[step_ - 1];
    const double part = std::clamp((point - before) / (cumulative_[step_] - before), 0.0, 1.0);
    const std::int64_t begin = from_ms_ + static_cast<std::int64_t>(step_) * step_ms_;
    const std::int64_t length = std::min(step_ms_, until_ms_ - begin);
    start_ms =
        begin + std::min(length - 1, static_cast<std::int64_t>(part * static_cast<double>(length)));
    return true;
}

struct Traffic::Active {
    Session session;
    std::optional<SmartSightFragments> fragments;
    std::vector<std::pair<std::int64_t, std::int32_t>> order;  ///< arrival, beacon (-1-n = again)
    std::size_t sent = 0;
};

struct Traffic::Batch {
    Request request;  ///< being filled
    Request single;
    bool is_cmcd = false;
    std::vector<Request> ready;
};

Traffic::Traffic(const World& world, TrafficOptions options)
    : world_(world),
      options_(std::move(options)),
      arrivals_(world, options_.seed, options_.from_ms, options_.until_ms, options_.sessions) {
    more_arrivals_ = arrivals_.next(next_arrival_ms_);
    if (options_.records_per_request > 1) batch_ = std::make_unique<Batch>();
}

Traffic::~Traffic() = default;

std::size_t Traffic::active_sessions() const noexcept {
    return slots_.size() - free_slots_.size();
}

namespace {
struct Later {
    template <typename Due>
    bool operator()(const Due& left, const Due& right) const {
        return left.send_ms != right.send_ms ? left.send_ms > right.send_ms
                                             : left.order > right.order;
    }
};
}  // namespace

void Traffic::start_session(std::uint64_t ordinal, std::int64_t start_ms) {
    auto active = std::make_unique<Active>();
    active->session = make_session(world_, options_, ordinal, start_ms);
    const Playback& playback = active->session.playback;
    const BeaconPlan& plan = active->session.plan;
    ++started_;
    if (truth_sink_) truth_sink_(make_truth(world_, options_.writer.customer_id, playback, plan));
    if (plan.beacons.empty()) return;
    if (playback.wire == Wire::Compact || playback.wire == Wire::Long) {
        active->fragments.emplace(world_, options_.writer, playback);
    }
    Random random(mix64(options_.seed ^ ordinal), 31);
    // A request as mirrored by a CDN has neither an id nor a time: twice is two, late is later.
    const TransportFaults faults =
        playback.wire == Wire::CmcdQuery ? TransportFaults{} : options_.faults;
    active->order.reserve(plan.beacons.size());
    for (std::size_t index = 0; index < plan.beacons.size(); ++index) {
        std::int64_t at = plan.beacons[index].send_ms;
        if (faults.delay_share > 0 && random.chance(faults.delay_share)) {
            at += static_cast<std::int64_t>(
                random.below(static_cast<std::uint64_t>(faults.delay_ms_max) + 1));
        }
        const auto number = static_cast<std::int32_t>(index);
        active->order.emplace_back(at, number);
        if (faults.duplicate_share > 0 && random.chance(faults.duplicate_share)) {
            active->order.emplace_back(at + static_cast<std::int64_t>(random.exponential(3000)),
                                       -1 - number);
        }
    }
    std::stable_sort(active->order.begin(), active->order.end(),
                     [](const auto& left, const auto& right) { return left.first < right.first; });
    std::uint32_t slot = 0;
    if (free_slots_.empty()) {
        slot = static_cast<std::uint32_t>(slots_.size());
        slots_.emplace_back();
    } else {
        slot = free_slots_.back();
        free_slots_.pop_back();
    }
    const auto [at, beacon] = active->order.front();
    slots_[slot] = std::move(active);
    heap_.push_back({at, order_++, slot, beacon < 0, beacon < 0 ? -1 - beacon : beacon});
    std::push_heap(heap_.begin(), heap_.end(), Later());
}

/// Starts every session that begins before the next due request.
void Traffic::admit() {
    while (more_arrivals_ && (heap_.empty() || next_arrival_ms_ <= heap_.front().send_ms)) {
        const std::int64_t at = next_arrival_ms_;
        more_arrivals_ = arrivals_.next(next_arrival_ms_);
        start_session(started_, at);
    }
}

std::int64_t Traffic::peek_ms() {
    admit();
    return heap_.empty() ? kNoTime : heap_.front().send_ms;
}

bool Traffic::next(Request& request) {
    return batch_ ? next_batch(request) : next_single(request);
}

bool Traffic::next_single(Request& request) {
    admit();
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end(), Later());
    const Due due = heap_.back();
    heap_.pop_back();
    write(due, request);
    advance(due);
    return true;
}

void Traffic::advance(const Due& due) {
    Active& active = *slots_[due.slot];
    if (++active.sent == active.order.size()) {
        slots_[due.slot].reset();
        free_slots_.push_back(due.slot);
        return;
    }
    const auto [at, beacon] = active.order[active.sent];
    heap_.push_back({at, order_++, due.slot, beacon < 0, beacon < 0 ? -1 - beacon : beacon});
    std::push_heap(heap_.begin(), heap_.end(), Later());
}

void Traffic::write(const Due& due, Request& request) {
    const Active& active = *slots_[due.slot];
    const Playback& playback = active.session.playback;
    const Beacon& beacon = active.session.plan.beacons[static_cast<std::size_t>(due.beacon)];
    request.send_ms = due.send_ms;
    request.session = playback.ordinal;
    request.repeated = due.repeated;
    request.records = 1;
    request.user_agent = world_.devices()[playback.viewer.device].user_agent;
    request.forwarded_for = playback.viewer.ip_address;
    request.path.clear();
    request.body.clear();
    request.method = "POST";
    const std::uint64_t customer = options_.writer.customer_id;
    if (beacon.kind >= BeaconKind::AppSessionStart) {
        request.path = "/produce";
        request.content_type = "application/json";
        append_application(world_, options_.writer, playback, beacon, request.body);
    } else if (active.fragments) {
        request.path = "/produce";
        request.content_type = "application/json";
        active.fragments->append(world_, playback, active.session.plan, beacon, request.body);
    } else if (playback.wire == Wire::CmcdEvent) {
        fmt::format_to(std::back_inserter(request.path), FMT_COMPILE("/cmcd/{}/{}"), customer,
                       playback.session_id);
        request.content_type = "application/cmcd";
        append_cmcd_event(world_, playback, beacon, request.body);
        request.body += '\n';
    } else {
        request.method = "GET";
        request.content_type = {};
        fmt::format_to(std::back_inserter(request.path), FMT_COMPILE("/cmcd/{}/{}?CMCD="), customer,
                       playback.session_id);
        append_cmcd_query(world_, playback, beacon, request.path);
    }
}

/// Joins records that follow each other on the same endpoint. A batch of several viewers has no one
/// address or user agent: for load tests only.
bool Traffic::next_batch(Request& request) {
    Batch& batch = *batch_;
    Request& joined = batch.request;
    while (batch.ready.empty()) {
        Request& single = batch.single;
        if (!next_single(single)) {
            if (joined.records == 0 || joined.body.empty()) return false;
            if (!batch.is_cmcd) joined.body += ']';
            batch.ready.push_back(std::move(joined));
            joined = Request();
            break;
        }
        const bool cmcd = single.content_type == "application/cmcd";
        if (cmcd || single.method == "GET") {  // a session's path is its own: sent alone
            batch.ready.push_back(single);
            break;
        }
        if (joined.body.empty()) {
            joined = single;
            joined.path = "/produce/batch";
            joined.forwarded_for.clear();
            joined.body.insert(0, 1, '[');
        } else {
            joined.body += ',';
            joined.body += single.body;
            ++joined.records;
            joined.send_ms = single.send_ms;
        }
        if (joined.records >= options_.records_per_request) {
            joined.body += ']';
            batch.ready.push_back(std::move(joined));
            joined = Request();
        }
    }
    request = std::move(batch.ready.front());
    batch.ready.clear();
    return true;
}

}  // namespace playhead::simulator
