#include "timeline/spans.h"

#include <algorithm>

namespace playhead::timeline {

void normalize(Spans& spans) {
    std::erase_if(spans, [](const Span& span) { return span.end <= span.begin; });
    std::sort(spans.begin(), spans.end(), [](const Span& left, const Span& right) {
        return left.begin != right.begin ? left.begin < right.begin : left.end < right.end;
    });
    std::size_t kept = 0;
    for (std::size_t index = 0; index < spans.size(); ++index) {
        if (kept > 0 && spans[index].begin <= spans[kept - 1].end) {
            spans[kept - 1].end = std::max(spans[kept - 1].end, spans[index].end);
        } else {
            spans[kept++] = spans[index];
        }
    }
    spans.resize(kept);
}

void clip(Spans& spans, Span window) {
    for (Span& span : spans) {
        span.begin = std::max(span.begin, window.begin);
        span.end = std::min(span.end, window.end);
    }
    std::erase_if(spans, [](const Span& span) { return span.end <= span.begin; });
}

Spans subtract(const Spans& from, const Spans& holes) {
    Spans left;
    for (const Span& span : from) {
        std::int64_t begin = span.begin;
        for (const Span& hole : holes) {
            if (hole.end <= begin) continue;
            if (hole.begin >= span.end) break;
            if (hole.begin > begin) left.push_back({begin, hole.begin});
            begin = std::max(begin, hole.end);
        }
        if (begin < span.end) left.push_back({begin, span.end});
    }
    return left;
}

std::int64_t total(const Spans& spans) noexcept {
    std::int64_t sum = 0;
    for (const Span& span : spans) sum += span.length();
    return sum;
}

bool contains(const Spans& spans, std::int64_t at) noexcept {
    return std::any_of(spans.begin(), spans.end(),
                       [at](const Span& span) { return at >= span.begin && at < span.end; });
}

}  // namespace playhead::timeline
