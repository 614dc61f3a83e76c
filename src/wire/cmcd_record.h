/// One CMCD report taken apart into keys and values, without judging them. Internal to wire.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/event.h"
#include "wire/structured_fields.h"

namespace playhead::wire {

/// One number of a list such as `br=(5000;v 320;a)`.
struct CmcdNumber {
    double value = 0;
    char object_type = 0;  ///< as in `model::Event::object_type`, 0 = not stated
};

class CmcdRecord {
public:
    /// Adds the members of `text`; a repeated key replaces the earlier one. Members that cannot be
    /// read are counted in `dropped`. Keys and values are views into `text`.
    void read(std::string_view text, std::uint32_t& dropped);

    bool empty() const noexcept { return members_.empty(); }
    const sf::Dictionary& members() const noexcept { return members_; }
    const sf::Member* find(std::string_view key) const noexcept;

private:
    sf::Dictionary members_;
};

/// The text of a string or token, unescaped; nullopt for other types and above `bytes_max`.
/// Of a list, its first item.
std::optional<std::string_view> cmcd_text(const sf::Member& member, std::size_t bytes_max,
                                          model::Arena& arena);
/// The same for one item; numbers give their digits.
std::optional<std::string_view> cmcd_text(const sf::BareItem& item, std::size_t bytes_max,
                                          model::Arena& arena);

/// The finite number of a scalar, or of a list's first item.
std::optional<double> cmcd_number(const sf::Member& member);

/// The numbers of a list, or of a scalar as a list of one; others are left out.
std::vector<CmcdNumber> cmcd_numbers(const sf::Member& member);

/// true for a bare key or ?1.
bool cmcd_flag(const sf::Member& member);

/// `ot` as in `model::Event::object_type`: "av" is 'b', "tt" is 't'; 0 when unknown.
char cmcd_object_type(std::string_view token) noexcept;

}  // namespace playhead::wire
