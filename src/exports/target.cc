#include "exports/target.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "exports/sigv4.h"
#include "net/http_client.h"

namespace playhead::exports {

namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> unwritable(const fs::path& path, const std::string& why) {
    return fail(ErrorCode::Unavailable,
                fmt::format("{} cannot be written: {}", path.string(), why));
}

Result<void> sync(const fs::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return unwritable(path, std::strerror(errno));
    const bool done = ::fsync(file) == 0;
    ::close(file);
    if (!done) return unwritable(path, "fsync failed");
    return {};
}

class DirectoryTarget final : public Target {
public:
    explicit DirectoryTarget(std::string root) : root_(std::move(root)) {}

    Result<void> put(const std::string& local, const std::string& name) override {
        const fs::path path = root_ / name;
        const fs::path fresh = path.parent_path() / ("." + path.filename().string() + ".tmp");
        std::error_code error;
        fs::create_directories(path.parent_path(), error);
        if (error) return unwritable(path.parent_path(), error.message());
        // The local file may be on another disk: copied first, then renamed in place.
        fs::copy_file(local, fresh, fs::copy_options::overwrite_existing, error);
        if (error) return unwritable(fresh, error.message());
        if (auto done = sync(fresh); !done) return done;
        fs::rename(fresh, path, error);
        if (error) return unwritable(path, error.message());
        fs::remove(local, error);
        return sync(path.parent_path());
    }

    Result<void> remove(const std::string& name) override {
        std::error_code error;
        fs::remove(root_ / name, error);
        if (error) return unwritable(root_ / name, error.message());
        return {};
    }

private:
    fs::path root_;
};

class S3Target final : public Target {
public:
    S3Target(S3Place place, const Clock& clock)
        : place_(std::move(place)), clock_(clock), client_(place_.endpoint, options()) {}

    Result<void> put(const std::string& local, const std::string& name) override {
        std::error_code error;
        if (fs::file_size(local, error) > kObjectBytesMax || error) {
            return fail(ErrorCode::Unprocessable,
                        fmt::format("a part is larger than {} bytes", kObjectBytesMax));
        }
        std::ifstream file(local, std::ios::binary);
        std::string body{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        if (!file) return fail(ErrorCode::Unavailable, "the part cannot be read back");
        auto done = exchange("PUT", name, std::move(body), 200);
        if (done) fs::remove(local, error);
        return done;
    }

    Result<void> remove(const std::string& name) override {
        return exchange("DELETE", name, {}, 204);
    }

private:
    static net::HttpClientOptions options() {
        net::HttpClientOptions options;
        options.timeout_ms = 300'000;
        options.response_bytes_max = 1U << 20U;
        return options;
    }

    Result<void> exchange(const char* method, const std::string& name, std::string body,
                          int expected) {
        const auto host = place_.endpoint.substr(place_.endpoint.find("://") + 3);
        net::ClientRequest request;
        request.method = method;
        request.target =
            s3_path(place_.bucket, place_.prefix.empty() ? name : place_.prefix + "/" + name);
        request.headers = sign_s3({place_.access_key, place_.secret_key, place_.region}, method,
                                  host, request.target, body, clock_.now_ms() / 1000);
        request.body = std::move(body);
        const auto response = client_.send(request);
        if (!response) return fail(response.error());
        if (response->status == expected || response->status == 200) return {};
        // The store's answer is XML; its code tells most and quotes nothing of ours.
        const auto from = response->body.find("<Code>");
        const auto to = response->body.find("</Code>");
        std::string code;
        if (from != std::string::npos && to != std::string::npos && to > from && to - from < 100) {
            code = response->body.substr(from + 6, to - from - 6);
        }
        return fail(ErrorCode::Unavailable,
                    fmt::format("the bucket refused a {}: {} {}", method, response->status, code));
    }

    S3Place place_;
    const Clock& clock_;
    net::HttpClient client_;
};

}  // namespace

std::unique_ptr<Target> open_target(const Definition& definition, const Clock& clock) {
    if (definition.to_s3()) return std::make_unique<S3Target>(definition.s3, clock);
    return std::make_unique<DirectoryTarget>(definition.target.substr(7));
}

}  // namespace playhead::exports
