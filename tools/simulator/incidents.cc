#include "simulator/incidents.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace playhead::simulator {
namespace {

constexpr double kEpochFloorMs = 1e11;

Result<Incident> read_incident(const YAML::Node& node, std::int64_t base_ms) {
    Incident incident;
    double from = 0;
    double minutes = 60;
    for (const auto& entry : node) {
        const auto key = entry.first.as<std::string>();
        const YAML::Node& value = entry.second;
        if (key == "cdn")
            incident.cdn = value.as<std::string>();
        else if (key == "country")
            incident.country = value.as<std::string>();
        else if (key == "isp")
            incident.isp = value.as<std::string>();
        else if (key == "device")
            incident.device = value.as<std::string>();
        else if (key == "player")
            incident.player = value.as<std::string>();
        else if (key == "asset")
            incident.asset = value.as<std::string>();
        else if (key == "from")
            from = value.as<double>();
        else if (key == "minutes")
            minutes = value.as<double>();
        else if (key == "throughput")
            incident.throughput_factor = value.as<double>();
        else if (key == "failure")
            incident.failure_share = value.as<double>();
        else {
            return fail_parameter("incidents", key,
                                  "cdn, country, isp, device, player, asset, from, minutes, "
                                  "throughput or failure",
                                  "Unknown key in an incident.");
        }
    }
    const bool sane = minutes > 0 && minutes < 1e7 && incident.throughput_factor > 0 &&
                      incident.throughput_factor <= 100 && incident.failure_share >= 0 &&
                      incident.failure_share <= 1 && from >= 0 && from < 1e14;
    if (!sane) {
        return fail(ErrorCode::InvalidArgument,
                    "An incident needs minutes > 0, throughput > 0 and failure from 0 to 1.");
    }
    incident.from_ms = from > kEpochFloorMs ? static_cast<std::int64_t>(from)
                                            : base_ms + static_cast<std::int64_t>(from * 60'000);
    incident.until_ms = incident.from_ms + static_cast<std::int64_t>(minutes * 60'000);
    return incident;
}

bool matches(const std::string& wanted, const std::string& actual) {
    return wanted.empty() || wanted == actual;
}

}  // namespace

Result<std::vector<Incident>> parse_incidents(std::string_view text, std::int64_t base_ms) {
    std::vector<Incident> incidents;
    try {
        const YAML::Node root = YAML::Load(std::string(text));
        const YAML::Node list = root.IsMap() ? root["incidents"] : root;
        if (!list || !list.IsSequence()) {
            return fail(ErrorCode::InvalidArgument, "Expected a list of incidents.");
        }
        if (list.size() > kIncidentsMax) {
            return fail(ErrorCode::PayloadTooLarge, "Too many incidents (at most 256).");
        }
        for (const auto& node : list) {
            if (!node.IsMap()) {
                return fail(ErrorCode::InvalidArgument, "An incident must be a map.");
            }
            auto incident = read_incident(node, base_ms);
            if (!incident) return fail(incident.error());
            incidents.push_back(std::move(*incident));
        }
    } catch (const YAML::Exception& exception) {
        return fail(ErrorCode::InvalidArgument,
                    std::string("Incidents cannot be read: ") + exception.what());
    }
    return incidents;
}

Trouble trouble_at(const std::vector<const Incident*>& incidents, std::int64_t at_ms) noexcept {
    Trouble trouble;
    for (const Incident* incident : incidents) {
        if (at_ms < incident->from_ms || at_ms >= incident->until_ms) continue;
        trouble.throughput_factor *= incident->throughput_factor;
        trouble.failure_share = std::min(1.0, trouble.failure_share + incident->failure_share);
    }
    return trouble;
}

std::vector<const Incident*> matching(const std::vector<Incident>& all, const World& world,
                                      const Playback& playback) {
    std::vector<const Incident*> found;
    const Country& country = world.countries()[playback.country];
    const Device& device = world.devices()[playback.viewer.device];
    for (const Incident& incident : all) {
        if (matches(incident.cdn, world.cdns()[playback.cdn].name) &&
            matches(incident.country, country.code) &&
            matches(incident.isp, country.networks[playback.viewer.network].isp) &&
            matches(incident.device, device.category) && matches(incident.player, device.player) &&
            matches(incident.asset, world.assets()[playback.asset].id)) {
            found.push_back(&incident);
        }
    }
    return found;
}

}  // namespace playhead::simulator
