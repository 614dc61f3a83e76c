#include "wire/produce.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "wire/tests/shared_data.h"

namespace playhead::wire {
namespace {

using model::Dimension;
using model::EventKind;
using model::Measure;

constexpr std::int64_t kReceiveMs = 1'795'419'946'600;

std::vector<std::string> bodies_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::vector<std::string> bodies;
    for (std::string line; std::getline(file, line);) {
        const auto record = nlohmann::json::parse(line);
        if (!record.contains("body") || record["body"].is_null()) continue;
        const auto& body = record["body"];
        const std::string text = body.is_string() ? body.get<std::string>() : body.dump();
        if (!text.empty()) bodies.push_back(text);
    }
    return bodies;
}

std::map<EventKind, int> kinds_of(const std::vector<std::string>& bodies) {
    std::map<EventKind, int> kinds;
    for (const std::string& body : bodies) {
        const auto batch = decode_produce(body, kReceiveMs);
        EXPECT_TRUE(batch.has_value()) << (batch ? "" : batch.error().message) << body;
        if (!batch) continue;
        for (const model::Event& event : batch->events) ++kinds[event.kind];
    }
    return kinds;
}

TEST(Produce, DecodesEveryCapturedBody) {
    const std::filesystem::path folder = shared_data() / "captures/smartsight";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no captures in " << folder;
    auto vod = kinds_of(bodies_of(folder / "01-vod-complete.ndjson"));
    EXPECT_EQ(vod, (std::map<EventKind, int>{{EventKind::Load, 1},
                                             {EventKind::Rendition, 1},
                                             {EventKind::Start, 1},
                                             {EventKind::Stats, 5},
                                             {EventKind::Complete, 1}}));
    auto ads = kinds_of(bodies_of(folder / "05-ads-public-api.ndjson"));
    EXPECT_EQ(ads[EventKind::AdImpression], 3);
    EXPECT_EQ(ads[EventKind::AdPlay], 3);
    EXPECT_EQ(ads[EventKind::AdEnded], 3);
    EXPECT_EQ(ads[EventKind::AdBreakStart], 2);
    EXPECT_EQ(ads[EventKind::Custom], 0);
    auto old = kinds_of(bodies_of(folder / "09b-rn44-longkeys.ndjson"));
    EXPECT_EQ(old[EventKind::Stats], 6);
    EXPECT_EQ(old[EventKind::BufferStart], 2);
    EXPECT_EQ(old[EventKind::Error], 1);
    EXPECT_EQ(old[EventKind::Custom], 0);
    auto abandoned = kinds_of(bodies_of(folder / "13-abandon.ndjson"));
    EXPECT_EQ(abandoned[EventKind::Stats], 2);
}

}  // namespace
}  // namespace playhead::wire
