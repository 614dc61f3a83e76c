#include "net/transport_asio.h"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cerrno>

#include "net/connection.h"

namespace playhead::net {

namespace {

using boost::system::error_code;

std::string address_of(const Socket& socket) {
    error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) return {};
    auto address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    return address.to_string();
}

void finish_read(Connection& connection, const error_code& error, std::size_t bytes) {
    if (!error) {
        connection.on_read(bytes);
    } else {
        // A TLS stream cut without close_notify counts as the peer's end as well.
        const bool orderly =
            error == asio::error::eof || error == asio::ssl::error::stream_truncated;
        connection.on_read_end(!orderly);
    }
}

void finish_write(Connection& connection, const error_code& error, std::size_t bytes) {
    if (error) {
        connection.on_failed();
    } else {
        connection.on_written(bytes);
    }
}

class PlainTransport final : public Transport {
public:
    explicit PlainTransport(Socket socket)
        : socket_(std::move(socket)), remote_(address_of(socket_)) {}

    void start(std::shared_ptr<Connection> connection) override { connection->on_ready(); }

    void read(std::shared_ptr<Connection> connection, char* into, std::size_t bytes) override {
        socket_.async_read_some(asio::buffer(into, bytes),
                                [kept = std::move(connection)](error_code error, std::size_t got) {
                                    finish_read(*kept, error, got);
                                });
    }

    long write_now(std::string_view bytes) override {
        const auto sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(),
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) return sent;
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
    }

    void write(std::shared_ptr<Connection> connection, std::string_view bytes) override {
        socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()),
                                 [kept = std::move(connection)](error_code error, std::size_t got) {
                                     finish_write(*kept, error, got);
                                 });
    }

    void shutdown_send() override {
        error_code ignored;
        socket_.shutdown(Tcp::socket::shutdown_send, ignored);
    }
    void close() override {
        error_code ignored;
        socket_.close(ignored);
    }
    std::string remote_address() const override { return remote_; }
    bool secure() const override { return false; }

private:
    Socket socket_;
    std::string remote_;
};

class TlsTransport final : public Transport {
public:
    TlsTransport(Socket socket, asio::ssl::context& context)
        : remote_(address_of(socket)), stream_(std::move(socket), context) {}

    void start(std::shared_ptr<Connection> connection) override {
        stream_.async_handshake(asio::ssl::stream_base::server,
                                [kept = std::move(connection)](error_code error) {
                                    if (kept->closed()) return;
                                    error ? kept->on_failed() : kept->on_ready();
                                });
    }

    void read(std::shared_ptr<Connection> connection, char* into, std::size_t bytes) override {
        stream_.async_read_some(asio::buffer(into, bytes),
                                [kept = std::move(connection)](error_code error, std::size_t got) {
                                    finish_read(*kept, error, got);
                                });
    }

    // The engine must not be entered while a read is under way through another call; Asio's
    // composed operations take turns, so every write goes through them.
    long write_now(std::string_view) override { return 0; }

    void write(std::shared_ptr<Connection> connection, std::string_view bytes) override {
        stream_.async_write_some(asio::buffer(bytes.data(), bytes.size()),
                                 [kept = std::move(connection)](error_code error, std::size_t got) {
                                     finish_write(*kept, error, got);
                                 });
    }

    void shutdown_send() override {
        error_code ignored;
        stream_.next_layer().shutdown(Tcp::socket::shutdown_send, ignored);
    }
    void close() override {
        error_code ignored;
        stream_.next_layer().close(ignored);
    }
    std::string remote_address() const override { return remote_; }
    bool secure() const override { return true; }

private:
    std::string remote_;
    asio::ssl::stream<Socket> stream_;
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(Socket socket) {
    return std::make_unique<PlainTransport>(std::move(socket));
}

std::unique_ptr<Transport> make_tls_transport(Socket socket, asio::ssl::context& context) {
    return std::make_unique<TlsTransport>(std::move(socket), context);
}

}  // namespace playhead::net
