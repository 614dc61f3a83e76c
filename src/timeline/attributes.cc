#include "timeline/attributes.h"

#include <algorithm>

#include "timeline/growth.h"

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
    Entry* entry = find(dimension, source);
    if (entry == nullptr) {
        grow_tightly(entries);
        entries.push_back({pool_->share(value), time_ms, dimension, source});
        return;
    }
    const std::string_view old = entry->text.view();
    if (old == value) {
        if (time_ms > entry->time_ms) entry->time_ms = time_ms;
        return;
    }
    if (time_ms < entry->time_ms || (time_ms == entry->time_ms && value < old)) return;
    entry->time_ms = time_ms;
    entry->text = pool_->share(value);
}

Attributes::Entry* Attributes::find(model::Dimension dimension, Source source) noexcept {
    const std::size_t count = entries.size();
    for (std::size_t step = 0, at = next_; step < count; ++step, ++at) {
        if (at >= count) at = 0;
        Entry& entry = entries[at];
        if (entry.dimension != dimension || entry.source != source) continue;
        next_ = static_cast<std::uint32_t>(at + 1);
        return &entry;
    }
    return nullptr;
}

void Attributes::set_tag(std::string_view name, std::int64_t time_ms, std::string_view value) {
    if (name.empty()) return;
    name = cut_text(name, model::kDimensionValueBytesMax);
    value = cut_text(value, model::kDimensionValueBytesMax);
    const auto at = std::lower_bound(
        tags.begin(), tags.end(), name,
        [](const TagEntry& entry, std::string_view wanted) { return entry.name.view() < wanted; });
    if (at != tags.end() && at->name.view() == name) {
        if (time_ms > at->time_ms || (time_ms == at->time_ms && value > at->value.view())) {
            at->time_ms = time_ms;
            at->value = pool_->share(value);
        }
        return;
    }
    if (tags.size() >= model::kTagsMax && at == tags.end()) return;
    tags.insert(at, TagEntry{time_ms, pool_->share(name), pool_->share(value)});
    if (tags.size() > model::kTagsMax) tags.pop_back();
}

std::string_view Attributes::get(model::Dimension dimension) const noexcept {
    std::string_view found;
    for (const Entry& entry : entries) {
        if (entry.dimension != dimension) continue;
        if (entry.source == Source::Player) return entry.text.view();
        found = entry.text.view();
    }
    return found;
}

void Attributes::fill(model::Dimensions& dimensions, model::Tags& out_tags) const {
    for (const Entry& entry : entries) {
        std::string& target = dimensions[model::index_of(entry.dimension)];
        if (entry.source == Source::Player || target.empty()) target = entry.text.view();
    }
    out_tags.reserve(tags.size());
    for (const TagEntry& tag : tags) out_tags.emplace_back(tag.name.view(), tag.value.view());
}

std::size_t Attributes::bytes() const noexcept {
    return entries.capacity() * sizeof(Entry) + tags.capacity() * sizeof(TagEntry);
}

}  // namespace playhead::timeline
