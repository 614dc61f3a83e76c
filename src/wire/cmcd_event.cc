#include "wire/cmcd_event.h"

#include <algorithm>
#include <cmath>

#include "wire/key_table.h"
#include "wire/value_limits.h"

namespace playhead::wire {
namespace {

using model::Dimension;
using model::EventKind;
using model::Measure;
using model::PlayerState;

constexpr std::size_t kSidBytesMax = 64;
constexpr std::size_t kCidBytesMax = 128;
constexpr std::size_t kHostBytesMax = 128;
constexpr std::size_t kTokenBytesMax = 64;
constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kErrorBytesMax = 256;
/// A `ts` below this is suspicious: some examples of the standard are in seconds.
constexpr double kSuspiciousTsMs = 1e11;
constexpr std::int64_t kPlausibleDistanceMs = 400LL * 86'400 * 1000;

constexpr KeyEntry<EventKind> kEventEntries[] = {
    {"ps", EventKind::State},     {"t", EventKind::Heartbeat},      {"rr", EventKind::Response},
    {"bc", EventKind::Rendition}, {"e", EventKind::Error},          {"c", EventKind::ContentChange},
    {"h", EventKind::CdnChange},  {"b", EventKind::Background},     {"pr", EventKind::Rate},
    {"m", EventKind::Volume},     {"um", EventKind::Volume},        {"pe", EventKind::Resize},
    {"pc", EventKind::Resize},    {"abs", EventKind::AdBreakStart}, {"abe", EventKind::AdBreakEnd},
    {"as", EventKind::AdPlay},    {"ae", EventKind::AdEnded},       {"sk", EventKind::AdSkip},
    {"ce", EventKind::Custom},
};
constexpr KeyTable kEvents(kEventEntries);

PlayerState state_of(std::string_view token) {
    if (token.size() != 1) return PlayerState::None;
    switch (token[0]) {
        case 's': return PlayerState::Starting;
        case 'p': return PlayerState::Playing;
        case 'k': return PlayerState::Seeking;
        case 'r': return PlayerState::Rebuffering;
        case 'a': return PlayerState::Paused;
        case 'w': return PlayerState::Waiting;
        case 'e': return PlayerState::Ended;
        case 'f': return PlayerState::FatalError;
        case 'q': return PlayerState::Quit;
        case 'd': return PlayerState::Preloading;
        default: return PlayerState::None;
    }
}

std::string_view format_of(std::string_view token) {
    if (token == "h") return "HLS";
    if (token == "d") return "DASH";
    if (token == "s") return "Smooth";
    if (token == "e") return "HESP";
    if (token == "o") return "Other";
    return {};
}

std::string_view host_of(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    std::string_view host = url.substr(scheme + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
    return host.substr(0, host.find(':'));
}

/// The rate of the whole: an aggregate if stated, else video plus audio, else what there is.
double total_of(const std::vector<CmcdNumber>& numbers) {
    double video = 0;
    double audio = 0;
    double other = 0;
    for (const CmcdNumber& number : numbers) {
        if (number.object_type == 'b') return number.value;
        double& sum = number.object_type == 'v' ? video : number.object_type == 'a' ? audio : other;
        sum = std::max(sum, number.value);
    }
    return video + audio > 0 ? video + audio : other;
}

double largest(const std::vector<CmcdNumber>& numbers) {
    double result = -1;
    for (const CmcdNumber& number : numbers) result = std::max(result, number.value);
    return result;
}

double smallest(const std::vector<CmcdNumber>& numbers) {
    double result = -1;
    for (const CmcdNumber& number : numbers) {
        result = result < 0 ? number.value : std::min(result, number.value);
    }
    return result;
}

/// Keys of CTA-5004 and -B of which any report has at least one.
constexpr std::string_view kReportKeys[] = {
    "e",  "sid", "cid", "br",  "bl",   "bs", "d",   "dl", "mtp", "nor", "ot",  "pr",  "rtp",
    "sf", "st",  "su",  "tb",  "v",    "sn", "sta", "ts", "ab",  "lb",  "lab", "tab", "tpb",
    "pb", "tbl", "bsd", "bsa", "bsda", "ec", "msd", "pt", "ltc", "dfa", "bg",  "nr",  "nrr"};

}  // namespace

CmcdEventDecoder::CmcdEventDecoder(CmcdBatch& result, const CmcdSource& source)
    : result_(result), source_(source) {
    if (!source.path_sid.empty() && source.path_sid.size() <= kIdentityBytesMax) {
        path_sid_ = result.batch.arena.copy(source.path_sid);
    }
}

std::optional<std::string_view> CmcdEventDecoder::text(const CmcdRecord& record,
                                                       std::string_view key,
                                                       std::size_t bytes_max) {
    const sf::Member* member = record.find(key);
    if (member == nullptr) return {};
    const auto value = cmcd_text(*member, bytes_max, result_.batch.arena);
    if (!value) ++result_.batch.dropped_keys;
    return value;
}

void CmcdEventDecoder::add(const CmcdRecord& record, Mode mode) {
    double version = 1;
    if (const sf::Member* member = record.find("v")) version = cmcd_number(*member).value_or(1);
    if (version > 2) {
        ++result_.records_unknown_version;
        return;
    }
    model::Event event;
    const auto name = text(record, "e", kTokenBytesMax);
    // Version 1 has no events; the draft's GET events come with a time.
    const bool is_event =
        name && (mode == Mode::Event || version >= 2 || record.find("ts") != nullptr);
    if ((mode == Mode::Event && !is_event) || !identify(record, event)) {
        ++result_.records_bad;
        return;
    }
    event.protocol = is_event ? model::Protocol::CmcdEvent : model::Protocol::CmcdRequest;
    event.target = is_event ? "event" : "request";
    event.kind = EventKind::Request;
    if (is_event) {
        event.name = *name;
        const EventKind* kind = kEvents.find(*name);
        event.kind = kind != nullptr ? *kind : EventKind::Custom;
    }
    if (is_event || version >= 2) {
        event.client_ms = event_time(record);
        if (const auto state = text(record, "sta", kTokenBytesMax)) event.state = state_of(*state);
        if (const sf::Member* member = record.find("sn")) {
            const double number = cmcd_number(*member).value_or(-1);
            if (number >= 0) event.sequence = static_cast<std::int64_t>(number);
        }
    }
    common(record, event);
    numbers(record, event);
    bitrates(record, event);
    response(record, event);
    if (event.kind == EventKind::Error) errors(record, event);
    tags(record, event);
    result_.batch.events.push_back(std::move(event));
}

bool CmcdEventDecoder::identify(const CmcdRecord& record, model::Event& event) {
    event.customer_id = source_.customer_id;
    event.receive_ms = source_.receive_ms;
    event.session_id = text(record, "sid", kSidBytesMax).value_or(path_sid_);
    // Something that no CMCD key names is no report, even where the path names a session.
    const bool is_report =
        std::any_of(std::begin(kReportKeys), std::end(kReportKeys),
                    [&](std::string_view key) { return record.find(key) != nullptr; });
    return !event.session_id.empty() && is_report;
}

std::int64_t CmcdEventDecoder::event_time(const CmcdRecord& record) {
    const sf::Member* member = record.find("ts");
    if (member == nullptr) return 0;
    double time = cmcd_number(*member).value_or(-1);
    if (time > 0 && time < kSuspiciousTsMs) {
        const double distance = time * 1000 - static_cast<double>(source_.receive_ms);
        time = std::abs(distance) < kPlausibleDistanceMs ? time * 1000 : -1;
    }
    if (!(time > 0) || time > static_cast<double>(kTimeMsMax)) {
        ++result_.batch.dropped_keys;
        return 0;
    }
    return static_cast<std::int64_t>(time);
}

void CmcdEventDecoder::common(const CmcdRecord& record, model::Event& event) {
    const auto attribute = [&](Dimension id, std::string_view value) {
        if (!value.empty()) event.attributes.push_back({id, cut_text(value)});
    };
    const auto flag = [&](std::string_view key) {
        const sf::Member* member = record.find(key);
        return member != nullptr && cmcd_flag(*member);
    };
    attribute(Dimension::AssetId, text(record, "cid", kCidBytesMax).value_or(""));
    if (const auto format = text(record, "sf", kTokenBytesMax)) {
        attribute(Dimension::StreamFormat, format_of(*format));
    }
    if (const auto type = text(record, "st", kTokenBytesMax)) {
        if (*type == "v") event.is_live = 0;
        if (*type == "l" || *type == "ll") event.is_live = 1;
    }
    if (const auto type = text(record, "ot", kTokenBytesMax)) {
        event.object_type = cmcd_object_type(*type);
    }
    attribute(Dimension::Cdn, text(record, "cdn", kHostBytesMax).value_or(""));
    std::string_view host = text(record, "h", kHostBytesMax).value_or("");
    if (const auto url = text(record, "url", kUrlBytesMax)) {
        event.text = *url;
    } else if (event.kind == EventKind::Request && !source_.media_url.empty()) {
        event.text = result_.batch.arena.copy(cut_text(source_.media_url, kUrlBytesMax));
    }
    if (host.empty()) host = host_of(event.text);
    attribute(Dimension::SourceHostName, host);
    if (event.name == "ce") event.text = text(record, "cen", kTokenBytesMax).value_or("");
    event.flag = flag(event.kind == EventKind::Background ? "bg" : "bs");
    event.not_rendered = flag("nr");
    event.is_urgent = flag("su");
}

void CmcdEventDecoder::numbers(const CmcdRecord& record, model::Event& event) {
    struct Rule {
        std::string_view key;
        Measure measure;
        double (*choose)(const std::vector<CmcdNumber>&);
    };
    // The buffer that runs out first is the one that counts; cumulative values only grow.
    static constexpr Rule kRules[] = {
        {"bl", Measure::BufferLengthMs, smallest},   {"mtp", Measure::ThroughputKbps, largest},
        {"ltc", Measure::LiveLatencyMs, largest},    {"msd", Measure::MediaStartDelayMs, largest},
        {"bsda", Measure::StarvationSumMs, largest}, {"bsa", Measure::StarvationCount, largest},
        {"bsd", Measure::StarvationMs, largest},     {"pr", Measure::PlayRate, largest},
        {"d", Measure::ObjectDurationMs, largest},   {"dfa", Measure::FramesDropped, largest},
    };
    for (const Rule& rule : kRules) {
        const sf::Member* member = record.find(rule.key);
        if (member == nullptr) continue;
        const double value = rule.choose(cmcd_numbers(*member));
        if (value >= 0 && value <= kMeasureMax) {
            event.measures.push_back({rule.measure, value, 0});
        } else {
            ++result_.batch.dropped_keys;
        }
    }
    if (const sf::Member* member = record.find("pt")) {
        // Live playheads are epoch ms: no position.
        const double position = cmcd_number(*member).value_or(-1);
        if (position >= 0 && position < kSuspiciousTsMs) event.position_s = position / 1000;
    }
}

void CmcdEventDecoder::bitrates(const CmcdRecord& record, model::Event& event) {
    const auto total = [&](std::string_view key) {
        const sf::Member* member = record.find(key);
        return member != nullptr ? total_of(cmcd_numbers(*member)) : 0.0;
    };
    const double top = std::max(total("tb"), total("tab"));
    if (top > 0) event.measures.push_back({Measure::TopBitrateKbps, top, 0});
    const bool is_object = event.kind == EventKind::Response || event.kind == EventKind::Request;
    double rate = total("ab");
    if (rate == 0) rate = total("br");
    // `pb` is what is on screen, `br` what is selected or, of an object, its own.
    const double on_screen = total("pb");
    if (!is_object && on_screen > 0) rate = on_screen;
    if (rate <= 0) return;
    event.measures.push_back({Measure::BitrateKbps, rate, 0});
    const sf::Member* duration = record.find("d");
    if (!is_object || duration == nullptr) return;
    const double duration_ms = cmcd_number(*duration).value_or(0);
    if (duration_ms > 0 && duration_ms < 1e8) {
        event.measures.push_back({Measure::SegmentBytes, rate * duration_ms / 8, 0});
    }
}

void CmcdEventDecoder::response(const CmcdRecord& record, model::Event& event) {
    if (event.kind != EventKind::Response) return;
    struct Rule {
        std::string_view key;
        Measure measure;
    };
    static constexpr Rule kRules[] = {{"rc", Measure::ResponseCode},
                                      {"ttfb", Measure::FirstByteMs},
                                      {"ttlb", Measure::ResponseMs}};
    double code = 200;
    for (const Rule& rule : kRules) {
        const sf::Member* member = record.find(rule.key);
        if (member == nullptr) continue;
        const double value = cmcd_number(*member).value_or(-1);
        if (value < 0) {
            ++result_.batch.dropped_keys;
            continue;
        }
        if (rule.measure == Measure::ResponseCode) code = value;
        event.measures.push_back({rule.measure, value, 0});
    }
    if (code < 200 || code > 299) {
        std::erase_if(event.measures,
                      [](const auto& given) { return given.id == Measure::SegmentBytes; });
    }
}

void CmcdEventDecoder::errors(const CmcdRecord& record, model::Event& event) {
    event.error.severity =
        event.state == PlayerState::FatalError ? model::Severity::Fatal : model::Severity::Unknown;
    const sf::Member* member = record.find("ec");
    if (member == nullptr) return;
    model::Arena& arena = result_.batch.arena;
    event.error.code = cmcd_text(*member, kErrorBytesMax, arena).value_or("");
    event.text = event.error.code;
    if (!member->is_inner_list || member->items.size() < 2) return;
    std::string all;
    for (const sf::Item& item : member->items) {
        if (!all.empty()) all += ' ';
        all += cmcd_text(item.value, kErrorBytesMax, arena).value_or("");
        if (all.size() > model::kDimensionValueBytesMax) break;
    }
    event.text = arena.copy(cut_text(all));
    event.error.details = event.text;
}

void CmcdEventDecoder::tags(const CmcdRecord& record, model::Event& event) {
    for (const auto& [key, member] : record.members()) {
        if (key.find('-') == std::string_view::npos) continue;
        auto value = cmcd_text(member, kTokenBytesMax, result_.batch.arena);
        // A bare custom key is a flag that is set.
        if (!member.is_inner_list && member.value.type == sf::Type::Boolean) {
            value = cmcd_flag(member) ? "true" : "false";
        }
        if (!value || key.size() > kTokenBytesMax || event.tags.size() >= model::kTagsMax) {
            ++result_.batch.dropped_keys;
            continue;
        }
        event.tags.push_back({key, *value});
    }
}

}  // namespace playhead::wire
