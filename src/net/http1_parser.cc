#include "net/http1_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <optional>

namespace playhead::net {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

namespace {

// A chunk header or the trailers that grow beyond this are no honest client's.
constexpr std::size_t kChunkHeaderBytesMax = 4 * 1024;
// A declared length is only a claim: not more than this is reserved before bytes arrive.
constexpr std::uint64_t kBodyReserveBytesMax = 1024 * 1024;

struct HeadScan {
    enum class Verdict : std::uint8_t { NeedMore, Done, BareLineFeed, Folded } verdict;
    std::size_t head_bytes;
};

/// Looks for the empty line that ends a head, from `from` on, which must be 0 or a line's begin.
HeadScan scan_head(std::string_view data, std::size_t& from) {
    using enum HeadScan::Verdict;
    std::size_t line = from;
    while (line < data.size()) {
        if (line > 0 && (data[line] == ' ' || data[line] == '\t')) return {Folded, 0};
        const auto* found =
            static_cast<const char*>(std::memchr(data.data() + line, '\n', data.size() - line));
        if (found == nullptr) break;
        const auto feed = static_cast<std::size_t>(found - data.data());
        if (feed == line || data[feed - 1] != '\r') return {BareLineFeed, 0};
        if (feed == line + 1) return {Done, feed + 1};
        line = feed + 1;
        from = line;
    }
    return {NeedMore, 0};
}

bool token_char(char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    return byte > 0x20 && byte < 0x7F && std::strchr("\"(),/:;<=>?@[\\]{}", letter) == nullptr;
}

bool all_digits(std::string_view text) {
    return !text.empty() && text.size() <= 18 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

struct Http1RequestParser::Beast {
    /// Beast's callbacks write straight into the request; nothing is allocated per header.
    class Parser final : public beast_http::basic_parser<true> {
    public:
        explicit Parser(Request& request, const char* base) : request_(&request), base_(base) {}
        void body_into(Request& request) { request_ = &request; }
        std::uint64_t body_bytes = 0;
        std::uint64_t declared_bytes = 0;
        int version = 11;
        bool head_done = false;

    private:
        Request::Span span(BeastView text) const {
            return {static_cast<std::uint32_t>(text.data() - base_),
                    static_cast<std::uint32_t>(text.size())};
        }
        void on_request_impl(beast_http::verb, BeastView method, BeastView target, int http,
                             error_code&) override {
            request_->method_ = method_from({method.data(), method.size()});
            request_->method_text_ = span(method);
            request_->target_ = span(target);
            version = http;
        }
        void on_response_impl(int, BeastView, int, error_code&) override {}
        void on_field_impl(beast_http::field, BeastView name, BeastView value,
                           error_code& error) override {
            // Trailers mean nothing to us.
            if (head_done) return;
            if (request_->headers_.size() >= kHeadersMax) {
                error = beast_http::error::header_limit;
                return;
            }
            // An empty value may be a view of nothing.
            const auto value_span = value.empty() ? Request::Span{} : span(value);
            request_->headers_.emplace_back(span(name), value_span);
        }
        void on_header_impl(error_code&) override { head_done = true; }
        void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
            declared_bytes = length.value_or(0);
        }
        std::size_t on_body_impl(BeastView bytes, error_code&) override {
            append(bytes);
            return bytes.size();
        }
        void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
        std::size_t on_chunk_body_impl(std::uint64_t, BeastView bytes, error_code&) override {
            append(bytes);
            return bytes.size();
        }
        void on_finish_impl(error_code&) override {}

        void append(BeastView bytes) {
            if (body_bytes == 0 && declared_bytes == bytes.size()) {
                request_->body_view_ = {bytes.data(), bytes.size()};
                request_->owns_body_ = false;
            } else {
                if (body_bytes == 0) {
                    request_->body_.clear();
                    request_->owns_body_ = true;
                    request_->body_.reserve(std::min(declared_bytes, kBodyReserveBytesMax) +
                                            kBodyPaddingBytes);
                }
                request_->body_.append(bytes.data(), bytes.size());
            }
            body_bytes += bytes.size();
        }

        Request* request_;
        const char* base_;
    };

    std::optional<Parser> parser;
};

Http1RequestParser::Http1RequestParser() : beast_(std::make_unique<Beast>()) {}
Http1RequestParser::~Http1RequestParser() = default;

std::uint64_t Http1RequestParser::body_bytes_read() const noexcept {
    return beast_->parser ? beast_->parser->body_bytes : 0;
}

void Http1RequestParser::set_body_limit(std::uint64_t bytes) {
    beast_->parser->body_limit(boost::optional<std::uint64_t>(bytes));
}

bool Http1RequestParser::refuse(int status, std::string_view reason) {
    status_ = status;
    reason_ = reason;
    return false;
}

FeedResult Http1RequestParser::failed(int status, std::string_view reason) {
    refuse(status, reason);
    return {0, ParseState::Failed};
}

FeedResult Http1RequestParser::feed(std::string_view data, Request& request) {
    return in_body_ ? feed_body(data, request) : feed_head(data, request);
}

FeedResult Http1RequestParser::feed_head(std::string_view data, Request& request) {
    // RFC 9112 2.2: an empty line before the request line is to be ignored.
    std::size_t skipped = 0;
    if (scanned_ == 0) {
        while (data.substr(skipped, 2) == "\r\n") skipped += 2;
        data.remove_prefix(skipped);
    }
    if (data.empty() || data == "\r") return {skipped, ParseState::NeedMore};
    if (!token_char(data.front())) return failed(400, "The request line is not HTTP.");
    const auto visible = data.substr(0, kHeadBytesMax);
    const HeadScan scan = scan_head(visible, scanned_);
    switch (scan.verdict) {
        case HeadScan::Verdict::BareLineFeed: return failed(400, "A line ends without CR.");
        case HeadScan::Verdict::Folded: return failed(400, "A header line is folded.");
        case HeadScan::Verdict::NeedMore:
            if (visible.size() == kHeadBytesMax) return failed(431, "The head is over 16 KiB.");
            return {skipped, ParseState::NeedMore};
        case HeadScan::Verdict::Done: break;
    }
    scanned_ = 0;
    if (!parse_head(data.substr(0, scan.head_bytes), request)) return {0, ParseState::Failed};
    in_body_ = true;
    return {skipped + scan.head_bytes, ParseState::HeadDone};
}

bool Http1RequestParser::parse_head(std::string_view head, Request& request) {
    request.head_.assign(head);
    request.headers_.clear();
    request.params_.clear();
    request.body_view_ = {};
    request.body_.clear();
    request.owns_body_ = false;
    auto& parser = beast_->parser.emplace(request, request.head_.data());
    parser.header_limit(kHeadBytesMax);
    parser.body_limit(boost::none);
    parser.eager(false);
    error_code error;
    parser.put(asio::const_buffer(request.head_.data(), request.head_.size()), error);
    if (error == beast_http::error::header_limit) {
        return refuse(431, "There are too many headers.");
    }
    if (error == beast_http::error::bad_version) {
        return refuse(400, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
    }
    if (error || !parser.is_header_done()) {
        return refuse(400, "The head is malformed.");
    }
    parser.eager(true);
    const auto target = request.target();
    const auto mark = std::min(target.find('?'), target.size());
    request.path_ = {request.target_.offset, static_cast<std::uint32_t>(mark)};
    const auto rest = std::min(mark + 1, target.size());
    request.query_ = {request.target_.offset + static_cast<std::uint32_t>(rest),
                      static_cast<std::uint32_t>(target.size() - rest)};
    http10_ = parser.version == 10;
    keep_alive_ = parser.keep_alive();
    return take_framing(request);
}

bool Http1RequestParser::take_framing(const Request& request) {
    content_length_ = 0;
    chunked_ = false;
    expects_continue_ = false;
    int lengths = 0;
    int encodings = 0;
    int hosts = 0;
    for (std::size_t index = 0; index < request.header_count(); ++index) {
        const auto [name, value] = request.header_at(index);
        if (equals_ignoring_case(name, "Content-Length")) {
            ++lengths;
            if (!all_digits(value)) return refuse(400, "Content-Length is no number.");
            content_length_ = 0;
            for (const char digit : value) {
                content_length_ = content_length_ * 10 + static_cast<unsigned>(digit - '0');
            }
        } else if (equals_ignoring_case(name, "Transfer-Encoding")) {
            ++encodings;
            chunked_ = equals_ignoring_case(value, "chunked");
            if (!chunked_) return refuse(400, "Transfer-Encoding may only be chunked.");
        } else if (equals_ignoring_case(name, "Host")) {
            ++hosts;
        } else if (equals_ignoring_case(name, "Expect")) {
            expects_continue_ = equals_ignoring_case(value, "100-continue");
        }
    }
    if (lengths + encodings > 1 || (encodings > 0 && http10_)) {
        return refuse(400, "The length of the body is ambiguous.");
    }
    if (hosts > 1 || (hosts == 0 && !http10_)) {
        return refuse(400, "Exactly one Host header is needed.");
    }
    return true;
}

FeedResult Http1RequestParser::feed_body(std::string_view data, Request& request) {
    auto& parser = *beast_->parser;
    parser.body_into(request);
    std::size_t consumed = 0;
    while (!parser.is_done() && consumed < data.size()) {
        error_code error;
        const auto used =
            parser.put(asio::const_buffer(data.data() + consumed, data.size() - consumed), error);
        consumed += used;
        if (error == beast_http::error::body_limit) return failed(413, "The body is too large.");
        if (error == beast_http::error::need_more) break;
        if (error) return failed(400, "The body's chunks are malformed.");
        if (used == 0) break;
    }
    if (!parser.is_done()) {
        if (chunked_ && data.size() - consumed > kChunkHeaderBytesMax) {
            return failed(400, "A chunk header is too long.");
        }
        return {consumed, ParseState::NeedMore};
    }
    if (request.owns_body_) {
        request.body_.reserve(request.body_.size() + kBodyPaddingBytes);
    }
    in_body_ = false;
    return {consumed, ParseState::Complete};
}

struct Http1ResponseParser::Beast final : beast_http::basic_parser<false> {
    int code = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string text;

private:
    void on_request_impl(beast_http::verb, BeastView, BeastView, int, error_code&) override {}
    void on_response_impl(int status, BeastView, int, error_code&) override { code = status; }
    void on_field_impl(beast_http::field, BeastView name, BeastView value,
                       error_code& error) override {
        if (headers.size() >= kHeadersMax) {
            error = beast_http::error::header_limit;
            return;
        }
        headers.emplace_back(std::string(name.data(), name.size()),
                             std::string(value.data(), value.size()));
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(BeastView bytes, error_code&) override {
        text.append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, BeastView bytes, error_code&) override {
        return on_body_impl(bytes, ignored_);
    }
    void on_finish_impl(error_code&) override {}

    error_code ignored_;
};

Http1ResponseParser::Http1ResponseParser(bool head_request, std::uint64_t body_bytes_max)
    : beast_(std::make_unique<Beast>()) {
    beast_->skip(head_request);
    beast_->body_limit(boost::optional<std::uint64_t>(body_bytes_max));
    beast_->header_limit(kHeadBytesMax);
    beast_->eager(true);
}
Http1ResponseParser::~Http1ResponseParser() = default;

FeedResult Http1ResponseParser::feed(std::string_view data) {
    std::size_t consumed = 0;
    while (!beast_->is_done() && consumed < data.size()) {
        error_code error;
        const auto used =
            beast_->put(asio::const_buffer(data.data() + consumed, data.size() - consumed), error);
        consumed += used;
        if (error == beast_http::error::need_more) break;
        if (error) return {consumed, ParseState::Failed};
        if (used == 0) break;
    }
    return {consumed, beast_->is_done() ? ParseState::Complete : ParseState::NeedMore};
}

ParseState Http1ResponseParser::feed_eof() {
    if (!beast_->got_some()) return ParseState::Failed;
    error_code error;
    beast_->put_eof(error);
    return error ? ParseState::Failed : ParseState::Complete;
}

int Http1ResponseParser::status() const noexcept {
    return beast_->code;
}
bool Http1ResponseParser::keep_alive() const noexcept {
    return beast_->keep_alive();
}
std::vector<std::pair<std::string, std::string>>& Http1ResponseParser::headers() noexcept {
    return beast_->headers;
}
std::string& Http1ResponseParser::body() noexcept {
    return beast_->text;
}

}  // namespace playhead::net
