/// The external OpenID provider of the configuration, wired.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/config.h"
#include "auth/provider_keys.h"
#include "auth/provider_verifier.h"
#include "base/clock.h"
#include "base/result.h"

namespace playhead::app {

/// Thread safe after `open`.
class IdentityProvider {
public:
    /// Null when `auth.issuer` is empty. A provider that is down is no error: its keys are fetched
    /// when it is back, and until then tokens are 503. InvalidArgument names a wrong setting.
    static Result<std::unique_ptr<IdentityProvider>> open(const Config& config, const Clock& clock);
    auth::BearerVerifier& verifier() { return verifier_; }

private:
    IdentityProvider(const Config& config, const Clock& clock,
                     const auth::ProviderVerifierOptions& options);

    auth::ProviderKeys keys_;
    auth::ProviderVerifier verifier_;
};

/// A list setting of "left=right" entries. InvalidArgument names the entry.
Result<std::vector<std::pair<std::string, std::string>>> pairs_setting(const Config& config,
                                                                       const std::string& key);

}  // namespace playhead::app
