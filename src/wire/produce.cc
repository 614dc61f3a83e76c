#include "wire/produce.h"

#include <simdjson.h>

#include <utility>

#include "wire/json_walk.h"
#include "wire/smartsight.h"
#include "wire/value_limits.h"

namespace playhead::wire {
namespace {

using JsonValue = JsonWalk::Value;

/// What stands beside `qubitData` in a record; the compact encoders write most of it after.
struct RecordFields {
    std::int64_t client_ms = 0;
    double position_s = std::numeric_limits<double>::quiet_NaN();
    double play_duration_s = std::numeric_limits<double>::quiet_NaN();
    double interval_s = std::numeric_limits<double>::quiet_NaN();
};

class BodyDecoder {
public:
    BodyDecoder(model::EventBatch& batch, std::int64_t receive_ms, const ProduceLimits& limits)
        : batch_(batch), walk_(batch.arena, limits), receive_ms_(receive_ms), limits_(limits) {}

    JsonWalk& walk() { return walk_; }
    bool refused() const { return refused_; }

    template <class Source>
    void record(Source&& source) {
        const std::size_t first = batch_.events.size();
        RecordFields fields;
        const bool is_object = walk_.object(source, [&](std::string_view key, JsonValue value) {
            const Target* target = kRecordKeys.find(key);
            if (target == nullptr) return walk_.skip(value);
            if (target->field == Field::Entries) return entries(value);
            field(fields, target->field, walk_.scalar(value));
        });
        if (!walk_.ok()) return;
        if (!is_object) return refuse("an object expected");
        if (batch_.events.size() == first) return refuse("qubitData: missing or empty");
        for (std::size_t index = first; index < batch_.events.size(); ++index) {
            model::Event& event = batch_.events[index];
            event.client_ms = fields.client_ms;
            if (!std::isnan(fields.position_s)) event.position_s = fields.position_s;
            event.play_duration_s = fields.play_duration_s;
            event.interval_s = fields.interval_s;
            event.receive_ms = receive_ms_;
        }
        ++records_;
    }

private:
    void entries(JsonValue value) {
        const bool is_array = walk_.array(value, [this](JsonValue element) { entry(element); });
        if (walk_.ok() && !is_array) refuse("qubitData: an array expected");
    }

    void entry(JsonValue value) {
        if (batch_.events.size() >= limits_.records_max) return walk_.fail("too many records");
        model::Event& event = batch_.events.emplace_back();
        std::string fault;
        if (!EntryDecoder(walk_, batch_, event).decode(value, fault)) {
            refuse("qubitData." + fault);
        }
    }

    void field(RecordFields& fields, Field field, const Scalar& scalar) {
        if (scalar.is_null()) return;
        if (field == Field::Time) {
            const auto time = time_of(scalar);
            if (!time) ++batch_.dropped_keys;
            fields.client_ms = time.value_or(0);
            return;
        }
        const auto number = number_of(scalar);
        if (!number || *number < 0) {
            ++batch_.dropped_keys;
            return;
        }
        double& slot = field == Field::Position       ? fields.position_s
                       : field == Field::PlayDuration ? fields.play_duration_s
                                                      : fields.interval_s;
        slot = *number;
    }

    void refuse(const std::string& why) {
        refused_ = true;
        walk_.fail("record " + std::to_string(records_) + ": " + why);
    }

    model::EventBatch& batch_;
    JsonWalk walk_;
    std::int64_t receive_ms_;
    const ProduceLimits& limits_;
    std::size_t records_ = 0;
    bool refused_ = false;
};

tl::unexpected<Error> not_json(std::string_view why, const char* at, std::string_view body) {
    std::string message(why);
    if (at >= body.data() && at <= body.data() + body.size()) {
        message += " at byte " + std::to_string(at - body.data());
    }
    return fail_parameter("body", {}, "a SmartSight record or an array of them",
                          std::move(message));
}

}  // namespace

Result<model::EventBatch> decode_produce(std::string body, std::int64_t receive_ms,
                                         const ProduceLimits& limits) {
    thread_local simdjson::ondemand::parser parser;
    const std::size_t size = body.size();
    if (body.capacity() - size < simdjson::SIMDJSON_PADDING) {
        body.reserve(size + simdjson::SIMDJSON_PADDING);
    }
    model::EventBatch batch;
    batch.body = std::make_unique<const std::string>(std::move(body));
    const std::string_view text = *batch.body;

    simdjson::ondemand::document document;
    if (const auto code = parser.iterate(text, batch.body->capacity()).get(document)) {
        return not_json(simdjson::error_message(code), nullptr, text);
    }
    simdjson::ondemand::json_type type{};
    if (const auto code = document.type().get(type)) {
        return not_json(simdjson::error_message(code), text.data(), text);
    }
    BodyDecoder decoder(batch, receive_ms, limits);
    if (type == simdjson::ondemand::json_type::array) {
        decoder.walk().array(document, [&](JsonValue value) { decoder.record(value); });
    } else if (type == simdjson::ondemand::json_type::object) {
        decoder.record(document);
    } else {
        return not_json("neither an object nor an array", text.data(), text);
    }
    if (!decoder.walk().ok()) {
        const char* at = nullptr;
        if (decoder.refused() || document.current_location().get(at)) at = nullptr;
        return not_json(decoder.walk().error(), at, text);
    }
    if (!is_at_end(document)) {
        const char* at = nullptr;
        if (document.current_location().get(at)) at = nullptr;
        return not_json("text after the end of the document", at, text);
    }
    return batch;
}

}  // namespace playhead::wire
