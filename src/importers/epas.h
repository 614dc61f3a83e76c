/// Eyevinn's player analytics events (EPAS 0.2) as SmartSight records, which say the same things
/// under other names: init ONLOAD, first playing START, paused PAUSE, buffering BUFFERING, …
/// Not thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "importers/report.h"

namespace playhead::importers {

/// The events of one line: an object, an array of them, or a heartbeat that carries others. Each
/// comes as a report of its own with its JSON text. InvalidArgument says what is missing.
Result<std::vector<Report>> split_epas(std::string_view line, std::uint64_t customer_id);

/// Takes the events in order of time and makes records of them: START or RESUME depends on what
/// was before.
class EpasTranslator {
public:
    /// Sessions followed at once; of more, each `playing` counts as going on.
    static constexpr std::size_t kSessionsMax = 2'000'000;

    explicit EpasTranslator(std::uint64_t customer_id) : customer_id_(customer_id) {}

    /// A report of kind Produce; nullopt for an event that says nothing new (loaded).
    std::optional<Report> translate(const Report& event);

private:
    struct Session {
        std::int64_t asked_ms = 0;
        bool started = false;
        bool paused = false;
        bool buffering = false;
        bool failed = false;
    };

    std::uint64_t customer_id_;
    std::unordered_map<std::uint64_t, Session> sessions_;
};

}  // namespace playhead::importers
