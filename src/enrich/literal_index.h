/// Finds which of many short literals occur in a text, by their first three bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace playhead::enrich {

/// Immutable after construction, so thread safe.
class LiteralIndex {
public:
    static constexpr std::size_t kLiteralBytesMin = 3;

    LiteralIndex() = default;
    /// Each literal has at least kLiteralBytesMin bytes.
    explicit LiteralIndex(std::vector<std::string> literals);

    /// Appends the numbers of the literals in `text`, each once, in no order.
    void find(std::string_view text, std::vector<int>& found) const;

private:
    static constexpr unsigned kBucketBits = 13;
    static std::uint32_t bucket_of(const char* bytes) noexcept;

    std::vector<std::string> literals_;
    /// Numbers of literals by bucket: those of bucket b are at [begin_[b], begin_[b + 1]).
    std::vector<std::uint32_t> begin_;
    std::vector<int> numbers_;
};

}  // namespace playhead::enrich
