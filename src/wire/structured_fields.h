/// Structured Field Values for HTTP (RFC 9651): strict parser and canonical serializer.
///
/// Values are views into the input: no allocation for an item without parameters. Text that the
/// wire encodes (string escapes, base64, percent) is decoded only when asked for. Depth is bounded
/// by the grammar: a list may hold inner lists, and those only items. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace playhead::wire::sf {

enum class Type : std::uint8_t {
    Integer,
    Decimal,
    String,
    Token,
    Bytes,
    Boolean,
    Date,
    DisplayString
};

/// An item without parameters.
struct BareItem {
    Type type = Type::Boolean;
    bool encoded = false;     ///< `text` is as on the wire, with escapes, base64 or percent codes
    std::int64_t number = 0;  ///< Integer, Date (epoch s), Boolean 0/1; Decimal in thousandths
    std::string_view text;    ///< String, Token, Bytes, DisplayString, without their quotes

    static BareItem integer(std::int64_t value) { return {Type::Integer, false, value, {}}; }
    static BareItem boolean(bool value) { return {Type::Boolean, false, value ? 1 : 0, {}}; }
    static BareItem date(std::int64_t epoch_s) { return {Type::Date, false, epoch_s, {}}; }
    static BareItem string(std::string_view text) { return {Type::String, false, 0, text}; }
    static BareItem token(std::string_view text) { return {Type::Token, false, 0, text}; }
    static BareItem bytes(std::string_view raw) { return {Type::Bytes, false, 0, raw}; }
    static BareItem display_string(std::string_view utf8) {
        return {Type::DisplayString, false, 0, utf8};
    }
    /// Rounded to thousandths, halves to even. Out of range values fail when serialized.
    static BareItem decimal(double value);

    /// Integer or Decimal as a number.
    double as_double() const noexcept {
        return type == Type::Decimal ? static_cast<double>(number) / 1000
                                     : static_cast<double>(number);
    }
};

struct Parameter {
    std::string_view key;
    BareItem value;
};
using Parameters = std::vector<Parameter>;

struct Item {
    BareItem value;
    Parameters parameters;
};

/// A member of a list or dictionary: an item, or an inner list.
struct Member {
    bool is_inner_list = false;
    BareItem value;           ///< unless `is_inner_list`
    std::vector<Item> items;  ///< of the inner list
    Parameters parameters;    ///< of the item or of the inner list
};
using List = std::vector<Member>;
using Dictionary = std::vector<std::pair<std::string_view, Member>>;

/// InvalidArgument with the byte offset when `text` is not the type asked for. Of members or
/// parameters with the same key the last value wins, at the first one's place.
Result<Item> parse_item(std::string_view text);
Result<List> parse_list(std::string_view text);
Result<Dictionary> parse_dictionary(std::string_view text);

/// Canonical text; InvalidArgument for a value that has none (number out of range, bad key or
/// token, string outside ASCII, display string that is not UTF-8).
Result<std::string> serialize(const Item& item);
Result<std::string> serialize(const List& list);
Result<std::string> serialize(const Dictionary& dictionary);

/// The text of a String, Bytes or DisplayString as the sender meant it.
std::string decoded_text(const BareItem& item);

/// The parser itself, for callers that take a field apart leniently. Each `read_*` moves `position`
/// past what it read; on failure it stays wherever the error is and the result is false.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool read_bare_item(BareItem& item);
    bool read_key(std::string_view& key);
    bool read_parameters(Parameters& parameters);
    bool read_item(Item& item);
    bool read_member(Member& member);
    bool read_inner_list(Member& member);

    bool at_end() const noexcept { return position_ >= text_.size(); }
    char peek() const noexcept { return at_end() ? '\0' : text_[position_]; }
    /// Moves past `c` if it is next.
    bool take(char c) noexcept;
    void skip_spaces() noexcept;  ///< SP
    void skip_blanks() noexcept;  ///< SP and HTAB
    std::size_t position() const noexcept { return position_; }

private:
    bool read_number(BareItem& item);
    bool read_string(BareItem& item);
    bool read_token(BareItem& item);
    bool read_bytes(BareItem& item);
    bool read_boolean(BareItem& item);
    bool read_date(BareItem& item);
    bool read_display_string(BareItem& item);

    std::string_view text_;
    std::size_t position_ = 0;
};

}  // namespace playhead::wire::sf
