#include "timeline/event_rows.h"

#include <algorithm>

#include "timeline/session.h"

namespace playhead::timeline {
namespace {

using model::EventKind;
using model::Measure;

constexpr std::size_t kMessageBytesMax = 512;
constexpr std::size_t kTextBytesMax = 1024;
constexpr std::size_t kFingerprintBytesMax = 256;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_word(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Length of a URL at the start of `text`; 0 when there is none.
std::size_t url_length(std::string_view text) noexcept {
    const std::size_t scheme = text.find("://");
    if (scheme == std::string_view::npos || scheme == 0 || scheme > 8) return 0;
    if (!std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(scheme), is_word)) {
        return 0;
    }
    return std::min(text.size(), text.find_first_of(" \t\r\n\"'<>)]},;", scheme));
}

std::string_view mask_of(std::string_view word) noexcept {
    const auto digits = std::count_if(word.begin(), word.end(), is_digit);
    if (digits == 0) return {};
    if (std::all_of(word.begin(), word.end(), is_digit)) return "#";
    const bool hex = std::all_of(word.begin(), word.end(), is_hex) ||
                     (word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X'));
    if (hex && word.size() >= 6) return "<id>";
    return {};
}

/// Length of a UUID at the start of `text`; 0 when there is none.
std::size_t uuid_length(std::string_view text) noexcept {
    constexpr std::size_t kLength = 36;
    if (text.size() < kLength) return 0;
    for (std::size_t index = 0; index < kLength; ++index) {
        const bool dash = index == 8 || index == 13 || index == 18 || index == 23;
        if (dash ? text[index] != '-' : !is_hex(text[index])) return 0;
    }
    return kLength;
}

/// Length of a quoted text at the start of `text`, quotes included; 0 when there is none. What is
/// followed by ':' is the name of a JSON member, which tells faults apart.
std::size_t quoted_length(std::string_view text, std::string_view before) noexcept {
    const char quote = text.front();
    if (quote != '"' && quote != '\'') return 0;
    constexpr std::string_view kOpenAfter = " \t([{=:,;";
    if (!before.empty() && kOpenAfter.find(before.back()) == std::string_view::npos) return 0;
    const std::size_t end = text.find(quote, 1);
    if (end == std::string_view::npos || end == 1) return 0;
    constexpr std::string_view kCloseBefore = " \t)]},;.!?";
    if (end + 1 < text.size() && kCloseBefore.find(text[end + 1]) == std::string_view::npos) {
        return 0;
    }
    return end + 1;
}

const char* phase_of(const Session& session, const model::Event& event) noexcept {
    if (event.kind >= EventKind::AdRequest && event.kind <= EventKind::AdComplete) return "ad";
    const bool started =
        std::any_of(session.marks.begin(), session.marks.end(), [](const Mark& mark) {
            return mark.kind == MarkKind::Start ||
                   (mark.kind == MarkKind::State &&
                    mark.aux == static_cast<std::uint8_t>(model::PlayerState::Playing));
        });
    return started || session.played_max_s > 0 ? "instream" : "startup";
}

bool is_report(EventKind kind) noexcept {
    return kind == EventKind::Stats || kind == EventKind::Ping || kind == EventKind::Heartbeat ||
           kind == EventKind::Response || kind == EventKind::Request ||
           kind == EventKind::AdPlaying;
}

double value_of(const model::Event& event) noexcept {
    for (const auto& measure : event.measures) {
        switch (measure.id) {
            case Measure::StallMs:
            case Measure::SeekStallMs:
            case Measure::StarvationMs: return measure.value;
            case Measure::StartupMs:
                if (event.kind == EventKind::Start || event.kind == EventKind::AdPlay) {
                    return measure.value;
                }
                break;
            case Measure::PauseMs:
                if (event.kind == EventKind::Resume || event.kind == EventKind::AdResume) {
                    return measure.value;
                }
                break;
            case Measure::BitrateKbps:
                if (event.kind == EventKind::Rendition) return measure.value;
                break;
            case Measure::PlayRate:
                if (event.kind == EventKind::Rate) return measure.value;
                break;
            default: break;
        }
    }
    return 0;
}

bool has_stall(const model::Event& event) noexcept {
    return std::any_of(event.measures.begin(), event.measures.end(), [](const auto& measure) {
        return measure.id == Measure::StallMs || measure.id == Measure::SeekStallMs ||
               measure.id == Measure::StarvationMs;
    });
}

std::string mask_once(std::string_view message) {
    std::string out;
    message = message.substr(0, std::min<std::size_t>(message.size(), 4 * kFingerprintBytesMax));
    while (!message.empty() && out.size() < kFingerprintBytesMax) {
        if (const std::size_t length = quoted_length(message, out); length > 0) {
            out.append({message.front(), '*', message.front()});
            message.remove_prefix(length);
            continue;
        }
        if (!is_word(message.front())) {
            out.push_back(message.front());
            message.remove_prefix(1);
            continue;
        }
        if (const std::size_t length = url_length(message); length > 0) {
            out += "<url>";
            message.remove_prefix(length);
            continue;
        }
        if (const std::size_t length = uuid_length(message); length > 0) {
            out += "<id>";
            message.remove_prefix(length);
            continue;
        }
        std::size_t length = 0;
        while (length < message.size() && is_word(message[length])) ++length;
        const std::string_view word = message.substr(0, length);
        const std::string_view mask = mask_of(word);
        if (!mask.empty()) {
            out += mask;
        } else {
            // Digits inside a word: "seg42" and "seg43" are one fault.
            for (std::size_t index = 0; index < word.size(); ++index) {
                if (!is_digit(word[index])) {
                    out.push_back(word[index]);
                } else if (index == 0 || !is_digit(word[index - 1])) {
                    out.push_back('#');
                }
            }
        }
        message.remove_prefix(length);
    }
    out.resize(cut_text(out, kFingerprintBytesMax).size());
    return out;
}

}  // namespace

std::string error_fingerprint(std::string_view message) {
    // A mask may make a second one possible (a quote whose end was cut off): until nothing changes,
    // so that a fingerprint's fingerprint is itself.
    constexpr int kPassesMax = 8;
    std::string out = mask_once(message);
    for (int pass = 1; pass < kPassesMax; ++pass) {
        std::string next = mask_once(out);
        if (next == out) break;
        out = std::move(next);
    }
    return out;
}

std::optional<model::EventRow> event_row(const Session& session, const model::Event& event) {
    if (is_report(event.kind) && !has_stall(event)) return std::nullopt;
    model::EventRow row;
    row.key = {session.customer_id, session.session_id};
    std::int64_t at = event.client_ms > 0 ? event.client_ms + session.offset_ms : event.receive_ms;
    if (std::abs(at - event.receive_ms) > Session::kSpanMaxMs && session.clock_rejected) {
        at = event.receive_ms;
    }
    row.event_ms = at;
    row.receive_ms = event.receive_ms;
    row.name = cut_text(event.name, 64);
    if (event.kind == EventKind::State) {
        static constexpr const char* kTokens[] = {"",  "s", "p", "k", "r", "a",
                                                  "w", "e", "f", "q", "d"};
        row.name.append(":").append(kTokens[static_cast<std::size_t>(event.state)]);
    }
    row.kind = static_cast<std::uint8_t>(event.kind);
    row.severity = static_cast<std::uint8_t>(event.error.severity);
    row.phase = phase_of(session, event);
    row.position_s = event.position_s >= 0 ? event.position_s : 0;
    row.value = value_of(event);
    row.error_code = cut_text(event.error.code, kMessageBytesMax);
    row.error_message = cut_text(event.error.message, kMessageBytesMax);
    if (!event.error.message.empty()) {
        row.error_fingerprint = error_fingerprint(event.error.message);
    }
    const std::string_view text = event.text.empty() ? event.error.details : event.text;
    row.text = cut_text(text, kTextBytesMax);
    return row;
}

model::AppEventRow app_event_row(const model::Event& event, const model::ClientContext& client,
                                 std::int64_t event_ms) {
    using model::Dimension;
    const auto stated = [&event](Dimension id) -> std::string_view {
        for (const auto& attribute : event.attributes) {
            if (attribute.id == id) return cut_text(attribute.value, kMessageBytesMax);
        }
        return {};
    };
    const auto either = [&](Dimension id, const std::string& server) {
        const std::string_view value = stated(id);
        return value.empty() ? server : std::string(value);
    };
    model::AppEventRow row;
    row.key = {event.customer_id, std::string(event.session_id)};
    row.event_ms = event_ms;
    row.receive_ms = event.receive_ms;
    row.name = cut_text(event.name, 128);
    row.subscriber_id = stated(Dimension::SubscriberId);
    row.subscriber_type = stated(Dimension::SubscriberType);
    row.subscriber_tag = stated(Dimension::SubscriberTag);
    row.device_id = stated(Dimension::DeviceId);
    row.app_name = stated(Dimension::AppName);
    row.app_version = stated(Dimension::AppVersion);
    row.sdk_version = stated(Dimension::SdkVersion);
    row.platform = either(Dimension::Platform, client.os);
    row.os_version = either(Dimension::OsVersion, client.os_version);
    row.browser = either(Dimension::Browser, client.browser);
    row.country = client.country;
    row.region = client.region;
    row.city = client.city;
    row.ip_address = client.ip_address;
    for (const auto& tag : event.tags) {
        if (row.tags.size() >= model::kTagsMax) break;
        row.tags.emplace_back(tag.name, cut_text(tag.value, kMessageBytesMax));
    }
    if (!event.app) return row;
    row.event_type = cut_text(event.app->event_type, 128);
    row.screen = cut_text(event.app->screen, kMessageBytesMax);
    row.profile_id = cut_text(event.app->profile_id, kMessageBytesMax);
    row.referral_id = cut_text(event.app->referral_id, kMessageBytesMax);
    row.device_type = cut_text(event.app->device_type, kMessageBytesMax);
    row.is_graceful = event.app->is_graceful;
    for (const auto& [name, value] : event.app->data) {
        if (row.data.size() >= model::kTagsMax) break;
        row.data.emplace_back(cut_text(name, 128), cut_text(value, kMessageBytesMax));
    }
    return row;
}

}  // namespace playhead::timeline
