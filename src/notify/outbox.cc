#include "notify/outbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/log.h"

namespace playhead::notify {

namespace {

using Json = nlohmann::json;

constexpr const char* kKind = "notification";
/// The clock may be a test's, so nobody waits by it.
constexpr auto kLook = std::chrono::milliseconds(500);
constexpr std::uint64_t kResponseBytesMax = 64 * 1024;
constexpr int kDoublingsMax = 20;
constexpr int kOk = 200, kMultipleChoices = 300, kGone = 410;

}  // namespace

Outbox::Outbox(directory::Directory& directory, const Clock& clock, MetricsRegistry& metrics,
               WebhookPolicy policy, Delivered delivered, OutboxOptions options)
    : directory_(directory),
      clock_(clock),
      policy_(std::move(policy)),
      delivered_(std::move(delivered)),
      options_(options),
      sent_(metrics.counter("playhead_webhooks_total", "outcome=\"delivered\"",
                            "Webhook messages by what became of them")),
      failed_(metrics.counter("playhead_webhooks_total", "outcome=\"failed\"",
                              "Webhook messages by what became of them")),
      given_up_(metrics.counter("playhead_webhooks_total", "outcome=\"given_up\"",
                                "Webhook messages by what became of them")) {}

Result<void> Outbox::open() {
    const auto documents = directory_.documents(kKind, std::nullopt);
    if (!documents) return fail(documents.error());
    const std::lock_guard hold(mutex_);
    for (const auto& document : *documents) {
        const auto json = Json::parse(document.body, nullptr, false);
        if (json.is_discarded() || !json.is_object()) continue;
        Entry entry;
        auto& message = entry.notification;
        message.id = document.id;
        message.customer_id = document.customer_id;
        message.subject = json.value("subject", "");
        message.url = json.value("url", "");
        message.secret = json.value("secret", "");
        message.body = json.value("body", "");
        entry.created_ms = json.value("created", std::int64_t{0});
        entry.attempts = json.value("attempts", 0);
        // Whoever was away may be back: tried at once.
        entry.next_ms = 0;
        ids_.insert(message.id);
        entries_.emplace(Order{entry.created_ms, message.id}, std::move(entry));
    }
    return {};
}

Result<void> Outbox::keep(const Entry& entry) {
    const auto& message = entry.notification;
    directory::Document document;
    document.kind = kKind;
    document.id = message.id;
    document.customer_id = message.customer_id;
    document.body = Json{{"subject", message.subject},  {"url", message.url},
                         {"secret", message.secret},    {"body", message.body},
                         {"created", entry.created_ms}, {"attempts", entry.attempts}}
                        .dump(-1, ' ', false, Json::error_handler_t::replace);
    return directory_.put_document(document);
}

void Outbox::drop(std::map<Order, Entry>::iterator at, Counter& counted, const char* why) {
    const auto& message = at->second.notification;
    if (&counted == &given_up_) log::warn("webhook {} given up: {}", message.id, why);
    counted.add();
    if (auto gone = directory_.remove_document(kKind, message.customer_id, message.id); !gone) {
        log::warn("webhook {}: {}", message.id, gone.error().message);
    }
    ids_.erase(message.id);
    entries_.erase(at);
}

void Outbox::make_room(std::int64_t customer_id) {
    const auto is_own = [&](const auto& each) {
        return each.second.notification.customer_id == customer_id;
    };
    auto own = static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), is_own));
    for (auto at = entries_.begin(); own >= options_.per_customer_max && at != entries_.end();) {
        const auto next = std::next(at);
        if (is_own(*at) && !at->second.in_flight) {
            drop(at, given_up_, "too many are waiting");
            --own;
        }
        at = next;
    }
}

Result<void> Outbox::add(const Notification& notification) {
    const std::lock_guard hold(mutex_);
    if (ids_.contains(notification.id)) return {};
    make_room(notification.customer_id);
    Entry entry;
    entry.notification = notification;
    entry.created_ms = clock_.now_ms();
    if (auto kept = keep(entry); !kept) return kept;
    ids_.insert(notification.id);
    entries_.emplace(Order{entry.created_ms, notification.id}, std::move(entry));
    wake_.notify_one();
    return {};
}

std::size_t Outbox::waiting() const {
    const std::lock_guard hold(mutex_);
    return entries_.size();
}

