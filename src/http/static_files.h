/// Static files from a folder, held in memory: the portal and its assets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/router.h"

namespace playhead::http {

inline constexpr std::uint64_t kStaticBytesMax = 64ULL * 1024 * 1024;

/// Read once at start, so no request ever names a path of the file system. Immutable: thread safe.
class StaticFiles {
public:
    /// Reads every regular file below `root`; names that begin with '.' and links are left out.
    /// NotFound when the folder cannot be read, InvalidArgument beyond `kStaticBytesMax`.
    static Result<StaticFiles> load(const std::filesystem::path& root);

    /// The reply for a decoded path below the root, e.g. "assets/app.js"; "" is index.html.
    /// A page of a single-page application (no dot in the last segment) is answered with
    /// index.html as well. 304 where If-None-Match holds the ETag, 404 otherwise.
    Response respond(const Request& request, std::string_view path) const;

    /// A handler for a route that ends in "{path*}". The files must outlive the server.
    Handler handler() const;

    std::size_t size() const noexcept { return files_.size(); }

private:
    struct File {
        std::string_view content_type;
        std::string etag;
        std::string body;
        std::string gzip_body;  ///< empty where it would not be smaller
        bool immutable = false;
    };
    const File* find(std::string_view path) const;

    std::map<std::string, File, std::less<>> files_;
};

}  // namespace playhead::http
