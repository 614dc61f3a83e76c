/// SQL fragments of the dictionary: read into tokens, checked against known columns, and written
/// back with columns renamed. Only what is listed here can ever appear in a statement.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace playhead::query {

struct Token {
    enum class Kind : std::uint8_t { Column, Function, Keyword, Number, Text, Symbol, Placeholder };
    Kind kind;
    std::string text;
};

/// A checked fragment. Plain value.
class Expression {
public:
    Expression() = default;

    /// Reads a fragment: columns, numbers, 'text' without quotes or backslashes inside, + - * / ( )
    /// , comparisons, and/or/not, the functions of `kFunctions`, and {time} and {timezone}.
    /// `linear` allows only columns, numbers, + - * ( ). InvalidArgument with the offending token.
    static Result<Expression> parse(std::string_view text, bool linear);

    bool empty() const noexcept { return tokens_.empty(); }
    /// Distinct columns, in order of appearance.
    std::vector<std::string> columns() const;
    /// The fragment with each column (and placeholder) replaced by what `name` returns for it.
    std::string write(const std::function<std::string(const std::string&)>& name) const;
    /// As given.
    std::string text() const;
    /// Replaces a column by a number (coefficients).
    void substitute(std::string_view column, std::string_view number);

private:
    std::vector<Token> tokens_;
};

}  // namespace playhead::query
