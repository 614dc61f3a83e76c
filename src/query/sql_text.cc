#include "query/sql_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace playhead::query {

namespace {

constexpr std::string_view kPunctuation = "()[],.+-*/%=<>!|?:";
/// What a quoted name may hold besides letters, digits and '_': no quotes, brackets or line ends,
/// so that the engine's tree prints it on one line and as one word.
constexpr std::string_view kNameExtras = " .:%#/-";

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string upper(std::string_view word) {
    std::string text(word);
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

tl::unexpected<Error> refuse(std::string_view what, std::string_view found) {
    return fail_parameter("sql", std::string(found.substr(0, 80)),
                          "one SELECT statement over your own tables", std::string(what));
}

/// Plain values only: an Identifier would be a way to name a table.
bool is_plain_type(std::string_view type) {
    for (const std::string_view outer : {"Array(", "Nullable("}) {
        if (type.starts_with(outer) && type.ends_with(')')) {
            return is_plain_type(type.substr(outer.size(), type.size() - outer.size() - 1));
        }
    }
    constexpr std::array<std::string_view, 17> kTypes{
        "String", "Bool",  "UUID",  "Date",  "Date32", "DateTime", "DateTime64", "IPv4",  "IPv6",
        "Int8",   "Int16", "Int32", "Int64", "UInt8",  "UInt16",   "UInt32",     "UInt64"};
    return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end() || type == "Float64" ||
           type == "Float32" || type == "DateTime64(3)";
}

class Cleaner {
public:
    Cleaner(std::string_view sql, const std::vector<store::Parameter>& given)
        : rest_(sql), given_(given) {}

    Result<CleanSql> run() {
        while (!rest_.empty()) {
            if (auto done = step(); !done) return fail(done.error());
            if (++steps_ > kSqlTokensMax) return refuse("the statement is too long", {});
        }
        while (!out_.text.empty() && out_.text.back() == ' ') out_.text.pop_back();
        if (depth_ != 0) return refuse("the brackets do not match", {});
        if (first_.empty()) return refuse("there is no statement", {});
        return std::move(out_);
    }

private:
    void take(std::size_t count) {
        out_.text += rest_.substr(0, count);
        rest_.remove_prefix(count);
    }
    void blank() {
        if (!out_.text.empty() && out_.text.back() != ' ') out_.text += ' ';
    }

    Result<void> step() {
        const char c = rest_.front();
        if (is_blank(c)) {
            rest_.remove_prefix(1);
            blank();
            return {};
        }
        if (rest_.starts_with("--") || rest_.starts_with("/*")) return comment();
        if (ended_) return refuse("one statement only", rest_);
        if (c == ';') {
            rest_.remove_prefix(1);
            ended_ = true;
            return {};
        }
        if (is_letter(c)) return word();
        if (first_.empty()) return refuse("the statement must begin with SELECT or WITH", rest_);
        if (is_digit(c)) return number();
        if (c == '\'') return text();
        if (c == '`' || c == '"') return quoted_name(c);
        if (c == '{') return parameter();
        if (kPunctuation.find(c) == std::string_view::npos) {
            return refuse(fmt::format("the character {} is not allowed here",
                                      static_cast<unsigned char>(c) < 0x80 &&
                                              static_cast<unsigned char>(c) > 0x20
                                          ? fmt::format("'{}'", c)
                                          : fmt::format("0x{:02x}", static_cast<unsigned char>(c))),
                          {});
        }
        if (c == '(' || c == '[') ++depth_;
        if ((c == ')' || c == ']') && depth_-- == 0) return refuse("a bracket too many", rest_);
        if (depth_ > kSqlDepthMax) return refuse("the brackets are too deep", {});
        take(1);
        return {};
    }

    Result<void> comment() {
        const bool line = rest_.front() == '-';
        const auto end = rest_.find(line ? "\n" : "*/", 2);
        if (!line && end == std::string_view::npos) return refuse("a comment has no end", rest_);
        // Engines differ about comments in comments.
        if (!line && rest_.substr(2, end - 2).find("/*") != std::string_view::npos) {
            return refuse("a comment within a comment is not allowed", rest_);
        }
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + (line ? 1 : 2));
        blank();
        return {};
    }

    Result<void> word() {
        std::size_t size = 0;
        while (size < rest_.size() && (is_letter(rest_[size]) || is_digit(rest_[size]))) ++size;
        const auto name = rest_.substr(0, size);
        const auto keyword = upper(name);
        if (first_.empty()) {
            if (keyword != "SELECT" && keyword != "WITH") {
                return refuse("the statement must begin with SELECT or WITH", name);
            }
            first_ = keyword;
        }
        const auto behind = rest_.substr(size);
        const auto next = behind.find_first_not_of(" \t\r\n");
        const bool call = next != std::string_view::npos && behind[next] == '(';
        if (keyword == "SETTINGS" || keyword == "INTO" || keyword == "OUTFILE" ||
            (keyword == "FORMAT" && !call)) {
            return refuse(fmt::format("{} is not allowed here", keyword), name);
        }
        out_.words.emplace(name);
        take(size);
        return {};
    }

    Result<void> number() {
        std::size_t size = 0;
        while (size < rest_.size()) {
            const char c = rest_[size];
            const bool sign = (c == '+' || c == '-') && size > 0 &&
                              upper(rest_.substr(0, 2)) != "0X" &&
                              (rest_[size - 1] == 'e' || rest_[size - 1] == 'E');
            if (!is_letter(c) && !is_digit(c) && c != '.' && !sign) break;
            ++size;
        }
        take(size);
        return {};
    }

    Result<void> text() {
        std::size_t size = 1;
        for (; size < rest_.size(); ++size) {
            if (rest_[size] == '\0') return refuse("a zero byte", {});
            if (rest_[size] == '\\') {
                ++size;
                continue;
            }
            if (rest_[size] != '\'') continue;
            if (size + 1 < rest_.size() && rest_[size + 1] == '\'') {
                ++size;
                continue;
            }
            take(size + 1);
            return {};
        }
        return refuse("a string has no end", rest_);
    }

    Result<void> quoted_name(char quote) {
        const auto end = rest_.find(quote, 1);
        if (end == std::string_view::npos) return refuse("a quoted name has no end", rest_);
        const auto name = rest_.substr(1, end - 1);
        for (const char c : name) {
            if (!is_letter(c) && !is_digit(c) && kNameExtras.find(c) == std::string_view::npos) {
                return refuse("a quoted name holds a character that is not allowed", name);
            }
        }
        out_.words.emplace(name);
        take(end + 1);
        return {};
    }

    Result<void> parameter() {
        const auto end = rest_.find('}');
        const auto inner = rest_.substr(1, end == std::string_view::npos ? 0 : end - 1);
        const auto colon = inner.find(':');
        const auto name = inner.substr(0, colon);
        const auto type = colon == std::string_view::npos ? "" : inner.substr(colon + 1);
        const bool plain = !name.empty() && is_letter(name.front()) &&
                           std::all_of(name.begin(), name.end(),
                                       [](char c) { return is_letter(c) || is_digit(c); });
        if (!plain || !is_plain_type(type)) {
            return refuse(
                "braces hold parameters only: {name:Type} with a plain type, e.g. "
                "{country:String}",
                rest_.substr(0, end == std::string_view::npos ? 40 : end + 1));
        }
        const auto value =
            std::find_if(given_.begin(), given_.end(),
                         [&](const store::Parameter& parameter) { return parameter.name == name; });
        if (value == given_.end()) {
            return fail_parameter("parameters", std::string(name), "a value for each {name:Type}",
                                  fmt::format("the parameter '{}' has no value", name));
        }
        // Ours have other names, so that none of theirs can stand in for one.
        const auto own = fmt::format("tenant_{}", name);
        out_.text += fmt::format("{{{}:{}}}", own, type);
        if (std::none_of(out_.parameters.begin(), out_.parameters.end(),
                         [&](const store::Parameter& known) { return known.name == own; })) {
            out_.parameters.push_back({own, value->value, value->is_literal});
        }
        rest_.remove_prefix(end + 1);
        return {};
    }

    std::string_view rest_;
    const std::vector<store::Parameter>& given_;
    CleanSql out_;
    std::string first_;
    std::size_t steps_ = 0;
    std::size_t depth_ = 0;
    bool ended_ = false;
};

}  // namespace

Result<CleanSql> clean_sql(std::string_view sql, const std::vector<store::Parameter>& given) {
    if (sql.size() > kSqlBytesMax) {
        return fail_parameter("sql", fmt::format("{} bytes", sql.size()),
                              fmt::format("at most {} bytes", kSqlBytesMax),
                              "the statement is too long");
    }
    if (given.size() > kSqlParametersMax) {
        return fail_parameter("parameters", std::to_string(given.size()),
                              fmt::format("at most {}", kSqlParametersMax),
                              "there are too many parameters");
    }
    return Cleaner(sql, given).run();
}

}  // namespace playhead::query
