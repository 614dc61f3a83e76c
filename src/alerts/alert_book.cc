#include "alerts/alert_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "query/series.h"
#include "query/sql.h"

namespace playhead::alerts {

namespace {

using Json = nlohmann::json;
using store::ColumnType;

constexpr const char* kTable = "alerts";

std::string json_text(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Columns in order, as `append_alert` writes and `alert_of` reads them.
constexpr std::array<std::pair<const char*, ColumnType>, 28> kColumns{
    {{"customerid", ColumnType::UInt64},
     {"alertid", ColumnType::String},
     {"version", ColumnType::UInt64},
     {"ruleid", ColumnType::String},
     {"alertname", ColumnType::String},
     {"alerttype", ColumnType::String},
     {"metric", ColumnType::String},
     {"dimension", ColumnType::String},
     {"severity", ColumnType::String},
     {"status", ColumnType::String},
     {"start_time", ColumnType::DateTime64},
     {"end_time", ColumnType::DateTime64},
     {"value", ColumnType::Float64},
     {"baseline", ColumnType::Float64},
     {"lower", ColumnType::Float64},
     {"upper", ColumnType::Float64},
     {"deviation", ColumnType::Float64},
     {"direction", ColumnType::String},
     {"attempts", ColumnType::Float64},
     {"users", ColumnType::Float64},
     {"affectedsessions", ColumnType::Float64},
     {"affectedusers", ColumnType::Float64},
     {"calculationperiod", ColumnType::UInt32},
     {"detectioninterval", ColumnType::UInt32},
     {"rootcause", ColumnType::String},
     {"samplesessions", ColumnType::String},
     {"notified", ColumnType::String},
     {"note", ColumnType::String}}};

store::ColumnBatch batch_of(const Alert& alert) {
    store::ColumnBatch batch{kTable, {}};
    for (const auto& [name, type] : kColumns) batch.columns.emplace_back(name, type);
    auto* next = batch.columns.data();
    const auto text = [&](std::string_view value) { (next++)->append(value); };
    const auto real = [&](const std::optional<double>& value) {
        (next++)->append_real(value.value_or(std::numeric_limits<double>::quiet_NaN()));
    };
    (next++)->append_unsigned(alert.customer_id);
    text(alert.id);
    (next++)->append_unsigned(alert.version);
    text(alert.rule_id);
    text(alert.name);
    text(alert.type);
    text(alert.metric);
    text(json_text(alert.dimension));
    text(alert.severity);
    text(name_of(alert.status));
    (next++)->append_signed(alert.start_ms);
    (next++)->append_signed(alert.end_ms);
    for (const auto& value :
         {alert.value, alert.baseline, alert.lower, alert.upper, alert.deviation}) {
        real(value);
    }
    text(alert.direction);
    for (const double value :
         {alert.attempts, alert.users, alert.affected_sessions, alert.affected_users}) {
        real(value);
    }
    (next++)->append_signed(alert.calculation_period_s);
    (next++)->append_signed(alert.detection_interval_s);
    text(alert.root_cause_json);
    text(json_text(alert.sample_sessions));
    text(json_text(alert.notified));
    text(alert.note);
    return batch;
}

/// The select list that `alert_of` reads: times as numbers.
std::string select_list() {
    std::string out;
    for (const auto& [name, type] : kColumns) {
        out += out.empty() ? "" : ", ";
        out += type == ColumnType::DateTime64
                   ? fmt::format("toUnixTimestamp64Milli({0}) AS ms_{0}", name)
                   : name;
    }
    return out;
}

class RowReader {
public:
    explicit RowReader(const std::vector<store::Cell>& row) : row_(row) {}
    std::string text() {
        const auto* found = std::get_if<std::string>(&row_[next_++]);
        return found == nullptr ? std::string() : *found;
    }
    std::optional<double> real() {
        const double value = query::number_of(row_[next_++], std::nan(""));
        return std::isnan(value) ? std::nullopt : std::optional(value);
    }
    double number() { return query::number_of(row_[next_++], 0); }
    template <class T>
    T json() {
        const auto parsed = Json::parse(text(), nullptr, false);
        return parsed.is_discarded() ? T{} : parsed.get<T>();
    }

private:
    const std::vector<store::Cell>& row_;
    std::size_t next_ = 0;
};

Alert alert_of(const std::vector<store::Cell>& row) {
    RowReader in(row);
    Alert alert;
    alert.customer_id = static_cast<std::uint64_t>(in.number());
    alert.id = in.text();
    alert.version = static_cast<std::uint64_t>(in.number());
    alert.rule_id = in.text();
    alert.name = in.text();
    alert.type = in.text();
    alert.metric = in.text();
    alert.dimension = in.json<decltype(alert.dimension)>();
    alert.severity = in.text();
    alert.status = status_named(in.text()).value_or(Status::Open);
    alert.start_ms = static_cast<std::int64_t>(in.number());
    alert.end_ms = static_cast<std::int64_t>(in.number());
    for (auto* value :
         {&alert.value, &alert.baseline, &alert.lower, &alert.upper, &alert.deviation}) {
        *value = in.real();
    }
    alert.direction = in.text();
    for (auto* value :
         {&alert.attempts, &alert.users, &alert.affected_sessions, &alert.affected_users}) {
        *value = in.number();
    }
    alert.calculation_period_s = static_cast<std::int64_t>(in.number());
    alert.detection_interval_s = static_cast<std::int64_t>(in.number());
    alert.root_cause_json = in.text();
    alert.sample_sessions = in.json<std::vector<std::string>>();
    alert.notified = in.json<std::vector<std::string>>();
    alert.note = in.text();
    return alert;
}

std::string order_column(const std::string& name) {
    if (name == "starttime") return "start_time";
    if (name == "endtime") return "end_time";
    if (name == "severity") return "indexOf(['Info', 'Warning', 'Critical'], severity)";
    const bool known =
        std::find(kAlertOrders.begin(), kAlertOrders.end(), name) != kAlertOrders.end();
    return known ? name : "start_time";
}

}  // namespace

Result<Alert> AlertBook::load(std::uint64_t customer_id, std::string_view id) const {
    query::SqlParameters parameters(customer_id);
    store::Statement statement;
    statement.sql = fmt::format("SELECT {} {} AND alertid = {}", select_list(),
                                query::scope(kTable, true), parameters.text(id));
    statement.parameters = parameters.take();
    const auto table = store_.query(statement, {});
    if (!table) return fail(table.error());
    if (table->rows.empty()) return fail(ErrorCode::NotFound, "there is no such alert");
    return alert_of(table->rows.front());
}

Result<void> AlertBook::save(Alert& alert) {
    alert.version = std::max(
        alert.version + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.now_ms(), 0)));
    return store_.insert(batch_of(alert), fmt::format("{}/{}", alert.id, alert.version));
}

