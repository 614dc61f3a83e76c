#include "http/router.h"

#include <utility>

#include "base/check.h"

namespace playhead::http {

struct Router::Node {
    std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;
    std::unique_ptr<Node> parameter;
    std::unique_ptr<Node> rest;
    std::array<const Route*, net::kMethodCount> routes{};
    std::string allow;

    bool any() const noexcept { return !allow.empty(); }
    void refresh_allow();
};

void Router::Node::refresh_allow() {
    allow.clear();
    for (std::size_t index = 0; index < routes.size(); ++index) {
        const auto method = static_cast<Method>(index);
        const bool implied =
            method == Method::Options ||
            (method == Method::Head && routes[static_cast<std::size_t>(Method::Get)] != nullptr);
        if (routes[index] == nullptr && !implied) continue;
        if (!allow.empty()) allow += ", ";
        allow += net::method_name(method);
    }
}

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::add(Method method, std::string_view pattern, RouteOptions options, Handler handler) {
    PH_CHECK(pattern.starts_with('/') && method != Method::Other);
    auto& route =
        routes_.emplace_back(Route{std::string(pattern), method, std::move(handler), options, {}});
    Node* node = root_.get();
    std::string_view left = pattern.substr(1);
    for (bool more = true; more;) {
        const auto slash = left.find('/');
        const auto segment = left.substr(0, slash);
        more = slash != std::string_view::npos;
        left = more ? left.substr(slash + 1) : std::string_view();
        std::unique_ptr<Node>* next = nullptr;
        if (segment.size() > 3 && segment.front() == '{' && segment.ends_with("*}")) {
            PH_CHECK(!more);
            route.names.emplace_back(segment.substr(1, segment.size() - 3));
            next = &node->rest;
        } else if (segment.size() > 2 && segment.front() == '{' && segment.back() == '}') {
            route.names.emplace_back(segment.substr(1, segment.size() - 2));
            next = &node->parameter;
        } else {
            for (auto& [text, child] : node->literals) {
                if (text == segment) next = &child;
            }
            if (next == nullptr) {
                next = &node->literals.emplace_back(std::string(segment), nullptr).second;
            }
        }
        if (!*next) *next = std::make_unique<Node>();
        node = next->get();
    }
    auto& slot = node->routes[static_cast<std::size_t>(method)];
    PH_CHECK(slot == nullptr);
    slot = &route;
    node->refresh_allow();
}

bool Router::has(Method method, std::string_view pattern) const noexcept {
    for (const auto& route : routes_) {
        if (route.method == method && route.pattern == pattern) return true;
    }
    return false;
}

/// Walks from `node` with the path that follows its slash; the node that has routes, or nullptr.
const Router::Node* Router::descend(const Node& node, std::string_view rest, Match& match) {
    const auto slash = rest.find('/');
    const auto segment = rest.substr(0, slash);
    const bool last = slash == std::string_view::npos;
    const auto step = [&](const Node& next) -> const Node* {
        if (last) return next.any() ? &next : nullptr;
        return descend(next, rest.substr(slash + 1), match);
    };
    for (const auto& [text, child] : node.literals) {
        if (text != segment) continue;
        if (const Node* found = step(*child)) return found;
    }
    if (match.value_count == kPathSegmentsMax) return nullptr;
    if (node.parameter && !segment.empty()) {
        match.values[match.value_count++] = segment;
        if (const Node* found = step(*node.parameter)) return found;
        --match.value_count;
    }
    if (node.rest) {
        match.values[match.value_count++] = rest;
        return node.rest.get();
    }
    return nullptr;
}

Match Router::match(Method method, std::string_view path) const {
    Match match;
    if (!path.starts_with('/')) return match;
    const Node* node = descend(*root_, path.substr(1), match);
    if (node == nullptr) return match;
    match.allow = node->allow;
    match.route = node->routes[static_cast<std::size_t>(method)];
    if (match.route == nullptr && method == Method::Head) {
        match.route = node->routes[static_cast<std::size_t>(Method::Get)];
    }
    match.kind = match.route == nullptr ? Match::Kind::NoMethod : Match::Kind::Found;
    return match;
}

}  // namespace playhead::http
