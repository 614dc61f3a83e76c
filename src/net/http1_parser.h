/// HTTP/1.1 message parsing on Beast's parser, hidden so that it can be replaced. Stricter than
/// Beast where proxies may disagree about a message's length (request smuggling): bare LF,
/// obs-fold, repeated or listed Content-Length, any Transfer-Encoding but exactly "chunked" are
/// refused. Not synchronized.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/message.h"

namespace playhead::net {

inline constexpr std::size_t kHeadBytesMax = 16 * 1024;
inline constexpr std::size_t kHeadersMax = 128;

enum class ParseState : std::uint8_t {
    NeedMore,  ///< everything useful was consumed; give the rest again with more behind it
    HeadDone,  ///< the head is filled in; decide on the body, then feed on
    Complete,
    Failed,  ///< `status()` is what to answer; the connection cannot go on
};

struct FeedResult {
    std::size_t consumed = 0;
    ParseState state = ParseState::NeedMore;
};

/// One request after another from a connection's buffer.
class Http1RequestParser {
public:
    Http1RequestParser();
    ~Http1RequestParser();
    Http1RequestParser(const Http1RequestParser&) = delete;
    Http1RequestParser& operator=(const Http1RequestParser&) = delete;

    /// Parses from `data`, the unconsumed bytes. After Complete the next call begins a new request.
    /// A body that lies in `data` as a whole is not copied: `request.body()` points there.
    FeedResult feed(std::string_view data, Request& request);

    /// Sets the limit for the body of the request whose head was just done.
    void set_body_limit(std::uint64_t bytes);

    /// Facts about the current request, from HeadDone on.
    bool keep_alive() const noexcept { return keep_alive_; }
    bool http10() const noexcept { return http10_; }
    bool expects_continue() const noexcept { return expects_continue_; }
    /// True for a body of unknown or non-zero length.
    bool has_body() const noexcept { return chunked_ || content_length_ > 0; }
    std::uint64_t content_length() const noexcept { return content_length_; }
    std::uint64_t body_bytes_read() const noexcept;
    /// True between the first byte of a request's head and Complete, as far as `feed` has seen.
    bool in_body() const noexcept { return in_body_; }

    /// 400, 413, 431, 501 or 505 after Failed, and one sentence on why.
    int status() const noexcept { return status_; }
    std::string_view reason() const noexcept { return reason_; }

private:
    struct Beast;

    FeedResult feed_head(std::string_view data, Request& request);
    FeedResult feed_body(std::string_view data, Request& request);
    bool parse_head(std::string_view head, Request& request);
    bool take_framing(const Request& request);
    /// Notes why; always false.
    bool refuse(int status, std::string_view reason);
    FeedResult failed(int status, std::string_view reason);

    std::unique_ptr<Beast> beast_;
    std::size_t scanned_ = 0;
    std::uint64_t content_length_ = 0;
    bool chunked_ = false;
    bool in_body_ = false;
    bool keep_alive_ = true;
    bool http10_ = false;
    bool expects_continue_ = false;
    int status_ = 400;
    std::string_view reason_;
};

/// One response, for the client. Give it bytes as they come.
class Http1ResponseParser {
public:
    /// `head_request`: the reply to HEAD has no body whatever its headers say.
    Http1ResponseParser(bool head_request, std::uint64_t body_bytes_max);
    ~Http1ResponseParser();
    Http1ResponseParser(const Http1ResponseParser&) = delete;
    Http1ResponseParser& operator=(const Http1ResponseParser&) = delete;

    FeedResult feed(std::string_view data);
    /// Tells that the peer closed; Complete where that ends the body.
    ParseState feed_eof();

    int status() const noexcept;
    bool keep_alive() const noexcept;
    std::vector<std::pair<std::string, std::string>>& headers() noexcept;
    std::string& body() noexcept;

private:
    struct Beast;
    std::unique_ptr<Beast> beast_;
};

}  // namespace playhead::net
