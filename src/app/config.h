/// The effective configuration: defaults, then the YAML file, then `PLAYHEAD_…` environment
/// variables, then flags. Each value remembers where it came from. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace playhead::app {

enum class SettingKind { Text, Integer, Boolean, List };

/// One key. The environment variable is PLAYHEAD_ and the key in upper case with '_' for '.'; the
/// flag is `--` and the key with '-' for '.' and '_'.
struct Setting {
    const char* key;
    SettingKind kind;
    const char* default_value;
    std::int64_t low;  ///< of integers
    std::int64_t high;
    const char* help;
};

/// All keys, in the order in which they are shown.
std::span<const Setting> settings();

std::string flag_of(const Setting& setting);
std::string variable_of(const Setting& setting);

class Config {
public:
    /// Everything at its default.
    Config();

    /// InvalidArgument naming the line, the unknown key with the nearest known one, or the value.
    Result<void> load_yaml(const std::string& path);
    Result<void> load_environment();
    /// `origin` is shown by print, e.g. "flag --listen".
    Result<void> set(std::string_view key, std::string value, std::string origin);

    std::string text(std::string_view key) const;
    std::int64_t integer(std::string_view key) const;
    bool boolean(std::string_view key) const;
    std::vector<std::string> list(std::string_view key) const;

    /// YAML with each value's origin as a comment.
    std::string print() const;

private:
    struct Value {
        std::string text;
        std::string origin;
    };
    const Value& value(std::string_view key) const;
    std::map<std::string, Value, std::less<>> values_;
};

}  // namespace playhead::app
