#include "importers/tally.h"

#include <fmt/format.h>

namespace playhead::importers {

namespace {

constexpr std::size_t kExampleBytesMax = 120;
constexpr std::string_view kOtherReasons = "other reasons";

/// One line of printable text.
std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, kExampleBytesMax)) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
    if (text.size() > kExampleBytesMax) out += "…";
    return out;
}

template <class Reasons>
auto& entry(Reasons& reasons, std::string_view reason) {
    const auto found = reasons.find(reason);
    if (found != reasons.end()) return found->second;
    const bool room = reasons.size() < Tally::kReasonsMax;
    return reasons[std::string(room ? reason : kOtherReasons)];
}

}  // namespace

void Tally::skip(std::string_view reason) {
    ++entry(skipped_, reason).count;
}

Result<void> Tally::error(const std::string& file, std::uint64_t line, const std::string& reason,
                          std::string_view text) {
    Reason& found = entry(failed_, reason);
    ++found.count;
    if (found.examples.size() < kExamplesMax) {
        found.examples.push_back(fmt::format("{}:{}: {}", file, line, shown(text)));
    }
    if (++errors_ <= errors_max_) return {};
    return fail(ErrorCode::Unprocessable,
                fmt::format("more than {} lines cannot be read (--max-errors); {}:{}: {}: {}",
                            errors_max_, file, line, reason, shown(text)));
}

void Tally::take(std::uint64_t session_hash) {
    ++taken_;
    if (sessions_.size() < kSessionsMax) sessions_.insert(session_hash);
}

void Tally::examples(std::string& out, const std::map<std::string, Reason, std::less<>>& reasons,
                     std::string_view what) const {
    for (const auto& [reason, found] : reasons) {
        out += fmt::format("  {} {}: {}\n", found.count, what, reason);
        for (const std::string& example : found.examples) out += "    " + example + "\n";
    }
}

std::string Tally::summary(std::string_view things, std::string_view taken) const {
    std::string out =
        fmt::format("{} {} read, {} {}, {} {}, {} there already\n", read_, things, taken_, taken,
                    sessions_.size(), sessions_.size() == 1 ? "session" : "sessions", repeats_);
    examples(out, skipped_, "left out");
    examples(out, failed_, "not readable");
    return out;
}

}  // namespace playhead::importers
