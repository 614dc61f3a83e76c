#include "alerts/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/hash.h"

namespace playhead::alerts {

namespace {

using Json = nlohmann::json;

bool is_worse(const Rule& rule, double value, double than) {
    return rule.above ? value > than : value < than;
}

void take_worst(const Tick& tick, const Sample& sample, Episode& episode) {
    episode.worst = sample;
    episode.threshold = *tick.threshold;
    episode.baseline = tick.baseline;
}

class Step {
public:
    Step(const Rule& rule, const Tick& tick, RuleState& state)
        : rule_(rule), tick_(tick), state_(state) {}

    std::vector<Change> run() {
        std::set<Combination> seen;
        for (const auto& sample : tick_.samples) {
            if (!seen.insert(sample.combination).second) continue;
            const auto breach = is_breach(rule_, tick_, sample);
            if (!breach) {
                on_silence(sample.combination);
            } else if (*breach) {
                on_breach(sample);
            } else {
                on_clean(sample.combination);
            }
        }
        std::vector<Combination> missing;
        for (const auto& [combination, watch] : state_.watches) {
            if (!seen.contains(combination)) missing.push_back(combination);
        }
        for (const auto& combination : missing) on_silence(combination);
        std::erase_if(state_.watches, [&](const auto& item) {
            const Watch& watch = item.second;
            return !watch.open && watch.breaches == 0 && watch.quiet_until_s <= tick_.time_s;
        });
        state_.last_s = tick_.time_s;
        return std::move(changes_);
    }

private:
    Watch* find(const Combination& combination) {
        const auto found = state_.watches.find(combination);
        return found == state_.watches.end() ? nullptr : &found->second;
    }

    void on_breach(const Sample& sample) {
        auto* known = find(sample.combination);
        if (known == nullptr && state_.watches.size() >= kCombinationsMax) return;
        Watch& watch = known != nullptr ? *known : state_.watches[sample.combination];
        watch.clean = watch.silent = 0;
        if (!watch.open && tick_.time_s < watch.quiet_until_s) return;
        watch.last_breach_s = tick_.time_s;
        if (++watch.breaches == 1) {
            watch.episode = {};
            watch.episode.combination = sample.combination;
            watch.episode.start_s = tick_.time_s - rule_.calculation_period_s;
            take_worst(tick_, sample, watch.episode);
        }
        const bool worse = is_worse(rule_, *sample.value, *watch.episode.worst.value);
        if (worse) take_worst(tick_, sample, watch.episode);
        if (!watch.open && watch.breaches >= rule_.persistence) {
            watch.open = true;
            changes_.push_back({Change::Kind::Opened, watch.episode});
        } else if (watch.open && worse) {
            changes_.push_back({Change::Kind::Worsened, watch.episode});
        }
    }

    void on_clean(const Combination& combination) {
        auto* watch = find(combination);
        if (watch == nullptr) return;
        watch->silent = 0;
        if (!watch->open) {
            watch->breaches = 0;
        } else if (++watch->clean >= rule_.resolution) {
            resolve(*watch);
        }
    }

    void on_silence(const Combination& combination) {
        auto* watch = find(combination);
        if (watch == nullptr) return;
        if (!watch->open) {
            watch->breaches = 0;
        } else if (++watch->silent >= std::max(kSilentIntervalsMax, rule_.resolution)) {
            resolve(*watch);
        }
    }

    void resolve(Watch& watch) {
        watch.episode.end_s = watch.last_breach_s;
        changes_.push_back({Change::Kind::Resolved, watch.episode});
        watch = {};
        watch.quiet_until_s = tick_.time_s + rule_.cooldown_s;
    }

    const Rule& rule_;
    const Tick& tick_;
    RuleState& state_;
    std::vector<Change> changes_;
};

Json json_of(const Sample& sample) {
    return {{"value", sample.value.value_or(0)},
            {"attempts", sample.attempts},
            {"users", sample.users},
            {"affectedsessions", sample.affected_sessions},
            {"affectedusers", sample.affected_users}};
}

Watch watch_of(const Json& json) {
    Watch watch;
    watch.open = json.at("open").get<bool>();
    watch.breaches = json.at("breaches").get<int>();
    watch.clean = json.at("clean").get<int>();
    watch.silent = json.at("silent").get<int>();
    watch.last_breach_s = json.at("lastbreach").get<std::int64_t>();
    watch.quiet_until_s = json.at("quietuntil").get<std::int64_t>();
    Episode& episode = watch.episode;
    episode.combination = json.at("combination").get<Combination>();
    episode.start_s = json.at("start").get<std::int64_t>();
    episode.threshold = json.at("threshold").get<double>();
    if (!json.at("baseline").is_null()) episode.baseline = json.at("baseline").get<double>();
    const Json& worst = json.at("worst");
    episode.worst.combination = episode.combination;
    episode.worst.value = worst.at("value").get<double>();
    episode.worst.attempts = worst.at("attempts").get<double>();
    episode.worst.users = worst.at("users").get<double>();
    episode.worst.affected_sessions = worst.at("affectedsessions").get<double>();
    episode.worst.affected_users = worst.at("affectedusers").get<double>();
    return watch;
}

}  // namespace

std::optional<bool> is_breach(const Rule& rule, const Tick& tick, const Sample& sample) {
    if (!sample.value || !tick.threshold || sample.attempts < rule.min_attempts ||
        sample.users < rule.min_users) {
        return std::nullopt;
    }
    return is_worse(rule, *sample.value, *tick.threshold);
}

std::vector<Change> step(const Rule& rule, const Tick& tick, RuleState& state) {
    return Step(rule, tick, state).run();
}

std::string alert_id(const Rule& rule, const Episode& episode) {
    std::string text = fmt::format("{}\n{}\n", rule.id, episode.start_s);
    for (const auto& value : episode.combination)
        text += fmt::format("{}:{}\n", value.size(), value);
    return fmt::format("{:016x}{:016x}", stable_hash(text, 1), stable_hash(text, 2));
}

std::string state_json(const RuleState& state) {
    Json watches = Json::array();
    for (const auto& [combination, watch] : state.watches) {
        const Episode& episode = watch.episode;
        watches.push_back({{"combination", combination},
                           {"open", watch.open},
                           {"breaches", watch.breaches},
                           {"clean", watch.clean},
                           {"silent", watch.silent},
                           {"lastbreach", watch.last_breach_s},
                           {"quietuntil", watch.quiet_until_s},
                           {"start", episode.start_s},
                           {"threshold", episode.threshold},
                           {"baseline", episode.baseline ? Json(*episode.baseline) : Json()},
                           {"worst", json_of(episode.worst)}});
    }
    const Json json{
        {"revision", state.revision}, {"last", state.last_s}, {"watches", std::move(watches)}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<RuleState> parse_state(std::string_view text) {
    try {
        const auto json = Json::parse(text);
        RuleState state;
        state.revision = json.at("revision").get<std::int64_t>();
        state.last_s = json.at("last").get<std::int64_t>();
        for (const auto& item : json.at("watches")) {
            const Watch watch = watch_of(item);
            state.watches.emplace(watch.episode.combination, watch);
        }
        return state;
    } catch (const Json::exception& exception) {
        return fail(ErrorCode::Internal, std::string("state of a rule: ") + exception.what());
    }
}

}  // namespace playhead::alerts
