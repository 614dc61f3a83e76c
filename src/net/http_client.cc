#include "net/http_client.h"

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <optional>
#include <vector>

#include "net/http1_parser.h"
#include "net/message.h"
#include "net/transport_asio.h"

namespace playhead::net {

using boost::system::error_code;

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

struct Origin {
    bool secure = false;
    bool valid = false;
    std::string host;
    std::string port;
    std::string authority;
};

Origin parse_origin(std::string_view text) {
    Origin origin;
    if (text.starts_with("https://")) {
        origin.secure = true;
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
    } else {
        return origin;
    }
    text = text.substr(0, text.find('/'));
    origin.authority = text;
    origin.port = origin.secure ? "443" : "80";
    const auto bracket = text.rfind(']');
    const auto colon = text.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
        origin.port = text.substr(colon + 1);
        text = text.substr(0, colon);
    }
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
        text = text.substr(1, text.size() - 2);
    }
    origin.host = text;
    origin.valid = !origin.host.empty() && !origin.port.empty();
    return origin;
}

std::string request_text(const ClientRequest& request, const Origin& origin) {
    std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
    bool has_host = false;
    for (const auto& [name, value] : request.headers) {
        has_host = has_host || equals_ignoring_case(name, "Host");
        text.append(name).append(": ").append(value).append("\r\n");
    }
    if (!has_host) text.append("Host: ").append(origin.authority).append("\r\n");
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
        text.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
    }
    return text.append("\r\n").append(request.body);
}

}  // namespace

std::string_view ClientResponse::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
        if (equals_ignoring_case(key, name)) return value;
    }
    return {};
}

struct HttpClient::State {
    using TlsStream = asio::ssl::stream<Socket&>;
    using Deadline = std::chrono::steady_clock::time_point;

    State(std::string_view text, HttpClientOptions limits)
        : options(std::move(limits)), origin(parse_origin(text)), io(1), socket(io) {}

    /// Runs one asynchronous operation to its end or the deadline; then it is cancelled.
    template <class Start>
    error_code run(Deadline deadline, Start&& start) {
        std::optional<error_code> result;
        io.restart();
        // Asked after the restart, which would take back an interruption just before it.
        if (interrupted) return asio::error::operation_aborted;
        start([&result](error_code error) { result = error; });
        io.run_until(deadline);
        if (!result) {
            error_code ignored;
            socket.close(ignored);
            if (resolver) resolver->cancel();
            io.restart();
            io.run();
            return asio::error::timed_out;
        }
        return *result;
    }

    error_code connect(Deadline deadline);
    error_code start_tls(Deadline deadline);
    error_code write(Deadline deadline, const std::string& text);
    error_code read_some(Deadline deadline, std::size_t& bytes);
    Result<ClientResponse> exchange(const ClientRequest& request, Deadline deadline,
                                    bool& unanswered);
    Error unavailable(const error_code& error) const;
    void close();

    HttpClientOptions options;
    Origin origin;
    asio::io_context io;
    Socket socket;
    std::optional<asio::ip::basic_resolver<Tcp, Executor>> resolver;
    std::optional<asio::ssl::context> tls;
    std::optional<TlsStream> stream;
    std::array<char, kReadBytes> buffer{};
    bool connected = false;
    std::atomic<bool> interrupted{false};
};

void HttpClient::State::close() {
    error_code ignored;
    stream.reset();
    socket.close(ignored);
    connected = false;
}

error_code HttpClient::State::connect(Deadline deadline) {
    close();
    resolver.emplace(io);
    asio::ip::basic_resolver_results<Tcp> endpoints;
    auto error = run(deadline, [&](auto done) {
        resolver->async_resolve(origin.host, origin.port,
                                [&endpoints, done](error_code failure, auto found) {
                                    endpoints = std::move(found);
                                    done(failure);
                                });
    });
    resolver.reset();
    if (error) return error;
    std::vector<Tcp::endpoint> accepted;
    for (const auto& found : endpoints) {
        const Tcp::endpoint endpoint = found.endpoint();
        if (!options.accept_address || options.accept_address(endpoint.address().to_string())) {
            accepted.push_back(endpoint);
        }
    }
    if (accepted.empty()) return asio::error::access_denied;
    error = run(deadline, [&](auto done) {
        asio::async_connect(socket, accepted,
                            [done](error_code failure, const auto&) { done(failure); });
    });
    if (error) return error;
    error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    if (origin.secure) error = start_tls(deadline);
    connected = !error;
    return error;
}

