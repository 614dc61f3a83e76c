#include "importers/smartsight_import.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/hash.h"
#include "base/json_writer.h"
#include "enrich/address.h"
#include "importers/log_time.h"

namespace playhead::importers {

namespace {

/// More sessions than this in a window, and it is halved: all of a window is held at once.
constexpr std::uint64_t kWindowRowsMax = 20'000;
/// Fewer than this, and the next one is twice as long.
constexpr std::uint64_t kWindowRowsFew = 2'000;
constexpr std::int64_t kWindowMinS = 60;
constexpr std::int64_t kWindowFirstS = 3600;

struct Window {
    std::vector<model::SessionRow> rows;
    std::uint64_t still_running = 0;
    bool too_many = false;
};

class Import {
public:
    Import(SmartSightSource& source, const SmartSightRun& run, Tally& tally)
        : source_(source), run_(run), tally_(tally) {}

    Result<Window> fetch(std::int64_t since_s, std::int64_t until_s) {
        Window window;
        const bool divisible = until_s - since_s > kWindowMinS;
        auto found = source_.sessions(since_s, until_s, run_.page_rows,
                                      divisible ? kWindowRowsMax : UINT64_MAX - 1);
        if (!found) return fail(found.error());
        window.too_many = found->too_many;
        for (const auto& texts : found->rows) {
            tally_.read();
            if (auto taken = take(texts, window); !taken) return fail(taken.error());
        }
        return window;
    }

private:
    Result<void> take(const std::vector<std::string>& texts, Window& window) {
        auto draft = source_.mapping().apply(texts);
        if (draft &&
            (draft->row.status == model::ViewStatus::Running ||
             draft->row.status == model::ViewStatus::Loaded) &&
            source_.mapping().known().contains("viewstatus")) {
            ++window.still_running;
            tally_.skip("sessions that still run; the next run takes them");
            return {};
        }
        const auto refuse = [&](const Error& error) {
            return tally_.error("source", tally_.lines(), error.message, texts.front());
        };
        if (!draft) return refuse(draft.error());
        if (auto done = finish_session(*draft, source_.mapping().known()); !done) {
            return refuse(done.error());
        }
        auto& address = draft->row.dimensions[model::index_of(model::Dimension::IpAddress)];
        const auto parsed = enrich::IpAddress::parse(address);
        address = parsed ? enrich::stored_address(*parsed, run_.address_policy) : std::string();
        draft->row.tags.emplace_back("import", "smartsight");
        window.rows.push_back(std::move(draft->row));
        return {};
    }

    SmartSightSource& source_;
    const SmartSightRun& run_;
    Tally& tally_;
};

}  // namespace

Result<SmartSightState> read_state(const std::string& path) {
    std::ifstream file(path);
    if (!file) return fail(ErrorCode::NotFound, fmt::format("no state in {}", path));
    std::ostringstream text;
    text << file.rdbuf();
    simdjson::dom::parser parser;
    simdjson::dom::object root;
    SmartSightState state;
    std::string_view from;
    if (parser.parse(text.str()).get(root) != simdjson::SUCCESS ||
        root["from"].get(from) != simdjson::SUCCESS ||
        root["customer"].get(state.customer_id) != simdjson::SUCCESS ||
        root["since"].get(state.since_s) != simdjson::SUCCESS ||
        root["done"].get(state.done_s) != simdjson::SUCCESS) {
        return fail(ErrorCode::Unprocessable,
                    fmt::format("{} is no state of an import; --state names another", path));
    }
    state.from = from;
    return state;
}

Result<void> write_state(const std::string& path, const SmartSightState& state) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    json.member("from", state.from);
    json.member("customer", state.customer_id);
    json.member("since", state.since_s);
    json.member("done", state.done_s);
    json.end_object();
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder, error);
    const std::string fresh = path + ".new";
    const int fd = ::open(fresh.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    const bool written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (written && ::rename(fresh.c_str(), path.c_str()) == 0) return {};
    return fail(ErrorCode::Unavailable,
                fmt::format("cannot write {}: {}", path, std::strerror(errno)));
}

Result<WriteReport> import_smartsight(SmartSightSource& source, const SmartSightOptions& options,
                                      const SmartSightRun& run, SessionWriter& writer, Tally& tally,
                                      const std::function<void(std::string)>& progress) {
    SmartSightState state{options.from, options.customer_id, run.since_s, run.since_s};
    auto before = read_state(run.state_file);
    if (!before && before.error().code != ErrorCode::NotFound) return fail(before.error());
    if (before) {
        if (before->from != state.from || before->customer_id != state.customer_id) {
            return fail(ErrorCode::Conflict,
                        fmt::format("{} belongs to customer {} of {}; --state names another",
                                    run.state_file, before->customer_id, before->from));
        }
        // What is done counts when it begins no later than what is asked for.
        if (before->since_s <= run.since_s && before->done_s > run.since_s) state = *before;
    }
    Import import(source, run, tally);
    WriteReport report;
    std::int64_t at_s = state.done_s;
    std::int64_t length_s = std::min(kWindowFirstS, run.window_s);
    bool all_over = true;
    while (at_s < run.until_s) {
        const std::int64_t until_s = std::min(at_s + length_s, run.until_s);
        auto window = import.fetch(at_s, until_s);
        if (!window) return fail(window.error());
        if (window->too_many) {
            length_s = std::max(kWindowMinS, length_s / 2);
            continue;
        }
        for (const auto& row : window->rows) {
            tally.take(stable_hash(row.key.session_id, options.customer_id));
        }
        const std::size_t fetched = window->rows.size();
        all_over &= window->still_running == 0;
        auto written = writer.write(std::move(window->rows));
        if (!written) return fail(written.error());
        report.written += written->written;
        report.there_already += written->there_already;
        at_s = until_s;
        if (fetched < kWindowRowsFew) length_s = std::min(2 * length_s, run.window_s);
        if (all_over) {
            state.done_s = at_s;
            if (auto kept = write_state(run.state_file, state); !kept) return fail(kept.error());
        }
        progress(fmt::format("up to {}: {} sessions fetched, {} new in all", iso_text(at_s * 1000),
                             fetched, report.written));
    }
    return report;
}

}  // namespace playhead::importers
