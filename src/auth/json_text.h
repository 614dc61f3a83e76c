/// Just enough JSON writing for tokens and small documents. Internal to `auth`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::auth {

/// A quoted, escaped JSON string. Bytes that are no valid UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

/// Builds one object, in call order; keys must be plain ASCII.
class JsonObject {
public:
    JsonObject& text(std::string_view key, std::string_view value);
    JsonObject& number(std::string_view key, std::int64_t value);
    JsonObject& boolean(std::string_view key, bool value);
    JsonObject& texts(std::string_view key, const std::vector<std::string>& values);
    JsonObject& raw(std::string_view key, std::string_view json);
    std::string done() { return body_ + "}"; }

private:
    std::string body_ = "{";
};

}  // namespace playhead::auth
