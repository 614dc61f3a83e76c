#include "enrich/enricher.h"

namespace playhead::enrich {

Result<std::unique_ptr<Enricher>> Enricher::create(const EnricherOptions& options) {
    auto geo = GeoDatabase::open(options.geo_databases, options.cache_seed);
    if (!geo) return fail(geo.error());
    auto proxies = TrustedProxies::parse(options.trusted_proxies);
    if (!proxies) return fail(proxies.error());
    std::unique_ptr<Enricher> enricher(new Enricher());
    enricher->geo_ = std::move(*geo);
    enricher->proxies_ = std::move(*proxies);
    enricher->user_agents_ =
        std::make_unique<UserAgentParser>(options.user_agent_rules, 2, options.cache_seed);
    return enricher;
}

model::ClientContext Enricher::describe(std::string_view peer, std::string_view x_forwarded_for,
                                        std::string_view user_agent, AddressPolicy policy) const {
    model::ClientContext context;
    if (const auto peer_address = IpAddress::parse(peer)) {
        const IpAddress client = proxies_.client(*peer_address, x_forwarded_for);
        context.ip_address = stored_address(client, policy);
        const auto place = geo_->find(client);
        context.continent = place->continent;
        context.country = place->country;
        context.region = place->region;
        context.city = place->city;
        context.latitude = place->latitude;
        context.longitude = place->longitude;
        context.has_location = place->has_location;
        context.asn = place->asn;
        context.isp = place->isp;
    }
    const auto agent = user_agents_->find(user_agent);
    context.user_agent = agent->text;
    context.browser = agent->browser;
    context.browser_version = agent->browser_version;
    context.os = agent->os;
    context.os_version = agent->os_version;
    context.device = agent->device;
    context.brand = agent->brand;
    context.model = agent->model;
    return context;
}

}  // namespace playhead::enrich
