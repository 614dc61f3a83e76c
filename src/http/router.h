/// Which handler answers which method and path. Filled at start, read-only afterwards: then any
/// thread may match.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/message.h"
#include "net/responder.h"

namespace playhead::http {

using net::Method;
using net::Request;
using net::Responder;
using net::Response;

/// Answers a request, at once or later through the responder. An exception becomes a 500.
using Handler = std::function<void(Request&, Responder)>;

enum class RunOn : std::uint8_t {
    Reactor,  ///< inline: must not block; for what takes microseconds
    Pool,     ///< on a worker, with a request of its own; 503 when the queue is full
};

inline constexpr std::uint64_t kBodyBytesMaxDefault = 16ULL * 1024 * 1024;
/// Segments of a path beyond this are 404.
inline constexpr std::size_t kPathSegmentsMax = 32;

struct RouteOptions {
    RunOn run_on = RunOn::Pool;
    /// Of the body as sent and as decoded.
    std::uint64_t body_bytes_max = kBodyBytesMaxDefault;
    /// Undo Content-Encoding (gzip, deflate, zstd) before the handler.
    bool decode_body = true;
};

struct Route {
    std::string pattern;
    Method method = Method::Get;
    Handler handler;
    RouteOptions options;
    std::vector<std::string> names;  ///< of the pattern's parameters, in order
};

struct Match {
    enum class Kind : std::uint8_t { Found, NoPath, NoMethod } kind = Kind::NoPath;
    const Route* route = nullptr;
    /// For Found and NoMethod: the methods of this path, e.g. "GET, HEAD, OPTIONS".
    std::string_view allow;
    std::array<std::string_view, kPathSegmentsMax> values{};  ///< raw path parameters
    std::size_t value_count = 0;
};

class Router {
public:
    Router();
    ~Router();

    /// `pattern` is "/a/{name}/b"; a last segment "{name*}" takes the rest of the path, slashes
    /// included, also when it is empty. A literal segment is preferred over a parameter. HEAD
    /// follows from GET, OPTIONS from all. Adding the same method and pattern twice is a mistake of
    /// ours (PH_CHECK).
    void add(Method method, std::string_view pattern, RouteOptions options, Handler handler);

    /// Whether this method and pattern were added.
    bool has(Method method, std::string_view pattern) const noexcept;
    const std::deque<Route>& routes() const noexcept { return routes_; }

    /// Matches the raw path (as sent); decodes nothing. A trailing slash matters.
    Match match(Method method, std::string_view path) const;

private:
    struct Node;
    static const Node* descend(const Node& node, std::string_view rest, Match& match);

    std::unique_ptr<Node> root_;
    std::deque<Route> routes_;
};

}  // namespace playhead::http
