// Numbers hidden in payload ids. The ids are those of the recorded SDK (spec: newer SDKs count).
#include "timeline/payload_number.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "base/random.h"
#include "timeline/text_pool.h"

namespace playhead::timeline {
namespace {

// By the rule seen in the captures, computed with coreutils' md5sum.
struct Sent {
    std::int64_t time_ms;
    const char* id;
};
constexpr Sent kSent[] = {
    {1700000000000, "6c183dc3cedf998b6d22ed3c34263267"},
    {1700000005000, "54dc359431676732dac1deb5f98c7bc1"},
    {1700000010000, "71d7dd58ac5d3715e1d69dba5de0181c"},
    {1700000015000, "6bd68ef5c56187294689a9e4db087596"},
    {1700000020000, "3983b6bcf1b214cc8dd40cb71180be18"},
    {1700000025000, "a5d5da90671847cfd5f1b97fd2ad35af"},
    {1700000030000, "f44dc56da62d60e5e9ea4752baa4321c"},
    {1700000035000, "b0cd5ba365ec425e9e8784b6692469df"},
    {1700000040000, "ad43f134128047ec4e489c6116c90568"},
    {1700000045000, "c055505d592ef16b0cd197897410ffc5"},
};

class PayloadNumberTest : public ::testing::Test {
protected:
    /// True when the record is new.
    bool take(std::size_t number) {
        model::Event event;
        event.customer_id = 900100200;
        event.session_id = "abc-1";
        event.name = "STATS";
        event.kind = model::EventKind::Stats;
        event.client_ms = kSent[number].time_ms;
        event.receive_ms = kSent[number].time_ms;
        event.payload_id = kSent[number].id;
        return apply_record(session_, event, {}, {});
    }
    std::int64_t missing() const {
        return session_.streams.empty() ? -1 : missing_of(session_.streams.front());
    }

    TextPool texts_;
    Session session_{texts_};
};

TEST_F(PayloadNumberTest, CountsWhatIsMissingFromTheFirstOn) {
    for (const std::size_t number : {2U, 3U, 5U, 9U}) EXPECT_TRUE(take(number));
    EXPECT_EQ(missing(), 2 + 1 + 3);
    EXPECT_FALSE(take(5)) << "a repeat";
    EXPECT_EQ(missing(), 6);
    for (const std::size_t number : {0U, 1U, 4U, 6U, 7U, 8U}) EXPECT_TRUE(take(number));
    EXPECT_EQ(missing(), 0);
}

TEST_F(PayloadNumberTest, DoesNotDependOnTheOrder) {
    Random random(3);
    for (int round = 0; round < 20; ++round) {
        std::vector<std::size_t> order{1, 2, 4, 5, 6, 8, 9};
        for (std::size_t at = order.size(); at > 1; --at) {
            std::swap(order[at - 1], order[random.below(at)]);
        }
        session_.~Session();
        new (&session_) Session(texts_);
        for (const auto number : order) EXPECT_TRUE(take(number));
        EXPECT_EQ(missing(), 3);
    }
}

TEST_F(PayloadNumberTest, IdsMadeOtherwiseHaveNone) {
    model::Event event;
    event.customer_id = 900100200;
    event.session_id = "abc-1";
    for (int number = 0; number < 20; ++number) {
        const auto id = "0123456789abcdef0123456789abcd" + std::to_string(10 + number);
        event.client_ms = 1'700'000'000'000 + number;
        event.payload_id = id;
        EXPECT_TRUE(apply_record(session_, event, {}, {}));
    }
    EXPECT_TRUE(session_.streams.empty());
}

TEST_F(PayloadNumberTest, OtherWiresAreNotLookedInto) {
    model::Event event;
    event.protocol = model::Protocol::AppAnalytics;
    event.customer_id = 900100200;
    event.session_id = "abc-1";
    event.client_ms = kSent[0].time_ms;
    event.payload_id = kSent[0].id;
    EXPECT_FALSE(payload_number(session_, event));
    event.protocol = model::Protocol::SmartSight;
    EXPECT_EQ(payload_number(session_, event), 0);
}

}  // namespace
}  // namespace playhead::timeline