Result<void> AlertBook::record(Alert alert) {
    const std::lock_guard hold(mutex_);
    const auto known = load(alert.customer_id, alert.id);
    if (!known && known.error().code != ErrorCode::NotFound) return fail(known.error());
    if (known) {
        alert.version = known->version;
        alert.note = known->note.empty() ? alert.note : known->note;
        if (known->status == Status::Acknowledged && alert.status == Status::Open) {
            alert.status = Status::Acknowledged;
        }
        alert.notified = known->notified;
        if (alert.sample_sessions.empty()) alert.sample_sessions = known->sample_sessions;
        if (alert.root_cause_json == "[]") alert.root_cause_json = known->root_cause_json;
    }
    return save(alert);
}

Result<void> AlertBook::resolve(std::uint64_t customer_id, std::string_view id, std::int64_t end_ms,
                                std::string_view note) {
    const std::lock_guard hold(mutex_);
    auto alert = load(customer_id, id);
    if (!alert && alert.error().code == ErrorCode::NotFound) return {};
    if (!alert) return fail(alert.error());
    if (alert->status == Status::Resolved) return {};
    alert->status = Status::Resolved;
    alert->end_ms = end_ms;
    if (alert->note.empty()) alert->note = std::string(note);
    return save(*alert);
}

Result<Alert> AlertBook::acknowledge(std::uint64_t customer_id, std::string_view id,
                                     std::string_view note) {
    const std::lock_guard hold(mutex_);
    auto alert = load(customer_id, id);
    if (!alert) return alert;
    if (alert->status == Status::Resolved) {
        return fail(ErrorCode::Conflict, "the alert is resolved already");
    }
    alert->status = Status::Acknowledged;
    if (!note.empty()) alert->note = std::string(note);
    if (auto saved = save(*alert); !saved) return fail(saved.error());
    return alert;
}

Result<void> AlertBook::add_notified(std::uint64_t customer_id, std::string_view id,
                                     std::string_view channel) {
    const std::lock_guard hold(mutex_);
    auto alert = load(customer_id, id);
    if (!alert && alert.error().code == ErrorCode::NotFound) return {};
    if (!alert) return fail(alert.error());
    auto& told = alert->notified;
    if (std::find(told.begin(), told.end(), channel) != told.end()) return {};
    told.emplace_back(channel);
    return save(*alert);
}

Result<AlertPage> AlertBook::list(std::uint64_t customer_id, const AlertQuery& query) const {
    query::SqlParameters parameters(customer_id);
    std::string where = fmt::format(
        " AND start_time < {} AND (end_time >= {} OR toUnixTimestamp64Milli(end_time) = 0)",
        parameters.time(query.end_s), parameters.time(query.start_s));
    const std::array<std::pair<const char*, const std::string*>, 3> filters{
        {{"status", &query.status}, {"severity", &query.severity}, {"alerttype", &query.type}}};
    for (const auto& [column, value] : filters) {
        if (!value->empty()) where += fmt::format(" AND {} = {}", column, parameters.text(*value));
    }
    const auto matching = fmt::format("{}{}", query::scope(kTable, true), where);
    store::Statement statement;
    statement.sql = fmt::format(
        "SELECT {}, (SELECT count() {}) AS total {} ORDER BY {} {}, alertid", select_list(),
        matching, matching, order_column(query.order_by), query.descending ? "DESC" : "ASC");
    if (query.limit > 0) {
        statement.sql += fmt::format(" LIMIT {} OFFSET {}", query.limit, query.offset);
    }
    statement.parameters = parameters.take();
    const auto table = store_.query(statement, {});
    if (!table) return fail(table.error());
    AlertPage page;
    for (const auto& row : table->rows) {
        page.alerts.push_back(alert_of(row));
        page.total = static_cast<std::int64_t>(query::number_of(row.back(), 0));
    }
    // Past the end no row tells the total.
    if (page.alerts.empty() && query.offset > 0) {
        AlertQuery first = query;
        first.offset = 0;
        first.limit = 1;
        const auto head = list(customer_id, first);
        if (!head) return head;
        page.total = head->total;
    }
    return page;
}

}  // namespace playhead::alerts
