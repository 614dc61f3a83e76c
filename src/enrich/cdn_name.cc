#include "enrich/cdn_name.h"

#include <algorithm>
#include <array>

namespace playhead::enrich {
namespace {

struct CdnDomain {
    std::string_view domain;
    std::string_view cdn;
};

constexpr std::array kDomains{
    CdnDomain{"akadns.net", "Akamai"},
    CdnDomain{"akamai.net", "Akamai"},
    CdnDomain{"akamaiedge.net", "Akamai"},
    CdnDomain{"akamaihd.net", "Akamai"},
    CdnDomain{"akamaized.net", "Akamai"},
    CdnDomain{"akamaistream.net", "Akamai"},
    CdnDomain{"edgekey.net", "Akamai"},
    CdnDomain{"edgesuite.net", "Akamai"},
    CdnDomain{"alicdn.com", "Alibaba"},
    CdnDomain{"alikunlun.com", "Alibaba"},
    CdnDomain{"kunlunca.com", "Alibaba"},
    CdnDomain{"azureedge.net", "Azure"},
    CdnDomain{"azurefd.net", "Azure"},
    CdnDomain{"msecnd.net", "Azure"},
    CdnDomain{"streaming.media.azure.net", "Azure"},
    CdnDomain{"b-cdn.net", "Bunny"},
    CdnDomain{"bunnycdn.com", "Bunny"},
    CdnDomain{"bunny.net", "Bunny"},
    CdnDomain{"cachefly.net", "CacheFly"},
    CdnDomain{"cdn77.org", "CDN77"},
    CdnDomain{"cdn77.net", "CDN77"},
    CdnDomain{"cdngc.net", "CDNetworks"},
    CdnDomain{"gccdn.net", "CDNetworks"},
    CdnDomain{"cloudflare.net", "Cloudflare"},
    CdnDomain{"cloudflarestream.com", "Cloudflare"},
    CdnDomain{"r2.dev", "Cloudflare"},
    CdnDomain{"videodelivery.net", "Cloudflare"},
    CdnDomain{"cloudfront.net", "CloudFront"},
    CdnDomain{"edgecastcdn.net", "Edgio"},
    CdnDomain{"edgio.net", "Edgio"},
    CdnDomain{"systemcdn.net", "Edgio"},
    CdnDomain{"fastly.net", "Fastly"},
    CdnDomain{"fastlylb.net", "Fastly"},
    CdnDomain{"gcdn.co", "Gcore"},
    CdnDomain{"googleusercontent.com", "Google"},
    CdnDomain{"googlevideo.com", "Google"},
    CdnDomain{"gvt1.com", "Google"},
    CdnDomain{"storage.googleapis.com", "Google"},
    CdnDomain{"kxcdn.com", "KeyCDN"},
    CdnDomain{"lldns.net", "Limelight"},
    CdnDomain{"llnwd.net", "Limelight"},
    CdnDomain{"llnwi.net", "Limelight"},
    CdnDomain{"footprint.net", "Lumen"},
    CdnDomain{"mncdn.com", "Medianova"},
    CdnDomain{"nflxvideo.net", "Netflix"},
    CdnDomain{"hwcdn.net", "StackPath"},
    CdnDomain{"stackpathcdn.com", "StackPath"},
    CdnDomain{"myqcloud.com", "Tencent"},
    CdnDomain{"tcdn.qq.com", "Tencent"},
};

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view host_of(std::string_view text) noexcept {
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
        text.remove_prefix(scheme + 3);
    }
    text = text.substr(0, text.find_first_of("/?#"));
    if (const auto user = text.rfind('@'); user != std::string_view::npos) {
        text.remove_prefix(user + 1);
    }
    text = text.substr(0, text.find(':'));
    if (text.ends_with('.')) text.remove_suffix(1);
    return text;
}

}  // namespace

std::string_view cdn_of_host(std::string_view host_or_url) noexcept {
    const std::string_view host = host_of(host_or_url);
    for (const auto& [domain, cdn] : kDomains) {
        if (host.size() < domain.size()) continue;
        const std::size_t rest = host.size() - domain.size();
        if (rest > 0 && host[rest - 1] != '.') continue;
        if (equal_ignoring_case(host.substr(rest), domain)) return cdn;
    }
    return {};
}

}  // namespace playhead::enrich
