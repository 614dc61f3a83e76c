/// Everything the server itself knows of a sender, in one call.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "enrich/geo_database.h"
#include "enrich/privacy.h"
#include "enrich/user_agent_parser.h"
#include "model/client_context.h"

namespace playhead::enrich {

struct EnricherOptions {
    std::vector<std::string> geo_databases;    ///< see GeoDatabase::open
    std::string user_agent_rules;              ///< path of uap-core's regexes.yaml; may be empty
    std::vector<std::string> trusted_proxies;  ///< networks whose X-Forwarded-For is believed
    std::uint64_t cache_seed = 0;              ///< random; see LruCache
};

/// Thread safe.
class Enricher {
public:
    /// Fails for a geo database that cannot be opened and for a wrong network; never for the
    /// user-agent rules, which load in the background.
    static Result<std::unique_ptr<Enricher>> create(const EnricherOptions& options);

    /// About 0.5 us when address and user agent were seen before. `peer` is the connection's other
    /// end; an address that cannot be read gives empty fields. The place is looked up before the
    /// address is cut by `policy`.
    model::ClientContext describe(std::string_view peer, std::string_view x_forwarded_for,
                                  std::string_view user_agent, AddressPolicy policy) const;

    const GeoDatabase& geo() const noexcept { return *geo_; }
    const UserAgentParser& user_agents() const noexcept { return *user_agents_; }

private:
    Enricher() = default;
    std::unique_ptr<GeoDatabase> geo_;
    std::unique_ptr<UserAgentParser> user_agents_;
    TrustedProxies proxies_;
};

}  // namespace playhead::enrich
