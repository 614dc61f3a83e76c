#include "exports/exporter.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/json_writer.h"
#include "base/log.h"
#include "exports/target.h"
#include "query/sql.h"

namespace playhead::exports {

namespace {

constexpr std::string_view kKind = "export";
constexpr std::string_view kStateKind = "export-state";
constexpr std::chrono::seconds kLook{5};
constexpr std::int64_t kDay_s = 86400;
constexpr std::int64_t kRetry_s = 300;
constexpr double kTimeLimit_s = 3600;

struct Source {
    std::string_view table;
    std::string_view time;  ///< the day is of this column
    bool final_rows;
};
constexpr Source kSources[] = {{"sessions", "start_time", true},
                               {"slices", "minute_time", false},
                               {"events", "event_time", false},
                               {"ad_views", "start_time", true}};

const Source& source_of(std::string_view table) {
    for (const Source& source : kSources) {
        if (source.table == table) return source;
    }
    return kSources[0];
}

std::string day_of(std::int64_t epoch_s) {
    return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(epoch_s)));
}

/// FROM … WHERE customer and the day.
std::string rows_of(const Source& source, query::SqlParameters& parameters, std::int64_t from_s,
                    std::int64_t to_s) {
    return fmt::format("{} AND {} >= {} AND {} < {}", query::scope(source.table, source.final_rows),
                       source.time, parameters.time(from_s), source.time, parameters.time(to_s));
}

ExportState state_of(std::string_view text) {
    ExportState state;
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return state;
    std::string_view error;
    simdjson::dom::object days;
    if (root["ran_s"].get(state.ran_s) != simdjson::SUCCESS) state.ran_s = 0;
    if (root["error"].get(error) == simdjson::SUCCESS) state.error = error;
    if (root["days"].get(days) != simdjson::SUCCESS) return state;
    for (const auto [day, entry] : days) {
        std::string_view content;
        WrittenDay written;
        if (entry["content"].get(content) != simdjson::SUCCESS ||
            entry["rows"].get(written.rows) != simdjson::SUCCESS ||
            entry["parts"].get(written.parts) != simdjson::SUCCESS) {
            continue;
        }
        written.content = content;
        state.days.emplace(day, std::move(written));
    }
    return state;
}

std::string part_name(std::int64_t customer_id, std::string_view day, std::uint64_t part) {
    return fmt::format("customerid={}/date={}/part-{:05}.parquet", customer_id, day, part);
}

}  // namespace

void write_state(JsonWriter& json, const ExportState& state, bool with_content) {
    json.begin_object();
    json.member("ran_s", state.ran_s);
    json.member("error", state.error);
    json.key("days");
    json.begin_object();
    for (const auto& [day, written] : state.days) {
        json.key(day);
        json.begin_object();
        if (with_content) json.member("content", written.content);
        json.member("rows", written.rows);
        json.member("parts", written.parts);
        json.end_object();
    }
    json.end_object();
    json.end_object();
}

Exporter::Exporter(store::Store& store, directory::Directory& directory, const Clock& clock,
                   ExportPolicy policy, std::string scratch)
    : store_(store),
      directory_(directory),
      clock_(clock),
      policy_(std::move(policy)),
      scratch_(std::move(scratch)) {
    std::error_code error;
    std::filesystem::remove_all(scratch_, error);
    std::filesystem::create_directories(scratch_, error);
}

Exporter::~Exporter() {
    stop();
}

void Exporter::start() {
    thread_ = std::thread([this] { work(); });
}

void Exporter::stop() {
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    store_.cancel("export");
    if (thread_.joinable()) thread_.join();
}

void Exporter::work() {
    std::unique_lock hold(mutex_);
    while (!stopping_) {
        hold.unlock();
        const auto documents = directory_.documents(kKind, std::nullopt);
        for (const auto& document : documents ? *documents : std::vector<directory::Document>{}) {
            const auto definition = find(document.customer_id, document.id);
            if (!definition) continue;  // the policy has changed: list shows why
            const auto known = state(document.customer_id, document.id);
            if (!known || !is_due(*definition, *known)) continue;
            if (const auto done = run(*definition); !done) {
                log::warn("export {} of customer {}: {}", document.id, document.customer_id,
                          done.error().message);
            }
        }
        hold.lock();
        wake_.wait_for(hold, kLook, [this] { return stopping_; });
    }
}

