#include "query/filter.h"

#include <re2/re2.h>

#include <array>
#include <utility>

#include "query/text.h"

namespace playhead::query {

namespace {

constexpr const char* kExpected = "[name=value|value][name>value] or name=value, name=value";
constexpr std::array<std::pair<std::string_view, Operator>, 10> kOperators{
    {{"=~", Operator::Matches},
     {"!=", Operator::NotEqual},
     {"!~", Operator::NotContains},
     {">=", Operator::GreaterEqual},
     {"<=", Operator::LessEqual},
     {"=", Operator::Equal},
     {">", Operator::Greater},
     {"<", Operator::Less},
     {"~", Operator::Contains},
     {"^", Operator::StartsWith}}};

tl::unexpected<Error> refuse(std::string_view value, std::string message) {
    return fail_parameter("filter", cut(value), kExpected, std::move(message));
}

/// The length of the name at the front: up to an operator.
std::size_t name_length(std::string_view text) {
    return text.find_first_of("=!<>~^");
}

bool take_operator(std::string_view& text, Operator& op) {
    for (const auto& [sign, found] : kOperators) {
        if (!text.starts_with(sign)) continue;
        text.remove_prefix(sign.size());
        op = found;
        return true;
    }
    return false;
}

bool is_ordering(Operator op) {
    return op == Operator::Greater || op == Operator::GreaterEqual || op == Operator::Less ||
           op == Operator::LessEqual;
}

Result<void> check_regex(const std::string& pattern) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    const RE2 expression(pattern, options);
    if (pattern.size() > kRegexBytesMax || !expression.ok()) {
        return fail_parameter(
            "filter", cut(pattern),
            "a regular expression of RE2, at most " + std::to_string(kRegexBytesMax) + " bytes",
            "not a regular expression: " + expression.error());
    }
    if (pattern.find('\0') != std::string::npos) {
        return refuse(pattern, "a regular expression cannot hold a zero byte");
    }
    return {};
}

Result<void> check_values(Condition& condition) {
    const auto type = condition.dimension.type();
    if (type == ValueType::Boolean) {
        if (condition.op != Operator::Equal && condition.op != Operator::NotEqual) {
            return refuse(condition.dimension.name, "only = and != for true and false");
        }
        for (auto& value : condition.values) {
            const auto word = lower(value);
            if (word != "true" && word != "false" && word != "1" && word != "0") {
                return fail_parameter("filter", cut(value), "true or false",
                                      condition.dimension.name + " is true or false");
            }
            value = word == "true" || word == "1" ? "1" : "0";
        }
    }
    if (type == ValueType::Number || type == ValueType::Time) {
        if (condition.op > Operator::LessEqual) {
            return refuse(condition.dimension.name, "only = != > >= < <= for numbers");
        }
        for (const auto& value : condition.values) {
            if (!number(value)) {
                return fail_parameter("filter", cut(value), "a number",
                                      condition.dimension.name + " is a number");
            }
        }
    }
    if (is_ordering(condition.op) && condition.values.size() != 1) {
        return refuse(condition.dimension.name, "one value after > >= < <=");
    }
    if (condition.op != Operator::Matches) return {};
    return check_regex(condition.values.front());
}

/// Makes `null` of = and != into the operators for "not known".
void take_null(Condition& condition) {
    if (condition.values.size() != 1 || condition.values.front() != "null") return;
    if (condition.op == Operator::Equal) condition.op = Operator::Null;
    if (condition.op == Operator::NotEqual) condition.op = Operator::NotNull;
    if (condition.op == Operator::Null || condition.op == Operator::NotNull) {
        condition.values.clear();
    }
}

class FilterReader {
public:
    FilterReader(std::string_view text, const Dictionary& dictionary)
        : text_(text), dictionary_(dictionary) {}

    Result<Filter> read() {
        const bool brackets = text_.starts_with('[');
        while (!text_.empty()) {
            if (filter_.size() == kFilterConditionsMax) {
                return refuse(text_,
                              "more than " + std::to_string(kFilterConditionsMax) + " conditions");
            }
            auto read = brackets ? read_bracket() : read_plain();
            if (!read) return fail(read.error());
            text_ = trimmed(text_);
        }
        return std::move(filter_);
    }

private:
    /// Name and operator at the front of `text_`.
    Result<Condition> read_head() {
        Condition condition;
        const std::size_t length = name_length(text_);
        const auto name = trimmed(text_.substr(0, length));
        if (length == std::string_view::npos) return refuse(text_, "an operator is missing");
        if (!find_dimension(dictionary_, name, condition.dimension)) {
            return unknown_name(dictionary_, "filter", name, "the name of a dimension");
        }
        if (condition.dimension.is("timestamp")) {
            return refuse(name, "restrict the time with period, not with filter");
        }
        text_.remove_prefix(length);
        if (!take_operator(text_, condition.op)) return refuse(text_, "an operator is missing");
        return condition;
    }

