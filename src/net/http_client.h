/// A small blocking HTTP/1.1 client with keep-alive and deadlines, http and https.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace playhead::net {

struct HttpClientOptions {
    std::int64_t timeout_ms = 30'000;  ///< of a whole exchange, connecting included
    std::uint64_t response_bytes_max = 256ULL * 1024 * 1024;
    /// https: PEM file of accepted authorities; empty means the system's.
    std::string ca_file;
    /// Which of a host's addresses may be connected to; empty: all. Asked after the name has been
    /// looked up, about the very addresses that are tried.
    std::function<bool(const std::string& address)> accept_address;
};

struct ClientRequest {
    std::string method = "GET";
    std::string target = "/";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

struct ClientResponse {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    /// The first header of that name in any case; empty when there is none.
    std::string_view header(std::string_view name) const noexcept;
};

/// One connection at a time to one origin. Not thread safe: one client per thread.
class HttpClient {
public:
    /// `origin` is "http://host:port" or "https://host[:port]"; an error shows at the first
    /// request.
    explicit HttpClient(std::string_view origin, HttpClientOptions options = {});
    ~HttpClient();
    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) noexcept;

    /// Sends and waits for the whole answer, whatever its status. Connects first, and once again
    /// where a kept connection turns out to be closed before anything was answered. Timeout, or
    /// Unavailable when the peer cannot be reached or breaks off; InvalidArgument for the origin.
    Result<ClientResponse> send(const ClientRequest& request);
    Result<ClientResponse> get(std::string_view target);
    Result<ClientResponse> post(std::string_view target, std::string_view content_type,
                                std::string body);

    /// Closes the kept connection.
    void close();

    /// Makes the request that is under way, and all later ones, fail. From any thread.
    void interrupt();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace playhead::net
