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

/// An interval is complete when the store is, this much later (the default): players report every
/// few seconds, and open sessions get their slices every half minute.
inline constexpr std::int64_t kSettle_s = 60;
/// Alerts that open in one interval beyond this many get no root cause: each asks for two periods.
inline constexpr int kExplainedPerIntervalMax = 10;
/// After a pause (the server was down) at most so many of the missed intervals are evaluated, the
/// newest: nobody wants the alerts of last night's outage at once.
inline constexpr std::int64_t kCatchUpIntervalsMax = 12;

/// The alert of a change, with its id; sample sessions and root cause are left to the caller.
Alert alert_of(const Rule& rule, const Change& change);

/// Who is to be told of an alert that opened or resolved.
class Announcer {
public:
    virtual ~Announcer() = default;
    /// Must have the message on disk when it returns; the same change may come again.
    virtual Result<void> announce(const Rule& rule, const Alert& alert) = 0;
};

/// `start` runs it in a thread of its own; `run_once` is for tests, never beside the thread.
class Evaluator {
public:
    /// Up to when the store is complete, epoch ms; 0 = unknown. Quick and thread safe.
    using Watermark = std::function<std::int64_t()>;

    /// All references must outlive the evaluator; `announcer` may be null.
    Evaluator(directory::Directory& directory, const Sampler& sampler, AlertSink& sink,
              Announcer* announcer, Watermark watermark, std::int64_t settle_s = kSettle_s)
        : directory_(directory),
          sampler_(sampler),
          sink_(sink),
          announcer_(announcer),
          watermark_(std::move(watermark)),
          settle_s_(settle_s) {}
    ~Evaluator() { stop(); }
    Evaluator(const Evaluator&) = delete;
    Evaluator& operator=(const Evaluator&) = delete;

    void start();
    /// Breaks off the query that is running; its interval is evaluated after the next start. Safe
    /// to repeat.
    void stop();

    /// Evaluates what is due. An interval's alerts and messages are written before the rule's state
    /// moves on, so that a crash in between repeats the interval: the same ids, so no second alert.
    Result<void> run_once();

private:
    void loop();
    bool stopping();
    Result<void> evaluate(const Rule& rule, RuleState state);
    Result<void> close_open(std::string_view rule_id, std::uint64_t customer_id, RuleState& state,
                            std::string_view note);
    Result<void> save(std::string_view rule_id, std::uint64_t customer_id, const RuleState& state);
    /// `explained` counts the root causes of the interval.
    Result<void> record(const Rule& rule, const Change& change, std::int64_t time_s,
                        int& explained);

    directory::Directory& directory_;
    const Sampler& sampler_;
    AlertSink& sink_;
    Announcer* announcer_;
    Watermark watermark_;
    std::int64_t settle_s_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace playhead::alerts
