/// Decodes one entry of a SmartSight record's `qubitData` into one event. Internal to wire: use
/// `decode_produce`.
///
/// Units on the wire and here: `cb`, `dr` bit/s -> kbit/s; `bu` bit/s / 1024 -> kbit/s; `cz` is
/// bytes (4.4.2 sends 400000 for 4 s of 800 kbit/s and 1500000 for 4 s of 3 Mbit/s, although
/// "dur x cbrBitrate" would suggest bits); adBitrate kbit/s, values over 100000 are taken as bit/s.
#pragma once

#include <bitset>
#include <string>

#include "wire/json_walk.h"
#include "wire/smartsight_keys.h"

namespace playhead::wire {

class EntryDecoder {
public:
    EntryDecoder(JsonWalk& walk, model::EventBatch& batch, model::Event& event)
        : walk_(walk), batch_(batch), event_(event) {}

    /// Reads the entry. False when it lacks an identity; `fault` then names the field.
    bool decode(JsonWalk::Value value, std::string& fault);

private:
    void part(Field field, JsonWalk::Value value);
    void stream_id(JsonWalk::Value value);
    void identity(Field field, const Scalar& scalar);
    void player_event(JsonWalk::Value value);
    void stream_info(JsonWalk::Value value);
    void stream_format(JsonWalk::Value value);
    void segment(JsonWalk::Value value);
    void playback(JsonWalk::Value value);
    void client(JsonWalk::Value value);
    void ad(JsonWalk::Value value);
    void ad_field(Field field, const Scalar& scalar);
    void tags(JsonWalk::Value value, bool compact);
    template <class Table>
    void plain(JsonWalk::Value value, const Table& table);
    /// Attribute or measure of a generic target.
    void take(const Target& target, const Scalar& scalar, std::int64_t client_ms = 0);
    void attribute(model::Dimension id, std::string_view value);
    void measure(model::Measure id, double value, std::int64_t client_ms = 0);
    void drop() { ++batch_.dropped_keys; }
    void finish();

    JsonWalk& walk_;
    model::EventBatch& batch_;
    model::Event& event_;
    std::bitset<model::kDimensionCount> seen_;
    std::string_view customer_text_;
    std::string_view data_source_;
    bool has_player_event_ = false;
};

}  // namespace playhead::wire
