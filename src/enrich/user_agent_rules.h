/// uap-core's regular expressions with their exact meaning: the first rule of a list that matches
/// decides. What no rule can say without a match is found by a search for the rules' literals
/// before any expression runs.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace playhead::enrich {

/// A browser or operating system: family, major, minor, patch, patch minor. All empty = no rule.
struct UserAgentFamily {
    std::string family;
    std::array<std::string, 4> version;
    /// "17.4.1": the parts up to the first empty one.
    std::string dotted_version() const;
};

struct UserAgentDevice {
    std::string family;
    std::string brand;
    std::string model;
};

/// Immutable after it is made, so thread safe.
class UserAgentRules {
public:
    static constexpr std::size_t kRulesMax = 10'000;
    static constexpr std::size_t kFileBytesMax = 16U << 20U;
    /// Longer strings are cut before matching.
    static constexpr std::size_t kUserAgentBytesMax = 2048;

    /// Reads regexes.yaml and compiles it on `threads` threads (about 0.6 s of CPU for uap-core).
    /// The error names the file, or the expression that RE2 refuses.
    static Result<std::unique_ptr<UserAgentRules>> load(const std::string& path, unsigned threads);
    static Result<std::unique_ptr<UserAgentRules>> parse(const std::string& yaml, unsigned threads);
    ~UserAgentRules();

    /// Each walks its own list; tens of microseconds.
    UserAgentFamily browser(std::string_view user_agent) const;
    UserAgentFamily os(std::string_view user_agent) const;
    UserAgentDevice device(std::string_view user_agent) const;

private:
    struct Lists;
    explicit UserAgentRules(std::unique_ptr<Lists> lists);
    std::unique_ptr<Lists> lists_;
};

}  // namespace playhead::enrich
