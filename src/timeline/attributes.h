/// Text attributes of one session, compact: one entry per dimension that was stated, one text
/// block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/dimensions.h"
#include "model/rows.h"

namespace playhead::timeline {

/// Who says it. What the player says wins over what the server found out itself.
enum class Source : std::uint8_t { Player, Server };

/// The newest value of each attribute. Equal times: the greater text, so that the order of arrival
/// does not matter.
class Attributes {
public:
    void set(model::Dimension dimension, Source source, std::int64_t time_ms,
             std::string_view value);
    /// At most model::kTagsMax tags; of more, those with the smallest names stay.
    void set_tag(std::string_view name, std::int64_t time_ms, std::string_view value);
    /// The value, the player's before the server's; empty when there is none.
    std::string_view get(model::Dimension dimension) const noexcept;
    void fill(model::Dimensions& dimensions, model::Tags& tags) const;
    std::size_t bytes() const noexcept;
    /// The part of `bytes` that is characters of values and names in use.
    std::size_t text_bytes() const noexcept;

    struct Entry {
        std::int64_t time_ms = 0;
        std::uint32_t offset = 0;
        std::uint16_t length = 0;
        model::Dimension dimension{};
        Source source{};
    };
    struct TagEntry {
        std::int64_t time_ms = 0;
        std::string name;
        std::string value;
    };
    std::vector<Entry> entries;
    std::vector<TagEntry> tags;
    std::string text;

private:
    std::string_view view(const Entry& entry) const noexcept {
        return std::string_view(text).substr(entry.offset, entry.length);
    }
    void compact();
    std::uint32_t garbage_ = 0;
};

/// `value` cut to at most `bytes_max` bytes at a UTF-8 boundary.
std::string_view cut_text(std::string_view value, std::size_t bytes_max) noexcept;

}  // namespace playhead::timeline
