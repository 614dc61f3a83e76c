// The client against the bare net server, plain and TLS.
#include "net/http_client.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/metrics.h"
#include "net/problem.h"
#include "net/server.h"

namespace playhead::net {
namespace {

/// Answers /sleep never, all else with the body it got.
class EchoService final : public Service {
public:
    void handle(Request& request, Responder responder) override {
        if (request.path() == "/sleep") {
            kept_ = std::move(responder);
            return;
        }
        ++requests;
        Response response(200, "text/plain", std::string(request.body()));
        response.add("X-Secure", request.secure() ? "yes" : "no");
        if (request.path() == "/bye") response.add("X-Bye", "1");
        responder.send(std::move(response));
    }
    std::uint64_t body_bytes_max(const Request&) const override { return 8 * 1024 * 1024; }
    void finish_reply(Response&, const ExchangeFacts&) const override {}
    void on_replied(const ReplyRecord&) noexcept override {}

    /// The kept responder holds its shard, which holds this service.
    void forget() { kept_ = {}; }

    std::atomic<int> requests{0};

private:
    Responder kept_;
};

class ClientTest : public ::testing::Test {
protected:
    ~ClientTest() override {
        if (server_) server_->drain_and_stop(0);
        service_->forget();
    }
    void start(ServerOptions options = {}) {
        options.listen = options.listen == ServerOptions().listen ? "127.0.0.1:0" : options.listen;
        options.shards = 1;
        server_ = std::make_unique<Server>(options, service_, clock_, metrics_);
        const auto started = server_->start();
        ASSERT_TRUE(started) << started.error().message;
    }
    std::string origin(std::string_view scheme = "http") const {
        return std::string(scheme) + "://127.0.0.1:" + std::to_string(server_->port());
    }

    SystemClock clock_;
    MetricsRegistry metrics_;
    std::shared_ptr<EchoService> service_ = std::make_shared<EchoService>();
    std::unique_ptr<Server> server_;
};

class Client : public ClientTest {};

TEST_F(Client, KeepsTheConnectionAndMovesLargeBodies) {
    start();
    HttpClient http(origin());
    const std::string large(3'000'000, 'b');
    for (int round = 0; round < 3; ++round) {
        const auto response = http.post("/", "text/plain", large);
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->status, 200);
        EXPECT_EQ(response->body.size(), large.size());
        EXPECT_EQ(response->header("x-secure"), "no");
    }
    EXPECT_EQ(server_->connection_count(), 1U);
}

TEST_F(Client, ConnectsAgainWhenAKeptConnectionWasClosed) {
    ServerOptions options;
    options.idle_timeout_ms = 50;
    start(options);
    HttpClient http(origin());
    ASSERT_TRUE(http.get("/"));
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    EXPECT_TRUE(http.get("/"));
    EXPECT_EQ(service_->requests, 2);
}

TEST_F(Client, GivesUpInTime) {
    start();
    HttpClient http(
        origin(),
        {.timeout_ms = 100, .response_bytes_max = 1024, .ca_file = {}, .accept_address = {}});
    const auto response = http.get("/sleep");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::Timeout);
    EXPECT_TRUE(http.get("/"));
}

TEST_F(Client, RefusesAnAnswerBeyondItsLimit) {
    start();
    HttpClient http(
        origin(),
        {.timeout_ms = 3000, .response_bytes_max = 1024, .ca_file = {}, .accept_address = {}});
    EXPECT_FALSE(http.post("/", "text/plain", std::string(5000, 'x')));
    EXPECT_TRUE(http.get("/"));
}

TEST_F(Client, SaysWhyItCannotConnect) {
    start();
    const auto closed = origin();
    server_->drain_and_stop(0);
    HttpClient http(closed);
    EXPECT_EQ(http.get("/").error().code, ErrorCode::Unavailable);
    HttpClient nonsense("ftp://somewhere");
    EXPECT_EQ(nonsense.get("/").error().code, ErrorCode::InvalidArgument);
}

/// A self-signed P-256 certificate for 127.0.0.1 in temporary files.
class Secure : public ClientTest {
protected:
    Secure() : certificate_(path("cert")), key_(path("key")) {
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* certificate = X509_new();
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        X509_NAME* name = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("playhead test"), -1, -1,
                                   0);
        X509_set_issuer_name(certificate, name);
        X509_EXTENSION* names =
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
        X509_add_ext(certificate, names, -1);
        X509_EXTENSION_free(names);
        X509_sign(certificate, key, EVP_sha256());
        std::FILE* file = std::fopen(certificate_.c_str(), "w");
        PEM_write_X509(file, certificate);
        std::fclose(file);
        file = std::fopen(key_.c_str(), "w");
        PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
    ~Secure() override {
        std::remove(certificate_.c_str());
        std::remove(key_.c_str());
    }
    static std::string path(const std::string& what) {
        return ::testing::TempDir() + "playhead-" + what + "-" + std::to_string(getpid()) + ".pem";
    }
    ServerOptions secure_options() const {
        ServerOptions options;
        options.tls = {certificate_, key_};
        return options;
    }

    std::string certificate_;
    std::string key_;
};

TEST_F(Secure, ConnectionsCarryRequestsBothWays) {
    start(secure_options());
    HttpClientOptions options;
    options.ca_file = certificate_;
    HttpClient http(origin("https"), options);
    const std::string large(1'000'000, 's');
    for (int round = 0; round < 3; ++round) {
        const auto response = http.post("/", "text/plain", large);
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->body.size(), large.size());
        EXPECT_EQ(response->header("X-Secure"), "yes");
    }
    EXPECT_EQ(server_->connection_count(), 1U);
}

TEST_F(Secure, ClientsRefuseAnUnknownAuthority) {
    start(secure_options());
    HttpClient http(origin("https"));
    EXPECT_FALSE(http.get("/"));
}

TEST_F(Secure, PlainClientsGetNoAnswer) {
    start(secure_options());
    EXPECT_FALSE(HttpClient(origin()).get("/"));
}

TEST_F(Secure, ServersNameAFileTheyCannotUse) {
    auto options = secure_options();
    options.tls.private_key_file = certificate_;
    options.listen = "127.0.0.1:0";
    Server server(options, service_, clock_, metrics_);
    const auto started = server.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().parameter, "tls.key");
}

}  // namespace
}  // namespace playhead::net
