#include "simulator/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "simulator/world_data.h"

namespace playhead::simulator {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::uint32_t kLiveEvery = 20;

/// Relative demand by local hour; the mean is 1.
constexpr std::array kHourDemand{0.60, 0.32, 0.18, 0.11, 0.10, 0.16, 0.35, 0.55,
                                 0.62, 0.60, 0.63, 0.72, 0.92, 0.95, 0.90, 0.95,
                                 1.10, 1.35, 1.75, 2.30, 2.70, 2.60, 1.90, 1.15};

constexpr std::array kGenres{"Drama", "Comedy", "Action", "Documentary",
                             "Crime", "Kids",   "Sport",  "News"};

template <typename Items>
std::size_t pick_by_share(const Items& items, double unit) {
    double total = 0;
    for (const auto& item : items) total += item.share;
    double point = unit * total;
    for (std::size_t index = 0; index + 1 < items.size(); ++index) {
        point -= items[index].share;
        if (point < 0) return index;
    }
    return items.size() - 1;
}

double unit_of(std::uint64_t bits) {
    return static_cast<double>(bits >> 11U) * (1.0 / 9007199254740992.0);
}

}  // namespace

World::World(const WorldOptions& options)
    : options_(options),
      cdns_(make_cdns()),
      countries_(make_countries()),
      devices_(make_devices()),
      ladder_(make_ladder(25)),
      ladder_fps50_(make_ladder(50)) {
    options_.assets = std::max<std::uint32_t>(options_.assets, 1);
    options_.viewers = std::max<std::uint32_t>(options_.viewers, 1);
    build_catalogue();
}

void World::build_catalogue() {
    Random random(options_.seed, 11);
    assets_.reserve(options_.assets);
    asset_cumulative_.reserve(options_.assets);
    double total = 0;
    std::uint32_t series = 0;
    for (std::uint32_t rank = 0; rank < options_.assets; ++rank) {
        Asset asset;
        asset.id = fmt::format("asset-{:05}", rank);
        asset.video_id = fmt::format("vid-{:05}", rank);
        asset.genre = kGenres[random.below(kGenres.size())];
        asset.has_fps50 = asset.genre == "Sport";
        if (rank % kLiveEvery == 3) {
            asset.is_live = true;
            asset.name = fmt::format("Channel {}", rank / kLiveEvery + 1);
            asset.content_type = "Live";
        } else if (random.chance(0.6)) {
            series = static_cast<std::uint32_t>(random.below(options_.assets / 12 + 1));
            asset.series = fmt::format("Series {}", series);
            asset.season = std::to_string(1 + random.below(5));
            asset.episode = std::to_string(1 + random.below(10));
            asset.name =
                fmt::format("{} S{}E{} #{}", asset.series, asset.season, asset.episode, rank);
            asset.content_type = "Episode";
            asset.duration_ms = static_cast<std::int64_t>(random.uniform(20, 55) * 60) * 1000;
            asset.drm = "Widevine";
        } else {
            asset.name = fmt::format("Movie {}", rank);
            asset.content_type = "Movie";
            asset.duration_ms = static_cast<std::int64_t>(random.uniform(80, 140) * 60) * 1000;
            asset.drm = random.chance(0.5) ? "Widevine" : "FairPlay";
        }
        total += std::pow(static_cast<double>(rank + 1), -options_.zipf_exponent);
        asset_cumulative_.push_back(total);
        assets_.push_back(std::move(asset));
    }
}

std::size_t World::pick_asset(Random& random) const {
    const double point = random.uniform() * asset_cumulative_.back();
    const auto found = std::upper_bound(asset_cumulative_.begin(), asset_cumulative_.end(), point);
    const auto index = static_cast<std::size_t>(found - asset_cumulative_.begin());
    return std::min(index, assets_.size() - 1);
}

std::size_t World::pick_cdn(Random& random) const {
    return pick_by_share(cdns_, random.uniform());
}

Viewer World::pick_viewer(std::size_t country, Random& random) const {
    const auto& place = countries_[country];
    const auto here = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(place.share * static_cast<double>(options_.viewers)));
    // Squared: some watch far more often than others.
    const double unit = random.uniform();
    const auto ordinal = static_cast<std::uint32_t>(unit * unit * static_cast<double>(here));
    const std::uint64_t bits = mix64(options_.seed * 1'000'003 + country * 7'919'777 + ordinal);
    Viewer viewer;
    viewer.ordinal = ordinal;
    viewer.id = fmt::format("sub-{}-{:06}", place.code, ordinal);
    viewer.type = (bits & 7U) < 5 ? "Paid" : (bits & 7U) < 7 ? "Free" : "Trial";
    viewer.tag = (bits & 8U) != 0 ? "tier-gold" : "tier-basic";
    viewer.experiment = (bits & 16U) != 0 ? "abr-v2" : "control";
    viewer.network = pick_by_share(place.networks, unit_of(mix64(bits ^ 1)));
    // Most sessions on the usual screen, some on the second one.
    const std::uint64_t screen = random.chance(0.8) ? 0 : 1;
    viewer.device = pick_by_share(devices_, unit_of(mix64(bits ^ (0x100 + screen))));
    viewer.device_id = fmt::format("dev-{:012x}-{}", bits >> 16U, screen);
    viewer.network_quality = Random(bits, 5).normal(0, 1);
    viewer.ip_address = fmt::format("{}{}.{}", place.networks[viewer.network].ip_prefix,
                                    (bits >> 20U) & 0xFFU, 1 + ((bits >> 28U) & 0x7FU));
    return viewer;
}

double World::demand(std::size_t country, std::int64_t epoch_ms) const {
    const auto& place = countries_[country];
    const std::int64_t local = epoch_ms + place.utc_offset_minutes * kMinuteMs;
    const auto hour = static_cast<std::size_t>((local / kHourMs) % 24);
    const double part = static_cast<double>(local % kHourMs) / static_cast<double>(kHourMs);
    const double rhythm = kHourDemand[hour] * (1 - part) + kHourDemand[(hour + 1) % 24] * part;
    // 1970-01-01 was a Thursday: 0 = Thursday, 2 = Saturday, 3 = Sunday.
    const std::int64_t day = (local / (24 * kHourMs)) % 7;
    const double week = day == 2 ? 1.25 : day == 3 ? 1.3 : day == 1 ? 1.1 : 0.87;
    return place.share * rhythm * week;
}

}  // namespace playhead::simulator
