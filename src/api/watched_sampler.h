/// The values of rules, asked for as queries that can be seen among the running ones.
#pragma once

#include <string>
#include <vector>

#include "alerts/sampler.h"
#include "api/query_desk.h"

namespace playhead::api {

/// For the evaluator, which no client waits for: each question is a query of the rule's customer,
/// with an id, timed, and gives way to others. Thread safe; what is passed must outlive it.
class WatchedSampler final : public alerts::Sampler {
public:
    WatchedSampler(const alerts::Sampler& sampler, QueryDesk& desk)
        : sampler_(sampler), desk_(desk) {}

    Result<alerts::Tick> tick(const alerts::Rule& rule, std::int64_t time_s) const override;
    std::vector<std::string> worst_sessions(const alerts::Rule& rule,
                                            const alerts::Episode& episode,
                                            std::int64_t until_s) const override;
    std::string root_cause(const alerts::Rule& rule, const alerts::Episode& episode,
                           std::int64_t until_s) const override;
    void cancel() const override { sampler_.cancel(); }

private:
    const alerts::Sampler& sampler_;
    QueryDesk& desk_;
};

}  // namespace playhead::api
