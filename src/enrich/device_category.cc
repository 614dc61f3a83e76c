#include "enrich/device_category.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

namespace playhead::enrich {
namespace {

constexpr std::string_view kComputer = "Personal computer";
constexpr std::string_view kPhone = "Smartphone";
constexpr std::string_view kTablet = "Tablet";
constexpr std::string_view kTelevision = "Smart TV";
constexpr std::string_view kBox = "STB";
constexpr std::string_view kConsole = "Game console";
constexpr std::string_view kUnknown = "unknown";

struct Token {
    std::string_view text;  ///< lower case
    std::string_view category;
};

// In order: the first that occurs decides. Consoles before televisions before phones, since the
// later ones' tokens occur in the earlier ones' strings too (a PlayStation says "Mobile"-like
// things, an Android television says "Android").
constexpr std::array kTokens{Token{"playstation", kConsole},
                             Token{"xbox", kConsole},
                             Token{"nintendo", kConsole},
                             Token{"appletv", kBox},
                             Token{"apple tv", kBox},
                             Token{"tvos", kBox},
                             Token{"roku", kBox},
                             Token{"crkey", kBox},
                             Token{"chromecast", kBox},
                             Token{"; aft", kBox},
                             Token{"amazon aft", kBox},
                             Token{"shield android tv", kBox},
                             Token{"mibox", kBox},
                             Token{"set-top", kBox},
                             Token{"settop", kBox},
                             Token{"stb", kBox},
                             Token{"hbbtv", kTelevision},
                             Token{"smart-tv", kTelevision},
                             Token{"smarttv", kTelevision},
                             Token{"smart tv", kTelevision},
                             Token{"web0s", kTelevision},
                             Token{"netcast", kTelevision},
                             Token{"bravia", kTelevision},
                             Token{"vidaa", kTelevision},
                             Token{"viera", kTelevision},
                             Token{"googletv", kTelevision},
                             Token{"google tv", kTelevision},
                             Token{"android tv", kTelevision},
                             Token{"opera tv", kTelevision},
                             Token{"aquos", kTelevision},
                             Token{"philipstv", kTelevision},
                             Token{"nettv", kTelevision},
                             Token{"dtv", kTelevision},
                             Token{"inettvbrowser", kTelevision},
                             Token{"ipad", kTablet},
                             Token{"iphone", kPhone},
                             Token{"ipod", kPhone},
                             Token{"windows phone", kPhone},
                             Token{"playbook", kTablet},
                             Token{"kindle", kTablet},
                             Token{"silk-accelerated", kTablet}};

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool has(std::string_view text, std::string_view lower_token) noexcept {
    return std::search(text.begin(), text.end(), lower_token.begin(), lower_token.end(),
                       [](char a, char b) { return lower(a) == b; }) != text.end();
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> tokens) noexcept {
    return std::any_of(tokens.begin(), tokens.end(),
                       [&](std::string_view token) { return has(text, token); });
}

/// Browsers on Android say "Mobile" on phones only; other clients say neither, so the model must
/// do.
std::string_view android_category(std::string_view user_agent,
                                  const UserAgentDevice& device) noexcept {
    if (has_any(device.model, {"tv", "box", "stick"})) return kTelevision;
    if (has(user_agent, "tablet") || has_any(device.model, {"tab", "pad", "sm-t", "sm-x"})) {
        return kTablet;
    }
    if (has(user_agent, "mobile")) return kPhone;
    const bool browser = has(user_agent, "applewebkit") || has(user_agent, "gecko/");
    return browser ? kTablet : kPhone;
}

}  // namespace

std::string_view device_category(std::string_view user_agent, const UserAgentFamily& os,
                                 const UserAgentDevice& device) noexcept {
    for (const auto& [token, category] : kTokens) {
        if (has(user_agent, token)) return category;
    }
    if (os.family == "webOS" || (os.family == "Tizen" && !has(user_agent, "mobile"))) {
        return kTelevision;
    }
    if (has(user_agent, "android")) return android_category(user_agent, device);
    if (os.family == "iOS") return kPhone;
    if (has(user_agent, "tablet")) return kTablet;
    if (has_any(user_agent, {"mobile", "blackberry", "symbian", "kaios"})) return kPhone;
    if (has_any(user_agent,
                {"windows", "macintosh", "mac os x", "x11;", "cros ", "linux", "darwin"})) {
        return kComputer;
    }
    return kUnknown;
}

}  // namespace playhead::enrich
