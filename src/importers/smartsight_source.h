/// A SmartSight API as a source of sessions: authorization, which metrics it knows, pages of its
/// session list. Any generation of it; another Playhead speaks it too. Not thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "importers/mapping.h"
#include "net/http_client.h"

namespace playhead::importers {

struct SmartSightOptions {
    std::string from;  ///< http(s)://host[:port]
    std::uint64_t customer_id = 0;
    std::string api_key;
    std::string user, password;  ///< instead of a key
    std::string token_url;       ///< of the password grant; empty: the realm `playhead` at `from`
    std::string plan_level;      ///< for the older generations; empty: not sent
    std::vector<std::string> tags;
    std::string ca_file;
};

/// One page of sessions, as texts in the order of `SmartSightSource::columns`.
struct SmartSightPage {
    std::vector<std::vector<std::string>> rows;
    std::uint64_t total = 0;  ///< rows of the whole period
};

class SmartSightSource {
public:
    explicit SmartSightSource(SmartSightOptions options);

    /// Authorizes, and asks for one row with everything that an import could use; what the source
    /// refuses by name is left out. PermissionDenied, Unavailable; Unprocessable when it does not
    /// even tell ids and times.
    Result<void> connect(std::int64_t since_s, std::int64_t until_s);

    const std::vector<std::string>& columns() const noexcept { return columns_; }
    /// What of its metrics becomes which of our fields; bound to `columns`.
    const Mapping& mapping() const noexcept { return mapping_; }

    /// Sessions that began in [since, until), in order of start, from row `offset` on. Tries again
    /// a few times where the source or the network is unwell.
    Result<SmartSightPage> page(std::int64_t since_s, std::int64_t until_s, std::uint64_t offset,
                                std::uint64_t limit);

private:
    Result<void> log_in();
    Result<net::ClientResponse> get(const std::string& target);
    std::string target_of(const std::vector<std::string>& metrics, std::int64_t since_s,
                          std::int64_t until_s, std::uint64_t offset, std::uint64_t limit) const;
    Result<void> find_columns(std::int64_t since_s, std::int64_t until_s);
    Result<void> make_mapping();

    SmartSightOptions options_;
    net::HttpClient client_;
    std::string bearer_;
    std::vector<std::string> columns_;
    Mapping mapping_ = Mapping::of({});
};

}  // namespace playhead::importers
