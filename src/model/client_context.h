/// What the server itself knows of the sender of a request: filled by `enrich` from address and
/// headers, before anything is stored. Strings are owned; safe to move between threads.
#pragma once

#include <cstdint>
#include <string>

namespace playhead::model {

struct ClientContext {
    std::string ip_address;  ///< already truncated, e.g. "203.0.113.0"; empty when dropped
    std::string continent;   ///< two letters, e.g. "EU"
    std::string country;     ///< ISO 3166-1 alpha-2, upper case
    std::string region;      ///< first subdivision, English name
    std::string city;        ///< English name
    double latitude = 0;     ///< degrees, rounded to 1 decimal; only with `has_location`
    double longitude = 0;
    bool has_location = false;
    std::uint32_t asn = 0;  ///< 0 = unknown
    std::string isp;
    std::string user_agent;  ///< as sent, at most 512 bytes
    std::string browser;
    std::string browser_version;
    std::string os;
    std::string os_version;
    std::string device;  ///< category, e.g. "Smartphone"
    std::string brand;
    std::string model;
};

}  // namespace playhead::model
