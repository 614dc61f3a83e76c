/// One ordered list of regular expressions: which is the first that matches, and what it captures.
#pragma once

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "enrich/literal_index.h"

namespace playhead::enrich {

/// The fields a rule fills, in the list's own order; empty = the default of that field.
inline constexpr std::size_t kReplacementsMax = 5;

struct Rule {
    std::string expression;
    bool ignore_case = false;
    std::array<std::string, kReplacementsMax> replacements;
};

/// Group 0 is the whole match; groups that took no part are empty.
struct RuleMatch {
    static constexpr std::size_t kGroups = 10;
    const Rule* rule = nullptr;
    std::array<re2::StringPiece, kGroups> groups;
};

/// A consecutive part of a list, compiled on its own. Immutable, so thread safe.
class RuleChunk {
public:
    /// InvalidArgument names the expression that RE2 refuses.
    static Result<std::unique_ptr<RuleChunk>> compile(std::span<const Rule> rules);
    /// `lowered` is `text` in lower case (ASCII). False when no rule matches.
    bool first_match(std::string_view text, std::string_view lowered, RuleMatch& match) const;

private:
    std::span<const Rule> rules_;
    re2::FilteredRE2 filter_{static_cast<int>(LiteralIndex::kLiteralBytesMin)};
    LiteralIndex literals_;
};

}  // namespace playhead::enrich
