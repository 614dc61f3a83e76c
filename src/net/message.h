/// HTTP messages as the server hands them to handlers and takes them back. No Asio, no Beast.
/// Plain values, not synchronized.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace playhead::net {

enum class Method : std::uint8_t { Get, Head, Post, Put, Patch, Delete, Options, Other };
inline constexpr int kMethodCount = 8;

/// "GET" … "OPTIONS"; "" for Other.
std::string_view method_name(Method method) noexcept;
/// Methods are case-sensitive (RFC 9110 9.1); anything unknown is Other.
Method method_from(std::string_view name) noexcept;

/// Compares ASCII letters without regard to case.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// Removes spaces and tabs at both ends.
std::string_view trimmed(std::string_view text) noexcept;

/// "OK" … ; "Unknown" for a status without a registered phrase.
std::string_view status_phrase(int status) noexcept;

struct HeaderView {
    std::string_view name;
    std::string_view value;
};

/// Bytes after `Request::body()` that may be read (not written): simdjson wants them. Their
/// content means nothing.
inline constexpr std::size_t kBodyPaddingBytes = 64;

/// One request. All views point into the request or the connection's buffer: valid during the
/// handler only. `take()` makes one that lives on its own.
class Request {
public:
    Request() = default;
    Request(Request&&) noexcept = default;
    Request& operator=(Request&&) noexcept = default;
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    Method method() const noexcept { return method_; }
    std::string_view method_text() const noexcept { return view(method_text_); }
    /// The request target as sent, e.g. "/v1/query?metric=plays".
    std::string_view target() const noexcept { return view(target_); }
    /// The target up to '?', not decoded.
    std::string_view path() const noexcept { return view(path_); }
    /// The target after '?', not decoded; see `http/query_string.h`.
    std::string_view query() const noexcept { return view(query_); }

    std::size_t header_count() const noexcept { return headers_.size(); }
    HeaderView header_at(std::size_t index) const noexcept {
        return {view(headers_[index].first), view(headers_[index].second)};
    }
    /// The first header of that name in any case; empty when there is none. Does not allocate.
    std::string_view header(std::string_view name) const noexcept;
    bool has_header(std::string_view name) const noexcept;

    std::string_view body() const noexcept { return owns_body_ ? body_ : body_view_; }
    /// Moves the body out, or copies it where it still lies in the connection's buffer.
    std::string take_body();
    /// Replaces the body (decoders use it).
    void set_body(std::string body);

    /// The peer's address, without port, e.g. "192.0.2.7" or "2001:db8::1".
    std::string_view remote_address() const noexcept { return remote_; }
    /// Wall clock when the last byte of the request was read, epoch ms.
    std::int64_t received_ms() const noexcept { return received_ms_; }
    bool secure() const noexcept { return secure_; }
    /// Scheme and host as the client wrote them, e.g. "https://qoe.example.test": TLS here or, by
    /// X-Forwarded-Proto, at a proxy.
    std::string origin() const;

    /// Path parameter by the name in the route's pattern, percent-decoded; empty when there is
    /// none.
    std::string_view param(std::string_view name) const noexcept;
    /// For the router. `name` must outlive the request.
    void add_param(std::string_view name, std::string value) {
        params_.emplace_back(name, std::move(value));
    }
    void clear_params() { params_.clear(); }

    /// Moves everything into a request that does not depend on the connection. This one is empty
    /// afterwards.
    Request take();

private:
    friend class Http1RequestParser;
    friend class Connection;

    // Offsets into head_, so that a moved request stays right.
    struct Span {
        std::uint32_t offset = 0;
        std::uint32_t length = 0;
    };
    std::string_view view(Span span) const noexcept {
        return std::string_view(head_).substr(span.offset, span.length);
    }

    std::string head_;
    std::vector<std::pair<Span, Span>> headers_;
    std::vector<std::pair<std::string_view, std::string>> params_;
    Span method_text_, target_, path_, query_;
    Method method_ = Method::Other;
    bool owns_body_ = false;
    bool secure_ = false;
    std::string body_;
    std::string_view body_view_;
    std::string remote_;
    std::int64_t received_ms_ = 0;
};

/// One reply. Content-Length, Date, Server and Connection are the server's business.
class Response {
public:
    explicit Response(int status_code = 200) : status(status_code) {}
    Response(int status_code, std::string_view content_type, std::string body_text)
        : status(status_code), body(std::move(body_text)) {
        add("Content-Type", content_type);
    }

    int status;
    std::string body;

    /// Appends a header. Control characters in the value become spaces, so that no input can split
    /// the reply.
    Response& add(std::string_view name, std::string_view value);
    /// The value of the first header of that name in any case; empty when there is none.
    std::string_view header(std::string_view name) const noexcept;
    bool has(std::string_view name) const noexcept;
    /// "Name: value\r\n" lines as they go on the wire.
    const std::string& header_lines() const noexcept { return lines_; }

private:
    std::string lines_;
};

}  // namespace playhead::net
