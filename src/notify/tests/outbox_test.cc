// The outbox against a server of its own, under a clock that the test moves.
#include "notify/outbox.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>

namespace playhead::notify {
namespace {

constexpr std::int64_t kStartMs = 1'700'000'000'000;
constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Takes connections one by one and answers each with a status; 0 never answers.
class Receiver {
public:
    Receiver() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        const auto any = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(socket_, any, size), 0);
        EXPECT_EQ(::listen(socket_, 16), 0);
        EXPECT_EQ(::getsockname(socket_, any, &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~Receiver() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
        for (const int held : held_) ::close(held);
    }
    std::string url(const std::string& path = "/hook") const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    std::vector<std::string> requests() const {
        const std::lock_guard hold(mutex_);
        return requests_;
    }
    std::atomic<int> status{200};

private:
    void serve() {
        while (true) {
            const int peer = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
            if (peer < 0) return;
            std::string text;
            char buffer[4096];
            // The tests' bodies end with '}'.
            while (!text.ends_with('}')) {
                const auto got = ::read(peer, buffer, sizeof buffer);
                if (got <= 0) break;
                text.append(buffer, static_cast<std::size_t>(got));
            }
            {
                const std::lock_guard hold(mutex_);
                requests_.push_back(text);
            }
            if (status == 0) {
                held_.push_back(peer);
                continue;
            }
            const auto answer = "HTTP/1.1 " + std::to_string(status) +
                                " X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
            (void)!::write(peer, answer.data(), answer.size());
            ::close(peer);
        }
    }

    int socket_;
    int port_ = 0;
    std::thread thread_;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::vector<int> held_;
};

class OutboxTest : public ::testing::Test {
protected:
    OutboxTest() {
        std::string pattern = std::filesystem::temp_directory_path() / "playhead_outbox_XXXXXX";
        folder_ = mkdtemp(pattern.data());
        directory_ = directory::Directory::open(folder_ + "/d.sqlite", clock_).value();
        for (const std::int64_t customer : {7, 8}) {
            directory::Tenant tenant;
            tenant.customer_id = customer;
            tenant.name = "T";
            tenant.plan_level = 1;
            EXPECT_TRUE(directory_->add_tenant(tenant));
        }
        open();
    }
    ~OutboxTest() override {
        outbox_.reset();
        directory_.reset();
        std::filesystem::remove_all(folder_);
    }
    /// A new process on the same directory.
    void open(const std::vector<std::string>& networks = {"127.0.0.0/8"}) {
        outbox_.reset();
        outbox_ = std::make_unique<Outbox>(
            *directory_, clock_, metrics_, WebhookPolicy::make(networks).value(),
            [this](const Notification& sent) { delivered_.push_back(sent.id); }, options_);
        ASSERT_TRUE(outbox_->open());
    }
    Notification message(const std::string& id, std::int64_t customer = 7) const {
        return {id, customer, "about-" + id, receiver_.url(), kSecret, R"({"id":")" + id + "\"}"};
    }
    std::size_t send_all() {
        std::size_t count = 0;
        while (outbox_->send_one()) ++count;
        return count;
    }

