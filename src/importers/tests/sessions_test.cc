#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "importers/csv_reader.h"
#include "importers/mapping.h"
#include "importers/session_fields.h"
#include "importers/session_import.h"

namespace playhead::importers {
namespace {

constexpr std::int64_t kTimeMs = 1'792'850'136'000;  // 2026-10-24T13:55:36Z

using Known = std::set<std::string, std::less<>>;

SessionDraft draft_of(std::initializer_list<std::pair<const char*, double>> numbers, Known& known,
                      const char* status = nullptr) {
    SessionDraft draft;
    draft.row.key.session_id = "s";
    known = {"sessionid"};
    for (const auto& [name, value] : numbers) {
        const auto field = find_session_field(name);
        EXPECT_TRUE(field) << name;
        set_number(draft, *field, value);
        known.insert(name);
    }
    if (status != nullptr) {
        set_text(draft, *find_session_field("viewstatus"), status);
        known.insert("viewstatus");
    }
    return draft;
}

TEST(SessionFields, NamesUnitsAndTheNearest) {
    EXPECT_EQ(*unit_factor(*find_session_field("stall_ms"), "s"), 1000);
    EXPECT_EQ(*unit_factor(*find_session_field("avgbitrate_kbps"), "bps"), 0.001);
    EXPECT_EQ(*unit_factor(*find_session_field("progress_percent"), "ratio"), 100);
    EXPECT_EQ(*unit_factor(*find_session_field("bytes"), "MiB"), 1048576);
    EXPECT_FALSE(unit_factor(*find_session_field("stall_count"), "s"));
    const auto wrong = unit_factor(*find_session_field("stall_ms"), "kbps");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().expected, "ms, s, min, h, us");
    const auto unknown = find_session_field("stal_count");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("did you mean stall_count?"), std::string::npos);
    EXPECT_TRUE(find_session_field("tag.plan"));
    EXPECT_FALSE(find_session_field("tag."));
}

