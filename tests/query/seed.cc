#include "seed.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "model/event.h"
#include "model/rows.h"
#include "store/rows.h"
#ifdef PLAYHEAD_TEST_CHDB
#include "store/chdb/chdb_store.h"
#include "store/chdb/engine_library.h"
#endif

namespace playhead::query::test {

namespace {

using Fields = std::map<std::string, std::string>;

template <class Row>
bool set_common(Row& row, const std::string& name, const std::string& value) {
    if (name == "customer") {
        row.key.customer_id = std::stoull(value);
    } else if (name == "id") {
        row.key.session_id = value;
    } else if (const auto dimension = model::dimension_named(name)) {
        row.dimensions[model::index_of(*dimension)] = value;
    } else if (name.starts_with("tag.")) {
        row.tags.emplace_back(name.substr(4), value);
    } else if (name == "asn") {
        row.asn = static_cast<std::uint32_t>(std::stoul(value));
    } else if (name == "islive") {
        row.is_live = value == "1";
    } else {
        return false;
    }
    return true;
}

template <class Row>
bool set_counter(Row& row, const std::string& name, const std::string& value) {
    for (const auto& column : model::kCounterColumns) {
        if (name != column.name) continue;
        row.counters.*column.field = std::stoll(value);
        return true;
    }
    return false;
}

model::ViewStatus status_of(const std::string& name) {
    for (int i = 0; i < 6; ++i) {
        const auto status = static_cast<model::ViewStatus>(i);
        if (name == model::name_of(status)) return status;
    }
    throw std::invalid_argument("status " + name);
}

model::SessionRow session_of(const Fields& fields) {
    model::SessionRow row;
    row.revision = 1;
    row.status = model::ViewStatus::Ended;
    for (const auto& [name, value] : fields) {
        if (set_common(row, name, value) || set_counter(row, name, value)) continue;
        if (name == "start")
            row.start_ms = std::stoll(value) * 1000;
        else if (name == "end")
            row.end_ms = std::stoll(value) * 1000;
        else if (name == "first_frame")
            row.first_frame_ms = std::stoll(value) * 1000;
        else if (name == "position_s")
            row.position_s = std::stod(value);
        else if (name == "entry_s")
            row.entry_s = std::stod(value);
        else if (name == "duration_s")
            row.duration_s = std::stod(value);
        else if (name == "progress_percent")
            row.progress_percent = std::stod(value);
        else if (name == "startup_ms")
            row.startup_ms = std::stoll(value);
        else if (name == "ad_startup_ms")
            row.ad_startup_ms = std::stoll(value);
        else if (name == "status")
            row.status = status_of(value);
        else if (name == "score")
            row.score = std::stof(value);
        else if (name == "sign")
            row.sign = static_cast<std::int8_t>(std::stoi(value));
        else if (name == "revision")
            row.revision = static_cast<std::uint32_t>(std::stoul(value));
        else if (name == "closed")
            row.closed = value == "1";
        else
            throw std::invalid_argument("session field " + name);
    }
    return row;
}

model::SliceRow slice_of(const Fields& fields) {
    model::SliceRow row;
    for (const auto& [name, value] : fields) {
        if (set_common(row, name, value) || set_counter(row, name, value)) continue;
        if (name == "minute")
            row.minute_ms = std::stoll(value) * 1000;
        else if (name == "active_ms")
            row.active_ms = std::stoll(value);
        else if (name == "present")
            row.present = std::stoll(value);
        else
            throw std::invalid_argument("slice field " + name);
    }
    return row;
}

model::AdViewRow ad_of(const Fields& fields) {
    model::AdViewRow row;
    row.revision = 1;
    for (const auto& [name, value] : fields) {
        if (set_common(row, name, value)) continue;
        if (name == "start")
            row.start_ms = std::stoll(value) * 1000;
        else if (name == "end")
            row.end_ms = std::stoll(value) * 1000;
        else if (name == "adid")
            row.id = value;
        else if (name == "adposition")
            row.position = value;
        else if (name == "ordinal")
            row.ordinal = static_cast<std::uint32_t>(std::stoul(value));
        else if (name == "load_ms")
            row.load_ms = std::stoll(value);
        else if (name == "playing_ms")
            row.playing_ms = std::stoll(value);
        else if (name == "adduration_s")
            row.duration_s = std::stod(value);
        else if (name == "impression")
            row.impression = value == "1";
        else if (name == "started")
            row.started = value == "1";
        else if (name == "completed")
            row.completed = value == "1";
        else if (name == "first_quartile")
            row.first_quartile = value == "1";
        else
            throw std::invalid_argument("ad field " + name);
    }
    return row;
}

model::EventRow event_of(const Fields& fields) {
    model::EventRow row;
    for (const auto& [name, value] : fields) {
        if (name == "customer")
            row.key.customer_id = std::stoull(value);
        else if (name == "id")
            row.key.session_id = value;
        else if (name == "at")
            row.event_ms = std::stoll(value) * 1000;
        else if (name == "kind")
            row.kind = static_cast<std::uint8_t>(
                value == "error"     ? model::EventKind::Error
                : value == "aderror" ? model::EventKind::AdError
                : value == "pause"   ? model::EventKind::Pause
                                     : static_cast<model::EventKind>(std::stoi(value)));
        else if (name == "severity")
            row.severity =
                static_cast<std::uint8_t>(value == "fatal"     ? model::Severity::Fatal
                                          : value == "warning" ? model::Severity::Warning
                                                               : model::Severity::Unknown);
        else if (name == "phase")
            row.phase = value;
        else if (name == "errorcode")
            row.error_code = value;
        else if (name == "message") {
            row.error_message = value + "-42";
            row.error_fingerprint = value + "-#";
        } else if (name == "time")
            row.event_ms = row.receive_ms = std::stoll(value) * 1000;
        else if (name == "position_s")
            row.position_s = std::stod(value);
        else
            throw std::invalid_argument("event field " + name);
    }
    return row;
}

}  // namespace

const Dictionary& dictionary() {
    static const Dictionary loaded = Dictionary::load().value();
    return loaded;
}

store::Store* engine_store() {
#ifdef PLAYHEAD_TEST_CHDB
    struct Holder {
        std::string directory;
        std::unique_ptr<store::Store> store;
        Holder() {
            using namespace store::chdb;
            if (access(default_library_path().c_str(), R_OK) != 0) return;
            if (!prepare_process()) return;
            std::string pattern = std::filesystem::temp_directory_path() / "playhead_query_XXXXXX";
            if (mkdtemp(pattern.data()) == nullptr) return;
            directory = pattern;
            ChdbOptions options;
            options.directory = directory;
            options.readers = 2;
            auto opened = open_chdb_store(options);
            if (opened && (*opened)->migrate()) store = std::move(*opened);
        }
        ~Holder() {
            store.reset();
            if (!directory.empty()) std::filesystem::remove_all(directory);
        }
    };
    static Holder holder;
    return holder.store.get();
#else
    return nullptr;
#endif
}

void seed(store::Store& store, const std::string& table, const Fields& fields) {
    static int token = 0;
    using store::Table;
    const Table kind = table == "session"        ? Table::Sessions
                       : table == "live_session" ? Table::LiveSessions
                       : table == "slice"        ? Table::Slices
                       : table == "event"        ? Table::Events
                                                 : Table::AdViews;
    auto batch = store::batch_of(kind);
    if (kind == Table::Sessions) store::append_session(batch, session_of(fields));
    if (kind == Table::LiveSessions) store::append_live_session(batch, session_of(fields));
    if (kind == Table::Slices) store::append(batch, slice_of(fields));
    if (kind == Table::Events) store::append(batch, event_of(fields));
    if (kind == Table::AdViews) store::append(batch, ad_of(fields));
    const auto inserted = store.insert(batch, "test" + std::to_string(++token));
    if (!inserted) throw std::runtime_error(inserted.error().message);
}

}  // namespace playhead::query::test
