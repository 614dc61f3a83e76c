#include "query/expression.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace playhead::query {

namespace {

constexpr std::size_t kExpressionBytesMax = 2000;
constexpr std::array kFunctions{"if",      "concat",      "round",
                                "toHour",  "toDayOfWeek", "toUnixTimestamp",
                                "toInt64", "toFloat64",   "cityHash64"};
constexpr std::array kKeywords{"and", "or", "not"};
constexpr std::array kSymbols{"!=", ">=", "<=", "+", "-", "*", "/", "(", ")", ",", "=", ">", "<"};
constexpr std::array kLinearSymbols{"+", "-", "*", "(", ")"};

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

template <class List>
bool listed(const List& list, std::string_view text) {
    return std::any_of(list.begin(), list.end(), [&](const char* item) { return text == item; });
}

tl::unexpected<Error> refuse(std::string_view text, std::string_view at) {
    return fail_parameter(
        "expression", std::string(text),
        "columns, numbers, operators and the functions of the dictionary",
        "cannot read the expression at \"" + std::string(at.substr(0, 20)) + "\"");
}

std::size_t word_end(std::string_view text, std::size_t from) {
    while (from < text.size() && is_word(text[from])) ++from;
    return from;
}

std::size_t number_end(std::string_view text, std::size_t from) {
    while (from < text.size() &&
           (is_word(text[from]) || text[from] == '.' ||
            ((text[from] == '-' || text[from] == '+') && text[from - 1] == 'e'))) {
        ++from;
    }
    return from;
}

}  // namespace

Result<Expression> Expression::parse(std::string_view text, bool linear) {
    Expression out;
    if (text.size() > kExpressionBytesMax) return refuse(text.substr(0, 40), "its length");
    std::size_t at = 0;
    while (at < text.size()) {
        const char c = text[at];
        const std::string_view rest = text.substr(at);
        if (c == ' ' || c == '\n') {
            ++at;
        } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
            const std::size_t end = number_end(text, at);
            out.tokens_.push_back({Token::Kind::Number, std::string(text.substr(at, end - at))});
            at = end;
        } else if (is_word(c)) {
            const std::size_t end = word_end(text, at);
            const std::string word(text.substr(at, end - at));
            const bool call = end < text.size() && text[end] == '(';
            auto kind = call ? Token::Kind::Function : Token::Kind::Column;
            if (listed(kKeywords, word)) kind = Token::Kind::Keyword;
            if (kind == Token::Kind::Function && !listed(kFunctions, word)) {
                return refuse(text, rest);
            }
            if (linear && kind != Token::Kind::Column) return refuse(text, rest);
            out.tokens_.push_back({kind, word});
            at = end;
        } else if (c == '\'' && !linear) {
            const std::size_t end = text.find('\'', at + 1);
            if (end == std::string_view::npos) return refuse(text, rest);
            const std::string body(text.substr(at, end + 1 - at));
            if (body.find('\\') != std::string::npos) return refuse(text, rest);
            out.tokens_.push_back({Token::Kind::Text, body});
            at = end + 1;
        } else if (rest.starts_with("{time}") || rest.starts_with("{timezone}")) {
            const std::size_t end = text.find('}', at);
            out.tokens_.push_back(
                {Token::Kind::Placeholder, std::string(text.substr(at, end + 1 - at))});
            at = end + 1;
        } else {
            const auto* symbol =
                std::find_if(kSymbols.begin(), kSymbols.end(),
                             [&](const char* item) { return rest.starts_with(item); });
            if (symbol == kSymbols.end() || (linear && !listed(kLinearSymbols, *symbol))) {
                return refuse(text, rest);
            }
            out.tokens_.push_back({Token::Kind::Symbol, *symbol});
            at += std::string_view(*symbol).size();
        }
    }
    return out;
}

std::vector<std::string> Expression::columns() const {
    std::vector<std::string> out;
    for (const auto& token : tokens_) {
        if (token.kind != Token::Kind::Column) continue;
        if (std::find(out.begin(), out.end(), token.text) == out.end()) out.push_back(token.text);
    }
    return out;
}

std::string Expression::write(const std::function<std::string(const std::string&)>& name) const {
    std::string out;
    for (const auto& token : tokens_) {
        const bool renamed =
            token.kind == Token::Kind::Column || token.kind == Token::Kind::Placeholder;
        const bool tight = token.text == "(" || token.text == ")" || token.text == ",";
        if (!out.empty() && !tight && out.back() != '(') out += ' ';
        const bool after_operator =
            out.empty() || (token.text == "(" &&
                            std::string_view("+-*/=><").find(out.back()) != std::string_view::npos);
        if (after_operator && !out.empty()) out += ' ';
        out += renamed ? name(token.text) : token.text;
    }
    return out;
}

std::string Expression::text() const {
    return write([](const std::string& name) { return name; });
}

void Expression::substitute(std::string_view column, std::string_view number) {
    for (auto& token : tokens_) {
        if (token.kind == Token::Kind::Column && token.text == column) {
            token = {Token::Kind::Number, std::string(number)};
        }
    }
}

}  // namespace playhead::query
