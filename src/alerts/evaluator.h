/// Runs every rule over every complete interval, once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

#include "alerts/alert_book.h"
#include "alerts/machine.h"
#include "alerts/sampler.h"
#include "directory/directory.h"

namespace playhead::alerts {

inline constexpr std::string_view kRuleKind = "alert-rule";    ///< documents of rules
inline constexpr std::string_view kStateKind = "alert-state";  ///< where each rule stands

/// An interval is complete when the store is, this much later: players report every few seconds,
/// and open sessions get their slices every half minute.
inline constexpr std::int64_t kSettle_s = 60;
/// After a pause (the server was down) at most so many of the missed intervals are evaluated, the
/// newest: nobody wants the alerts of last night's outage at once.
inline constexpr std::int64_t kCatchUpIntervalsMax = 12;

/// The alert of a change, with its id; sample sessions and root cause are left to the caller.
Alert alert_of(const Rule& rule, const Change& change);

/// `start` runs it in a thread of its own; `run_once` is for tests, never beside the thread.
class Evaluator {
public:
    /// Up to when the store is complete, epoch ms; 0 = unknown. Quick and thread safe.
    using Watermark = std::function<std::int64_t()>;

    /// All references must outlive the evaluator.
    Evaluator(directory::Directory& directory, const Sampler& sampler, AlertSink& sink,
              Watermark watermark)
        : directory_(directory), sampler_(sampler), sink_(sink), watermark_(std::move(watermark)) {}
    ~Evaluator() { stop(); }
    Evaluator(const Evaluator&) = delete;
    Evaluator& operator=(const Evaluator&) = delete;

    void start();
    /// Waits for the rule that is being evaluated. Safe to repeat.
    void stop();

    /// Evaluates what is due. An interval's alerts are written before the rule's state moves on, so
    /// that a crash in between repeats the interval: the same ids, so no second alert.
    Result<void> run_once();

private:
    void loop();
    bool stopping();
    Result<void> evaluate(const Rule& rule, RuleState state);
    Result<void> close_open(std::string_view rule_id, std::uint64_t customer_id, RuleState& state,
                            std::string_view note);
    Result<void> save(std::string_view rule_id, std::uint64_t customer_id, const RuleState& state);
    Result<void> record(const Rule& rule, const Change& change, std::int64_t time_s);

    directory::Directory& directory_;
    const Sampler& sampler_;
    AlertSink& sink_;
    Watermark watermark_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace playhead::alerts
