/// Where the values of a rule come from.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "alerts/machine.h"
#include "alerts/rule.h"
#include "base/result.h"
#include "query/engine.h"

namespace playhead::alerts {

/// Most sessions named by an alert.
inline constexpr std::size_t kSampleSessionsMax = 10;
/// Most combinations named as its cause.
inline constexpr int kCausesMax = 5;

class Sampler {
public:
    virtual ~Sampler() = default;
    /// The values of the interval whose calculation period ends at `time_s`.
    virtual Result<Tick> tick(const Rule& rule, std::int64_t time_s) const = 0;
    /// Ids of the worst sessions of an episode so far, worst first; empty where the metric has no
    /// value of a session.
    virtual std::vector<std::string> worst_sessions(const Rule& rule, const Episode& episode,
                                                    std::int64_t until_s) const = 0;
    /// A JSON array: which combinations of dimensions explain the change of an episode's metric
    /// since the time before it, the strongest first; "[]" where nothing can be told.
    virtual std::string root_cause(const Rule& rule, const Episode& episode,
                                   std::int64_t until_s) const = 0;
    /// Breaks off the question that is being asked, from any thread; its asker gets an error.
    virtual void cancel() const = 0;
};

/// Asks the query engine. Metrics that slices know (concurrency) cover what happened inside the
/// calculation period; the others cover the sessions that began in it, open ones included. Thread
/// safe. The engine must outlive it.
class QuerySampler final : public Sampler {
public:
    /// With a `query_id` its questions can be cancelled; then one thread at a time may ask.
    explicit QuerySampler(const query::Engine& engine, std::string query_id = {})
        : engine_(engine), query_id_(std::move(query_id)) {}
    /// Errors of the request name the rule's field: `metric`, `dimensions`, `filter`.
    Result<Tick> tick(const Rule& rule, std::int64_t time_s) const override;
    std::vector<std::string> worst_sessions(const Rule& rule, const Episode& episode,
                                            std::int64_t until_s) const override;
    std::string root_cause(const Rule& rule, const Episode& episode,
                           std::int64_t until_s) const override;
    void cancel() const override;

private:
    query::Parameters parameters(const Rule& rule, std::int64_t from_s, std::int64_t to_s) const;
    Result<query::Answer> ask(const Rule& rule, const query::Parameters& parameters) const;
    Result<std::optional<double>> reference(const Rule& rule, std::int64_t time_s) const;

    /// The request under this sampler's id.
    query::QueryRequest named(const query::QueryRequest& request, std::uint64_t customer_id) const;

    const query::Engine& engine_;
    std::string query_id_;
    mutable std::atomic<std::uint64_t> asking_{0};  ///< customer of the question, 0 = none
};

}  // namespace playhead::alerts
