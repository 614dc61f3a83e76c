/// Append-only JSON text into a string of the caller. No tree, no allocation of its own.
/// Not synchronized. The caller keeps the order of calls right (a key before each member's value);
/// whatever bytes are given, the text is valid JSON in valid UTF-8.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace playhead {

/// Appends `text` as a quoted JSON string. Each maximal part that is not UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Appends the shortest text that reads back as the same double; NaN and infinities become null.
void append_json_number(std::string& out, double value);

class JsonWriter {
public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    void begin_object() { open('{'); }
    void end_object() { close('}'); }
    void begin_array() { open('['); }
    void end_array() { close(']'); }
    void key(std::string_view name) {
        separate();
        append_json_string(out_, name);
        out_.push_back(':');
        comma_ = false;
    }

    void value(std::string_view text) {
        separate();
        append_json_string(out_, text);
        comma_ = true;
    }
    void value(const char* text) { value(std::string_view(text)); }
    void value(bool flag) { raw(flag ? "true" : "false"); }
    void value(std::signed_integral auto number) { integer(static_cast<std::int64_t>(number)); }
    void value(std::unsigned_integral auto number) { integer(static_cast<std::uint64_t>(number)); }
    void value(std::floating_point auto number) {
        separate();
        append_json_number(out_, static_cast<double>(number));
        comma_ = true;
    }
    void value(const std::vector<std::string>& texts) {
        begin_array();
        for (const std::string& text : texts) value(std::string_view(text));
        end_array();
    }
    void null() { raw("null"); }

    /// Appends text that is a JSON value already.
    void raw(std::string_view json) {
        separate();
        out_.append(json);
        comma_ = true;
    }

    template <class T>
    void member(std::string_view name, const T& item) {
        key(name);
        value(item);
    }

private:
    void separate() {
        if (comma_) out_.push_back(',');
    }
    void open(char bracket) {
        separate();
        out_.push_back(bracket);
        comma_ = false;
    }
    void close(char bracket) {
        out_.push_back(bracket);
        comma_ = true;
    }
    void integer(std::int64_t number);
    void integer(std::uint64_t number);

    std::string& out_;
    bool comma_ = false;
};

}  // namespace playhead
