#include "enrich/rule_list.h"

#include <algorithm>

namespace playhead::enrich {

Result<std::unique_ptr<RuleChunk>> RuleChunk::compile(std::span<const Rule> rules) {
    auto chunk = std::make_unique<RuleChunk>();
    chunk->rules_ = rules;
    RE2::Options options;
    options.set_log_errors(false);
    // Bytes, not characters: a user agent need not be UTF-8, and no rule has a byte above 0x7F.
    options.set_encoding(RE2::Options::EncodingLatin1);
    for (const Rule& rule : rules) {
        options.set_case_sensitive(!rule.ignore_case);
        int id = 0;
        if (chunk->filter_.Add(rule.expression, options, &id) != RE2::NoError) {
            return fail_parameter("user_agent_rules", rule.expression,
                                  "a regular expression for RE2",
                                  "a user-agent rule is no regular expression");
        }
    }
    std::vector<std::string> literals;
    chunk->filter_.Compile(&literals);
    chunk->literals_ = LiteralIndex(std::move(literals));
    return chunk;
}

bool RuleChunk::first_match(std::string_view text, std::string_view lowered,
                            RuleMatch& match) const {
    std::vector<int> found;
    literals_.find(lowered, found);
    std::vector<int> candidates;
    filter_.AllPotentials(found, &candidates);
    std::sort(candidates.begin(), candidates.end());
    const re2::StringPiece piece(text.data(), text.size());
    for (const int id : candidates) {
        const RE2& expression = filter_.GetRE2(id);
        const int groups = std::min(expression.NumberOfCapturingGroups() + 1,
                                    static_cast<int>(RuleMatch::kGroups));
        if (!expression.Match(piece, 0, text.size(), RE2::UNANCHORED, match.groups.data(),
                              groups)) {
            continue;
        }
        std::fill(match.groups.begin() + groups, match.groups.end(), re2::StringPiece());
        match.rule = &rules_[static_cast<std::size_t>(id)];
        return true;
    }
    return false;
}

}  // namespace playhead::enrich
