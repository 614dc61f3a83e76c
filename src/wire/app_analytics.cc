#include "wire/app_analytics.h"

#include "wire/smartsight_keys.h"
#include "wire/value_limits.h"

namespace playhead::wire {

model::AppFacts& app_facts(model::Event& event) {
    if (!event.app) event.app = std::make_unique<model::AppFacts>();
    return *event.app;
}

namespace {

void read_event_data(JsonWalk& walk, JsonWalk::Value value, model::AppFacts& app,
                     std::uint32_t& dropped_keys) {
    walk.object(value, [&](std::string_view key, JsonWalk::Value member) {
        const Scalar scalar = walk.scalar(member);
        if (scalar.is_null()) return;
        if (!scalar.is_text() || app.data.size() >= kAppDataMax) {
            ++dropped_keys;
            return;
        }
        app.data.emplace_back(cut_text(key), cut_text(scalar.text));
    });
}

}  // namespace

void read_app_event(JsonWalk& walk, JsonWalk::Value value, model::Event& event,
                    std::uint32_t& dropped_keys) {
    model::AppFacts& app = app_facts(event);
    walk.object(value, [&](std::string_view key, JsonWalk::Value member) {
        const Target* target = kAppEventKeys.find(key);
        if (target == nullptr) return walk.skip(member);
        if (target->field == Field::AppData)
            return read_event_data(walk, member, app, dropped_keys);
        const Scalar scalar = walk.scalar(member);
        if (!scalar.is_text()) {
            if (!scalar.is_null()) ++dropped_keys;
            return;
        }
        switch (target->field) {
            case Field::AppName: event.name = cut_text(scalar.text); break;
            case Field::AppType: app.event_type = cut_text(scalar.text); break;
            case Field::AppScreen: app.screen = cut_text(scalar.text); break;
            default: app.is_graceful = truth_of(scalar).value_or(false); break;
        }
    });
}

void read_user_info(JsonWalk& walk, JsonWalk::Value value, model::Event& event) {
    model::AppFacts& app = app_facts(event);
    walk.object(value, [&](std::string_view key, JsonWalk::Value member) {
        const Target* target = kUserKeys.find(key);
        if (target == nullptr) return walk.skip(member);
        const Scalar scalar = walk.scalar(member);
        if (!scalar.is_text()) return;
        std::string_view& slot =
            target->field == Field::ProfileId ? app.profile_id : app.referral_id;
        slot = cut_text(scalar.text);
    });
}

}  // namespace playhead::wire
