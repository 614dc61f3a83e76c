#include "enrich/literal_index.h"

#include <algorithm>

#include "base/check.h"

namespace playhead::enrich {

std::uint32_t LiteralIndex::bucket_of(const char* bytes) noexcept {
    const std::uint32_t three =
        static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[0])) |
        static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[1])) << 8U |
        static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[2])) << 16U;
    return (three * 2654435761U) >> (32U - kBucketBits);
}

LiteralIndex::LiteralIndex(std::vector<std::string> literals)
    : literals_(std::move(literals)), begin_((1U << kBucketBits) + 1), numbers_(literals_.size()) {
    for (const auto& literal : literals_) {
        PH_CHECK(literal.size() >= kLiteralBytesMin);
        ++begin_[bucket_of(literal.data()) + 1];
    }
    for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
    auto next = begin_;
    for (std::size_t i = 0; i < literals_.size(); ++i) {
        numbers_[next[bucket_of(literals_[i].data())]++] = static_cast<int>(i);
    }
}

void LiteralIndex::find(std::string_view text, std::vector<int>& found) const {
    if (literals_.empty() || text.size() < kLiteralBytesMin) return;
    for (std::size_t at = 0; at + kLiteralBytesMin <= text.size(); ++at) {
        const std::uint32_t bucket = bucket_of(text.data() + at);
        for (std::uint32_t i = begin_[bucket]; i < begin_[bucket + 1]; ++i) {
            const int number = numbers_[i];
            if (text.substr(at).starts_with(literals_[static_cast<std::size_t>(number)])) {
                found.push_back(number);
            }
        }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
}

}  // namespace playhead::enrich
