#include <array>
#include <utility>

#include "query/filter.h"
#include "query/text.h"

namespace playhead::query {

namespace {

constexpr const char* kExpected = "metric>value AND (metric<=value OR metric=value)";
constexpr std::array<std::pair<std::string_view, Operator>, 8> kComparisons{
    {{">=", Operator::GreaterEqual},
     {"<=", Operator::LessEqual},
     {"!=", Operator::NotEqual},
     {"<>", Operator::NotEqual},
     {"==", Operator::Equal},
     {">", Operator::Greater},
     {"<", Operator::Less},
     {"=", Operator::Equal}}};

tl::unexpected<Error> refuse(std::string_view value, std::string message) {
    return fail_parameter("qoefilter", cut(value), kExpected, std::move(message));
}

class QoeReader {
public:
    QoeReader(std::string_view text, const Dictionary& dictionary)
        : text_(trimmed(text)), dictionary_(dictionary) {}

    Result<QoeNode> read() {
        auto node = read_chain(QoeNode::Kind::Or, 0);
        if (node && !text_.empty()) return refuse(text_, "cannot read the rest of the filter");
        return node;
    }

private:
    bool take_word(std::string_view word) {
        if (text_.size() <= word.size() || lower(text_.substr(0, word.size())) != word) {
            return false;
        }
        const char next = text_[word.size()];
        if (next != ' ' && next != '(' && next != '\t') return false;
        text_ = trimmed(text_.substr(word.size()));
        return true;
    }

    Result<QoeNode> read_chain(QoeNode::Kind kind, int depth) {
        const bool any = kind == QoeNode::Kind::Or;
        const auto next = [&] {
            return any ? read_chain(QoeNode::Kind::And, depth) : read_term(depth);
        };
        auto first = next();
        if (!first) return first;
        QoeNode node;
        node.kind = kind;
        node.children.push_back(std::move(*first));
        while (take_word(any ? "or" : "and")) {
            auto more = next();
            if (!more) return more;
            node.children.push_back(std::move(*more));
        }
        if (node.children.size() == 1) {
            QoeNode only = std::move(node.children.front());
            return only;
        }
        return node;
    }

    Result<QoeNode> read_term(int depth) {
        if (depth >= kQoeFilterDepthMax) return refuse(text_, "parentheses nest too deep");
        if (!text_.starts_with('(')) return read_comparison();
        text_ = trimmed(text_.substr(1));
        auto inner = read_chain(QoeNode::Kind::Or, depth + 1);
        if (!inner) return inner;
        if (!text_.starts_with(')')) return refuse(text_, "a parenthesis is not closed");
        text_ = trimmed(text_.substr(1));
        return inner;
    }

    Result<QoeNode> read_comparison() {
        const std::size_t length = text_.find_first_of("<>=! ()");
        const auto name = text_.substr(0, length);
        QoeNode node;
        if (!find_metric(dictionary_, name, node.metric)) {
            return unknown_name(dictionary_, "qoefilter", name, "the name of a metric");
        }
        text_ =
            length == std::string_view::npos ? std::string_view{} : trimmed(text_.substr(length));
        bool compared = false;
        for (const auto& [sign, op] : kComparisons) {
            if (!text_.starts_with(sign)) continue;
            text_ = trimmed(text_.substr(sign.size()));
            node.op = op;
            compared = true;
            break;
        }
        if (!compared) return refuse(text_, "a comparison is missing");
        const std::size_t end = text_.find_first_of(" )\t");
        const auto value = number(text_.substr(0, end));
        if (!value) return refuse(text_, "a number is missing");
        node.value = *value;
        text_ = end == std::string_view::npos ? std::string_view{} : trimmed(text_.substr(end));
        return node;
    }

    std::string_view text_;
    const Dictionary& dictionary_;
};

}  // namespace

Result<QoeNode> parse_qoe_filter(std::string_view text, const Dictionary& dictionary) {
    if (text.size() > kQoeFilterBytesMax) {
        return refuse(text, "longer than " + std::to_string(kQoeFilterBytesMax) + " bytes");
    }
    return QoeReader(text, dictionary).read();
}

}  // namespace playhead::query
