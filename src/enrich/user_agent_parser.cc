#include "enrich/user_agent_parser.h"

#include "base/log.h"
#include "enrich/device_category.h"
#include "enrich/text.h"

namespace playhead::enrich {
namespace {

using Rules = Result<std::unique_ptr<UserAgentRules>>;

std::shared_ptr<const Rules> load_rules(const std::string& path, unsigned threads) {
    if (path.empty()) {
        log::warn(
            "no user-agent rules are configured: browser, operating system, brand and model stay "
            "empty");
        return std::make_shared<const Rules>(fail(ErrorCode::NotFound, "no user-agent rules"));
    }
    auto rules = std::make_shared<const Rules>(UserAgentRules::load(path, threads));
    if (!*rules) {
        log::error("{}: browser, operating system, brand and model stay empty",
                   rules->error().message);
    }
    return rules;
}

/// uap-core's word for "no idea".
std::string known(const std::string& family) {
    return family == "Other" ? std::string() : family;
}

}  // namespace

UserAgentParser::UserAgentParser(std::string rules_path, unsigned threads, std::uint64_t cache_seed)
    : rules_(std::async(std::launch::async, [path = std::move(rules_path),
                                             threads] { return load_rules(path, threads); })
                 .share()),
      cache_(kCacheEntriesMax, cache_seed) {}

Result<void> UserAgentParser::wait_until_loaded() const {
    const auto& loaded = *rules_.get();
    if (!loaded) return fail(loaded.error());
    return {};
}

UserAgent UserAgentParser::find_uncached(std::string_view user_agent) const {
    UserAgent result;
    result.text = clean_text(user_agent, UserAgent::kStoredBytesMax);
    if (user_agent.empty()) return result;
    const auto clean = clean_text(user_agent, UserAgentRules::kUserAgentBytesMax);
    const auto& loaded = *rules_.get();
    UserAgentFamily os;
    UserAgentDevice device;
    if (loaded) {
        const UserAgentRules& rules = **loaded;
        const auto browser = rules.browser(clean);
        os = rules.os(clean);
        device = rules.device(clean);
        result.browser = known(browser.family);
        result.browser_version = browser.dotted_version();
        result.os = known(os.family);
        result.os_version = os.dotted_version();
        result.brand = device.brand;
        result.model = device.model;
    }
    result.device = device_category(clean, os, device);
    return result;
}

std::shared_ptr<const UserAgent> UserAgentParser::find(std::string_view user_agent) const {
    user_agent = user_agent.substr(0, UserAgentRules::kUserAgentBytesMax);
    if (auto cached = cache_.find(user_agent)) return cached;
    auto parsed = std::make_shared<const UserAgent>(find_uncached(user_agent));
    cache_.insert(user_agent, parsed);
    return parsed;
}

}  // namespace playhead::enrich
