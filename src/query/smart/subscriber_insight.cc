// One subscriber's story in one row: figures, devices, places, trend, errors, signs of leaving.
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "base/json_writer.h"
#include "query/envelope.h"
#include "query/schedule/side_by_side.h"
#include "query/series.h"
#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

constexpr std::int64_t kPartRowsMax = 100;
/// Sessions in more hours than these are not looked up by hour.
constexpr std::size_t kHoursMax = 100;
// Thresholds of the signals, named in the answer.
constexpr double kScoreLow = 60;
constexpr double kScoreFall = 10;
constexpr double kFailurePercent = 10;
constexpr double kPlaysShare = 0.5;
constexpr double kPlaysBeforeMin = 4;

/// Questions about the one subscriber.
class Story {
public:
    Story(const SmartRequest& request, const Context& context)
        : request_(request), context_(context) {}

    /// Finds the hours in which the subscriber's sessions began, so that each question goes
    /// straight to them in place of searching the whole period. What it says of its reading goes to
    /// `meta`.
    Result<void> look_up(AnswerMeta& meta) {
        QueryRequest one = request_.common;
        only(one, context_.engine.dictionary(), "subscriberid", request_.text("subscriberid"));
        SqlParameters parameters(context_.customer_id);
        auto rows =
            session_rows(one, parameters, "toUnixTimestamp(toStartOfHour(start_time)) AS hour", "");
        if (!rows) return fail(rows.error());
        store::Statement statement;
        statement.parameters = parameters.take();
        statement.sql = fmt::format("SELECT DISTINCT hour FROM {} ORDER BY hour LIMIT {}", *rows,
                                    kHoursMax + 1);
        auto found = context_.engine.table(statement, one, context_.customer_id,
                                           Reach{period().start_s, period().end_s, false});
        if (!found) return fail(found.error());
        add_reading(meta, *found);
        if (found->table->rows.size() > kHoursMax) return {};
        for (const auto& row : found->table->rows) {
            hours_.push_back(static_cast<std::int64_t>(number_of(row.front(), 0)));
        }
        return {};
    }

    Result<Answer> about(const Ask& what, const Period& period, std::int64_t limit,
                         bool in_time = false) const {
        auto query = ask(request_, context_, what);
        if (!query) return fail(query.error());
        query->period = period;
        query->limit = limit;
        query->offset = 0;
        query->start_hours = hours_;
        query->meta = false;  // of the parts: nobody reads it
        if (in_time) query->limit = kRowsMax;
        only(*query, context_.engine.dictionary(), "subscriberid", request_.text("subscriberid"));
        return context_.engine.run(*query, context_.customer_id);
    }

    const Period& period() const { return request_.common.period; }

private:
    const SmartRequest& request_;
    const Context& context_;
    std::vector<std::int64_t> hours_;
};

void write_cells(JsonWriter& json, const Answer& answer, const std::vector<store::Cell>& row) {
    for (std::size_t i = 0; i < answer.columns.size(); ++i) {
        std::string cell;
        append_cell(cell, answer.columns[i], row[i]);
        json.key(answer.columns[i].name);
        json.raw(cell);
    }
}

void write_list(JsonWriter& json, const char* name, const Answer& answer) {
    json.key(name);
    json.begin_array();
    for (const auto& row : answer.rows) {
        json.begin_object();
        write_cells(json, answer, row);
        json.end_object();
    }
    json.end_array();
}

/// A number of the first row; none when it is null or there is no row.
std::optional<double> figure(const Answer& answer, std::string_view name) {
    for (std::size_t i = 0; i < answer.columns.size() && !answer.rows.empty(); ++i) {
        if (answer.columns[i].name != name) continue;
        const double value = number_of(answer.rows[0][i], NAN);
        if (!std::isnan(value)) return value;
    }
    return std::nullopt;
}

void write_signal(JsonWriter& json, const char* name, std::optional<double> value, double threshold,
                  bool raised, int& count) {
    count += raised ? 1 : 0;
    json.begin_object();
    json.member("signal", name);
    json.key("value");
    value ? json.value(*value) : json.null();
    json.member("threshold", threshold);
    json.member("raised", raised);
    json.end_object();
}

void write_risk(JsonWriter& json, const Answer& all, const Answer& first, const Answer& second,
                const Answer& last) {
    const auto score = figure(all, "qualityofexperience");
    const auto failures = figure(all, "failurerate");
    const auto score_first = figure(first, "qualityofexperience");
    const auto score_second = figure(second, "qualityofexperience");
    const double plays_first = figure(first, "viewercount").value_or(0);
    const double plays_second = figure(second, "viewercount").value_or(0);
    std::optional<double> fall, share;
    if (score_first && score_second) fall = *score_first - *score_second;
    if (plays_first > 0) share = plays_second / plays_first;
    const double last_failed =
        figure(last, "totalstartupfailure").value_or(0) + figure(last, "errors").value_or(0);
    int raised = 0;
    json.key("signals");
    json.begin_array();
    write_signal(json, "scorelow", score, kScoreLow, score && *score < kScoreLow, raised);
    write_signal(json, "scorefalling", fall, kScoreFall, fall && *fall >= kScoreFall, raised);
    write_signal(json, "startupfailures", failures, kFailurePercent,
                 failures && *failures >= kFailurePercent, raised);
    write_signal(json, "playsfalling", share, kPlaysShare,
                 plays_first >= kPlaysBeforeMin && *share < kPlaysShare, raised);
    write_signal(json, "lastsessionfailed", last_failed, 1, last_failed >= 1, raised);
    json.end_array();
    json.member("signalsraised", raised);
}

