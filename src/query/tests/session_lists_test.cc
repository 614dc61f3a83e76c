#include "query/session_lists.h"

#include <gtest/gtest.h>

#include "model/event.h"

namespace playhead::query {
namespace {

using model::EventKind;

SessionEvent event(std::int64_t time_ms, EventKind kind, double value = 0,
                   const std::string& name = {}) {
    SessionEvent out;
    out.time_ms = time_ms;
    out.kind = static_cast<int>(kind);
    out.value = value;
    out.name = name;
    return out;
}

TEST(SessionLists, PairsBeginningsWithEnds) {
    const auto found =
        intervals_of({event(1000, EventKind::Start), event(5000, EventKind::BufferStart),
                      event(6500, EventKind::BufferEnd, 1400), event(9000, EventKind::Pause),
                      event(12000, EventKind::Resume), event(20000, EventKind::SeekStart),
                      event(20100, EventKind::BufferStart), event(20900, EventKind::SeekEnd),
                      event(21000, EventKind::BufferEnd), event(30000, EventKind::Pause)});
    ASSERT_EQ(found.stalls.size(), 2U);
    EXPECT_EQ(found.stalls[0].start_ms, 5000);
    EXPECT_EQ(found.stalls[0].length_ms, 1400);
    EXPECT_FALSE(found.stalls[0].after_seek);
    EXPECT_EQ(found.stalls[1].length_ms, 900);
    EXPECT_TRUE(found.stalls[1].after_seek);
    ASSERT_EQ(found.pauses.size(), 2U);
    EXPECT_EQ(found.pauses[0].length_ms, 3000);
    EXPECT_EQ(found.pauses[1].length_ms, -1);
    ASSERT_EQ(found.seeks.size(), 1U);
    EXPECT_EQ(found.seeks[0].length_ms, 900);
}

TEST(SessionLists, AnEndWithALengthNeedsNoBeginning) {
    const auto found =
        intervals_of({event(8000, EventKind::Stats, 700), event(9000, EventKind::Stats),
                      event(9500, EventKind::BufferEnd)});
    ASSERT_EQ(found.stalls.size(), 1U);
    EXPECT_EQ(found.stalls[0].start_ms, 7300);
}

TEST(SessionLists, StatesOfCmcdEndEachOther) {
    const auto found = intervals_of(
        {event(1000, EventKind::State, 0, "ps:p"), event(2000, EventKind::State, 0, "ps:r"),
         event(2600, EventKind::State, 0, "ps:a"), event(4600, EventKind::State, 0, "ps:k"),
         event(4700, EventKind::State, 0, "ps:p")});
    ASSERT_EQ(found.stalls.size(), 1U);
    EXPECT_EQ(found.stalls[0].length_ms, 600);
    ASSERT_EQ(found.pauses.size(), 1U);
    EXPECT_EQ(found.pauses[0].length_ms, 2000);
    ASSERT_EQ(found.seeks.size(), 1U);
    EXPECT_EQ(found.seeks[0].length_ms, 100);
}

TEST(SessionLists, WritesTimesTwice) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    write_time(json, "at", 1'700'000'000'007);
    write_time(json, "none", 0);
    json.end_object();
    EXPECT_EQ(out, R"({"at":1700000000.007,"at_iso":"2023-11-14T22:13:20.007Z","none":null,)"
                   R"("none_iso":null})");
}

TEST(JsonMembers, TheListThatWritesIsTheListThatDescribes) {
    struct Row {
        std::int64_t at_ms;
        bool good;
    };
    constexpr JsonMember<Row> kMembers[] = {
        {"at", Holds::Time, [](const Row& row) { return store::Cell(row.at_ms); }},
        {"good", Holds::Flag, [](const Row& row) { return store::Cell(std::int64_t{row.good}); }},
        {"ms", Holds::IntegerOrNull, [](const Row&) { return store::Cell(); }}};
    const std::span<const JsonMember<Row>> members = kMembers;
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    write_members(json, members, Row{1500, true});
    json.end_object();
    EXPECT_EQ(out, R"({"at":1.500,"at_iso":"1970-01-01T00:00:01.500Z","good":true,"ms":null})");
    EXPECT_EQ(members_schema(members),
              R"({"type":"object","required":["at","at_iso","good","ms"],"properties":{)"
              R"("at":{"type":["number","null"],"description":"Epoch seconds, to the ms"},)"
              R"("at_iso":{"type":["string","null"]},"good":{"type":"boolean"},)"
              R"("ms":{"type":["integer","null"]}},"additionalProperties":false})");
}

}  // namespace
}  // namespace playhead::query
