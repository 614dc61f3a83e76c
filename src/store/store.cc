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

}  // namespace playhead::store
