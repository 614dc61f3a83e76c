/// The table `alerts`: written by whatever finds alerts, read by the API.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace playhead::alerts {

inline constexpr std::size_t kNoteBytesMax = 2000;

struct AlertQuery {
    std::int64_t start_s = 0, end_s = 0;  ///< alerts that were open at any moment of [start, end)
    std::string status, severity, type;   ///< empty = any
    std::string order_by = "starttime";   ///< one of kAlertOrders
    bool descending = true;
    std::int64_t limit = 1000;
    std::int64_t offset = 0;
};

/// Names that alerts can be ordered by.
inline constexpr std::array kAlertOrders{"starttime", "endtime",  "alertname", "alerttype",
                                         "metric",    "severity", "status",    "value",
                                         "deviation", "attempts", "users",     "affectedsessions"};

struct AlertPage {
    std::vector<Alert> alerts;
    std::int64_t total = 0;
};

/// What an evaluator writes to.
class AlertSink {
public:
    virtual ~AlertSink() = default;
    /// Writes the alert. What was added to an alert of that id stays: its note, who was notified,
    /// and Acknowledged until it resolves.
    virtual Result<void> record(Alert alert) = 0;
    /// Resolves an alert that is still open, with a note where it has none; no error when there is
    /// no such alert.
    virtual Result<void> resolve(std::uint64_t customer_id, std::string_view id,
                                 std::int64_t end_ms, std::string_view note) = 0;
};

/// Thread safe: changes go one after the other.
class AlertBook final : public AlertSink {
public:
    AlertBook(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
    Result<void> record(Alert alert) override;
    Result<void> resolve(std::uint64_t customer_id, std::string_view id, std::int64_t end_ms,
                         std::string_view note) override;
    /// Status and note by a person. NotFound; Conflict when the alert is resolved already.
    Result<Alert> acknowledge(std::uint64_t customer_id, std::string_view id,
                              std::string_view note);
    /// Notes that a channel has been told of an alert; no error when there is no such alert.
    Result<void> add_notified(std::uint64_t customer_id, std::string_view id,
                              std::string_view channel);
    Result<AlertPage> list(std::uint64_t customer_id, const AlertQuery& query) const;

private:
    /// The newest version; NotFound.
    Result<Alert> load(std::uint64_t customer_id, std::string_view id) const;
    Result<void> save(Alert& alert);

    store::Store& store_;
    const Clock& clock_;
    std::mutex mutex_;
};

}  // namespace playhead::alerts
