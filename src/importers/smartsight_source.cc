#include "importers/smartsight_source.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <set>
#include <thread>

#include "http/query_string.h"

namespace playhead::importers {

namespace {

constexpr int kTriesMax = 6;
constexpr std::int64_t kFirstWaitMs = 500;
constexpr std::int64_t kWaitMaxMs = 30'000;
/// Names in one request: APIs take 100, and addresses have a length.
constexpr std::size_t kColumnsAtOnce = 60;
constexpr const char* kOrder = "starttime";

/// What is asked for, in order of preference where several tell of the same field.
struct SourceColumn {
    const char* name;   ///< metric or dimension of the API
    const char* field;  ///< of ours
    const char* unit;   ///< "" none
};

constexpr std::array kSourceColumns{
    SourceColumn{"starttime", "start_time", ""},
    SourceColumn{"endtime", "end_time", ""},
    SourceColumn{"firstframetime", "first_frame_time", ""},
    SourceColumn{"viewstatus", "viewstatus", ""},
    SourceColumn{"attempts", "attempts", ""},
    SourceColumn{"viewercount", "plays", ""},
    SourceColumn{"latency", "startup_ms", "s"},
    SourceColumn{"startupwait", "startup_wait_ms", "s"},
    SourceColumn{"adstartup", "ad_startup_ms", "s"},
    SourceColumn{"playingtime", "playing_ms", "min"},
    SourceColumn{"watchtime", "watch_ms", "min"},
    SourceColumn{"playdur", "watch_ms", "min"},
    SourceColumn{"cirrbufferduration", "stall_ms", "s"},
    SourceColumn{"cirrbuffercount", "stall_count", ""},
    SourceColumn{"vrtbufferduration", "seek_stall_ms", "s"},
    SourceColumn{"vrtbuffercount", "seek_stall_count", ""},
    SourceColumn{"cirrbufferingratio", "stall_percent", "percent"},
    SourceColumn{"bufferingratio", "buffering_percent", "percent"},
    SourceColumn{"pauseduration", "pause_ms", "s"},
    SourceColumn{"pausecount", "pause_count", ""},
    SourceColumn{"seekcount", "seek_count", ""},
    SourceColumn{"avgbitrate", "avgbitrate_kbps", "kbps"},
    SourceColumn{"bitratelast", "bitrate_last_kbps", "kbps"},
    SourceColumn{"bitratemax", "bitrate_max_kbps", "kbps"},
    SourceColumn{"avgdownloadrate", "throughput_kbps", "kbps"},
    SourceColumn{"livelatency", "livelatency_ms", "s"},
    SourceColumn{"cbrsize", "bytes", "B"},
    SourceColumn{"upshifts", "up_shifts", ""},
    SourceColumn{"downshifts", "down_shifts", ""},
    SourceColumn{"renditionchanges", "rendition_changes", ""},
    SourceColumn{"framesdropped", "frames_dropped", ""},
    SourceColumn{"droppedframerate", "droppedframes_percent", "percent"},
    SourceColumn{"fatalerrors", "fatal_errors", ""},
    SourceColumn{"errors", "fatal_errors", ""},
    SourceColumn{"warnings", "warnings", ""},
    SourceColumn{"endedplays", "ended_plays", ""},
    SourceColumn{"totalstartupfailure", "startup_failures", ""},
    SourceColumn{"exitsbeforestart", "exits_before_start", ""},
    SourceColumn{"videodropped", "dropped", ""},
    SourceColumn{"progressmark", "progress_percent", "percent"},
    SourceColumn{"qualityofexperience", "score", ""},
    SourceColumn{"score_lost_startup", "score_lost_startup", ""},
    SourceColumn{"score_lost_stalls", "score_lost_stalls", ""},
    SourceColumn{"score_lost_quality", "score_lost_quality", ""},
    SourceColumn{"score_lost_failure", "score_lost_failure", ""},
    SourceColumn{"adrequests", "ad_requests", ""},
    SourceColumn{"adresponses", "ad_responses", ""},
    SourceColumn{"adbreaks", "ad_breaks", ""},
    SourceColumn{"adimpression", "ad_impressions", ""},
    SourceColumn{"adstarts", "ad_starts", ""},
    SourceColumn{"adcompletions", "ad_completions", ""},
    SourceColumn{"adskips", "ad_skips", ""},
    SourceColumn{"adclicks", "ad_clicks", ""},
    SourceColumn{"aderrors", "ad_errors", ""},
    SourceColumn{"adplaydur", "ad_ms", "min"},
    SourceColumn{"exitsduringad", "exits_during_ad", ""},
    SourceColumn{"exitsbeforead", "exits_before_ad", ""},
    SourceColumn{"beacons", "beacons", ""},
    SourceColumn{"beaconslate", "beacons_late", ""},
    SourceColumn{"beaconslost", "beacons_lost", ""},
    SourceColumn{"position", "position_s", "s"},
    SourceColumn{"duration", "duration_s", "s"},
    SourceColumn{"islive", "islive", ""},
    SourceColumn{"fps", "fps", ""},
    SourceColumn{"asn", "asn", ""},
    SourceColumn{"latitude", "latitude", ""},
    SourceColumn{"longitude", "longitude", ""},
};

std::vector<std::string> all_columns(const std::vector<std::string>& tags) {
    std::vector<std::string> names;
    names.reserve(kSourceColumns.size() + model::kDimensionCount + tags.size());
    for (const SourceColumn& column : kSourceColumns) names.emplace_back(column.name);
    for (const auto dimension : model::kDimensionNames) names.emplace_back(dimension);
    for (const std::string& tag : tags) names.push_back("tag." + tag);
    return names;
}

std::string text_of(const simdjson::dom::element& value) {
    std::string_view text;
    std::int64_t integer = 0;
    double number = 0;
    bool flag = false;
    if (value.get(text) == simdjson::SUCCESS) return std::string(text);
    if (value.get(integer) == simdjson::SUCCESS) return std::to_string(integer);
    if (value.get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
    if (value.get(flag) == simdjson::SUCCESS) return flag ? "true" : "false";
    return {};
}

/// What a refusal says, in one line.
std::string reason_of(const net::ClientResponse& answer) {
    simdjson::dom::parser parser;
    simdjson::dom::object problem;
    std::string_view detail;
    if (parser.parse(answer.body).get(problem) == simdjson::SUCCESS &&
        problem["detail"].get(detail) == simdjson::SUCCESS) {
        return std::string(detail.substr(0, 300));
    }
    std::string out = answer.body.substr(0, 200);
    std::replace_if(
        out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    return out;
}

bool is_worth_another_try(int status) {
    return status == 408 || status == 429 || status >= 500;
}

Error refused(const net::ClientResponse& answer) {
    const bool rights = answer.status == 401 || answer.status == 403;
    return Error{rights ? ErrorCode::PermissionDenied : ErrorCode::Unavailable,
                 fmt::format("the source answered {}: {}", answer.status, reason_of(answer)),
                 {},
                 {},
                 {}};
}

}  // namespace

SmartSightSource::SmartSightSource(SmartSightOptions options)
    : options_(std::move(options)), client_(options_.from, [this] {
          net::HttpClientOptions http;
          // As long as the vendor's own limit of a query, and a little.
          http.timeout_ms = 210'000;
          http.ca_file = options_.ca_file;
          return http;
      }()) {}

Result<void> SmartSightSource::log_in() {
    std::string url = options_.token_url;
    if (url.empty()) {
        url = options_.from + "/realms/playhead/protocol/openid-connect/token";
    }
    const std::size_t host = url.find("://");
    const std::size_t path = host == std::string::npos ? host : url.find('/', host + 3);
    if (path == std::string::npos) {
        return fail_parameter("--token-url", url, "https://host/path", "--token-url: no URL");
    }
    net::HttpClientOptions http;
    http.ca_file = options_.ca_file;
    net::HttpClient client(url.substr(0, path), http);
    auto answer = client.post(
        url.substr(path), "application/x-www-form-urlencoded",
        fmt::format("grant_type=password&client_id=smartsight-backend&scope=openid&username={}"
                    "&password={}",
                    http::percent_encode(options_.user), http::percent_encode(options_.password)));
    if (!answer) return fail(answer.error());
    if (answer->status / 100 != 2) return fail(refused(*answer));
    simdjson::dom::parser parser;
    simdjson::dom::object token;
    std::string_view bearer;
    if (parser.parse(answer->body).get(token) != simdjson::SUCCESS ||
        token["access_token"].get(bearer) != simdjson::SUCCESS) {
        return fail(ErrorCode::Unavailable, "the source's token answer has no access_token");
    }
    bearer_ = bearer;
    return {};
}

Result<net::ClientResponse> SmartSightSource::get(const std::string& target) {
    std::int64_t wait_ms = kFirstWaitMs;
    bool logged_in = false;
    for (int attempt = 1;; ++attempt) {
        net::ClientRequest request;
        request.target = target;
        request.headers.emplace_back("Accept", "application/json");
        if (!options_.api_key.empty()) {
            request.headers.emplace_back("X-API-Key", options_.api_key);
        } else {
            if (bearer_.empty()) {
                if (auto done = log_in(); !done) return fail(done.error());
            }
            request.headers.emplace_back("Authorization", "Bearer " + bearer_);
        }
        auto answer = client_.send(request);
        const bool expired = answer && answer->status == 401 && options_.api_key.empty();
        if (expired && !logged_in) {
            bearer_.clear();
            logged_in = true;
            continue;
        }
        const bool again = answer ? is_worth_another_try(answer->status)
                                  : answer.error().code != ErrorCode::InvalidArgument;
        if (!again || attempt >= kTriesMax) return answer;
        std::int64_t pause_ms = wait_ms;
        if (answer) {
            const std::string_view after = answer->header("Retry-After");
            std::int64_t seconds = 0;
            std::from_chars(after.data(), after.data() + after.size(), seconds);
            pause_ms = std::clamp<std::int64_t>(seconds * 1000, wait_ms, kWaitMaxMs);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
        wait_ms = std::min(wait_ms * 2, kWaitMaxMs);
    }
}

std::string SmartSightSource::target_of(const std::vector<std::string>& metrics,
                                        std::int64_t since_s, std::int64_t until_s,
                                        std::uint64_t offset, std::uint64_t limit) const {
    std::string target = fmt::format(
        "/mm-apis/listsessions/{}?period={}&metrics={}&aggby=sessionid&sessiontype=started"
        "&allstatus=1&orderby=starttime&order=asc&limit={}&offset={}",
        options_.customer_id,
        http::percent_encode(fmt::format("start={},end={}", since_s, until_s)),
        http::percent_encode(fmt::format("{}", fmt::join(metrics, ","))), limit, offset);
    if (!options_.plan_level.empty()) {
        target += "&planlevel=" + http::percent_encode(options_.plan_level);
    }
    return target;
}

Result<std::vector<std::string>> SmartSightSource::accepted(std::vector<std::string> names,
                                                            std::int64_t since_s,
                                                            std::int64_t until_s) {
    const std::vector<std::string> asked = names;
    for (std::size_t refusals = 0; refusals < asked.size() && !names.empty(); ++refusals) {
        auto answer = get(target_of(names, since_s, until_s, 0, 1));
        if (!answer) return fail(answer.error());
        if (answer->status == 200) return names;
        if (answer->status != 400 && answer->status != 422) return fail(refused(*answer));
        // The name that it does not know is in its answer, in whatever form.
        const auto named = std::find_if(names.begin(), names.end(), [&](const auto& name) {
            return answer->body.find('"' + name + '"') != std::string::npos ||
                   answer->body.find('\'' + name + '\'') != std::string::npos;
        });
        if (named == names.end()) break;
        names.erase(named);
    }
    // It refuses without a name: one by one.
    std::vector<std::string> good;
    for (const std::string& name : asked) {
        std::vector<std::string> pair{name};
        if (name != kOrder) pair.emplace_back(kOrder);
        auto answer = get(target_of(pair, since_s, until_s, 0, 1));
        if (!answer) return fail(answer.error());
        if (answer->status == 200) good.push_back(name);
        if (answer->status == 401 || answer->status == 403) return fail(refused(*answer));
    }
    return good;
}

Result<void> SmartSightSource::make_mapping() {
    std::vector<Mapping::Rule> rules;
    std::set<std::string, std::less<>> filled;
    const auto add = [&](const std::string& from, const std::string& name, std::string_view unit) {
        if (std::find(columns_.begin(), columns_.end(), from) == columns_.end()) return;
        auto field = find_session_field(name);
        if (!field || !filled.insert(name).second) return;
        Mapping::Rule rule;
        rule.field = *field;
        rule.from = from;
        if (!unit.empty()) rule.factor = unit_factor(*field, unit).value_or(1);
        rules.push_back(std::move(rule));
    };
    add("sessionid", "sessionid", "");
    for (const SourceColumn& column : kSourceColumns) add(column.name, column.field, column.unit);
    for (const auto dimension : model::kDimensionNames) {
        add(std::string(dimension), std::string(dimension), "");
    }
    for (const std::string& tag : options_.tags) add("tag." + tag, "tag." + tag, "");
    mapping_ = Mapping::of(std::move(rules));
    if (!filled.contains("start_time")) {
        return fail(ErrorCode::Unprocessable, "the source does not tell when sessions began");
    }
    return mapping_.bind(columns_);
}

Result<void> SmartSightSource::connect(std::int64_t since_s, std::int64_t until_s) {
    const std::vector<std::string> all = all_columns(options_.tags);
    columns_ = {"sessionid"};
    groups_.clear();
    for (std::size_t at = 0; at < all.size(); at += kColumnsAtOnce) {
        std::vector<std::string> names(
            all.begin() + static_cast<std::ptrdiff_t>(at),
            all.begin() + static_cast<std::ptrdiff_t>(std::min(at + kColumnsAtOnce, all.size())));
        // What the answer is ordered by has to be in it.
        if (at > 0) names.emplace_back(kOrder);
        auto good = accepted(std::move(names), since_s, until_s);
        if (!good) return fail(good.error());
        for (const std::string& name : *good) {
            if (at == 0 || name != kOrder) columns_.push_back(name);
        }
        if (!good->empty()) groups_.push_back(std::move(*good));
    }
    return make_mapping();
}

Result<std::uint64_t> SmartSightSource::add_page(const std::vector<std::string>& group,
                                                 const std::string& target, SmartSightRows& out,
                                                 std::uint64_t& total) {
    auto answer = get(target);
    if (!answer) return fail(answer.error());
    if (answer->status != 200) return fail(refused(*answer));
    simdjson::dom::parser parser;
    simdjson::dom::object root;
    simdjson::dom::array rows;
    if (parser.parse(answer->body).get(root) != simdjson::SUCCESS ||
        root["response"].get(rows) != simdjson::SUCCESS) {
        return fail(ErrorCode::Unavailable, "the source's answer is no list of sessions");
    }
    std::uint64_t count = 0;
    const bool first = &group == &groups_.front();
    for (const auto row : rows) {
        ++count;
        simdjson::dom::element value;
        if (row["sessionid"].get(value) != simdjson::SUCCESS) continue;
        std::string id = text_of(value);
        auto place = places_.find(id);
        if (place == places_.end()) {
            if (!first) continue;  // it came in between
            place = places_.emplace(id, out.rows.size()).first;
            out.rows.emplace_back(columns_.size());
            out.rows.back()[0] = std::move(id);
        }
        std::vector<std::string>& texts = out.rows[place->second];
        for (const std::string& name : group) {
            if (row[name].get(value) != simdjson::SUCCESS) continue;
            const auto column = std::find(columns_.begin(), columns_.end(), name);
            texts[static_cast<std::size_t>(column - columns_.begin())] = text_of(value);
        }
    }
    if (root["totalrecords"].get(total) != simdjson::SUCCESS) total = UINT64_MAX;
    return count;
}

Result<SmartSightRows> SmartSightSource::sessions(std::int64_t since_s, std::int64_t until_s,
                                                  std::uint64_t page_rows, std::uint64_t rows_max) {
    SmartSightRows out;
    places_.clear();
    for (const auto& group : groups_) {
        std::uint64_t total = UINT64_MAX;
        for (std::uint64_t offset = 0; offset < total;) {
            auto count =
                add_page(group, target_of(group, since_s, until_s, offset, page_rows), out, total);
            if (!count) return fail(count.error());
            offset += *count;
            // Without a total the last page is a short one.
            if (*count == 0 || (total == UINT64_MAX && *count < page_rows)) break;
            if (out.rows.size() > rows_max || (total != UINT64_MAX && total > rows_max)) {
                return SmartSightRows{{}, true};
            }
        }
        if (out.rows.empty()) break;
    }
    return out;
}

}  // namespace playhead::importers
