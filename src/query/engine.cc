#include "query/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "query/heatmap.h"
#include "query/schedule/turn.h"
#include "query/series.h"

namespace playhead::query {

namespace {

/// A block's move of sessions takes tens of milliseconds; longer, and the store is in trouble.
constexpr int kSettleStepMs = 5;
constexpr int kSettleStepsMax = 100;
constexpr int kRepeatsMax = 3;
/// Longer queries span several blocks anyway: repeating them would never end.
constexpr double kRepeatBelowMs = 500;

constexpr double kNanosecondsPerMs = 1e6;
constexpr double kNanosecondsPerSecond = 1e9;
/// Errors are set against the slices of an hour before and after (query/error_rows).
constexpr std::int64_t kReachMargin_s = 3600;
/// A time at which nothing happens.
constexpr std::int64_t kNever_s = 1LL << 40U;

/// A column's name as an identifier of SQL. A tag's comes from a client and cannot be bound, so
/// every byte that the dictionary's own names do not have is written as a number.
std::string quoted_name(std::string_view name) {
    std::string out = "`";
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out + '`';
}

constexpr const char* kNoBeacons = "no beacon is behind the answer";
constexpr const char* kNotNumbered =
    "no player behind the answer numbers its records (CMCD sn, or payload ids that count)";

AnswerMeta meta_of(const QueryRequest& request, const Plan& plan) {
    AnswerMeta meta;
    meta.definitions = plan.definitions;
    meta.tables = plan.tables;
    meta.reason = plan.reason;
    meta.view = name_of(request.view);
    if (plan.series) meta.granularity = name_of(request.granularity);
    meta.timezone = request.timezone;
    meta.approximate = plan.approximate;
    meta.query_id = request.query_id;
    meta.period_end_s = request.period.end_s;
    if (request.explain) meta.sql = plan.statement.sql;
    return meta;
}

/// Shares of late and of lost beacons, from the trailing columns of a row. Lost ones are known only
/// where the player numbers its records, so they are a share of those.
void set_beacons(const std::vector<store::Cell>& row, AnswerMeta& meta) {
    const std::size_t at = row.size() - kTrailingColumns + 1;
    if (std::holds_alternative<std::monostate>(row[at])) return;
    const double received = number_of(row[at], 0);
    meta.lost_reason = received > 0 ? kNotNumbered : kNoBeacons;
    if (received <= 0) return;
    const double lost = number_of(row[at + 2], 0);
    const double numbered = number_of(row[at + 3], 0);
    meta.late_percent = number_of(row[at + 1], 0) * 100 / received;
    meta.numbered_percent = numbered * 100 / received;
    if (numbered + lost <= 0) return;
    meta.lost_percent = lost * 100 / (numbered + lost);
    meta.lost_reason.clear();
}

/// The plan's columns in the order in which they were asked for.
std::vector<std::size_t> order_of(const Plan& plan, const QueryRequest& request) {
    std::vector<std::size_t> order;
    std::vector<bool> taken(plan.columns.size(), false);
    for (const auto& name : request.answer_order) {
        for (std::size_t i = 0; i < plan.columns.size(); ++i) {
            if (taken[i] || plan.columns[i].name != name) continue;
            taken[i] = true;
            order.push_back(i);
        }
    }
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        if (!taken[i]) order.push_back(i);
    }
    return order;
}

Reach reach_of(const QueryRequest& request, const Plan& plan) {
    Reach reach{request.period.start_s, request.period.end_s, false};
    for (const auto& table : plan.tables) {
        if (table == "events" || table.starts_with("slices")) reach.details = true;
    }
    return reach;
}

}  // namespace

std::string running_name(std::string_view query_id, std::uint64_t customer_id) {
    return std::to_string(customer_id) + "/" + std::string(query_id);
}

std::vector<std::vector<store::Cell>> Fetched::take_rows() {
    if (table.use_count() == 1) return std::move(table->rows);
    return table->rows;
}

void add_reading(AnswerMeta& whole, const AnswerMeta& part) {
    whole.rows_read += part.rows_read;
    whole.cached = whole.cached && part.cached;
    whole.cache_age_s = std::max(whole.cache_age_s, part.cache_age_s);
}