Result<Answer> run_insight(const SmartRequest& request, const Context& context) {
    Story story(request, context);
    const auto& period = story.period();
    const auto middle = period.start_s + period.length_s() / 2;
    const std::string figures = "viewercount,qualityofexperience,failurerate";
    struct Part {
        const char* name;  ///< empty: used for the figures and signals only
        Ask what;
        Period period;
        std::int64_t limit;
        bool in_time;
        Answer answer;
    };
    std::vector<Part> parts{
        {"",
         {"attempts,viewercount,qualityofexperience,latency,bufferingratio,failurerate,errors,"
          "exitsbeforestart,playdur,unique_devices,subscribertype,subscribertag",
          "subscriberid", "", true},
         period,
         1,
         false,
         {}},
        {"", {figures, "subscriberid", "", true}, {period.start_s, middle}, 1, false, {}},
        {"", {figures, "subscriberid", "", true}, {middle, period.end_s}, 1, false, {}},
        {"",
         {"starttime,totalstartupfailure,errors", "sessionid", "starttime", true},
         period,
         1,
         false,
         {}},
        {"devices",
         {"attempts,viewercount,qualityofexperience,bufferingratio,failurerate",
          "device,platform,player", "attempts", true},
         period,
         kPartRowsMax,
         false,
         {}},
        {"places",
         {"attempts,viewercount,qualityofexperience,bufferingratio,failurerate", "country,city,isp",
          "attempts", true},
         period,
         kPartRowsMax,
         false,
         {}},
        {"trend",
         {"attempts,viewercount,qualityofexperience,bufferingratio", "timestamp", "timestamp",
          false},
         period,
         kPartRowsMax,
         true,
         {}},
        {"errorlist",
         {"attempts,errors,totalstartupfailure", "errorcode,errormessage", "attempts", true},
         period,
         kPartRowsMax,
         false,
         {}},
    };
    Answer out;
    out.meta.cached = true;
    if (auto found = story.look_up(out.meta); !found) return fail(found.error());
    // Small statements, of which planning is most: two at a time.
    std::vector<Result<Answer>> answers(parts.size());
    side_by_side(parts.size(), [&](std::size_t i) {
        const auto& part = parts[i];
        answers[i] = story.about(part.what, part.period, part.limit, part.in_time);
        return answers[i].has_value();
    });
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!answers[i]) return std::move(answers[i]);
        add_reading(out.meta, answers[i]->meta);
        parts[i].answer = std::move(*answers[i]);
    }
    if (parts[0].answer.rows.empty()) {
        return fail(Error{ErrorCode::NotFound,
                          "the subscriber has no session in the period that passes the filter",
                          "subscriberid", request.text("subscriberid").substr(0, 100),
                          "the id of a subscriber with sessions in the period"});
    }
    // A session without an error has no code.
    std::erase_if(parts.back().answer.rows, [](const auto& row) {
        const auto* code = std::get_if<std::string>(&row[0]);
        const auto* message = std::get_if<std::string>(&row[1]);
        return code != nullptr && code->empty() && message != nullptr && message->empty();
    });
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    write_cells(json, parts[0].answer, parts[0].answer.rows[0]);
    for (const auto& part : parts) {
        if (*part.name != '\0') write_list(json, part.name, part.answer);
    }
    write_risk(json, parts[0].answer, parts[1].answer, parts[2].answer, parts[3].answer);
    json.member("totalpages", 1);
    json.end_object();
    out.objects.push_back(std::move(text));
    out.total_records = 1;
    out.meta.tables = parts[0].answer.meta.tables;
    out.meta.definitions = parts[0].answer.meta.definitions;
    return out;
}

}  // namespace

SmartQuery subscriber_insight() {
    SmartQuery out;
    out.name = "subscriberinsight";
    out.title = "Subscriber insight";
    out.description =
        "One row about one subscriber; every figure is a metric of the dictionary over the "
        "sessions "
        "that began in the period. Signals: scorelow (mean score below 60), scorefalling (mean of "
        "the first half of the period minus that of the second at least 10), startupfailures (10 % "
        "of attempts), playsfalling (plays of the second half below half of the first, which had 4 "
        "or more), lastsessionfailed. They are thresholds, not a prediction. 404 when the "
        "subscriber has no session.";
    out.inputs = {id_input("subscriberid", "the subscriber's id")};
    out.row_schema = row_schema(
        {"subscriberid:string:id", "attempts:integer:playback requests",
         "viewercount:integer:plays", "qualityofexperience:number?:mean playback score",
         "latency:number?:mean startup time, s", "bufferingratio:number?:percent",
         "failurerate:number?:percent of attempts", "errors:integer:fatal errors",
         "exitsbeforestart:integer:left before the first frame", "playdur:number:minutes",
         "unique_devices:integer:distinct devices", "subscribertype:string:type",
         "subscribertag:string:tag",
         "devices:[device string,platform string,player string,attempts integer,viewercount "
         "integer,qualityofexperience number?,bufferingratio number?,failurerate number?]:device, "
         "platform, player and figures, most used first, at most 100",
         "places:[country string,city string,isp string,attempts integer,viewercount "
         "integer,qualityofexperience number?,bufferingratio number?,failurerate number?]:country, "
         "city, isp and figures, most used first, at most 100",
         "trend:[timestamp integer,attempts integer,viewercount integer,qualityofexperience "
         "number?,bufferingratio number?]:figures by timestamp of the granularity",
         "errorlist:[errorcode string,errormessage string,attempts integer,errors "
         "integer,totalstartupfailure integer]:errorcode, errormessage and figures, at most 100",
         "signals:[signal string,value number?,threshold number,raised boolean]:signal, value, "
         "threshold, raised",
         "signalsraised:integer:how many signals are raised"});
    out.run = run_insight;
    return out;
}

}  // namespace playhead::query::smart