error_code HttpClient::State::start_tls(Deadline deadline) {
    error_code error;
    if (!tls) {
        tls.emplace(asio::ssl::context::tls_client);
        if (options.ca_file.empty()) {
            tls->set_default_verify_paths(error);
        } else {
            tls->load_verify_file(options.ca_file, error);
        }
        if (error) return error;
        tls->set_verify_mode(asio::ssl::verify_peer, error);
        if (error) return error;
    }
    stream.emplace(socket, *tls);
    stream->set_verify_callback(asio::ssl::host_name_verification(origin.host), error);
    if (error) return error;
    // SSL_set_tlsext_host_name without its macro's cast; OpenSSL copies the name.
    SSL_ctrl(stream->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             origin.host.data());
    return run(deadline,
               [&](auto done) { stream->async_handshake(asio::ssl::stream_base::client, done); });
}

error_code HttpClient::State::write(Deadline deadline, const std::string& text) {
    return run(deadline, [&](auto done) {
        const auto finish = [done](error_code error, std::size_t) { done(error); };
        if (stream) {
            asio::async_write(*stream, asio::buffer(text), finish);
        } else {
            asio::async_write(socket, asio::buffer(text), finish);
        }
    });
}

error_code HttpClient::State::read_some(Deadline deadline, std::size_t& bytes) {
    return run(deadline, [&](auto done) {
        const auto finish = [done, &bytes](error_code error, std::size_t got) {
            bytes = got;
            done(error);
        };
        if (stream) {
            stream->async_read_some(asio::buffer(buffer), finish);
        } else {
            socket.async_read_some(asio::buffer(buffer), finish);
        }
    });
}

Error HttpClient::State::unavailable(const error_code& error) const {
    const bool late = error == asio::error::timed_out;
    return {late ? ErrorCode::Timeout : ErrorCode::Unavailable,
            (late ? "The peer did not answer in time."
                  : "The peer cannot be reached: " + error.message() + "."),
            "origin",
            origin.authority,
            {}};
}

Result<ClientResponse> HttpClient::State::exchange(const ClientRequest& request, Deadline deadline,
                                                   bool& unanswered) {
    unanswered = true;
    if (const auto error = write(deadline, request_text(request, origin))) {
        return fail(unavailable(error));
    }
    std::optional<Http1ResponseParser> parser;
    parser.emplace(request.method == "HEAD", options.response_bytes_max);
    std::string pending;
    bool interim = false;
    while (true) {
        bool ended = false;
        // An interim answer and the real one may have come together.
        if (!interim || pending.empty()) {
            std::size_t bytes = 0;
            const auto error = read_some(deadline, bytes);
            ended = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
            if (error && !ended) return fail(unavailable(error));
            pending.append(buffer.data(), bytes);
        }
        interim = false;
        unanswered = unanswered && pending.empty();
        auto state = ParseState::NeedMore;
        if (!pending.empty()) {
            const auto result = parser->feed(pending);
            pending.erase(0, result.consumed);
            state = result.state;
        }
        if (ended && state == ParseState::NeedMore) state = parser->feed_eof();
        if (state == ParseState::Failed) {
            return fail(ErrorCode::Unavailable, "The peer's answer is no HTTP, or too long.");
        }
        if (state == ParseState::NeedMore) continue;
        if (parser->status() / 100 == 1) {
            parser.emplace(request.method == "HEAD", options.response_bytes_max);
            interim = true;
            continue;
        }
        if (ended || !parser->keep_alive()) close();
        return ClientResponse{parser->status(), std::move(parser->headers()),
                              std::move(parser->body())};
    }
}

HttpClient::HttpClient(std::string_view origin, HttpClientOptions options)
    : state_(std::make_unique<State>(origin, std::move(options))) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<ClientResponse> HttpClient::send(const ClientRequest& request) {
    State& state = *state_;
    if (!state.origin.valid) {
        return fail_parameter("origin", state.origin.authority, "http://host:port or https://host",
                              "The origin cannot be read.");
    }
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(state.options.timeout_ms);
    const bool kept = state.connected;
    if (!kept) {
        if (const auto error = state.connect(deadline)) return fail(state.unavailable(error));
    }
    bool unanswered = false;
    auto response = state.exchange(request, deadline, unanswered);
    if (response) return response;
    state.close();
    // The peer may have closed an idle connection just when we used it.
    if (!kept || !unanswered || response.error().code == ErrorCode::Timeout) return response;
    if (const auto error = state.connect(deadline)) return fail(state.unavailable(error));
    response = state.exchange(request, deadline, unanswered);
    if (!response) state.close();
    return response;
}

Result<ClientResponse> HttpClient::get(std::string_view target) {
    return send({"GET", std::string(target), {}, {}});
}

Result<ClientResponse> HttpClient::post(std::string_view target, std::string_view content_type,
                                        std::string body) {
    return send({"POST",
                 std::string(target),
                 {{"Content-Type", std::string(content_type)}},
                 std::move(body)});
}

void HttpClient::close() {
    state_->close();
}

void HttpClient::interrupt() {
    state_->interrupted = true;
    state_->io.stop();
}

}  // namespace playhead::net
