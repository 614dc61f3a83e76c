#include "app/identity_provider.h"

#include <fmt/format.h>

#include "base/log.h"
#include "directory/records.h"

namespace playhead::app {

Result<std::vector<std::pair<std::string, std::string>>> pairs_setting(const Config& config,
                                                                       const std::string& key) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const std::string& entry : config.list(key)) {
        const auto middle = entry.find('=');
        if (middle == std::string::npos || middle == 0 || middle + 1 == entry.size()) {
            return fail_parameter(key, entry, "name=value",
                                  fmt::format("{}: '{}' is not name=value", key, entry));
        }
        pairs.emplace_back(entry.substr(0, middle), entry.substr(middle + 1));
    }
    return pairs;
}

IdentityProvider::IdentityProvider(const Config& config, const Clock& clock,
                                   const auth::ProviderVerifierOptions& options)
    : keys_(auth::fetch_over_http(config.text("auth.ca_file")), clock, {options.issuer}),
      verifier_(keys_, clock, options) {}

Result<std::unique_ptr<IdentityProvider>> IdentityProvider::open(const Config& config,
                                                                 const Clock& clock) {
    auth::ProviderVerifierOptions options;
    options.issuer = config.text("auth.issuer");
    if (options.issuer.empty()) return nullptr;
    if (auto good = auth::check_provider_url(options.issuer); !good) return fail(good.error());
    options.audience = config.text("auth.audience");
    options.claims.customer = config.text("auth.claim_customer");
    options.claims.customers = config.text("auth.claim_customers");
    options.claims.plan = config.text("auth.claim_plan");
    options.claims.roles = config.text("auth.claim_roles");
    const auto roles = pairs_setting(config, "auth.role_map");
    if (!roles) return fail(roles.error());
    for (const auto& [theirs, ours] : *roles) {
        if (!directory::parse_role(ours)) {
            return fail_parameter("auth.role_map", ours, "viewer, editor or admin",
                                  fmt::format("auth.role_map: there is no role '{}'", ours));
        }
        options.claims.role_names[theirs] = ours;
    }
    std::unique_ptr<IdentityProvider> provider(new IdentityProvider(config, clock, options));
    if (auto fetched = provider->keys_.refresh(); !fetched) {
        log::warn("identity provider {}: {}", options.issuer, fetched.error().message);
    }
    return provider;
}

}  // namespace playhead::app
