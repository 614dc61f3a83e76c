#include "enrich/geo_database.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <maxminddb.h>
#include <netinet/in.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "enrich/lru_cache.h"
#include "enrich/range_table.h"
#include "enrich/text.h"

namespace playhead::enrich {
namespace {

/// An answer in the making: the two kinds of provider names are weighed at the end.
struct Findings {
    GeoAnswer answer;
    std::string as_organization;
};

using Path = std::array<const char*, 5>;

/// A value of a record by its path; has_data is false when it is not there or the file is damaged.
MMDB_entry_data_s value_at(MMDB_entry_s& record, const Path& path) noexcept {
    MMDB_entry_data_s data{};
    if (::MMDB_aget_value(&record, &data, path.data()) != MMDB_SUCCESS) data.has_data = false;
    return data;
}

void take_text(MMDB_entry_s& record, const Path& path, std::string& field) {
    if (!field.empty()) return;
    const auto data = value_at(record, path);
    if (!data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING) return;
    field = clean_text({data.utf8_string, data.data_size}, kGeoTextBytesMax);
}

bool read_number(const MMDB_entry_data_s& data, double& number) noexcept {
    if (!data.has_data) return false;
    switch (data.type) {
        case MMDB_DATA_TYPE_DOUBLE: number = data.double_value; break;
        case MMDB_DATA_TYPE_FLOAT: number = static_cast<double>(data.float_value); break;
        case MMDB_DATA_TYPE_UTF8_STRING: {
            const char* const end = data.utf8_string + data.data_size;
            const auto parsed = std::from_chars(data.utf8_string, end, number);
            if (parsed.ec != std::errc{} || parsed.ptr != end) return false;
            break;
        }
        default: return false;
    }
    return std::isfinite(number);
}

void take_location(MMDB_entry_s& record, const Path& latitude_path, const Path& longitude_path,
                   GeoAnswer& answer) {
    if (answer.has_location) return;
    double latitude = 0;
    double longitude = 0;
    if (!read_number(value_at(record, latitude_path), latitude)) return;
    if (!read_number(value_at(record, longitude_path), longitude)) return;
    if (std::abs(latitude) > 90 || std::abs(longitude) > 180) return;
    answer.latitude = std::round(latitude * 10) / 10;
    answer.longitude = std::round(longitude * 10) / 10;
    answer.has_location = true;
}

void take_asn(MMDB_entry_s& record, std::uint32_t& asn) {
    if (asn != 0) return;
    const auto data = value_at(record, {"autonomous_system_number"});
    if (!data.has_data) return;
    if (data.type == MMDB_DATA_TYPE_UINT32) asn = data.uint32;
    if (data.type == MMDB_DATA_TYPE_UINT16) asn = data.uint16;
}

void take_country(std::string_view given, std::string& country) {
    if (!country.empty() || given.size() != 2) return;
    std::string upper;
    for (const char c : given) {
        const bool is_lower = c >= 'a' && c <= 'z';
        const char up = is_lower ? static_cast<char>(c - 'a' + 'A') : c;
        if (up < 'A' || up > 'Z') return;
        upper.push_back(up);
    }
    country = upper;
}

/// Both schemas, field by field: what a file does not have costs one look at the record's keys.
void take_record(MMDB_entry_s& record, Findings& findings) {
    GeoAnswer& answer = findings.answer;
    for (const Path& path : {Path{"country", "iso_code"}, Path{"country_code"},
                             Path{"registered_country", "iso_code"}}) {
        std::string code;
        take_text(record, path, code);
        take_country(code, answer.country);
    }
    take_text(record, {"continent", "code"}, answer.continent);
    take_text(record, {"subdivisions", "0", "names", "en"}, answer.region);
    take_text(record, {"state1"}, answer.region);
    take_text(record, {"city", "names", "en"}, answer.city);
    take_text(record, {"city"}, answer.city);
    take_location(record, {"location", "latitude"}, {"location", "longitude"}, answer);
    take_location(record, {"latitude"}, {"longitude"}, answer);
    take_asn(record, answer.asn);
    take_text(record, {"isp"}, answer.isp);
    take_text(record, {"autonomous_system_organization"}, findings.as_organization);
}

/// One mapped file. Immutable, so thread safe.
class MaxMindFile {
public:
    explicit MaxMindFile(const MMDB_s& database) : database_(database) {}
    ~MaxMindFile() { ::MMDB_close(&database_); }
    MaxMindFile(const MaxMindFile&) = delete;
    MaxMindFile& operator=(const MaxMindFile&) = delete;

