#include "http/static_files.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/hash.h"
#include "http/content_coding.h"
#include "net/problem.h"

namespace playhead::http {

namespace fs = std::filesystem;

namespace {

std::string_view content_type_of(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kTypes{{
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/markdown; charset=utf-8"},
        {".yaml", "application/yaml"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".wasm", "application/wasm"},
        {".xml", "application/xml"},
    }};
    for (const auto& [suffix, type] : kTypes) {
        if (name.ends_with(suffix)) return type;
    }
    return "application/octet-stream";
}

Result<std::string> read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in.good() && !in.eof()) {
        return fail(ErrorCode::NotFound, "Cannot read " + path.string() + ".");
    }
    return text;
}

bool hidden(const fs::path& path) {
    return path.filename().string().starts_with('.');
}

}  // namespace

Result<StaticFiles> StaticFiles::load(const fs::path& root) {
    StaticFiles result;
    std::error_code error;
    std::uint64_t total = 0;
    fs::recursive_directory_iterator walk(root, error);
    if (error) {
        return fail({ErrorCode::NotFound, "The folder of static files cannot be read.", "root",
                     root.string(), "a readable folder"});
    }
    for (; walk != fs::recursive_directory_iterator(); walk.increment(error)) {
        if (error) return fail(ErrorCode::NotFound, "Cannot walk " + root.string() + ".");
        if (hidden(walk->path())) {
            if (walk->is_directory(error)) walk.disable_recursion_pending();
            continue;
        }
        if (walk->is_symlink(error) || !walk->is_regular_file(error)) continue;
        total += walk->file_size(error);
        if (error || total > kStaticBytesMax) {
            return fail({ErrorCode::InvalidArgument, "The static files are too large.", "root",
                         root.string(), std::to_string(kStaticBytesMax) + " bytes at most"});
        }
        auto body = read_file(walk->path());
        if (!body) return fail(std::move(body.error()));
        auto name = walk->path().lexically_relative(root).generic_string();
        File file;
        file.content_type = content_type_of(name);
        file.etag = fmt::format("\"{:016x}\"", stable_hash(*body));
        file.body = std::move(*body);
        if (is_compressible(file.content_type)) {
            file.gzip_body = encode_content(Coding::Gzip, file.body);
            if (file.gzip_body.size() >= file.body.size()) file.gzip_body.clear();
        }
        // The bundler puts a hash into the names of what lies there.
        file.immutable = name.starts_with("assets/");
        result.files_.emplace(std::move(name), std::move(file));
    }
    return result;
}

const StaticFiles::File* StaticFiles::find(std::string_view path) const {
    if (const auto found = files_.find(path); found != files_.end()) return &found->second;
    const auto slash = path.rfind('/');
    const auto last = slash == std::string_view::npos ? path : path.substr(slash + 1);
    if (last.find('.') != std::string_view::npos) return nullptr;
    const auto index = files_.find("index.html");
    return index == files_.end() ? nullptr : &index->second;
}

Response StaticFiles::respond(const Request& request, std::string_view path) const {
    const File* file = find(path);
    if (file == nullptr) {
        return net::problem_response(
            {ErrorCode::NotFound, "There is no such file.", "path", std::string(path), {}});
    }
    const bool known = request.header("If-None-Match").find(file->etag) != std::string_view::npos;
    Response response(known ? 304 : 200);
    // The same bytes go out in two codings, so the tag is a weak one.
    response.add("ETag", "W/" + file->etag);
    response.add("Cache-Control",
                 file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (!file->gzip_body.empty()) response.add("Vary", "Accept-Encoding");
    if (known) return response;
    response.add("Content-Type", file->content_type);
    response.add("X-Frame-Options", "DENY");
    response.add("Referrer-Policy", "same-origin");
    const bool packed =
        !file->gzip_body.empty() && accepts_coding(request.header("Accept-Encoding"), Coding::Gzip);
    if (packed) response.add("Content-Encoding", "gzip");
    response.body = packed ? file->gzip_body : file->body;
    return response;
}

Handler StaticFiles::handler() const {
    return [this](Request& request, Responder responder) {
        responder.send(respond(request, request.param("path")));
    };
}

}  // namespace playhead::http
