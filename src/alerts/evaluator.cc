#include "alerts/evaluator.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "base/log.h"

namespace playhead::alerts {

namespace {

constexpr auto kPoll = std::chrono::seconds(2);
constexpr auto kCancelAgain = std::chrono::milliseconds(10);
constexpr std::int64_t kMs = 1000;
constexpr double kPercent = 100;

struct Where {
    std::int64_t customer_id;
    std::string rule_id;
    auto operator<=>(const Where&) const = default;
};

}  // namespace

Alert alert_of(const Rule& rule, const Change& change) {
    const Episode& episode = change.episode;
    Alert alert;
    alert.customer_id = rule.customer_id;
    alert.id = alert_id(rule, episode);
    alert.rule_id = rule.id;
    alert.name = rule.name;
    alert.metric = rule.metric;
    for (std::size_t i = 0; i < rule.dimensions.size() && i < episode.combination.size(); ++i) {
        alert.dimension.emplace_back(rule.dimensions[i], episode.combination[i]);
    }
    alert.severity = rule.severity;
    alert.status = change.kind == Change::Kind::Resolved ? Status::Resolved : Status::Open;
    alert.start_ms = episode.start_s * kMs;
    alert.end_ms = episode.end_s * kMs;
    alert.value = episode.worst.value;
    alert.baseline = episode.baseline;
    (rule.above ? alert.upper : alert.lower) = episode.threshold;
    const double normal = episode.baseline.value_or(episode.threshold);
    if (normal != 0 && alert.value) alert.deviation = (*alert.value - normal) * kPercent / normal;
    alert.direction = rule.above ? "above" : "below";
    alert.attempts = episode.worst.attempts;
    alert.users = episode.worst.users;
    alert.affected_sessions = episode.worst.affected_sessions;
    alert.affected_users = episode.worst.affected_users;
    alert.calculation_period_s = rule.calculation_period_s;
    alert.detection_interval_s = rule.detection_interval_s;
    return alert;
}

Result<void> Evaluator::record(const Rule& rule, const Change& change, std::int64_t time_s,
                               int& explained) {
    Alert alert = alert_of(rule, change);
    if (change.kind == Change::Kind::Worsened) return sink_.record(std::move(alert));
    alert.sample_sessions = sampler_.worst_sessions(rule, change.episode, time_s);
    if (change.kind == Change::Kind::Opened && explained++ < kExplainedPerIntervalMax) {
        alert.root_cause_json = sampler_.root_cause(rule, change.episode, time_s);
    }
    // What was asked just now may have been broken off.
    if (stopping()) return fail(ErrorCode::Cancelled, "stopping");
    if (auto done = sink_.record(alert); !done) return done;
    return announcer_ == nullptr ? Result<void>{} : announcer_->announce(rule, alert);
}

Result<void> Evaluator::save(std::string_view rule_id, std::uint64_t customer_id,
                             const RuleState& state) {
    directory::Document document;
    document.kind = kStateKind;
    document.id = rule_id;
    document.customer_id = static_cast<std::int64_t>(customer_id);
    document.body = state_json(state);
    return directory_.put_document(document);
}

Result<void> Evaluator::close_open(std::string_view rule_id, std::uint64_t customer_id,
                                   RuleState& state, std::string_view note) {
    Rule rule;
    rule.id = rule_id;
    for (const auto& [combination, watch] : state.watches) {
        if (!watch.open) continue;
        auto closed = sink_.resolve(customer_id, alert_id(rule, watch.episode),
                                    watch.last_breach_s * kMs, note);
        if (!closed) return closed;
    }
    state.watches.clear();
    return {};
}

Result<void> Evaluator::evaluate(const Rule& rule, RuleState state) {
    const std::int64_t step_s = rule.detection_interval_s;
    const std::int64_t newest_s = (watermark_() / kMs - settle_s_) / step_s * step_s;
    if (newest_s <= 0) return {};
    if (state.revision != rule.revision || !rule.enabled) {
        const bool rests = state.revision == rule.revision && state.watches.empty();
        if (auto closed = close_open(rule.id, rule.customer_id, state, "the rule was changed");
            !closed) {
            return closed;
        }
        state.revision = rule.revision;
        state.last_s = newest_s;
        return rests ? Result<void>{} : save(rule.id, rule.customer_id, state);
    }
    const std::int64_t first_s =
        std::max(state.last_s + step_s, newest_s - (kCatchUpIntervalsMax - 1) * step_s);
    for (std::int64_t time_s = first_s; time_s <= newest_s && !stopping(); time_s += step_s) {
        const auto tick = sampler_.tick(rule, time_s);
        if (!tick) return fail(tick.error());
        int explained = 0;
        for (const auto& change : step(rule, *tick, state)) {
            if (auto done = record(rule, change, time_s, explained); !done) return done;
        }
        if (auto saved = save(rule.id, rule.customer_id, state); !saved) return saved;
    }
    return {};
}

Result<void> Evaluator::run_once() {
    if (watermark_() <= 0) return {};
    const auto rules = directory_.documents(kRuleKind, std::nullopt);
    if (!rules) return fail(rules.error());
    const auto states = directory_.documents(kStateKind, std::nullopt);
    if (!states) return fail(states.error());
    std::map<Where, RuleState> known;
    for (const auto& document : *states) {
        auto state = parse_state(document.body);
        if (!state) log::warn("alerts: {}: {}", document.id, state.error().message);
        known.emplace(Where{document.customer_id, document.id},
                      state ? std::move(*state) : RuleState{});
    }
    Result<void> outcome;
    for (const auto& document : *rules) {
        if (stopping()) return {};
        const auto state = known.find({document.customer_id, document.id});
        auto rule = stored_rule(document.body);
        if (!rule) {
            log::warn("alerts: rule {}: {}", document.id, rule.error().message);
        } else if (auto done = evaluate(*rule, state == known.end() ? RuleState{} : state->second);
                   !done) {
            // One rule's trouble is not another's; the next round tries the interval again.
            log::debug("alerts: rule {}: {}", document.id, done.error().message);
            outcome = done;
        }
        if (state != known.end()) known.erase(state);
    }
    for (auto& [where, state] : known) {
        const auto customer = static_cast<std::uint64_t>(where.customer_id);
        auto closed = close_open(where.rule_id, customer, state, "the rule was removed");
        if (closed) {
            closed = directory_.remove_document(kStateKind, where.customer_id, where.rule_id);
        }
        if (!closed) outcome = closed;
    }
    return outcome;
}

bool Evaluator::stopping() {
    const std::lock_guard hold(mutex_);
    return stopping_;
}

void Evaluator::loop() {
    std::unique_lock hold(mutex_);
    while (!stopping_) {
        hold.unlock();
        if (auto done = run_once(); !done) log::warn("alerts: {}", done.error().message);
        hold.lock();
        wake_.wait_for(hold, kPoll, [this] { return stopping_; });
    }
    ended_ = true;
    wake_.notify_all();
}

void Evaluator::start() {
    thread_ = std::thread([this] { loop(); });
}

void Evaluator::stop() {
    std::unique_lock hold(mutex_);
    stopping_ = true;
    wake_.notify_all();
    // Again and again: the next query may have begun just after the one before was broken off.
    while (thread_.joinable() && !ended_) {
        hold.unlock();
        sampler_.cancel();
        hold.lock();
        wake_.wait_for(hold, kCancelAgain, [this] { return ended_; });
    }
    hold.unlock();
    if (thread_.joinable()) thread_.join();
}

}  // namespace playhead::alerts
