#include "timeline/session.h"

#include <algorithm>
#include <tuple>

#include "timeline/growth.h"

namespace playhead::timeline {
namespace {

auto key_of(const Mark& mark) {
    return std::tuple(mark.time_ms, mark.kind, mark.order, mark.aux, mark.value);
}

bool before(const Mark& left, const Mark& right) {
    return key_of(left) < key_of(right);
}

constexpr std::int64_t kMinuteMs = 60'000;

std::int64_t minute_of(std::int64_t time_ms) noexcept {
    return time_ms / kMinuteMs;
}

std::int64_t& cell_at(Session& session, Column column, std::int64_t time_ms) {
    const auto minute = static_cast<std::uint32_t>(std::max<std::int64_t>(0, minute_of(time_ms)));
    return session.cells.at(minute, column);
}

std::size_t characters_of(const AdText& text) noexcept {
    return text.id.size() + text.title.size() + text.client.size() + text.system.size() +
           text.position.size() + text.creative_id.size() + text.creative_type.size() +
           text.resolution.size() + text.linear.size() + text.error_code.size() +
           text.error_message.size();
}

}  // namespace

void Session::add_mark(const Mark& mark) {
    auto at = marks.end();
    if (!marks.empty() && !before(marks.back(), mark)) {
        at = std::lower_bound(marks.begin(), marks.end(), mark, before);
        if (at != marks.end() && *at == mark) return;
    }
    if (marks.size() >= kMarksMax) {
        ++refused;
        return;
    }
    const auto index = at - marks.begin();
    grow_tightly(marks);
    marks.insert(marks.begin() + index, mark);
}

void Session::add_thin_mark(MarkKind kind, std::int64_t time_ms, double value, std::uint8_t aux) {
    const std::int64_t minute = minute_of(time_ms);
    const auto first =
        std::lower_bound(marks.begin(), marks.end(), minute * kMinuteMs,
                         [](const Mark& mark, std::int64_t time) { return mark.time_ms < time; });
    for (auto at = first; at != marks.end() && minute_of(at->time_ms) == minute; ++at) {
        if (at->kind != kind || at->value != value || at->aux != aux) continue;
        if (at->time_ms <= time_ms) return;
        marks.erase(at);
        break;
    }
    add_mark({time_ms, value, 0, kind, aux});
}

void Session::add_peak_mark(MarkKind kind, std::int64_t time_ms, double value) {
    const std::int64_t minute = minute_of(time_ms);
    const auto first =
        std::lower_bound(marks.begin(), marks.end(), minute * kMinuteMs,
                         [](const Mark& mark, std::int64_t time) { return mark.time_ms < time; });
    for (auto at = first; at != marks.end() && minute_of(at->time_ms) == minute; ++at) {
        if (at->kind != kind) continue;
        if (at->value > value || (at->value == value && at->time_ms <= time_ms)) return;
        marks.erase(at);
        break;
    }
    add_mark({time_ms, value, 0, kind, 0});
}

void Session::add(Column column, std::int64_t time_ms, std::int64_t amount) {
    if (amount == 0) return;
    if (cells.size() >= kCellsMax) {
        ++refused;
        return;
    }
    cell_at(*this, column, time_ms) += amount;
}

void Session::raise(Column column, std::int64_t time_ms, std::int64_t value) {
    if (value <= 0) return;
    if (cells.size() >= kCellsMax) {
        ++refused;
        return;
    }
    std::int64_t& kept = cell_at(*this, column, time_ms);
    kept = std::max(kept, value);
}

void Session::shrink() {
    marks.shrink_to_fit();
    cells.shrink();
    seen.shrink_to_fit();
    streams.shrink_to_fit();
    ad_texts.shrink_to_fit();
    attributes.entries.shrink_to_fit();
    attributes.tags.shrink_to_fit();
}

std::size_t Session::bytes() const noexcept {
    std::size_t sum = sizeof(Session) + session_id.capacity() + marks.capacity() * sizeof(Mark) +
                      cells.bytes() + seen.capacity() * sizeof(seen[0]) +
                      streams.capacity() * sizeof(Stream) + ad_texts.capacity() * sizeof(AdText) +
                      emitted.capacity() + attributes.bytes();
    for (const Stream& stream : streams) {
        sum += stream.numbers.intervals.capacity() * sizeof(stream.numbers.intervals[0]);
    }
    for (const AdText& text : ad_texts) sum += characters_of(text);
    return sum;
}

std::size_t Session::text_bytes() const noexcept {
    std::size_t sum = session_id.size();
    for (const AdText& text : ad_texts) sum += characters_of(text);
    return sum;
}

}  // namespace playhead::timeline
