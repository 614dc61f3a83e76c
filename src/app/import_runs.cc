#include "app/import_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>

#include "app/control_plane.h"
#include "app/import_delivery.h"
#include "app/retention.h"
#include "base/hash.h"
#include "importers/cmcd_report.h"
#include "importers/epas.h"
#include "importers/line_source.h"
#include "importers/log_line.h"
#include "importers/log_time.h"
#include "importers/session_import.h"
#include "importers/smartsight_import.h"
#include "importers/spool.h"
#include "importers/tally.h"
#include "store/chdb/chdb_store.h"
#include "store/chdb/engine_library.h"

namespace playhead::app {

namespace {

using importers::Report;
using importers::Tally;

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::size_t kRowsShown = 3;

std::int64_t now_ms() {
    return SystemClock().now_ms();
}

/// One line about every two seconds.
class Progress {
public:
    void tick(const char* what, std::uint64_t count) {
        if ((++calls_ & 0xFFU) != 0) return;
        if (std::chrono::steady_clock::now() - said_ < std::chrono::seconds(2)) return;
        said_ = std::chrono::steady_clock::now();
        fmt::print(stderr, "import: {} {}\n", count, what);
    }

private:
    std::uint32_t calls_ = 0;
    std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
};

int refuse(std::string message) {
    return complain(Error{ErrorCode::InvalidArgument, std::move(message), {}, {}, {}});
}

/// Reads every file's lines; `take` has the line, and reports what it cannot read by
/// InvalidArgument.
Result<void> read_lines(const ImportArguments& arguments, Tally& tally,
                        const std::function<void()>& begin_file,
                        const std::function<Result<void>(std::string_view line)>& take) {
    Progress progress;
    for (const std::string& path : arguments.files) {
        auto source = importers::LineSource::open(path);
        if (!source) return fail(source.error());
        begin_file();
        std::string_view line;
        while (true) {
            auto more = source->next(line);
            if (!more) return fail(more.error());
            if (!*more) break;
            tally.read();
            progress.tick("lines read", tally.lines());
            Result<void> taken;
            if (source->too_long()) {
                taken = fail(ErrorCode::InvalidArgument, "a line that is too long");
            } else {
                taken = take(line);
            }
            if (taken) continue;
            if (taken.error().code != ErrorCode::InvalidArgument) return taken;
            auto noted = tally.error(source->name(), source->number(), taken.error().message, line);
            if (!noted) return noted;
        }
    }
    return {};
}

/// Times that the timeline would not take as they are.
std::string_view unacceptable(std::int64_t time_ms, std::int64_t oldest_ms,
                              std::int64_t newest_ms) {
    if (time_ms < oldest_ms) return "older than retention";
    return time_ms > newest_ms ? "in the future" : std::string_view();
}

using Translate = std::function<std::optional<Report>(Report)>;

/// From the spool, in order of time, to the target.
Result<void> deliver(importers::Spool& spool, const ImportTarget& target,
                     const Translate& translate, Tally& tally) {
    if (auto sorted = spool.sort(); !sorted) return sorted;
    auto delivery = ImportDelivery::open(target, spool.last_ms() - spool.first_ms());
    if (!delivery) return fail(delivery.error());
    Progress progress;
    Report report;
    while (true) {
        auto more = spool.next(report);
        if (!more) return fail(more.error());
        if (!*more) break;
        auto translated = translate(std::move(report));
        report = {};
        if (!translated) {
            tally.skip("events that say nothing new");
            continue;
        }
        auto fresh = (*delivery)->take(*translated);
        if (!fresh) return fail(fresh.error());
        if (*fresh) {
            tally.take(translated->session_hash);
        } else {
            tally.repeat();
        }
        progress.tick("imported", tally.taken() + tally.repeats());
    }
    return (*delivery)->finish();
}

Result<ImportTarget> target_of(const ImportArguments& arguments) {
    if (arguments.to.empty() == arguments.data_dir.empty()) {
        return fail(ErrorCode::InvalidArgument, "give either --to or --data-dir");
    }
    auto config = import_config(arguments.config_file);
    if (!config) return fail(config.error());
    if (!arguments.data_dir.empty()) {
        auto known = check_customer(arguments.data_dir, arguments.customer_id);
        if (!known) return fail(known.error());
    }
    ImportTarget target;
    target.to = arguments.to;
    target.data_dir = arguments.data_dir;
    target.remember = arguments.remember;
    target.customer_id = arguments.customer_id;
    target.speed = arguments.speed;
    target.config = std::move(*config);
    return target;
}

std::int64_t oldest_of(const Config& config) {
    return now_ms() - config.integer("retention.sessions_days") * kDayMs;
}

int finish(const Result<void>& done, const Tally& tally, const char* things, const char* taken,
           const std::string& more = {}) {
    fmt::print("{}{}", tally.summary(things, taken), more);
    return done ? 0 : complain(done.error());
}

/// An engine of our own for rows that go straight into the store.
Result<std::unique_ptr<store::Store>> open_store(const std::string& data_dir,
                                                 const Config& config) {
    if (auto prepared = store::chdb::prepare_process(); !prepared) return fail(prepared.error());
    auto absolute = prepare_data_dir(data_dir);
    if (!absolute) return fail(absolute.error());
    store::chdb::ChdbOptions options;
    options.directory = *absolute + "/store";
    options.library_path = config.text("store.library");
    const bool fresh = !std::filesystem::exists(options.directory);
    auto store = store::chdb::open_chdb_store(options);
    if (!store) return store;
    if (auto migrated = (*store)->migrate(); !migrated) return fail(migrated.error());
    // What is there keeps its retention: to change it is the server's to do.
    if (!fresh) return store;
    if (auto applied = apply_retention(**store, config); !applied) return fail(applied.error());
    return store;
}

/// Epoch seconds or milliseconds, ISO 8601, or "-6h", "-30d"; in seconds.
Result<std::int64_t> parse_moment(const char* flag, const std::string& text) {
    if (text.size() > 2 && text.front() == '-') {
        double number = 0;
        const auto [end, error] =
            std::from_chars(text.data() + 1, text.data() + text.size() - 1, number);
        const char unit = text.back();
        const double factor = unit == 'd' ? 86'400 : unit == 'h' ? 3600 : unit == 'm' ? 60 : 0;
        if (error == std::errc() && end == text.data() + text.size() - 1 && factor > 0) {
            return now_ms() / 1000 - static_cast<std::int64_t>(number * factor);
        }
    }
    if (const auto time = importers::parse_any_ms(text)) return *time / 1000;
    return fail_parameter(flag, text, "epoch seconds, 2026-01-31T00:00:00Z, -6h or -30d",
                          fmt::format("{}: '{}' is no time", flag, text));
}

}  // namespace

int import_cmcd_log(const ImportArguments& arguments) {
    auto target = target_of(arguments);
    if (!target) return complain(target.error());
    auto format = importers::parse_log_format(arguments.format);
    if (!format) return complain(format.error());
    auto parser = importers::LogLineParser::create(*format, arguments.fields);
    if (!parser) return complain(parser.error());
    const importers::LogLineParser fresh = *parser;
    const std::int64_t oldest_ms = oldest_of(target->config);
    const std::int64_t newest_ms = now_ms() + kDayMs;
    Tally tally(arguments.errors_max);
    importers::Spool spool;
    const auto take = [&](std::string_view line) -> Result<void> {
        auto record = parser->parse(line);
        if (!record) return fail(record.error());
        if (!*record) {
            tally.skip("comments and empty lines");
            return {};
        }
        auto made = importers::translate_cmcd(**record, arguments.customer_id, stable_hash(line));
        if (!made) return fail(made.error());
        const std::string_view wrong = unacceptable((*record)->time_ms, oldest_ms, newest_ms);
        if (!made->report || !wrong.empty()) {
            tally.skip(made->report ? wrong : made->left_out);
            return {};
        }
        return spool.add(std::move(*made->report));
    };
    auto done = read_lines(arguments, tally, [&] { *parser = fresh; }, take);
    if (done) done = deliver(spool, *target, [](Report report) { return report; }, tally);
    return finish(done, tally, "lines", "requests imported",
                  "requests tell of media asked for: playing time is an estimate, stalls are "
                  "counted (bs) but not timed, startup time, pauses and ends are not known\n");
}

int import_epas(const ImportArguments& arguments) {
    auto target = target_of(arguments);
    if (!target) return complain(target.error());
    const std::int64_t oldest_ms = oldest_of(target->config);
    const std::int64_t newest_ms = now_ms() + kDayMs;
    Tally tally(arguments.errors_max);
    importers::Spool spool;
    const auto take = [&](std::string_view line) -> Result<void> {
        if (line.find_first_not_of(" \t") == std::string_view::npos) return {};
        auto events = importers::split_epas(line, arguments.customer_id);
        if (!events) return fail(events.error());
        for (Report& event : *events) {
            const std::string_view wrong = unacceptable(event.time_ms, oldest_ms, newest_ms);
            if (!wrong.empty()) {
                tally.skip(wrong);
                continue;
            }
            if (auto added = spool.add(std::move(event)); !added) return added;
        }
        return {};
    };
    auto done = read_lines(arguments, tally, [] {}, take);
    importers::EpasTranslator translator(arguments.customer_id);
    if (done) {
        done = deliver(
            spool, *target, [&](const Report& event) { return translator.translate(event); },
            tally);
    }
    return finish(done, tally, "lines", "events imported");
}

int import_sessions(const ImportArguments& arguments) {
    auto config = import_config(arguments.config_file);
    if (!config) return complain(config.error());
    auto mapping = importers::Mapping::load(arguments.mapping_file);
    if (!mapping) return complain(mapping.error());
    auto policy = enrich::parse_address_policy(config->text("address_policy"));
    if (!policy) return complain(policy.error());
    if (auto known = check_customer(arguments.data_dir, arguments.customer_id); !known) {
        return complain(known.error());
    }
    const bool parquet = std::any_of(arguments.files.begin(), arguments.files.end(),
                                     [](const auto& path) { return path.ends_with(".parquet"); });
    std::unique_ptr<store::Store> store;
    if (!arguments.check || parquet) {
        auto opened = open_store(arguments.data_dir, *config);
        if (!opened) return complain(opened.error());
        store = std::move(*opened);
    }
    const importers::SessionRun run{*policy, oldest_of(*config), now_ms() + kDayMs};
    Tally tally(arguments.errors_max);
    Progress progress;
    importers::WriteReport report;
    Result<void> done;
    for (const std::string& path : arguments.files) {
        auto table = importers::open_table(path, store.get());
        if (!table) return complain(table.error());
        if (auto bound = mapping->bind((*table)->columns()); !bound) return complain(bound.error());
        if (arguments.check) {
            auto shown = importers::show_sessions(**table, *mapping, run, kRowsShown);
            if (!shown) return complain(shown.error());
            fmt::print("{}", *shown);
            continue;
        }
        importers::SessionWriter writer(*store, arguments.customer_id);
        auto written = importers::import_sessions(**table, path, *mapping, run, writer, tally, [&] {
            progress.tick("rows read", tally.lines());
        });
        if (!written) {
            done = fail(written.error());
            break;
        }
        report.written += written->written;
        report.there_already += written->there_already;
    }
    if (arguments.check) return 0;
    return finish(done, tally, "rows", "rows taken",
                  fmt::format("{} sessions written, {} there already\n{}", report.written,
                              report.there_already, importers::unknown_text(*mapping)));
}

int import_smartsight(const ImportArguments& arguments) {
    if (arguments.api_key.empty() == arguments.user.empty()) {
        return refuse("give either --api-key or --user and --password");
    }
    auto config = import_config(arguments.config_file);
    if (!config) return complain(config.error());
    auto since = parse_moment("--since", arguments.since);
    if (!since) return complain(since.error());
    auto until = arguments.until.empty() ? Result<std::int64_t>(now_ms() / 1000)
                                         : parse_moment("--until", arguments.until);
    if (!until) return complain(until.error());
    if (*until <= *since) return refuse("--until is not after --since");
    auto policy = enrich::parse_address_policy(config->text("address_policy"));
    if (!policy) return complain(policy.error());
    if (auto known = check_customer(arguments.data_dir, arguments.customer_id); !known) {
        return complain(known.error());
    }
    importers::SmartSightOptions options;
    options.from = arguments.from;
    while (options.from.ends_with('/')) options.from.pop_back();
    options.customer_id = arguments.customer_id;
    options.api_key = arguments.api_key;
    options.user = arguments.user;
    options.password = arguments.password;
    options.token_url = arguments.token_url;
    options.plan_level = arguments.plan_level;
    options.tags = arguments.tags;
    options.ca_file = arguments.ca_file;
    importers::SmartSightSource source(options);
    if (auto connected = source.connect(*since, *until); !connected) {
        return complain(connected.error());
    }
    auto store = open_store(arguments.data_dir, *config);
    if (!store) return complain(store.error());
    importers::SmartSightRun run;
    run.since_s = *since;
    run.until_s = *until;
    run.window_s = arguments.window_s;
    run.page_rows = arguments.page_rows;
    run.address_policy = *policy;
    run.state_file = arguments.state_file.empty()
                         ? fmt::format("{}/imports/smartsight-{}.json", arguments.data_dir,
                                       arguments.customer_id)
                         : arguments.state_file;
    Tally tally(arguments.errors_max);
    importers::SessionWriter writer(**store, arguments.customer_id);
    auto report = importers::import_smartsight(
        source, options, run, writer, tally,
        [](const std::string& line) { fmt::print(stderr, "import: {}\n", line); });
    const Result<void> done = report ? Result<void>() : Result<void>(fail(report.error()));
    const std::string written = report ? fmt::format("{} sessions written, {} there already\n",
                                                     report->written, report->there_already)
                                       : std::string();
    return finish(done, tally, "sessions", "sessions taken",
                  written + importers::unknown_text(source.mapping()));
}

}  // namespace playhead::app
