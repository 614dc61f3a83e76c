/// The public documents of a realm.
#pragma once

#include <string>
#include <string_view>

namespace playhead::auth {

/// `<base_url>/realms/<realm>`: what tokens carry as `iss`. A slash at the end of `base_url` is
/// dropped.
std::string issuer_url(std::string_view base_url, std::string_view realm);

/// OpenID Connect Discovery 1.0 section 4.2, as JSON text.
std::string discovery_document(std::string_view issuer);

}  // namespace playhead::auth
