/// The state machine of a rule. Pure: (rule, values of one interval, state) in, changes out. The
/// live evaluator and the back-test are both nothing but this in a loop.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/rule.h"
#include "base/result.h"

namespace playhead::alerts {

/// Combinations of dimension values that one rule follows; those with most attempts win.
inline constexpr std::size_t kCombinationsMax = 500;
/// An open alert without enough traffic to tell resolves after so many intervals.
inline constexpr int kSilentIntervalsMax = 12;

/// The values of a rule's dimensions, in its order, as UTF-8; empty for a rule over everything.
using Combination = std::vector<std::string>;

/// What one combination did in the calculation period of an interval.
struct Sample {
    Combination combination;
    std::optional<double> value;  ///< of the metric; none = it has none
    double attempts = 0, users = 0, affected_sessions = 0, affected_users = 0;
};

/// One interval: all that the machine may look at.
struct Tick {
    std::int64_t time_s = 0;          ///< end of the calculation period
    std::optional<double> threshold;  ///< none: the reference window has no value
    std::optional<double> baseline;   ///< average of the reference window
    std::vector<Sample> samples;      ///< by attempts, most first
};

/// One alert, from opening to resolution.
struct Episode {
    Combination combination;
    std::int64_t start_s = 0;  ///< start of the first breaching calculation period
    std::int64_t end_s = 0;    ///< end of the last breaching one; 0 while open
    double threshold = 0;      ///< when the value was worst
    std::optional<double> baseline;
    Sample worst;
};

/// Where a combination stands. Only those that are not at rest are kept.
struct Watch {
    bool open = false;
    int breaches = 0;  ///< consecutive
    int clean = 0;     ///< consecutive, while open
    int silent = 0;    ///< consecutive, while open
    std::int64_t last_breach_s = 0;
    std::int64_t quiet_until_s = 0;  ///< cooldown
    Episode episode;
};

struct RuleState {
    std::int64_t revision = 0;
    std::int64_t last_s = 0;  ///< the newest interval that was evaluated
    std::map<Combination, Watch> watches;
};

struct Change {
    enum class Kind : std::uint8_t { Opened, Worsened, Resolved } kind = Kind::Opened;
    Episode episode;
};

/// True when the value of a sample is a breach; false when it is clean; none when there is too
/// little to tell (no value, no threshold, too few attempts or users).
std::optional<bool> is_breach(const Rule& rule, const Tick& tick, const Sample& sample);

/// Moves `state` on by one interval.
std::vector<Change> step(const Rule& rule, const Tick& tick, RuleState& state);

/// The same rule, combination and start give the same id, so that an interval that is evaluated
/// again after a crash writes the same alert again.
std::string alert_id(const Rule& rule, const Episode& episode);

std::string state_json(const RuleState& state);
Result<RuleState> parse_state(std::string_view json);

}  // namespace playhead::alerts
