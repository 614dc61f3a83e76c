/// Which CDN delivers a stream, from the name of its host.
#pragma once

#include <string_view>

namespace playhead::enrich {

/// The CDN's name, e.g. "Akamai", of a host ("x.akamaized.net") or a URL
/// ("https://x.akamaized.net:443/a.m3u8"); empty when unknown. Views static storage. The table is
/// `cdn_name.cc`: domains that a CDN hands out, not its customers' own ones.
std::string_view cdn_of_host(std::string_view host_or_url) noexcept;

}  // namespace playhead::enrich