void add_reading(AnswerMeta& whole, const Fetched& part) {
    AnswerMeta reading;
    reading.cached = part.cached;
    reading.cache_age_s = part.age_s;
    if (!part.cached) reading.rows_read = part.table->rows_read;
    add_reading(whole, reading);
}

Engine::Engine(store::Store& store, const Dictionary& dictionary, const Clock& clock,
               EngineOptions options)
    : store_(store),
      dictionary_(dictionary),
      clock_(clock),
      options_(std::move(options)),
      cache_(std::make_unique<ResultCache>(options_.cache_bytes_max)),
      flights_(std::make_unique<Flights>(store)) {}

Engine::~Engine() = default;

void Engine::count_in(MetricsRegistry& metrics) {
    cache_->count_in(metrics);
}

Result<QueryRequest> Engine::parse(const Parameters& parameters, Endpoint endpoint) const {
    return parse_request(parameters, endpoint, dictionary_,
                         {clock_.now_ms() / 1000, options_.retention_days});
}

bool Engine::cancel(std::string_view query_id, std::uint64_t customer_id) const {
    if (query_id.empty()) return false;
    const auto name = running_name(query_id, customer_id);
    const bool shared = flights_->cancel(name);
    return store_.cancel(name) || shared;
}

std::optional<store::QueryProgress> Engine::progress(std::string_view query_id,
                                                     std::uint64_t customer_id) const {
    if (query_id.empty()) return std::nullopt;
    const auto name = running_name(query_id, customer_id);
    return store_.progress(flights_->store_id(name).value_or(name));
}

std::string Engine::name_of_caller(const QueryRequest& request, std::uint64_t customer_id) const {
    if (!request.query_id.empty()) return running_name(request.query_id, customer_id);
    const Turn* turn = Turn::current();
    return turn == nullptr ? std::string() : turn->name;
}

store::QueryOptions options_of_turn() {
    store::QueryOptions options;
    if (const Turn* turn = Turn::current(); turn != nullptr) {
        options.patient = turn->patient;
        options.cancelled = &turn->cancelled;
    }
    return options;
}

store::QueryOptions Engine::options_of(const QueryRequest& request,
                                       std::uint64_t customer_id) const {
    auto options = options_of_turn();
    options.query_id = name_of_caller(request, customer_id);
    options.time_limit_s = options_.time_limit_s;
    if (const Turn* turn = Turn::current(); turn != nullptr && turn->begun_ns != 0) {
        options.time_limit_s -=
            static_cast<double>(clock_.monotonic_ns() - turn->begun_ns) / kNanosecondsPerSecond;
    }
    return options;
}

/// Rows leave the store by age, unseen by `changes`: answers that read the oldest are not kept.
bool Engine::outlives_cache(const Reach& reach) const {
    const auto days = reach.details ? std::min(options_.details_days, options_.retention_days)
                                    : options_.retention_days;
    return age_spares(reach.from_s, days, clock_.now_ms() / 1000);
}

store::ChangeState Engine::rows_stand(const Reach& reach, std::uint64_t customer_id) const {
    if (options_.changes == nullptr) return {};
    return options_.changes->state(customer_id, reach.from_s - kReachMargin_s,
                                   reach.to_s + kReachMargin_s);
}

