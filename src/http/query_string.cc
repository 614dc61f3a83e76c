#include "http/query_string.h"

namespace playhead::http {

namespace {

int hex_digit(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
}

bool unreserved(char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
           (letter >= 'A' && letter <= 'Z') || letter == '-' || letter == '.' || letter == '_' ||
           letter == '~';
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '+' && plus_is_space) {
            out.push_back(' ');
        } else if (text[at] != '%') {
            out.push_back(text[at]);
        } else {
            if (text.size() - at < 3) return std::nullopt;
            const int high = hex_digit(text[at + 1]);
            const int low = hex_digit(text[at + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            out.push_back(static_cast<char>(high * 16 + low));
            at += 2;
        }
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char letter : text) {
        if (unreserved(letter)) {
            out.push_back(letter);
            continue;
        }
        const auto byte = static_cast<unsigned char>(letter);
        out.push_back('%');
        out.push_back(kHex[byte >> 4U]);
        out.push_back(kHex[byte & 15U]);
    }
    return out;
}

Result<QueryString> QueryString::parse(std::string_view text) {
    QueryString result;
    while (!text.empty()) {
        const auto end = text.find('&');
        const auto part = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (part.empty()) continue;
        if (result.parameters_.size() >= kQueryParametersMax) {
            return fail(ErrorCode::InvalidArgument, "There are too many query parameters.");
        }
        const auto equals = part.find('=');
        const auto raw_name = part.substr(0, equals);
        const auto raw_value =
            equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
        auto name = percent_decode(raw_name, true);
        auto value = percent_decode(raw_value, true);
        if (!name || !value) {
            return fail_parameter(name ? *name : std::string(raw_name), std::string(raw_value),
                                  "'%' followed by two hexadecimal digits ('%25' for a '%')",
                                  "A percent escape is malformed.");
        }
        result.parameters_.push_back({std::move(*name), std::move(*value), raw_value});
    }
    return result;
}

const QueryParameter* QueryString::find(std::string_view name) const noexcept {
    for (const auto& parameter : parameters_) {
        if (parameter.name == name) return &parameter;
    }
    return nullptr;
}

std::string_view QueryString::get(std::string_view name,
                                  std::string_view otherwise) const noexcept {
    const auto* found = find(name);
    return found == nullptr ? otherwise : std::string_view(found->value);
}

std::vector<std::pair<std::string, std::string>> QueryString::pairs() const {
    std::vector<std::pair<std::string, std::string>> out;
    out.reserve(parameters_.size());
    for (const auto& parameter : parameters_) out.emplace_back(parameter.name, parameter.value);
    return out;
}

}  // namespace playhead::http
