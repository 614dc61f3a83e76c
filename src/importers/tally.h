/// What an import read, took and left out, and why: the summary at its end. Not thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"

namespace playhead::importers {

class Tally {
public:
    static constexpr std::size_t kExamplesMax = 3;          ///< shown of each reason
    static constexpr std::size_t kReasonsMax = 64;          ///< told apart
    static constexpr std::size_t kSessionsMax = 4'000'000;  ///< told apart; more are not counted

    explicit Tally(std::uint64_t errors_max) : errors_max_(errors_max) {}

    void read() { ++read_; }
    /// A line that has nothing for us, which is no fault of it.
    void skip(std::string_view reason);
    /// A line that cannot be read. Unprocessable beyond the allowed number.
    Result<void> error(const std::string& file, std::uint64_t line, const std::string& reason,
                       std::string_view text);
    void take(std::uint64_t session_hash);
    void repeat() { ++repeats_; }

    std::uint64_t lines() const noexcept { return read_; }
    std::uint64_t taken() const noexcept { return taken_; }
    std::uint64_t repeats() const noexcept { return repeats_; }
    std::uint64_t errors() const noexcept { return errors_; }
    std::uint64_t sessions() const noexcept { return sessions_.size(); }

    /// Several lines of text: what was read, then each reason with its first examples. `things`
    /// e.g. "lines", `taken` e.g. "requests imported".
    std::string summary(std::string_view things, std::string_view taken) const;

private:
    struct Reason {
        std::uint64_t count = 0;
        std::vector<std::string> examples;
    };
    void examples(std::string& out, const std::map<std::string, Reason, std::less<>>& reasons,
                  std::string_view what) const;

    std::uint64_t errors_max_;
    std::uint64_t read_ = 0, taken_ = 0, repeats_ = 0, errors_ = 0;
    std::map<std::string, Reason, std::less<>> skipped_;
    std::map<std::string, Reason, std::less<>> failed_;
    std::unordered_set<std::uint64_t> sessions_;
};

}  // namespace playhead::importers
