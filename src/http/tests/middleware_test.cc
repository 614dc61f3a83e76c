// CORS, codings, static files, limits per route, access log: seen through a running server.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "http/content_coding.h"
#include "http/static_files.h"
#include "http/tests/loopback.h"

namespace playhead::http {
namespace {

namespace fs = std::filesystem;
using testing::LoopbackTest;

class Middleware : public LoopbackTest {
protected:
    net::ClientResponse send(const net::ClientRequest& request) {
        auto http = client();
        auto response = http.send(request);
        EXPECT_TRUE(response) << response.error().message;
        return response.value_or(net::ClientResponse{});
    }
};

TEST_F(Middleware, AnswersAPreflightWithTheHeadersAskedFor) {
    start();
    const auto response =
        send({"OPTIONS",
              "/produce",
              {{"Origin", "https://player.example"},
               {"Access-Control-Request-Method", "POST"},
               {"Access-Control-Request-Headers", "access-control-allow-origin,content-type"}},
              {}});
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.header("Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(response.header("Access-Control-Allow-Headers"),
              "access-control-allow-origin,content-type");
    EXPECT_EQ(response.header("Access-Control-Max-Age"), "86400");
    EXPECT_NE(response.header("Access-Control-Allow-Methods").find("POST"), std::string::npos);
}

TEST_F(Middleware, DoesNotEchoHeaderNamesThatAreNone) {
    start();
    const auto response = send({"OPTIONS",
                                "/produce",
                                {{"Origin", "https://player.example"},
                                 {"Access-Control-Request-Method", "POST"},
                                 {"Access-Control-Request-Headers", "x-a; <script>"}},
                                {}});
    const auto allowed = response.header("Access-Control-Allow-Headers");
    EXPECT_EQ(allowed.find("script"), std::string::npos);
    for (const auto* name :
         {"content-type", "authorization", "x-api-key", "access-control-allow-origin"}) {
        EXPECT_NE(allowed.find(name), std::string::npos) << name;
    }
}

TEST_F(Middleware, PutsCorsAndSecurityHeadersOnErrorsToo) {
    start();
    for (const auto* request :
         {"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "not http\r\n\r\n"}) {
        const auto text = converse(request);
        EXPECT_NE(text.find("Access-Control-Allow-Origin: *"), std::string::npos) << text;
        EXPECT_NE(text.find("X-Content-Type-Options: nosniff"), std::string::npos) << text;
        EXPECT_NE(text.find("Date: "), std::string::npos) << text;
    }
}

TEST_F(Middleware, DecodesBodiesBeforeInlineAndPooledHandlers) {
    const auto echo = [](Request& request, Responder responder) {
        responder.send(Response(200, "text/plain", request.take_body()));
    };
    router().add(Method::Post, "/inline", inline_route(), echo);
    router().add(Method::Post, "/pooled", {}, echo);
    RouteOptions raw = inline_route();
    raw.decode_body = false;
    router().add(Method::Post, "/raw", raw, echo);
    start();
    const auto packed = encode_content(Coding::Gzip, "a beacon");
    for (const auto* path : {"/inline", "/pooled"}) {
        EXPECT_EQ(send({"POST", path, {{"Content-Encoding", "gzip"}}, packed}).body, "a beacon");
        EXPECT_EQ(send({"POST",
                        path,
                        {{"content-encoding", "zstd"}},
                        encode_content(Coding::Zstd, "a beacon")})
                      .body,
                  "a beacon");
    }
    EXPECT_EQ(send({"POST", "/raw", {{"Content-Encoding", "gzip"}}, packed}).body, packed);
}

TEST_F(Middleware, CompressesLargeTextForThoseWhoAcceptIt) {
    const std::string text(5000, 'x');
    router().add(Method::Get, "/text", {}, [&](Request&, Responder responder) {
        responder.send(Response(200, "application/json", text));
    });
    router().add(Method::Get, "/image", {}, [&](Request&, Responder responder) {
        responder.send(Response(200, "image/png", text));
    });
    router().add(Method::Get, "/short", {}, [&](Request&, Responder responder) {
        responder.send(Response(200, "application/json", "{}"));
    });
    start();
    const auto ask = [&](std::string path, std::string accept) {
        return send({"GET", std::move(path), {{"Accept-Encoding", std::move(accept)}}, {}});
    };
    const auto gzip = ask("/text", "gzip, br;q=0.5");
    EXPECT_EQ(gzip.header("Content-Encoding"), "gzip");
    EXPECT_EQ(gzip.header("Vary"), "Accept-Encoding");
    EXPECT_EQ(decode_content("gzip", gzip.body, 1 << 20).value(), text);
    const auto zstd = ask("/text", "gzip;q=0.5, zstd");
    EXPECT_EQ(zstd.header("Content-Encoding"), "zstd");
    EXPECT_EQ(decode_content("zstd", zstd.body, 1 << 20).value(), text);
    EXPECT_EQ(ask("/text", "gzip;q=0, identity").body, text);
    EXPECT_EQ(ask("/text", "br").header("Content-Encoding"), "br");
    EXPECT_EQ(ask("/image", "gzip").body, text);
    EXPECT_EQ(ask("/short", "gzip").body, "{}");
}

TEST_F(Middleware, TellsTheAccessLogWhatWasAnswered) {
    std::mutex mutex;
    std::vector<std::string> lines;
    options_.application.access_log = [&](const net::ReplyRecord& record) {
        const std::lock_guard lock(mutex);
        lines.push_back(std::string(net::method_name(record.facts.method)) + " " +
                        record.facts.target + " " + std::to_string(record.status) + " " +
                        std::string(record.facts.route) + " " + record.facts.remote + " " +
                        std::to_string(record.body_bytes));
        EXPECT_GE(record.duration_ns, 0);
    };
    router().add(Method::Get, "/things/{id}", {}, [](Request&, Responder responder) {
        responder.send(Response(200, "text/plain", "four"));
    });
    start();
    send({"GET", "/things/7?x=y", {}, {}});
    server_->drain_and_stop(1000);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines.front(), "GET /things/7?x=y 200 /things/{id} 127.0.0.1 4");
}

TEST_F(Middleware, WritesProblemDocumentsWithTheInputAtFault) {
    router().add(Method::Get, "/v1/metrics", {}, [](Request&, Responder responder) {
        responder.send(problem_response(
            {ErrorCode::InvalidArgument, "Unknown \"metric\".", "metric", "plays\xFF\n", "plays"}));
    });
    start();
    const auto response = send({"GET", "/v1/metrics", {}, {}});
    const auto problem = nlohmann::json::parse(response.body);
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(problem["type"], "/problems/invalid-argument");
    EXPECT_EQ(problem["title"], "Bad Request");
    EXPECT_EQ(problem["status"], 400);
    EXPECT_EQ(problem["detail"], "Unknown \"metric\".");
    EXPECT_EQ(problem["parameter"], "metric");
    EXPECT_EQ(problem["value"], "plays\xEF\xBF\xBD\n");
    EXPECT_EQ(problem["expected"], "plays");
}

class ServedFolder : public Middleware {
protected:
    ServedFolder() : root_(fs::path(::testing::TempDir()) / ("site-" + std::to_string(getpid()))) {
        fs::create_directories(root_ / "assets");
        put("index.html", "<!doctype html>" + std::string(2000, ' '));
        put("assets/app.js", "export {};");
        put(".secret", "no");
        fs::create_symlink("/etc/hostname", root_ / "link.txt");
    }
    ~ServedFolder() override {
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }
    void put(const std::string& name, const std::string& text) {
        std::ofstream(root_ / name, std::ios::binary) << text;
    }
    net::ClientResponse get(const std::string& path, std::string header = "X",
                            std::string value = "y") {
        return send({"GET", path, {{std::move(header), std::move(value)}}, {}});
    }