bool Exporter::is_due(const Definition& definition, const ExportState& state) const {
    if (!definition.enabled) return false;
    const std::int64_t now_s = clock_.now_ms() / 1000;
    if (!state.error.empty()) return now_s >= state.ran_s + kRetry_s;
    const auto late_s = definition.lateness_minutes * 60;
    const auto boundary = (now_s - late_s) / definition.period_s() * definition.period_s() + late_s;
    return state.ran_s < boundary;
}

Result<std::vector<Definition>> Exporter::list(std::int64_t customer_id) const {
    const auto documents = directory_.documents(kKind, customer_id);
    if (!documents) return fail(documents.error());
    std::vector<Definition> all;
    for (const auto& document : *documents) {
        auto definition = parse_definition(document.body, policy_);
        if (!definition) continue;
        definition->id = document.id;
        definition->customer_id = customer_id;
        all.push_back(std::move(*definition));
    }
    return all;
}

Result<Definition> Exporter::find(std::int64_t customer_id, std::string_view id) const {
    auto all = list(customer_id);
    if (!all) return fail(all.error());
    for (auto& definition : *all) {
        if (definition.id == id) return std::move(definition);
    }
    return fail(Error{ErrorCode::NotFound, "There is no such export.", "id", std::string(id), {}});
}

Result<void> Exporter::put(const Definition& definition) {
    directory::Document document;
    document.kind = kKind;
    document.id = definition.id;
    document.customer_id = definition.customer_id;
    document.body = definition_json(definition, false);
    return directory_.put_document(document);
}

Result<void> Exporter::remove(std::int64_t customer_id, std::string_view id) {
    const std::lock_guard running(run_mutex_);
    if (auto done = directory_.remove_document(kKind, customer_id, id); !done) return done;
    // Nothing was written yet: nothing to forget.
    static_cast<void>(directory_.remove_document(kStateKind, customer_id, id));
    return {};
}

Result<ExportState> Exporter::state(std::int64_t customer_id, std::string_view id) const {
    const auto documents = directory_.documents(kStateKind, customer_id);
    if (!documents) return fail(documents.error());
    for (const auto& document : *documents) {
        if (document.id == id) return state_of(document.body);
    }
    return ExportState{};
}

Result<void> Exporter::save(const Definition& definition, const ExportState& state) {
    directory::Document document;
    document.kind = kStateKind;
    document.id = definition.id;
    document.customer_id = definition.customer_id;
    JsonWriter json(document.body);
    write_state(json, state, true);
    return directory_.put_document(document);
}

Result<ExportState> Exporter::run(const Definition& definition) {
    const std::lock_guard running(run_mutex_);
    auto known = state(definition.customer_id, definition.id);
    if (!known) return known;
    const auto done = write_days(definition, *known);
    known->ran_s = clock_.now_ms() / 1000;
    known->error = done ? "" : done.error().message;
    if (auto saved = save(definition, *known); !saved) return fail(saved.error());
    if (!done) return fail(done.error());
    return known;
}

