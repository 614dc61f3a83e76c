/// Place and network of an address, from MaxMind DB files and range tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "enrich/address.h"

namespace playhead::enrich {

/// What the files say of an address; empty fields are unknown. Text is UTF-8, at most
/// kGeoTextBytesMax bytes a field.
struct GeoAnswer {
    std::string country;    ///< ISO 3166-1 alpha-2, upper case
    std::string continent;  ///< AF, AN, AS, EU, NA, OC or SA; from the country where no file has it
    std::string region;     ///< first subdivision, English name
    std::string city;       ///< English name
    double latitude = 0;    ///< degrees, rounded to 1 decimal; only with `has_location`
    double longitude = 0;
    bool has_location = false;
    std::uint32_t asn = 0;  ///< 0 = unknown
    std::string isp;        ///< the provider, else the organisation of the autonomous system
};

inline constexpr std::size_t kGeoTextBytesMax = 256;

/// Immutable after `open`, so thread safe; lookups may block on a page fault (files are mapped).
class GeoDatabase {
public:
    static constexpr std::size_t kFilesMax = 16;
    static constexpr std::size_t kCacheEntriesMax = 32'768;

    /// Opens MaxMind DB files (*.mmdb, by content: nested MaxMind schemas and the flat one of
    /// ip-location-db) and range tables (*.csv: first,last,asn,organisation). A field is taken from
    /// the first file that has it. The error names the file; InvalidArgument for one that is no
    /// such database. No paths: a database that knows nothing.
    static Result<std::unique_ptr<GeoDatabase>> open(std::span<const std::string> paths,
                                                     std::uint64_t cache_seed = 0);
    ~GeoDatabase();
    GeoDatabase(const GeoDatabase&) = delete;
    GeoDatabase& operator=(const GeoDatabase&) = delete;

    /// Never null. Cached by address (about 0.1 us); uncached about 2 us a file. Damaged parts of
    /// a file are as if they were not there.
    std::shared_ptr<const GeoAnswer> find(const IpAddress& address) const;
    /// The same, past the cache.
    GeoAnswer find_uncached(const IpAddress& address) const;

private:
    struct Sources;
    explicit GeoDatabase(std::unique_ptr<Sources> sources);
    std::unique_ptr<Sources> sources_;
};

/// Continent code of a country code (upper case); empty when unknown. Views static storage.
std::string_view continent_of_country(std::string_view country) noexcept;

}  // namespace playhead::enrich