    fs::path root_;
};

TEST_F(ServedFolder, ServesFilesWithTypesAndTagsAndNothingElse) {
    const auto files = StaticFiles::load(root_);
    ASSERT_TRUE(files) << files.error().message;
    EXPECT_EQ(files->size(), 2U);
    router().add(Method::Get, "/portal/{path*}", inline_route(), files->handler());
    start();
    const auto index = get("/portal/");
    EXPECT_EQ(index.header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_TRUE(index.body.starts_with("<!doctype html>"));
    EXPECT_EQ(get("/portal/views/live").body, index.body);
    EXPECT_EQ(get("/portal/", "Accept-Encoding", "gzip").header("Content-Encoding"), "gzip");
    const auto script = get("/portal/assets/app.js");
    EXPECT_EQ(script.body, "export {};");
    EXPECT_NE(script.header("Cache-Control").find("immutable"), std::string::npos);
    const std::string tag(script.header("ETag"));
    EXPECT_EQ(get("/portal/assets/app.js", "If-None-Match", tag).status, 304);
    for (const auto* path :
         {"/portal/.secret", "/portal/link.txt", "/portal/missing.js", "/portal/../../etc/passwd.",
          "/portal/%2e%2e/%2e%2e/etc/passwd.x", "/portal/..%2f..%2fetc%2fpasswd.x"}) {
        EXPECT_EQ(get(path).status, 404) << path;
    }
    server_->drain_and_stop(1000);
}

TEST_F(ServedFolder, ReportsAFolderThatIsNotThere) {
    const auto files = StaticFiles::load(root_ / "missing");
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace playhead::http