Result<Fetched> Engine::fetch(const store::Statement& statement, const QueryRequest& request,
                              std::uint64_t customer_id, const Reach& reach,
                              const store::ChangeState* as_of) const {
    const auto options = options_of(request, customer_id);
    if (options.cancelled != nullptr && options.cancelled->load()) {
        return fail(ErrorCode::Cancelled, "the query was cancelled");
    }
    if (options.time_limit_s <= 0) {
        return fail(ErrorCode::Timeout, "the query took longer than allowed");
    }
    const bool kept_only = request.cache == CacheUse::Only;
    if (options_.changes == nullptr || request.cache == CacheUse::Bypassed ||
        !outlives_cache(reach)) {
        if (kept_only) return fail(ErrorCode::Conflict, "no answer is kept");
        auto table = store_.query(statement, options);
        if (!table) return fail(table.error());
        return Fetched{std::make_shared<store::ResultTable>(std::move(*table)), false, 0};
    }
    const auto state = as_of != nullptr ? *as_of : rows_stand(reach, customer_id);
    const auto key = std::to_string(customer_id) + '/' + plan_key(statement);
    if (const auto kept = cache_->find(key, state, !kept_only)) {
        return Fetched{kept->table, true, (clock_.now_ms() - kept->made_ms) / 1000};
    }
    if (kept_only) return fail(ErrorCode::Conflict, "no answer is kept");
    auto shared = flights_->run(
        key, state, options.query_id, options.cancelled,
        [&](const std::string& store_id, const std::atomic<bool>& stop) -> Result<SharedTable> {
            auto own = options;
            own.query_id = store_id;
            own.cancelled = &stop;
            auto table = store_.query(statement, own);
            if (!table) return fail(table.error());
            auto made = std::make_shared<store::ResultTable>(std::move(*table));
            // Only what was read from rows that stood still the whole time is of one state.
            if (!state.moving && rows_stand(reach, customer_id) == state) {
                cache_->put(customer_id, key, state, made, clock_.now_ms());
            }
            return made;
        });
    if (!shared) return fail(shared.error());
    return Fetched{std::move(*shared), false, 0};
}

Result<void> Engine::fill_series(const QueryRequest& request, const Plan& plan,
                                 std::uint64_t customer_id, Answer& answer) const {
    if (answer.rows.size() > static_cast<std::size_t>(kSeriesRowsMax)) {
        return fail(Error{ErrorCode::Unprocessable,
                          "the time series has too many rows",
                          "aggby",
                          {},
                          "fewer dimensions, a filter, or a coarser granularity"});
    }
    std::vector<std::int64_t> buckets;
    if (request.timezone == "UTC") {
        const std::int64_t step = step_s(request.granularity);
        const std::int64_t first = request.period.start_s / step * step;
        for (auto at = first; at < request.period.end_s; at += step) buckets.push_back(at);
    } else {
        // Reads no rows: in a span of time that has none, it is kept for good.
        const Reach nothing{kNever_s, kNever_s, false};
        const auto fetched = fetch(plan.buckets, request, customer_id, nothing);
        if (!fetched) return fail(fetched.error());
        for (const auto& row : fetched->table->rows) {
            if (row.empty()) continue;
            buckets.push_back(static_cast<std::int64_t>(number_of(row.front(), 0)));
        }
    }
    answer.meta.filled = fill_buckets(plan, buckets, answer.rows);
    order_rows(plan, request.order, answer.rows);
    answer.total_records = static_cast<std::int64_t>(answer.rows.size());
    page_rows(request.offset, request.limit, answer.rows);
    return {};
}

std::uint64_t Engine::settled() const {
    if (!options_.publication) return 0;
    std::uint64_t publication = options_.publication();
    for (int step = 0; publication % 2 != 0 && step < kSettleStepsMax; ++step) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kSettleStepMs));
        publication = options_.publication();
    }
    return publication;
}

Result<Answer> Engine::run(const QueryRequest& request, std::uint64_t customer_id) const {
    if (request.view == View::Heatmap) {
        const auto cells = heatmap_cells(request, dictionary_);
        if (!cells) return fail(cells.error());
        auto sparse = run(*cells, customer_id);
        if (!sparse) return sparse;
        return dense_heatmap(request, std::move(*sparse));
    }
    // What is kept was read while nothing moved.
    if (request.cache == CacheUse::Only) return run_once(request, customer_id);
    std::uint64_t before = settled();
    auto answer = run_once(request, customer_id);
    for (int again = 0; again < kRepeatsMax && answer && !answer->meta.cached &&
                        answer->meta.elapsed_ms < kRepeatBelowMs;
         ++again) {
        if (!options_.publication || options_.publication() == before) break;
        before = settled();
        answer = run_once(request, customer_id);
    }
    return answer;
}

Result<Fetched> Engine::table(const store::Statement& statement, const QueryRequest& request,
                              std::uint64_t customer_id, const Reach& reach) const {
    std::uint64_t before = settled();
    auto found = fetch(statement, request, customer_id, reach);
    for (int again = 0; again < kRepeatsMax && found && !found->cached &&
                        found->table->elapsed_ms < kRepeatBelowMs;
         ++again) {
        if (!options_.publication || options_.publication() == before) break;
        before = settled();
        found = fetch(statement, request, customer_id, reach);
    }
    return found;
}

