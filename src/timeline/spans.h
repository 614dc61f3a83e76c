/// Half-open intervals of time and the few operations on sorted lists of them.
#pragma once

#include <cstdint>
#include <vector>

namespace playhead::timeline {

/// [begin, end), epoch ms.
struct Span {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t length() const noexcept { return end > begin ? end - begin : 0; }
    friend bool operator==(const Span&, const Span&) = default;
};

using Spans = std::vector<Span>;

/// Sorts, drops empty ones and joins those that touch.
void normalize(Spans& spans);
/// Cuts every span to `window`, drops what is empty.
void clip(Spans& spans, Span window);
/// What of `from` is in none of `holes` (normalized).
Spans subtract(const Spans& from, const Spans& holes);
/// Sum of lengths.
std::int64_t total(const Spans& spans) noexcept;
/// Whether `at` is inside one of `spans`.
bool contains(const Spans& spans, std::int64_t at) noexcept;

}  // namespace playhead::timeline
