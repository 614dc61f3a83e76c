#include "api/watched_sampler.h"

namespace playhead::api {

Result<alerts::Tick> WatchedSampler::tick(const alerts::Rule& rule, std::int64_t time_s) const {
    Result<alerts::Tick> tick;
    desk_.run_aside(rule.customer_id, [&] {
        tick = sampler_.tick(rule, time_s);
        return tick ? Outcome{} : Outcome{tick.error().code};
    });
    return tick;
}

std::vector<std::string> WatchedSampler::worst_sessions(const alerts::Rule& rule,
                                                        const alerts::Episode& episode,
                                                        std::int64_t until_s) const {
    std::vector<std::string> ids;
    desk_.run_aside(rule.customer_id, [&] {
        ids = sampler_.worst_sessions(rule, episode, until_s);
        return Outcome{};
    });
    return ids;
}

std::string WatchedSampler::root_cause(const alerts::Rule& rule, const alerts::Episode& episode,
                                       std::int64_t until_s) const {
    std::string causes = "[]";
    desk_.run_aside(rule.customer_id, [&] {
        causes = sampler_.root_cause(rule, episode, until_s);
        return Outcome{};
    });
    return causes;
}

}  // namespace playhead::api