    /// `[name null]` has no operator.
    bool read_null_bracket() {
        const auto end = text_.find(']');
        const auto body = trimmed(text_.substr(0, end));
        if (end == std::string_view::npos || !body.ends_with(" null")) return false;
        Condition condition;
        condition.op = Operator::Null;
        const auto name = trimmed(body.substr(0, body.size() - 5));
        if (!find_dimension(dictionary_, name, condition.dimension)) return false;
        filter_.push_back(std::move(condition));
        text_.remove_prefix(end + 1);
        return true;
    }

    /// The values up to the closing bracket.
    Result<void> read_bracket_values(Condition& condition) {
        const bool regex = condition.op == Operator::Matches;
        std::string value;
        const auto finish = [&] {
            condition.values.emplace_back(trimmed(value));
            value.clear();
        };
        int nested = 0;
        for (std::size_t i = 0; i < text_.size(); ++i) {
            const char c = text_[i];
            const bool escape = c == '\\' && i + 1 < text_.size();
            if (regex && escape) {
                value.append(text_.substr(i++, 2));
            } else if (escape &&
                       std::string_view("[]|\\").find(text_[i + 1]) != std::string_view::npos) {
                value += text_[++i];
            } else if (regex && (c == '[' || (c == ']' && nested > 0))) {
                nested += c == '[' ? 1 : -1;
                value += c;
            } else if (c == ']') {
                finish();
                text_.remove_prefix(i + 1);
                return {};
            } else if (c == '|' && !regex) {
                finish();
                if (condition.values.size() >= kFilterValuesMax) {
                    return refuse(condition.dimension.name, "too many values");
                }
            } else {
                value += c;
            }
        }
        return refuse(condition.dimension.name, "a bracket is not closed");
    }

    Result<void> read_bracket() {
        if (!text_.starts_with('[')) return refuse(text_, "text between brackets");
        text_.remove_prefix(1);
        if (read_null_bracket()) return {};
        auto condition = read_head();
        if (!condition) return fail(condition.error());
        if (auto read = read_bracket_values(*condition); !read) return read;
        return keep(std::move(*condition));
    }

    /// True when a condition begins at the front of `text`.
    bool condition_begins(std::string_view text) const {
        const std::size_t length = name_length(text);
        DimensionUse ignored;
        return length != std::string_view::npos &&
               find_dimension(dictionary_, trimmed(text.substr(0, length)), ignored);
    }

    Result<void> read_plain() {
        auto condition = read_head();
        if (!condition) return fail(condition.error());
        std::size_t end = text_.find(',');
        while (end != std::string_view::npos && !condition_begins(text_.substr(end + 1))) {
            end = text_.find(',', end + 1);
        }
        const auto body = text_.substr(0, end);
        text_ = end == std::string_view::npos ? std::string_view{} : text_.substr(end + 1);
        if (condition->op == Operator::Matches) {
            condition->values.emplace_back(trimmed(body));
        } else {
            for (const auto piece : split(body, '|')) condition->values.emplace_back(piece);
            if (condition->values.empty()) condition->values.emplace_back();
            if (condition->values.size() > kFilterValuesMax) {
                return refuse(condition->dimension.name, "too many values");
            }
        }
        return keep(std::move(*condition));
    }

    Result<void> keep(Condition condition) {
        take_null(condition);
        if (auto checked = check_values(condition); !checked) return checked;
        filter_.push_back(std::move(condition));
        return {};
    }

    std::string_view text_;
    const Dictionary& dictionary_;
    Filter filter_;
};

}  // namespace

Result<Filter> parse_filter(std::string_view text, const Dictionary& dictionary) {
    if (text.size() > kFilterBytesMax) {
        return refuse(text, "longer than " + std::to_string(kFilterBytesMax) + " bytes");
    }
    return FilterReader(trimmed(text), dictionary).read();
}

}  // namespace playhead::query