    ManualClock clock_{kStartMs};
    MetricsRegistry metrics_;
    std::string folder_;
    std::unique_ptr<directory::Directory> directory_;
    Receiver receiver_;
    OutboxOptions options_;
    std::unique_ptr<Outbox> outbox_;
    std::vector<std::string> delivered_;
};

TEST_F(OutboxTest, DeliversOnceAndSigned) {
    ASSERT_TRUE(outbox_->add(message("a")));
    ASSERT_TRUE(outbox_->add(message("a")));
    EXPECT_EQ(send_all(), 1U);
    EXPECT_EQ(delivered_, std::vector<std::string>{"a"});
    EXPECT_EQ(outbox_->waiting(), 0U);
    const auto request = receiver_.requests().at(0);
    EXPECT_TRUE(request.starts_with("POST /hook HTTP/1.1\r\n")) << request;
    EXPECT_NE(request.find("webhook-id: a\r\n"), std::string::npos);
    EXPECT_NE(request.find("webhook-timestamp: 1700000000\r\n"), std::string::npos);
    const auto signature =
        webhook_signature(*key_of_secret(kSecret), "a", 1700000000, R"({"id":"a"})");
    EXPECT_NE(request.find("webhook-signature: " + signature + "\r\n"), std::string::npos);
    open();
    EXPECT_EQ(send_all(), 0U) << "what was delivered is gone from the disk";
}

TEST_F(OutboxTest, TriesAgainWithGrowingPausesUntilADayHasPassed) {
    receiver_.status = 503;
    ASSERT_TRUE(outbox_->add(message("a")));
    std::vector<std::int64_t> at_s;
    while (outbox_->waiting() > 0 && clock_.now_ms() < kStartMs + 2 * 86'400'000LL) {
        if (outbox_->send_one()) at_s.push_back((clock_.now_ms() - kStartMs) / 1000);
        clock_.advance_ms(1'000);
    }
    ASSERT_GT(at_s.size(), 90U);
    EXPECT_EQ((std::vector<std::int64_t>(at_s.begin(), at_s.begin() + 6)),
              (std::vector<std::int64_t>{0, 2, 6, 14, 30, 62}));
    EXPECT_EQ(at_s[20] - at_s[19], 900);
    EXPECT_GE(at_s.back(), 86'400);
    EXPECT_LE(at_s.back(), 86'400 + 900);
    EXPECT_TRUE(delivered_.empty());
    open();
    EXPECT_EQ(outbox_->waiting(), 0U);
}

TEST_F(OutboxTest, ACrashLosesNothing) {
    receiver_.status = 500;
    for (const auto* id : {"a", "b", "c"}) ASSERT_TRUE(outbox_->add(message(id)));
    EXPECT_EQ(send_all(), 1U) << "later ones wait for the first of their URL";
    open();
    EXPECT_EQ(outbox_->waiting(), 3U);
    receiver_.status = 204;
    EXPECT_EQ(send_all(), 3U);
    EXPECT_EQ(delivered_, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(OutboxTest, OneDeadTargetHoldsUpNoOther) {
    auto dead = message("a");
    dead.url = "http://127.0.0.1:1/";
    ASSERT_TRUE(outbox_->add(dead));
    ASSERT_TRUE(outbox_->add(message("b")));
    ASSERT_TRUE(outbox_->add(message("c", 8)));
    EXPECT_EQ(send_all(), 3U);
    EXPECT_EQ(delivered_, (std::vector<std::string>{"b", "c"}));
}

TEST_F(OutboxTest, IsBoundedForEachCustomer) {
    options_.per_customer_max = 3;
    open();
    for (const auto* id : {"a", "b", "c", "d"}) {
        ASSERT_TRUE(outbox_->add(message(id)));
        clock_.advance_ms(1);
    }
    ASSERT_TRUE(outbox_->add(message("e", 8)));
    EXPECT_EQ(send_all(), 4U);
    EXPECT_EQ(delivered_, (std::vector<std::string>{"b", "c", "d", "e"})) << "the oldest went";
}

TEST_F(OutboxTest, ConnectsToNoAddressThatIsNotPublicWhateverTheNameSays) {
    open({});
    auto named = message("a");
    named.url = receiver_.url();
    named.url.replace(named.url.find("127.0.0.1"), 9, "localhost");
    ASSERT_TRUE(outbox_->add(named));
    auto number = message("b");
    number.url.replace(number.url.find("127.0.0.1"), 9, "2130706433");
    ASSERT_TRUE(outbox_->add(number));
    EXPECT_EQ(send_all(), 2U);
    EXPECT_TRUE(receiver_.requests().empty());
    EXPECT_TRUE(delivered_.empty());
}

TEST_F(OutboxTest, FollowsNoRedirectAndGivesUpWhatIsGone) {
    receiver_.status = 307;
    ASSERT_TRUE(outbox_->add(message("a")));
    EXPECT_EQ(send_all(), 1U);
    EXPECT_EQ(receiver_.requests().size(), 1U);
    EXPECT_EQ(outbox_->waiting(), 1U);
    receiver_.status = 410;
    clock_.advance_ms(2'000);
    EXPECT_EQ(send_all(), 1U);
    EXPECT_EQ(outbox_->waiting(), 0U);
    EXPECT_TRUE(delivered_.empty());
}

TEST_F(OutboxTest, StoppingDoesNotWaitForATargetThatHangs) {
    receiver_.status = 0;
    ASSERT_TRUE(outbox_->add(message("a")));
    outbox_->start();
    while (receiver_.requests().empty()) std::this_thread::yield();
    auto stopped = std::async(std::launch::async, [this] { outbox_->stop(); });
    EXPECT_EQ(stopped.wait_for(std::chrono::seconds(5)), std::future_status::ready)
        << "an attempt may take 10 s";
    stopped.get();
    open();
    EXPECT_EQ(outbox_->waiting(), 1U);
}

}  // namespace
}  // namespace playhead::notify
