#include "wire/smartsight.h"

#include <charconv>

#include "wire/app_analytics.h"
#include "wire/event_names.h"
#include "wire/event_text.h"
#include "wire/value_limits.h"

namespace playhead::wire {

using JsonValue = JsonWalk::Value;

bool EntryDecoder::decode(JsonValue value, std::string& fault) {
    event_.attributes.reserve(40);
    event_.measures.reserve(8);
    const bool is_object = walk_.object(value, [this](std::string_view key, JsonValue member) {
        const Target* target = kEntryKeys.find(key);
        if (target == nullptr) return walk_.skip(member);
        if (target->field == Field::Tags) return tags(member, key == "ctg");
        part(target->field, member);
    });
    if (!walk_.ok()) return true;
    if (!is_object) {
        fault = "an object expected";
        return false;
    }
    if (event_.customer_id == 0) {
        fault = "streamID.custId: a positive whole number expected, got \"" +
                std::string(cut_text(customer_text_, 64)) + "\"";
        return false;
    }
    if (event_.session_id.empty()) {
        fault = "streamID.sessionId: missing";
        return false;
    }
    finish();
    return true;
}

void EntryDecoder::part(Field field, JsonValue value) {
    switch (field) {
        case Field::StreamId: return stream_id(value);
        case Field::PlayerEvent: return player_event(value);
        case Field::StreamInfo: return stream_info(value);
        case Field::Content: return plain(value, kContentKeys);
        case Field::Sdk: return plain(value, kSdkKeys);
        case Field::Client: return client(value);
        case Field::Ad: return ad(value);
        case Field::AppEvent: return read_app_event(walk_, value, event_, batch_.dropped_keys);
        case Field::User: return read_user_info(walk_, value, event_);
        case Field::Segments:
            walk_.array(value, [this](JsonValue element) { segment(element); });
            return;
        default: walk_.array(value, [this](JsonValue element) { playback(element); });
    }
}

template <class Table>
void EntryDecoder::plain(JsonValue value, const Table& table) {
    walk_.object(value, [&](std::string_view key, JsonValue member) {
        const Target* target = table.find(key);
        if (target == nullptr) return walk_.skip(member);
        take(*target, walk_.scalar(member));
    });
}

void EntryDecoder::take(const Target& target, const Scalar& scalar, std::int64_t client_ms) {
    if (scalar.is_null()) return;
    if (!scalar.is_text()) return drop();
    if (target.field == Field::Attribute) return attribute(target.dimension, scalar.text);
    if (scalar.text.empty()) return;
    const auto number = number_of(scalar);
    const bool may_be_negative = target.measure == M::TotalDurationS;
    if (!number || (*number < 0 && !(may_be_negative && *number == -1))) return drop();
    measure(target.measure, *number * target.factor, client_ms);
}

void EntryDecoder::attribute(model::Dimension id, std::string_view value) {
    if (value.empty() || seen_[model::index_of(id)]) return;
    seen_.set(model::index_of(id));
    event_.attributes.push_back({id, cut_text(value)});
}

void EntryDecoder::measure(model::Measure id, double value, std::int64_t client_ms) {
    event_.measures.push_back({id, value, client_ms});
}

void EntryDecoder::stream_id(JsonValue value) {
    walk_.object(value, [this](std::string_view key, JsonValue member) {
        const Target* target = kStreamIdKeys.find(key);
        if (target == nullptr) return walk_.skip(member);
        const Scalar scalar = walk_.scalar(member);
        if (target->field == Field::Attribute) return take(*target, scalar);
        if (scalar.is_null()) return;
        if (!scalar.is_text()) return drop();
        identity(target->field, scalar);
    });
}

void EntryDecoder::identity(Field field, const Scalar& scalar) {
    switch (field) {
        case Field::Customer: {
            customer_text_ = scalar.text;
            std::uint64_t id = 0;
            const char* end = scalar.text.data() + scalar.text.size();
            const auto [stop, code] = std::from_chars(scalar.text.data(), end, id);
            event_.customer_id = code == std::errc() && stop == end ? id : 0;
            return;
        }
        // An id that is too long is cut, not refused: it stays unique enough, and is bounded.
        case Field::Session: event_.session_id = cut_text(scalar.text, kIdentityBytesMax); return;
        case Field::PayloadId: event_.payload_id = cut_text(scalar.text, kIdentityBytesMax); return;
        case Field::DataSource: data_source_ = scalar.text; return;
        case Field::SessionStart:
            if (const auto time = time_of(scalar)) {
                event_.session_start_ms = *time;
            } else {
                drop();
            }
            return;
        default:
            if (const auto live = truth_of(scalar)) {
                event_.is_live = *live ? 1 : 0;
            } else if (!scalar.text.empty()) {
                drop();
            }
    }
}

void EntryDecoder::player_event(JsonValue value) {
    has_player_event_ = walk_.object(value, [this](std::string_view key, JsonValue member) {
        const Target* target = kPlayerEventKeys.find(key);
        if (target == nullptr) return walk_.skip(member);
        const Scalar scalar = walk_.scalar(member);
        if (scalar.is_null()) return;
        if (!scalar.is_text()) return drop();
        switch (target->field) {
            case Field::EventName: event_.name = cut_text(scalar.text); return;
            case Field::Description: event_.text = scalar.text; return;
            default:
                // The record's own position, where there is one, is written over this later.
                if (const auto position = number_of(scalar)) event_.position_s = *position;
        }
    });
}

void EntryDecoder::stream_info(JsonValue value) {
    walk_.object(value, [this](std::string_view key, JsonValue member) {
        const Target* target = kStreamInfoKeys.find(key);
        if (target == nullptr) return walk_.skip(member);
        if (target->field == Field::StreamFormat) return stream_format(member);
        take(*target, walk_.scalar(member));
    });
}

void EntryDecoder::stream_format(JsonValue value) {
    simdjson::ondemand::json_type type{};
    if (const auto code = value.type().get(type)) return walk_.fail(code);
    if (type != simdjson::ondemand::json_type::object) {
        return take(D::StreamFormat, walk_.scalar(value));
    }
    walk_.object(value, [this](std::string_view key, JsonValue member) {
        const Target* target = kStreamFormatKeys.find(key);
        if (target == nullptr) return walk_.skip(member);
        const Scalar scalar = walk_.scalar(member);
        if (target->field == Field::IsLive) {
            if (scalar.is_text()) identity(Field::IsLive, scalar);
        } else if (target->field == Field::DurationMs) {
            take({M::TotalDurationS, 0.001}, scalar);
        } else {
            take(*target, scalar);
        }
    });
}

void EntryDecoder::segment(JsonValue value) {
    const std::size_t first = event_.measures.size();
    std::int64_t client_ms = 0;
    double bytes = 0;
    double download_kbps = -1;
    bool is_repeat = false;
    walk_.object(value, [&](std::string_view key, JsonValue member) {
        const Target* target = kSegmentKeys.find(key);
        if (target == nullptr) return walk_.skip(member);
        const Scalar scalar = walk_.scalar(member);
        if (target->field == Field::Attribute) {
            // The last segment names what is on screen: it replaces an earlier one's.
            if (!scalar.is_text() || scalar.text.empty()) return;
            std::erase_if(event_.attributes,
                          [&](const auto& given) { return given.id == target->dimension; });
            seen_.reset(model::index_of(target->dimension));
            return attribute(target->dimension, scalar.text);
        }
        if (target->field == Field::Measure) return take(*target, scalar);
        if (scalar.is_null()) return;
        const auto number = number_of(scalar);
        if (target->field == Field::Time) {
            client_ms = time_of(scalar).value_or(0);
        } else if (target->field == Field::SegmentDuration) {
            is_repeat = number.value_or(0) < 0;
        } else if (!number || *number < 0) {
            drop();
        } else if (target->field == Field::Bitrate) {
            if (*number > 0) measure(M::BitrateKbps, *number / 1000);
        } else if (target->field == Field::SegmentBytes) {
            bytes = *number;
        } else {
            download_kbps = *number / 1000;
        }
    });
    // A repeat restates the rendition; its rate is stale and its segment was counted before.
    if (!is_repeat && bytes > 0) measure(M::SegmentBytes, bytes);
    if (!is_repeat && download_kbps >= 0) measure(M::DownloadRateKbps, download_kbps);
    // A repeat speaks of the moment of its record, whatever time it bears.
    for (std::size_t index = first; index < event_.measures.size(); ++index) {
        event_.measures[index].client_ms = is_repeat ? 0 : client_ms;
    }
}

void EntryDecoder::playback(JsonValue value) {
    const std::size_t first = event_.measures.size();
    std::int64_t client_ms = 0;
    double wait_ms = -1;
    bool after_seek = false;
    walk_.object(value, [&](std::string_view key, JsonValue member) {
        const Target* target = kPlaybackKeys.find(key);
        if (target == nullptr) return walk_.skip(member);
        const Scalar scalar = walk_.scalar(member);
        if (scalar.is_null()) return;
        switch (target->field) {
            case Field::Time: client_ms = time_of(scalar).value_or(0); return;
            case Field::BufferWaitType: after_seek = scalar.text == "VRT"; return;
            case Field::BufferWait:
                wait_ms = number_of(scalar).value_or(-1);
                if (wait_ms < 0) drop();
                return;
            default: take(*target, scalar);
        }
    });
    if (wait_ms >= 0) measure(after_seek ? M::SeekStallMs : M::StallMs, wait_ms);
    for (std::size_t index = first; index < event_.measures.size(); ++index) {
        event_.measures[index].client_ms = client_ms;
    }
}

void EntryDecoder::client(JsonValue value) {
    walk_.object(value, [this](std::string_view key, JsonValue member) {
        const Target* target = kClientKeys.find(key);
        if (target == nullptr) return walk_.skip(member);
        const Scalar scalar = walk_.scalar(member);
        if (target->field == Field::Attribute) return take(*target, scalar);
        if (!scalar.is_text() || scalar.text.empty()) return;
        if (target->field == Field::DeviceType) {
            app_facts(event_).device_type = cut_text(scalar.text);
            return attribute(D::Device, scalar.text);
        }
        const auto number = number_of(scalar);
        if (!number || *number < 0 || *number > 4294967295.0) return drop();
        event_.asn = static_cast<std::uint32_t>(*number);
    });
}

void EntryDecoder::ad(JsonValue value) {
    if (!event_.ad) event_.ad = std::make_unique<model::AdFacts>();
    walk_.object(value, [this](std::string_view key, JsonValue member) {
        const Target* target = kAdKeys.find(key);
        if (target == nullptr) return walk_.skip(member);
        const Scalar scalar = walk_.scalar(member);
        if (scalar.is_null()) return;
        if (!scalar.is_text()) return drop();
        ad_field(target->field, scalar);
    });
}

void EntryDecoder::ad_field(Field field, const Scalar& scalar) {
    model::AdFacts& ad = *event_.ad;
    const std::string_view text = cut_text(scalar.text);
    switch (field) {
        case Field::AdId: ad.id = text; return;
        case Field::AdClient: ad.client = text; return;
        case Field::AdCreativeId: ad.creative_id = text; return;
        case Field::AdCreativeType: ad.creative_type = text; return;
        case Field::AdPosition: ad.position = text; return;
        case Field::AdLinear: ad.linear = text; return;
        case Field::AdSystem: ad.system = text; return;
        case Field::AdResolution: ad.resolution = text; return;
        case Field::AdTitle: ad.title = text; return;
        case Field::AdUrl: ad.url = text; return;
        case Field::AdBumper: ad.is_bumper = truth_of(scalar).value_or(false); return;
        default: break;
    }
    const auto number = number_of(scalar);
    const double lowest = field == Field::AdPodIndex ? -1 : 0;
    const bool is_count =
        field == Field::AdPodIndex || field == Field::AdPodPosition || field == Field::AdPodLength;
    if (!number || *number < lowest || (is_count && *number > 1e6)) return drop();
    switch (field) {
        case Field::AdDuration: ad.duration_s = *number; return;
        case Field::AdInterval: ad.interval_s = *number; return;
        case Field::AdBitrate: ad.bitrate_kbps = *number > 1e5 ? *number / 1000 : *number; return;
        case Field::AdPodIndex: ad.pod_index = static_cast<int>(*number); return;
        case Field::AdPodPosition: ad.pod_position = static_cast<int>(*number); return;
        default: ad.pod_length = static_cast<int>(*number);
    }
}

namespace {

/// The compact encoders shorten tag names that equal a mapped key. Only the ones seen to be are
/// mapped back: any other short name may be the customer's own.
std::string_view full_tag_name(std::string_view name) {
    if (name == "g") return "genre";
    if (name == "se") return "season";
    if (name == "v") return "version";
    if (name == "e") return "event";
    return name;
}

}  // namespace

void EntryDecoder::tags(JsonValue value, bool compact) {
    walk_.object(value, [&](std::string_view key, JsonValue member) {
        const Scalar scalar = walk_.scalar(member);
        if (scalar.is_null() || key.empty()) return;
        if (!scalar.is_text() || event_.tags.size() >= model::kTagsMax) return drop();
        event_.tags.push_back(
            {cut_text(compact ? full_tag_name(key) : key), cut_text(scalar.text)});
    });
}

void EntryDecoder::finish() {
    using model::EventKind;
    if (data_source_ == "Application" ||
        (event_.app && !event_.name.empty() && !has_player_event_)) {
        event_.protocol = model::Protocol::AppAnalytics;
        event_.kind = EventKind::Application;
        app_facts(event_);
        return;
    }
    event_.app.reset();
    if (!has_player_event_) {
        event_.kind = data_source_ == "Player-ping" ? EventKind::Ping : EventKind::Stats;
        return;
    }
    event_.kind = kind_of_event(event_.name);
    switch (event_.kind) {
        case EventKind::Error:
        case EventKind::AdError:
        case EventKind::RequestFailed:
            event_.error = parse_error_text(event_.text, batch_.arena);
            break;
        case EventKind::Rendition: {
            std::vector<model::AttributeValue> given;
            given.swap(event_.attributes);
            add_rendition_change(event_.text, event_, batch_.arena);
            for (const auto& now : event_.attributes) {
                std::erase_if(given, [&](const auto& old) { return old.id == now.id; });
            }
            event_.attributes.insert(event_.attributes.end(), given.begin(), given.end());
            break;
        }
        case EventKind::AudioTrack: attribute(D::AudioTrack, new_value(event_.text)); break;
        case EventKind::SubtitleTrack: attribute(D::SubtitleTrack, new_value(event_.text)); break;
        default: break;
    }
    if (is_ad(event_.kind)) {
        // In ad events this is the ad's resolution, not the screen's (observed.md, Ads).
        std::erase_if(event_.attributes,
                      [](const auto& given) { return given.id == D::ScreenResolution; });
    }
}

}  // namespace playhead::wire
