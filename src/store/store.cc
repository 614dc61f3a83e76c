#include "store/store.h"

namespace playhead::store {

std::string array_literal(const std::vector<std::string>& values) {
    std::string literal = "[";
    for (const auto& value : values) {
        if (literal.size() > 1) literal += ',';
        literal += '\'';
        for (const char c : value) {
            switch (c) {
                case '\\': literal += "\\\\"; break;
                case '\'': literal += "\\'"; break;
                case '\n': literal += "\\n"; break;
                case '\t': literal += "\\t"; break;
                case '\r': literal += "\\r"; break;
                case '\0': literal += "\\0"; break;
                default: literal += c;
            }
        }
        literal += '\'';
    }
    literal += ']';
    return literal;
}

Result<void> Store::derive(const Statement& statement, const QueryOptions&) {
    return execute(statement);
}

Result<void> Store::stream_confined(const Statement&, std::string_view, const QueryOptions&,
                                    const Confinement&,
                                    const std::function<bool(std::string_view)>&) {
    return fail(ErrorCode::Unprocessable, "this store takes no SQL of tenants");
}

std::optional<QueryProgress> Store::progress(std::string_view) {
    return std::nullopt;
}

std::string quoted_identifier(std::string_view name) {
    std::string text = "`";
    for (const char c : name) {
        if (c == '`' || c == '\\') text += '\\';
        text += c;
    }
    return text + "`";
}

}  // namespace playhead::store