Outbox::Entry* Outbox::take_due() {
    if (stopping_) return nullptr;
    std::set<std::int64_t> busy;
    for (const auto& [order, entry] : entries_) {
        if (entry.in_flight) busy.insert(entry.notification.customer_id);
    }
    std::set<std::pair<std::int64_t, std::string_view>> waiting;
    const auto now_ms = clock_.now_ms();
    for (auto& [order, entry] : entries_) {
        const auto& message = entry.notification;
        const bool first = waiting.emplace(message.customer_id, message.url).second;
        if (!first || entry.next_ms > now_ms || busy.contains(message.customer_id)) continue;
        entry.in_flight = true;
        return &entry;
    }
    return nullptr;
}

Result<void> Outbox::deliver(const Notification& message) {
    const auto url = split_url(message.url);
    const auto key = key_of_secret(message.secret);
    if (!url || !key) return fail(ErrorCode::InvalidArgument, "the message cannot be sent");
    net::HttpClientOptions options;
    options.timeout_ms = options_.timeout_ms;
    options.response_bytes_max = kResponseBytesMax;
    options.accept_address = [this](const std::string& address) { return policy_.allows(address); };
    const auto now_s = clock_.now_ms() / 1000;
    net::ClientRequest request;
    request.method = "POST";
    request.target = url->target;
    request.headers = {
        {"Content-Type", "application/json"},
        {"User-Agent", "Playhead"},
        {"Connection", "close"},
        {"webhook-id", message.id},
        {"webhook-timestamp", std::to_string(now_s)},
        {"webhook-signature", webhook_signature(*key, message.id, now_s, message.body)}};
    request.body = message.body;
    net::HttpClient client(url->origin, options);
    {
        const std::lock_guard hold(mutex_);
        if (stopping_) return fail(ErrorCode::Cancelled, "stopping");
        clients_.insert(&client);
    }
    const auto response = client.send(request);
    {
        const std::lock_guard hold(mutex_);
        clients_.erase(&client);
    }
    if (!response) return fail(response.error());
    if (response->status >= kOk && response->status < kMultipleChoices) return {};
    return fail(response->status == kGone ? ErrorCode::NotFound : ErrorCode::Unavailable,
                fmt::format("answered {}", response->status));
}

void Outbox::finish(const Entry& sent, const Result<void>& outcome) {
    const Notification message = sent.notification;
    {
        const std::lock_guard hold(mutex_);
        const auto at = entries_.find({sent.created_ms, message.id});
        if (at == entries_.end()) return;
        Entry& entry = at->second;
        entry.in_flight = false;
        if (stopping_ && !outcome) return;
        if (!outcome) {
            const auto& error = outcome.error();
            failed_.add();
            log::debug("webhook {}: {}", message.id, error.message);
            const auto doublings = std::min(entry.attempts++, kDoublingsMax);
            const auto now_ms = clock_.now_ms();
            entry.next_ms =
                now_ms + std::min(options_.retry_max_ms, options_.first_retry_ms << doublings);
            const bool useless =
                error.code == ErrorCode::NotFound || error.code == ErrorCode::InvalidArgument;
            if (useless || now_ms - entry.created_ms >= options_.give_up_ms) {
                drop(at, given_up_, error.message.c_str());
            } else if (auto kept = keep(entry); !kept) {
                log::warn("webhook {}: {}", message.id, kept.error().message);
            }
        } else {
            drop(at, sent_, "");
        }
        wake_.notify_all();
    }
    if (outcome && delivered_) delivered_(message);
}

bool Outbox::send_one() {
    Entry taken;
    {
        const std::lock_guard hold(mutex_);
        const Entry* due = take_due();
        if (due == nullptr) return false;
        taken = *due;
    }
    finish(taken, deliver(taken.notification));
    return true;
}

void Outbox::work() {
    while (true) {
        if (send_one()) continue;
        std::unique_lock hold(mutex_);
        if (stopping_) return;
        wake_.wait_for(hold, kLook);
        if (stopping_) return;
    }
}

void Outbox::start() {
    for (std::size_t i = 0; i < options_.workers; ++i) {
        threads_.emplace_back([this] { work(); });
    }
}

void Outbox::stop() {
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
        for (auto* client : clients_) client->interrupt();
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

}  // namespace playhead::notify