Result<Answer> Engine::run_once(const QueryRequest& request, std::uint64_t customer_id) const {
    const auto begin_ns = clock_.monotonic_ns();
    // Taken before the days are looked up: what is kept of the answer is of rows no newer than
    // they.
    const auto as_of = rows_stand({request.period.start_s, request.period.end_s}, customer_id);
    auto* days = request.cache == CacheUse::Bypassed || options_.changes == nullptr ? nullptr
                                                                                    : options_.days;
    auto plan = plan_query(request, dictionary_, customer_id, days);
    if (!plan) return fail(plan.error());
    auto fetched = fetch(plan->statement, request, customer_id, reach_of(request, *plan), &as_of);
    if (!fetched) return fail(fetched.error());
    if (days != nullptr && !fetched->cached && !plan->wishes.empty() &&
        fetched->table->elapsed_ms >= options_.days_above_ms) {
        days->want(customer_id, std::move(plan->wishes));
    }
    Answer answer;
    answer.columns = plan->columns;
    answer.field_order = request.answer_order;
    answer.limit = request.limit;
    answer.with_meta = request.meta;
    answer.explain = request.explain;
    answer.meta = meta_of(request, *plan);
    answer.meta.cached = true;
    add_reading(answer.meta, *fetched);
    for (auto& row : fetched->take_rows()) {
        if (row.size() != plan->columns.size() + kTrailingColumns) {
            return fail(ErrorCode::Internal, "the store answered another number of columns");
        }
        answer.total_records = static_cast<std::int64_t>(number_of(row[plan->columns.size()], 0));
        if (answer.rows.empty()) set_beacons(row, answer.meta);
        row.resize(plan->columns.size());
        answer.rows.push_back(std::move(row));
    }
    if (plan->series) {
        if (auto filled = fill_series(request, *plan, customer_id, answer); !filled) {
            return fail(filled.error());
        }
    } else if (answer.rows.empty() && request.offset > 0) {
        // Past the end no row tells the total: ask for the first row instead.
        QueryRequest first = request;
        first.offset = 0;
        first.limit = 1;
        auto head = run_once(first, customer_id);
        if (!head) return head;
        answer.total_records = head->total_records;
        add_reading(answer.meta, head->meta);
    }
    answer.meta.elapsed_ms =
        static_cast<double>(clock_.monotonic_ns() - begin_ns) / kNanosecondsPerMs;
    return answer;
}

Result<void> Engine::stream(const QueryRequest& request, std::uint64_t customer_id,
                            std::string_view format,
                            const std::function<bool(std::string_view)>& sink) const {
    if (request.view == View::Heatmap) {
        return fail_parameter("format", std::string(format), "json",
                              "a heatmap is answered as JSON only");
    }
    auto plan = plan_query(request, dictionary_, customer_id);
    if (!plan) return fail(plan.error());
    store::Statement named;
    std::string names;
    for (const std::size_t i : order_of(*plan, request)) {
        const auto& column = plan->columns[i];
        std::string value = "c" + std::to_string(i);
        // As the JSON answer writes them.
        if (column.type == ValueType::Number) {
            // Halves go away from zero there; the engine's round() takes them to even.
            const auto scale = "1e" + std::to_string(column.decimals);
            value = column.integral
                        ? fmt::format("round({})", value)
                        : fmt::format("if({0} < 0, -1, 1) * floor(abs({0}) * {1} + 0.5) / {1}",
                                      value, scale);
        } else if (column.type == ValueType::Boolean) {
            value = fmt::format("CAST({} != 0, 'Nullable(Bool)')", value);
        }
        names +=
            fmt::format("{}{} AS {}", names.empty() ? "" : ", ", value, quoted_name(column.name));
    }
    named.sql = "SELECT " + names + " FROM (" + plan->statement.sql + ")";
    named.parameters = plan->statement.parameters;
    return store_.stream(named, format, options_of(request, customer_id), sink);
}

}  // namespace playhead::query