TEST(SessionFields, CompletesWhatFollowsAndInventsNothing) {
    Known known;
    auto draft = draft_of({{"start_time", kTimeMs},
                           {"startup_ms", 1500},
                           {"watch_ms", 100'000},
                           {"stall_ms", 4'000},
                           {"stall_count", 2},
                           {"avgbitrate_kbps", 3000}},
                          known, "ended");
    ASSERT_TRUE(finish_session(draft, known));
    const auto& row = draft.row;
    EXPECT_EQ(row.first_frame_ms, kTimeMs + 1500);
    EXPECT_EQ(row.end_ms, kTimeMs + 1500 + 96'000 + 4'000);
    EXPECT_EQ(row.counters.attempts, 1);
    EXPECT_EQ(row.counters.plays, 1);
    EXPECT_EQ(row.counters.playing_ms, 96'000);
    EXPECT_EQ(row.counters.startup_wait_ms, 1500);
    EXPECT_EQ(row.counters.ended_plays, 1);
    EXPECT_EQ(row.counters.dropped, 0);
    EXPECT_EQ(row.counters.buffered_plays, 1);
    EXPECT_EQ(row.counters.bitrate_kbit, 3000LL * 96'000);
    EXPECT_EQ(row.counters.media_kbit, 0) << "the play rate is not known";
    EXPECT_EQ(row.counters.bytes, 0);
    EXPECT_EQ(row.progress_percent, -1);
    EXPECT_GT(row.score, 0) << "all that the score needs is known";
    const auto unknown = unknown_fields(known);
    EXPECT_EQ(std::count(unknown.null.begin(), unknown.null.end(), "startup_ms"), 0);
    EXPECT_EQ(std::count(unknown.zero.begin(), unknown.zero.end(), "bytes"), 1);
    EXPECT_EQ(std::count(unknown.zero.begin(), unknown.zero.end(), "playing_ms"), 0);

    draft = draft_of({{"start_time", kTimeMs}, {"length_ms", 60'000}, {"watch_ms", 50'000}}, known);
    ASSERT_TRUE(finish_session(draft, known));
    EXPECT_EQ(draft.row.status, model::ViewStatus::Dropped);
    EXPECT_EQ(draft.row.score, -1);
    EXPECT_EQ(draft.row.startup_ms, -1);

    draft = draft_of({{"start_time", kTimeMs}, {"length_ms", 9'000}}, known, "FAILED");
    ASSERT_TRUE(finish_session(draft, known));
    EXPECT_EQ(draft.row.counters.startup_failures, 1);
    EXPECT_EQ(draft.row.counters.plays, 0);
    EXPECT_EQ(draft.row.first_frame_ms, 0);

    // Ratios of the time watched, as session lists have them.
    draft = draft_of({{"start_time", kTimeMs},
                      {"watch_ms", 200'000},
                      {"stall_percent", 2.5},
                      {"buffering_percent", 4}},
                     known, "ENDED");
    ASSERT_TRUE(finish_session(draft, known));
    EXPECT_EQ(draft.row.counters.stall_ms, 5'000);
    EXPECT_EQ(draft.row.counters.seek_stall_ms, 3'000);
    EXPECT_EQ(draft.row.counters.playing_ms, 192'000);
}

TEST(SessionFields, RefusesWhatCannotBe) {
    Known known;
    auto draft = draft_of({{"watch_ms", 1}}, known);
    EXPECT_FALSE(finish_session(draft, known));
    draft = draft_of({{"start_time", kTimeMs}, {"end_time", kTimeMs - 1}}, known);
    EXPECT_FALSE(finish_session(draft, known));
    draft = draft_of({{"start_time", kTimeMs}, {"length_ms", 37.0 * 3'600'000}}, known);
    EXPECT_FALSE(finish_session(draft, known));
}

TEST(SessionFields, MinutesAddUpToTheSession) {
    for (const std::int64_t length : {0LL, 1LL, 999LL, 59'999LL, 60'000LL, 754'321LL}) {
        for (const std::int64_t offset : {0LL, 24'000LL, 59'999LL}) {
            model::SessionRow row;
            row.start_ms = kTimeMs + offset;
            row.end_ms = row.start_ms + length;
            row.first_frame_ms = row.start_ms + length / 3;
            std::int64_t value = 1;
            for (const auto& column : model::kCounterColumns) {
                row.counters.*column.field = value;
                value = value * 7 % 1'000'003;
            }
            model::AdditiveCounters sum;
            std::int64_t active = 0;
            std::int64_t last_minute = -1;
            for (const auto& slice : slices_of(row)) {
                sum += slice.counters;
                active += slice.active_ms;
                EXPECT_EQ(slice.minute_ms % 60'000, 0);
                EXPECT_GT(slice.minute_ms, last_minute);
                EXPECT_GT(slice.active_ms, 0);
                last_minute = slice.minute_ms;
                for (const auto& column : model::kCounterColumns) {
                    EXPECT_GE(slice.counters.*column.field, 0) << column.name;
                }
            }
            EXPECT_EQ(sum, row.counters) << length << " " << offset;
            EXPECT_EQ(active, std::max<std::int64_t>(length, 1));
        }
    }
}

std::string write_file(const std::string& text) {
    const auto path = std::filesystem::temp_directory_path() /
                      ("playhead-csv-" + std::to_string(::getpid()) + ".csv");
    std::ofstream(path) << text;
    return path.string();
}

TEST(Csv, Rfc4180) {
    const std::string path = write_file(
        "\xEF\xBB\xBFid,\"the \"\"name\"\"\",c\r\n1,\"two\nlines, and a comma\",\r\n\n2,x "
        "y,z\n3,\"open");
    CsvReader reader(std::move(*LineSource::open(path)));
    std::vector<std::string> row;
    ASSERT_TRUE(*reader.next(row));
    EXPECT_EQ(row, (std::vector<std::string>{"id", "the \"name\"", "c"}));
    ASSERT_TRUE(*reader.next(row));
    EXPECT_EQ(row, (std::vector<std::string>{"1", "two\nlines, and a comma", ""}));
    EXPECT_EQ(reader.line(), 2U);
    ASSERT_TRUE(*reader.next(row));
    EXPECT_EQ(row, (std::vector<std::string>{"2", "x y", "z"}));
    EXPECT_EQ(reader.line(), 5U);
    EXPECT_FALSE(reader.next(row)) << "nothing closes the quote";
    std::filesystem::remove(path);
}

Mapping mapping_of(const std::string& yaml) {
    auto mapping = Mapping::parse(yaml, "m.yaml");
    EXPECT_TRUE(mapping) << (mapping ? "" : mapping.error().message);
    return mapping ? *mapping : Mapping::of({});
}

TEST(MappingFile, ColumnsUnitsConstantsAndTimes) {
    auto mapping = mapping_of(R"(
zone: Europe/Berlin
"null": ["", "NULL"]
columns:
  sessionid: id
  start_time: {from: started, format: "%d.%m.%Y %H:%M:%S"}
  end_time: finished
  startup_ms: {from: startup, unit: s}
  avgbitrate_kbps: {from: bps, unit: bps}
  viewstatus: {from: outcome, map: {ok: ENDED, bad: FAILED}, otherwise: DROPPED}
  cdn: {value: akamai}
  islive: live
  tag.plan: plan
)");
    ASSERT_TRUE(mapping.bind(
        {"id", "started", "finished", "startup", "bps", "outcome", "live", "plan", "rest"}));
    EXPECT_EQ(mapping.unused({"id", "rest"}), (std::vector<std::string>{"rest"}));
    // Summer time in Berlin; the second time has an offset of its own.
    auto draft = mapping.apply({"s-1", "24.10.2026 15:55:36", "2026-10-24T14:55:36Z", "1.25",
                                "2500000", "ok", "false", "gold", "x"});
    ASSERT_TRUE(draft) << draft.error().message;
    EXPECT_EQ(draft->row.start_ms, kTimeMs);
    EXPECT_EQ(draft->row.end_ms, kTimeMs + 3'600'000);
    EXPECT_EQ(draft->row.startup_ms, 1250);
    EXPECT_EQ(draft->average_kbps, 2500);
    EXPECT_EQ(draft->row.status, model::ViewStatus::Ended);
    EXPECT_EQ(draft->row.dimensions[model::index_of(model::Dimension::Cdn)], "akamai");
    EXPECT_EQ(draft->row.tags.at(0), (std::pair<std::string, std::string>{"plan", "gold"}));
    // Winter, without offset; nulls; what the map does not know.
    draft = mapping.apply(
        {"s-2", "15.11.2026 10:00:00", "2026-11-15 10:30:00", "NULL", "", "?", "1", "", "x"});
    ASSERT_TRUE(draft);
    EXPECT_EQ(draft->row.end_ms - draft->row.start_ms, 1'800'000);
    EXPECT_EQ(draft->row.start_ms % 86'400'000, 9 * 3'600'000);
    EXPECT_EQ(draft->row.startup_ms, -1);
    EXPECT_EQ(draft->row.status, model::ViewStatus::Dropped);
    EXPECT_TRUE(draft->row.is_live);
    EXPECT_TRUE(draft->row.tags.empty());
    const auto bad = mapping.apply({"s", "24.10.2026 15:55:36", "", "fast", "", "ok", "", "", ""});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message, "startup_ms: a value that is no number");
    EXPECT_FALSE(mapping.apply({"s", "2026-10-24", "", "", "", "ok", "", "", ""}));
}

TEST(MappingFile, ErrorsNameThePlaceAndTheNearest) {
    const auto error = [](const std::string& yaml) {
        const auto mapping = Mapping::parse(yaml, "m.yaml");
        return mapping ? std::string("none") : mapping.error().message;
    };
    const std::string needed = "columns:\n  sessionid: a\n  start_time: b\n";
    EXPECT_EQ(error(needed + "  playin_ms: c\n"),
              "m.yaml:4: 'playin_ms' is no field of a session; did you mean playing_ms?");
    EXPECT_EQ(error(needed + "  stall_ms: {from: c, unt: s}\n"),
              "m.yaml:4: stall_ms: unknown key 'unt'; did you mean unit?");
    EXPECT_EQ(error(needed + "  stall_ms: {from: c, unit: kbps}\n"),
              "m.yaml:4: 'kbps' is no unit of stall_ms");
    EXPECT_NE(error("columns:\n  sessionid: a\n").find("start_time has to come from somewhere"),
              std::string::npos);
    EXPECT_NE(error("zone: Europe/Berln\n" + needed).find("unknown time zone"), std::string::npos);
    EXPECT_NE(error("a: [").find("m.yaml:1"), std::string::npos);
    auto mapping = mapping_of(needed);
    const auto bound = mapping.bind({"a", "bb"});
    ASSERT_FALSE(bound);
    EXPECT_EQ(bound.error().message, "start_time: the source has no column 'b'; did you mean a?");
}

TEST(SessionImport, ATrialShowsRowsUnusedColumnsAndWhatIsNotTold) {
    const std::string path =
        write_file("id,t,address,extra\nx,1792850136,203.0.113.77,1\ny,soon,1.2.3.4,2\nz\n");
    auto table = open_csv(path);
    ASSERT_TRUE(table);
    auto mapping = mapping_of("columns:\n  sessionid: id\n  start_time: t\n  ipaddress: address\n");
    ASSERT_TRUE(mapping.bind((*table)->columns()));
    const auto shown = show_sessions(**table, mapping, {}, 3);
    ASSERT_TRUE(shown);
    EXPECT_NE(shown->find("start_time: 2026-10-24T13:55:36Z"), std::string::npos) << *shown;
    EXPECT_NE(shown->find("ipaddress: 203.0.113.0"), std::string::npos) << "not truncated";
    EXPECT_NE(shown->find("line 3: start_time: a value that is no time of its format"),
              std::string::npos);
    EXPECT_NE(shown->find("line 4: 1 fields where the first row has 4"), std::string::npos);
    EXPECT_NE(shown->find("columns not used: extra"), std::string::npos);
    EXPECT_NE(shown->find("counted as 0: playing_ms, stall_ms"), std::string::npos);
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace playhead::importers
