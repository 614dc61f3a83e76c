/// The audience and what it watches: everything that exists before the first session. Built once
/// from a seed, then read only; safe to share between threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"

namespace playhead::simulator {

struct Rendition {
    std::int32_t kbps = 0;
    std::int32_t width = 0;
    std::int32_t height = 0;
    std::int32_t fps = 25;
    std::string resolution;  ///< "1280x720"
};

struct Asset {
    std::string id, name, video_id, series, season, episode, genre, content_type, drm;
    bool is_live = false;
    std::int64_t duration_ms = 0;  ///< 0 = live
    bool has_fps50 = false;
};

struct Cdn {
    std::string name, host;
    double share = 0;
    double throughput_factor = 1;
    double failure_share = 0;  ///< added to the chance of a technical failure
};

struct Network {
    std::string isp, city, region, network_type, ip_prefix;  ///< prefix: two octets, "79.192."
    std::uint32_t asn = 0;
    double share = 0;
    double median_kbps = 0;
    double sigma = 0.5;  ///< of log throughput between households
    double rtt_ms = 30;
};

struct Country {
    std::string code, continent;
    std::int32_t utc_offset_minutes = 0;
    double share = 0;
    std::vector<Network> networks;
};

struct Device {
    std::string category, brand, model, marketing_name, platform, os_version, browser,
        browser_version, screen, player, player_version, app, app_version, user_agent;
    double share = 0;
    std::int32_t height_max = 1080;
    bool is_mobile = false;
};

struct WorldOptions {
    std::uint64_t seed = 1;
    std::uint32_t assets = 2000;      ///< of which one in twenty is a live channel
    std::uint32_t viewers = 100'000;  ///< subscribers, over all countries
    double zipf_exponent = 0.9;       ///< popularity of rank r is r^-exponent
};

/// A subscriber: derived from an ordinal, not stored.
struct Viewer {
    std::uint32_t ordinal = 0;
    std::string id, type, tag, device_id, experiment;
    std::size_t network = 0;  ///< of the country
    std::size_t device = 0;
    double network_quality = 0;  ///< standard deviations from the network's median
    std::string ip_address;
};

class World {
public:
    explicit World(const WorldOptions& options);

    const WorldOptions& options() const noexcept { return options_; }
    const std::vector<Asset>& assets() const noexcept { return assets_; }
    const std::vector<Cdn>& cdns() const noexcept { return cdns_; }
    const std::vector<Country>& countries() const noexcept { return countries_; }
    const std::vector<Device>& devices() const noexcept { return devices_; }
    const std::vector<Rendition>& ladder(bool fps50) const noexcept {
        return fps50 ? ladder_fps50_ : ladder_;
    }

    /// Asset by popularity; O(log assets).
    std::size_t pick_asset(Random& random) const;
    std::size_t pick_cdn(Random& random) const;
    /// A viewer of the country; equal ordinals are the same person at home.
    Viewer pick_viewer(std::size_t country, Random& random) const;
    /// Relative number of sessions that begin in the country at that time: share x rhythm of the
    /// day x rhythm of the week, local time. Mean over a week about `share`.
    double demand(std::size_t country, std::int64_t epoch_ms) const;

private:
    void build_catalogue();

    WorldOptions options_;
    std::vector<Asset> assets_;
    std::vector<double> asset_cumulative_;
    std::vector<Cdn> cdns_;
    std::vector<Country> countries_;
    std::vector<Device> devices_;
    std::vector<Rendition> ladder_, ladder_fps50_;
};

/// SplitMix64 finalizer: one ordinal to 64 independent-looking bits.
constexpr std::uint64_t mix64(std::uint64_t value) noexcept {
    value += 0x9E3779B97F4A7C15ULL;
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31U);
}

}  // namespace playhead::simulator