Result<void> Exporter::write_days(const Definition& definition, ExportState& state) {
    const Source& source = source_of(definition.table);
    const std::int64_t now_s = clock_.now_ms() / 1000;
    const std::int64_t today_s = now_s / kDay_s * kDay_s;
    const std::int64_t from_s = today_s - definition.lookback_days * kDay_s;
    // An hourly export has the hours of today that are over, a daily one whole days.
    const std::int64_t to_s = definition.schedule == "hourly" ? now_s / 3600 * 3600 : today_s;
    query::SqlParameters parameters(static_cast<std::uint64_t>(definition.customer_id));
    const auto rows = rows_of(source, parameters, from_s, to_s);
    store::QueryOptions options;
    options.patient = true;
    options.query_id = "export";
    options.time_limit_s = kTimeLimit_s;
    const auto found = store_.query(
        {fmt::format("SELECT toString(toDate({}, 'UTC')) AS day, count(), "
                     "toString(groupBitXor(cityHash64(*))) || '-' || toString(sum(cityHash64(*))) "
                     "{} GROUP BY day ORDER BY day",
                     source.time, rows),
         parameters.take()},
        options);
    if (!found) return fail(found.error());
    std::map<std::string, WrittenDay> now;
    for (const auto& row : found->rows) {
        WrittenDay day;
        const auto* count = std::get_if<std::int64_t>(&row[1]);
        day.rows =
            count != nullptr ? static_cast<std::uint64_t>(*count) : std::get<std::uint64_t>(row[1]);
        day.content = std::get<std::string>(row[2]);
        day.parts = (day.rows + kRowsPerPart - 1) / kRowsPerPart;
        now.emplace(std::get<std::string>(row[0]), std::move(day));
    }
    // A day that lost all its rows (erasure) loses its files.
    for (const auto& [day, written] : state.days) {
        if (day >= day_of(from_s) && written.rows > 0) now.try_emplace(day);
    }
    for (const auto& [day, content] : now) {
        const auto known = state.days.find(day);
        if (known != state.days.end() && known->second.content == content.content) continue;
        if (auto done = write_day(definition, day, content, state); !done) return done;
        // Kept day by day: after a crash only the day in the making is written again.
        if (auto saved = save(definition, state); !saved) return saved;
    }
    std::erase_if(state.days, [&](const auto& entry) { return entry.first < day_of(from_s); });
    return {};
}

Result<void> Exporter::write_day(const Definition& definition, const std::string& day,
                                 const WrittenDay& now, ExportState& state) {
    const auto target = open_target(definition, clock_);
    for (std::uint64_t part = 0; part < now.parts; ++part) {
        const auto local = fmt::format("{}/part-{:05}.parquet", scratch_, part);
        auto done = write_part(definition, day, part, now.parts, local);
        if (done) done = target->put(local, part_name(definition.customer_id, day, part));
        if (!done) {
            std::error_code error;
            std::filesystem::remove(local, error);
            return done;
        }
    }
    for (std::uint64_t part = now.parts; part < state.days[day].parts; ++part) {
        auto done = target->remove(part_name(definition.customer_id, day, part));
        if (!done) return done;
    }
    state.days[day] = now;
    return {};
}

Result<void> Exporter::write_part(const Definition& definition, const std::string& day,
                                  std::uint64_t part, std::uint64_t parts,
                                  const std::string& local) {
    const Source& source = source_of(definition.table);
    query::SqlParameters parameters(static_cast<std::uint64_t>(definition.customer_id));
    std::chrono::year_month_day date{
        std::chrono::year(std::stoi(day.substr(0, 4))),
        std::chrono::month(static_cast<unsigned>(std::stoi(day.substr(5, 2)))),
        std::chrono::day(static_cast<unsigned>(std::stoi(day.substr(8, 2))))};
    const auto from_s = std::chrono::sys_days(date).time_since_epoch().count() * kDay_s;
    auto to_s = from_s + kDay_s;
    if (definition.schedule == "hourly") {
        to_s = std::min<std::int64_t>(to_s, clock_.now_ms() / 3'600'000 * 3600);
    }
    auto sql = fmt::format("SELECT * {}", rows_of(source, parameters, from_s, to_s));
    if (parts > 1) {
        sql += fmt::format(" AND cityHash64(sessionid) % {} = {}",
                           parameters.integer(static_cast<std::int64_t>(parts)),
                           parameters.integer(static_cast<std::int64_t>(part)));
    }
    store::QueryOptions options;
    options.patient = true;
    options.query_id = "export";
    options.time_limit_s = kTimeLimit_s;
    std::ofstream file(local, std::ios::binary | std::ios::trunc);
    auto done = store_.stream(
        {sql, parameters.take()}, "Parquet", options, [&file](std::string_view chunk) {
            file.write(chunk.data(), static_cast<std::streamsize>(chunk.size()));
            return file.good();
        });
    file.close();
    if (!done) return done;
    if (!file) return fail(ErrorCode::Unavailable, "the part cannot be written: disk full?");
    return {};
}

}  // namespace playhead::exports
