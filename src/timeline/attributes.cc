#include "timeline/attributes.h"

#include <algorithm>

namespace playhead::timeline {

std::string_view cut_text(std::string_view value, std::size_t bytes_max) noexcept {
    if (value.size() <= bytes_max) return value;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U) --end;
    return value.substr(0, end);
}

void Attributes::set(model::Dimension dimension, Source source, std::int64_t time_ms,
                     std::string_view value) {
    if (value.empty()) return;
    value = cut_text(value, model::kDimensionValueBytesMax);
    for (Entry& entry : entries) {
        if (entry.dimension != dimension || entry.source != source) continue;
        const std::string_view old = view(entry);
        if (old == value) {
            entry.time_ms = std::max(entry.time_ms, time_ms);
            return;
        }
        if (time_ms < entry.time_ms || (time_ms == entry.time_ms && value < old)) return;
        entry.time_ms = time_ms;
        garbage_ += entry.length;
        entry.length = static_cast<std::uint16_t>(value.size());
        entry.offset = static_cast<std::uint32_t>(text.size());
        text.append(value);
        if (garbage_ > 256 && garbage_ > text.size() / 2) compact();
        return;
    }
    entries.push_back({time_ms, static_cast<std::uint32_t>(text.size()),
                       static_cast<std::uint16_t>(value.size()), dimension, source});
    text.append(value);
}

void Attributes::set_tag(std::string_view name, std::int64_t time_ms, std::string_view value) {
    if (name.empty()) return;
    name = cut_text(name, model::kDimensionValueBytesMax);
    value = cut_text(value, model::kDimensionValueBytesMax);
    const auto at = std::lower_bound(
        tags.begin(), tags.end(), name,
        [](const TagEntry& entry, std::string_view wanted) { return entry.name < wanted; });
    if (at != tags.end() && at->name == name) {
        if (time_ms > at->time_ms || (time_ms == at->time_ms && value > at->value)) {
            at->time_ms = time_ms;
            at->value.assign(value);
        }
        return;
    }
    if (tags.size() >= model::kTagsMax && at == tags.end()) return;
    tags.insert(at, TagEntry{time_ms, std::string(name), std::string(value)});
    if (tags.size() > model::kTagsMax) tags.pop_back();
}

std::string_view Attributes::get(model::Dimension dimension) const noexcept {
    std::string_view found;
    for (const Entry& entry : entries) {
        if (entry.dimension != dimension) continue;
        if (entry.source == Source::Player) return view(entry);
        found = view(entry);
    }
    return found;
}

void Attributes::fill(model::Dimensions& dimensions, model::Tags& out_tags) const {
    for (const Entry& entry : entries) {
        std::string& target = dimensions[model::index_of(entry.dimension)];
        if (entry.source == Source::Player || target.empty()) target = view(entry);
    }
    out_tags.reserve(tags.size());
    for (const TagEntry& tag : tags) out_tags.emplace_back(tag.name, tag.value);
}

std::size_t Attributes::bytes() const noexcept {
    std::size_t sum =
        entries.capacity() * sizeof(Entry) + text.capacity() + tags.capacity() * sizeof(TagEntry);
    for (const TagEntry& tag : tags) sum += tag.name.capacity() + tag.value.capacity();
    return sum;
}

std::size_t Attributes::text_bytes() const noexcept {
    std::size_t sum = 0;
    for (const Entry& entry : entries) sum += entry.length;
    for (const TagEntry& tag : tags) sum += tag.name.size() + tag.value.size();
    return sum;
}

void Attributes::compact() {
    std::string packed;
    packed.reserve(text.size() - garbage_);
    for (Entry& entry : entries) {
        const std::string_view value = view(entry);
        entry.offset = static_cast<std::uint32_t>(packed.size());
        packed.append(value);
    }
    text = std::move(packed);
    garbage_ = 0;
}

}  // namespace playhead::timeline