    void find(const IpAddress& address, Findings& findings) const {
        if (!address.is_v4() && database_.metadata.ip_version == 4) return;
        sockaddr_storage storage{};
        if (address.is_v4()) {
            auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
            v4.sin_family = AF_INET;
            std::memcpy(&v4.sin_addr, address.bytes().data(), sizeof v4.sin_addr);
        } else {
            auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
            v6.sin6_family = AF_INET6;
            std::memcpy(&v6.sin6_addr, address.bytes().data(), sizeof v6.sin6_addr);
        }
        int failed = MMDB_SUCCESS;
        auto result =
            ::MMDB_lookup_sockaddr(&database_, reinterpret_cast<sockaddr*>(&storage), &failed);
        if (failed == MMDB_SUCCESS && result.found_entry) take_record(result.entry, findings);
    }

private:
    MMDB_s database_;
};

std::string cache_key(const IpAddress& address) {
    return {reinterpret_cast<const char*>(address.bytes().data()),
            address.is_v4() ? std::size_t{4} : std::size_t{16}};
}

}  // namespace

struct GeoDatabase::Sources {
    explicit Sources(std::uint64_t cache_seed) : cache(kCacheEntriesMax, cache_seed) {}
    std::vector<std::unique_ptr<MaxMindFile>> files;
    std::vector<std::unique_ptr<RangeTable>> tables;
    LruCache<GeoAnswer> cache;
};

GeoDatabase::GeoDatabase(std::unique_ptr<Sources> sources) : sources_(std::move(sources)) {}
GeoDatabase::~GeoDatabase() = default;

Result<std::unique_ptr<GeoDatabase>> GeoDatabase::open(std::span<const std::string> paths,
                                                       std::uint64_t cache_seed) {
    if (paths.size() > kFilesMax) {
        return fail_parameter("geo_databases", std::to_string(paths.size()),
                              fmt::format("at most {} files", kFilesMax), "too many geo databases");
    }
    auto sources = std::make_unique<Sources>(cache_seed);
    for (const std::string& path : paths) {
        if (path.ends_with(".csv")) {
            auto table = RangeTable::load(path);
            if (!table) return fail(table.error());
            sources->tables.push_back(std::make_unique<RangeTable>(std::move(*table)));
            continue;
        }
        MMDB_s database{};
        const int failed = ::MMDB_open(path.c_str(), MMDB_MODE_MMAP, &database);
        if (failed != MMDB_SUCCESS) {
            return fail_parameter(
                "geo_databases", path, "a MaxMind DB file",
                fmt::format("cannot open the geo database {}: {}", path, ::MMDB_strerror(failed)));
        }
        sources->files.push_back(std::make_unique<MaxMindFile>(database));
    }
    return std::unique_ptr<GeoDatabase>(new GeoDatabase(std::move(sources)));
}

GeoAnswer GeoDatabase::find_uncached(const IpAddress& address) const {
    Findings findings;
    GeoAnswer& answer = findings.answer;
    for (const auto& file : sources_->files) file->find(address, findings);
    for (const auto& table : sources_->tables) {
        if (answer.asn != 0 && !findings.as_organization.empty()) break;
        const auto found = table->find(address);
        if (answer.asn == 0) answer.asn = found.asn;
        if (findings.as_organization.empty()) findings.as_organization = found.organization;
    }
    if (answer.isp.empty()) answer.isp = std::move(findings.as_organization);
    if (answer.continent.empty()) answer.continent = continent_of_country(answer.country);
    return std::move(findings.answer);
}

std::shared_ptr<const GeoAnswer> GeoDatabase::find(const IpAddress& address) const {
    const std::string key = cache_key(address);
    if (auto cached = sources_->cache.find(key)) return cached;
    auto answer = std::make_shared<const GeoAnswer>(find_uncached(address));
    sources_->cache.insert(key, answer);
    return answer;
}

}  // namespace playhead::enrich
