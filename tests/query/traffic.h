// Random traffic through the real pipeline: late, out of order, revised.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "ingest/pipeline.h"
#include "store/changes.h"
#include "store/store.h"

namespace playhead::query::test {

inline constexpr std::int64_t kNow = 1'795'420'800'000;  // on the hour
inline constexpr std::int64_t kHourMs = 3'600'000;
inline constexpr std::uint64_t kCustomers[] = {910'001, 910'002};

/// The engine's own store behind the real pipeline, and traffic for it.
class Traffic {
public:
    /// A third of the sessions is reported up to `late_ms` after it began.
    Traffic(store::Store& store, store::Changes& changes, std::uint64_t seed,
            std::int64_t late_ms = 5 * kHourMs, const std::uint64_t (&customers)[2] = kCustomers)
        : decoder_(nullptr), random_(seed, 1), late_ms_(late_ms), customers_(customers) {
        std::string pattern = std::filesystem::temp_directory_path() / "playhead_cache_XXXXXX";
        EXPECT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        ingest::PipelineOptions options;
        options.data_dir = directory_;
        options.durability = journal::Durability::Os;
        options.cut_interval_ms = 3'600'000;
        options.changes = &changes;
        auto opened = ingest::Pipeline::open(options, store, decoder_, clock, metrics_, {});
        EXPECT_TRUE(opened) << opened.error().message;
        pipeline_ = std::move(*opened);
    }
    ~Traffic() {
        pipeline_->stop(5000);
        std::filesystem::remove_all(directory_);
    }

    /// Beacons of old and new sessions, received now, some of them hours late; then what is due.
    void some(int beacons) {
        for (; beacons > 0; --beacons) {
            if (sessions_.empty() || random_.next_u64() % 3 == 0) {
                const auto late =
                    random_.next_u64() % 3 == 0
                        ? static_cast<std::int64_t>(random_.next_u64() %
                                                    static_cast<std::uint64_t>(late_ms_))
                        : 0;
                sessions_.push_back({clock.now_ms() - late, 0});
                send(sessions_.size() - 1, "ONLOAD");
                continue;
            }
            const auto session = random_.next_u64() % sessions_.size();
            constexpr const char* kNames[] = {"START",     "PAUSE", "RESUME",
                                              "BUFFERING", "ERROR", "ENDED"};
            send(session, kNames[random_.next_u64() % std::size(kNames)]);
        }
        const auto stored = pipeline_->flush(60'000);
        EXPECT_TRUE(stored) << stored.error().message;
    }

    ManualClock clock{kNow};

private:
    struct Session {
        std::int64_t start_ms;
        std::int64_t played_s;
    };
    void send(std::size_t number, const char* name) {
        Session& session = sessions_[number];
        session.played_s += static_cast<std::int64_t>(random_.next_u64() % 400);
        const std::int64_t at_ms =
            std::min(session.start_ms + session.played_s * 1000, clock.now_ms());
        const auto body = fmt::format(
            R"({{"v":"2.0.0","t":{0},"pt":{1},"pd":{1},"i":10,"qd":[{{"sd":{{"ci":{2},"si":"s-{3}",)"
            R"("pi":"{3}-{4}","sst":{5},"dsr":"Player","ai":"asset-{6}","subscriberId":"u{7}"}},)"
            R"("pe":{{"e":"{8}","id":"{8}","pt":{1}}},"pif":[{{"t":{0},"l":1000}}]}}]}})",
            at_ms, session.played_s, customers_[number % 2], number, ++beacons_, session.start_ms,
            number % 3, number % 5, name);
        ingest::RequestRecord record;
        record.receive_ms = clock.now_ms();
        auto decoded = decoder_.decode(record, body);
        ASSERT_TRUE(decoded) << decoded.error().message;
        ASSERT_TRUE(
            pipeline_->submit(record, body, std::move(*decoded), [](const Result<void>&) {}));
    }

    MetricsRegistry metrics_;
    ingest::RequestDecoder decoder_;
    Random random_;
    std::int64_t late_ms_;
    const std::uint64_t (&customers_)[2];
    std::string directory_;
    std::vector<Session> sessions_;
    std::uint64_t beacons_ = 0;
    std::unique_ptr<ingest::Pipeline> pipeline_;
};

}  // namespace playhead::query::test
