/// Text attributes of one session, compact: one entry per dimension that was stated, the texts in
/// the pool of the partition.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/dimensions.h"
#include "model/rows.h"
#include "timeline/text_pool.h"

namespace playhead::timeline {

/// Who says it. What the player says wins over what the server found out itself.
enum class Source : std::uint8_t { Player, Server };

/// The newest value of each attribute. Equal times: the greater text, so that the order of arrival
/// does not matter.
class Attributes {
public:
    explicit Attributes(TextPool& pool) noexcept : pool_(&pool) {}

    void set(model::Dimension dimension, Source source, std::int64_t time_ms,
             std::string_view value);
    /// At most model::kTagsMax tags; of more, those with the smallest names stay.
    void set_tag(std::string_view name, std::int64_t time_ms, std::string_view value);
    /// The value, the player's before the server's; empty when there is none.
    std::string_view get(model::Dimension dimension) const noexcept;
    void fill(model::Dimensions& dimensions, model::Tags& tags) const;
    /// Without the texts, which are the pool's.
    std::size_t bytes() const noexcept;
    TextPool& pool() const noexcept { return *pool_; }

    struct Entry {
        SharedText text;
        std::int64_t time_ms : 48 = 0;  ///< until the year 6429
        model::Dimension dimension{};
        Source source{};
    };
    static_assert(sizeof(Entry) == 16);
    struct TagEntry {
        std::int64_t time_ms = 0;
        SharedText name;
        SharedText value;
    };
    std::vector<Entry> entries;
    std::vector<TagEntry> tags;

private:
    Entry* find(model::Dimension dimension, Source source) noexcept;

    TextPool* pool_;
    /// Where the next search begins: records state their attributes in the same order.
    std::uint32_t next_ = 0;
};

/// `value` cut to at most `bytes_max` bytes at a UTF-8 boundary.
std::string_view cut_text(std::string_view value, std::size_t bytes_max) noexcept;

}  // namespace playhead::timeline
