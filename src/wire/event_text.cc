#include "wire/event_text.h"

#include <simdjson.h>

#include "wire/json_walk.h"
#include "wire/value_limits.h"

namespace playhead::wire {
namespace {

using JsonValue = JsonWalk::Value;

/// Calls `member(key, scalar)` for each scalar of a JSON object in `text`, of nested objects too.
template <class Member>
bool each_scalar(std::string_view text, model::Arena& arena, Member&& member) {
    // Own parser: the body's parser is in the middle of its document.
    thread_local simdjson::ondemand::parser parser;
    const simdjson::padded_string padded(text);
    simdjson::ondemand::document document;
    if (parser.iterate(padded).get(document)) return false;
    const ProduceLimits limits;
    JsonWalk walk(arena, limits);
    const auto visit = [&](auto&& self, std::string_view key, JsonValue value) -> void {
        simdjson::ondemand::json_type type{};
        if (const auto code = value.type().get(type)) return walk.fail(code);
        if (type == simdjson::ondemand::json_type::object) {
            walk.object(value,
                        [&](std::string_view name, JsonValue inner) { self(self, name, inner); });
            return;
        }
        const Scalar scalar = walk.scalar(value);
        if (walk.ok() && scalar.is_text()) {
            // The padded copy dies with this function.
            member(key, Scalar{scalar.type, arena.copy(scalar.text), scalar.number});
        }
    };
    const bool is_object = walk.object(
        document, [&](std::string_view key, JsonValue value) { visit(visit, key, value); });
    return is_object && walk.ok() && is_at_end(document);
}

std::string_view unless_na(std::string_view text) {
    return text == "NA" ? std::string_view() : text;
}

/// Splits `CODE_MESSAGE` at the first underscore; text without one is all message.
void split_code(std::string_view text, model::ErrorFacts& facts) {
    const std::size_t underscore = text.find('_');
    if (underscore > 64) {  // `npos` is
        facts.message = unless_na(text);
        return;
    }
    facts.code = unless_na(text.substr(0, underscore));
    facts.message = unless_na(text.substr(underscore + 1));
}

/// Takes code and message from JSON such as {"errorCode":"22001","errorString":"IO"}.
bool read_error_json(std::string_view text, model::ErrorFacts& facts, model::Arena& arena) {
    return each_scalar(text, arena, [&](std::string_view key, const Scalar& value) {
        if (key == "errorCode" || key == "code" || key == "errCode" || key == "statusCode" ||
            key == "status") {
            if (facts.code.empty()) facts.code = value.text;
        } else if (key == "errorString" || key == "message" || key == "errorMessage" ||
                   key == "msg" || key == "description" || key == "reason") {
            if (facts.message.empty()) facts.message = value.text;
        }
    });
}

bool split_marked(std::string_view text, std::string_view marker, model::ErrorFacts& facts) {
    const std::size_t at = text.find(marker);
    if (at == std::string_view::npos) return false;
    split_code(text.substr(0, at), facts);
    facts.details = unless_na(text.substr(at + marker.size()));
    return true;
}

}  // namespace

model::ErrorFacts parse_error_text(std::string_view text, model::Arena& arena) {
    model::ErrorFacts facts;
    facts.severity = model::Severity::Unknown;
    if (split_marked(text, "@@FATAL@@", facts)) {
        facts.severity = model::Severity::Fatal;
        return facts;
    }
    if (split_marked(text, "@@WARNING@@", facts)) {
        facts.severity = model::Severity::Warning;
        return facts;
    }
    if (text.starts_with('{')) {
        if (read_error_json(text, facts, arena)) {
            facts.details = text;
            return facts;
        }
        facts.code = {};
        facts.message = unless_na(text);
        return facts;
    }
    if (const std::size_t at = text.find("_{"); at != std::string_view::npos) {
        split_code(text.substr(0, at), facts);
        if (facts.code.empty()) std::swap(facts.code, facts.message);
        facts.details = text.substr(at + 1);
        return facts;
    }
    facts.message = unless_na(text);
    return facts;
}

std::string_view new_value(std::string_view text) {
    constexpr std::string_view kMark = "New: ";
    const std::size_t at = text.rfind(kMark);
    if (at == std::string_view::npos) return unless_na(text);
    std::string_view value = text.substr(at + kMark.size());
    value = value.substr(0, value.find_first_of("\"}"));
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    return unless_na(value);
}

void add_rendition_change(std::string_view text, model::Event& event, model::Arena& arena) {
    using model::Dimension;
    using model::Measure;
    each_scalar(text, arena, [&](std::string_view key, const Scalar& value) {
        const std::string_view now = new_value(value.text);
        if (now.empty()) return;
        if (key == "Bitrate") {
            const double bps = number_of(now).value_or(-1);
            if (bps >= 0) event.measures.push_back({Measure::BitrateKbps, bps / 1000, 0});
        } else if (key == "FPS") {
            const double fps = number_of(now).value_or(-1);
            if (fps >= 0) event.measures.push_back({Measure::Fps, fps, 0});
        } else if (key == "Res") {
            event.attributes.push_back({Dimension::Resolution, now});
        } else if (key == "VCodec") {
            event.attributes.push_back({Dimension::VideoCodec, now});
        } else if (key == "ACodec") {
            event.attributes.push_back({Dimension::AudioCodec, now});
        }
    });
}

}  // namespace playhead::wire
