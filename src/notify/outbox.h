/// Notifications until they are delivered: kept in the directory, sent by threads of its own,
/// repeated with growing pauses. At least once: after a crash one may come again, with its id.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "directory/directory.h"
#include "net/http_client.h"
#include "notify/webhook.h"

namespace playhead::notify {

/// One message to one URL.
struct Notification {
    std::string id;  ///< the same message has the same id, also after a crash
    std::int64_t customer_id = 0;
    std::string subject;  ///< what it is about: handed back when it is delivered
    std::string url;
    std::string secret;
    std::string body;
};

struct OutboxOptions {
    std::size_t per_customer_max = 1000;  ///< above, the oldest are given up
    std::int64_t first_retry_ms = 2'000;  ///< doubled each time
    std::int64_t retry_max_ms = 15LL * 60 * 1000;
    std::int64_t give_up_ms = 24LL * 3600 * 1000;
    std::int64_t timeout_ms = 10'000;  ///< of one attempt
    std::size_t workers = 4;
};

/// Messages to one URL go in order, those of one customer one at a time. Thread safe.
class Outbox {
public:
    /// Called once a message has arrived, from a thread of the outbox.
    using Delivered = std::function<void(const Notification&)>;

    /// References must outlive the outbox.
    Outbox(directory::Directory& directory, const Clock& clock, MetricsRegistry& metrics,
           WebhookPolicy policy, Delivered delivered, OutboxOptions options = {});
    ~Outbox() { stop(); }
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    /// Reads what was left by an earlier process; then messages are sent.
    Result<void> open();
    void start();
    /// Breaks off what is being sent: it stays in the outbox.
    void stop();

    /// Kept on disk when this returns. One with a known id is not added again.
    Result<void> add(const Notification& notification);
    std::size_t waiting() const;
    const WebhookPolicy& policy() const noexcept { return policy_; }

    /// Sends one message that is due, in the caller's thread; false when none is. For tests.
    bool send_one();

private:
    struct Entry {
        Notification notification;
        std::int64_t created_ms = 0;
        std::int64_t next_ms = 0;
        int attempts = 0;
        bool in_flight = false;
    };
    using Order = std::pair<std::int64_t, std::string>;  ///< created, id

    void work();
    /// The first that is due, marked as in flight; none: nullptr. Under the mutex.
    Entry* take_due();
    void finish(const Entry& sent, const Result<void>& outcome);
    Result<void> deliver(const Notification& notification);
    Result<void> keep(const Entry& entry);
    void drop(std::map<Order, Entry>::iterator at, Counter& counted, const char* why);
    void make_room(std::int64_t customer_id);

    directory::Directory& directory_;
    const Clock& clock_;
    WebhookPolicy policy_;
    Delivered delivered_;
    OutboxOptions options_;
    Counter& sent_;
    Counter& failed_;
    Counter& given_up_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::map<Order, Entry> entries_;
    std::set<std::string> ids_;
    std::set<net::HttpClient*> clients_;  ///< of the attempts that are under way
    std::vector<std::thread> threads_;
    bool stopping_ = false;
};

}  // namespace playhead::notify
