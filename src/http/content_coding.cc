#include "http/content_coding.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "net/message.h"

namespace playhead::http {

namespace {

using net::equals_ignoring_case;

constexpr std::size_t kBlockBytes = 64 * 1024;
constexpr int kGzipLevel = 5;
constexpr int kZstdLevel = 3;
// Senders may choose any window up to 128 MiB; that much memory per request is not for them to
// spend.
constexpr int kZstdWindowLogMax = 23;

// windowBits for zlib: 15 is the largest window, +16 the gzip wrapper.
constexpr int kZlibWindow = 15;
constexpr int kGzipWindow = 15 + 16;

tl::unexpected<Error> damaged(std::string_view encoding) {
    return fail_parameter("Content-Encoding", std::string(encoding), "a complete, intact body",
                          "The body cannot be decoded.");
}

tl::unexpected<Error> too_large(std::uint64_t bytes_max) {
    return fail({ErrorCode::PayloadTooLarge,
                 "The decoded body is too large.",
                 {},
                 {},
                 "at most " + std::to_string(bytes_max) + " bytes"});
}

/// What `encoded_bytes` may become.
std::uint64_t decoded_limit(std::size_t encoded_bytes, std::uint64_t bytes_max) {
    return std::min(bytes_max,
                    std::max(kDecodedBytesAlwaysAllowed, encoded_bytes * kDecodedRatioMax));
}

class Inflater {
public:
    explicit Inflater(int window_bits) { ready_ = inflateInit2(&stream_, window_bits) == Z_OK; }
    ~Inflater() {
        if (ready_) inflateEnd(&stream_);
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    Result<std::string> run(std::string_view encoding, std::string_view body, std::uint64_t limit) {
        std::string out;
        // zlib's interface predates const.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
        stream_.avail_in = static_cast<uInt>(body.size());
        if (!ready_) return fail(ErrorCode::Internal, "zlib did not start.");
        auto block = std::make_unique<std::array<char, kBlockBytes>>();
        while (true) {
            stream_.next_out = reinterpret_cast<Bytef*>(block->data());
            stream_.avail_out = kBlockBytes;
            const int code = inflate(&stream_, Z_NO_FLUSH);
            out.append(block->data(), kBlockBytes - stream_.avail_out);
            if (out.size() > limit) return too_large(limit);
            if (code == Z_STREAM_END) {
                if (stream_.avail_in == 0) return out;
                // RFC 1952: a gzip file may have several members.
                if (inflateReset(&stream_) != Z_OK) return damaged(encoding);
                continue;
            }
            if (code != Z_OK) return damaged(encoding);
        }
    }

private:
    z_stream stream_{};
    bool ready_ = false;
};

Result<std::string> decode_zstd(std::string_view body, std::uint64_t limit) {
    const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                          ZSTD_freeDCtx);
    if (!context) return fail(ErrorCode::Internal, "zstd did not start.");
    ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
    ZSTD_inBuffer input{body.data(), body.size(), 0};
    auto block = std::make_unique<std::array<char, kBlockBytes>>();
    std::string out;
    while (true) {
        ZSTD_outBuffer output{block->data(), kBlockBytes, 0};
        const std::size_t left = ZSTD_decompressStream(context.get(), &output, &input);
        if (ZSTD_isError(left) != 0) return damaged("zstd");
        out.append(block->data(), output.pos);
        if (out.size() > limit) return too_large(limit);
        if (input.pos < input.size) continue;
        if (left == 0) return out;
        if (output.pos < kBlockBytes) return damaged("zstd");
    }
}

std::string gzip(std::string_view body) {
    z_stream stream{};
    if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return {};
    }
    std::string out(deflateBound(&stream, body.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int code = deflate(&stream, Z_FINISH);
    out.resize(code == Z_STREAM_END ? stream.total_out : 0);
    deflateEnd(&stream);
    return out;
}

std::string zstd(std::string_view body) {
    std::string out(ZSTD_compressBound(body.size()), '\0');
    const std::size_t size =
        ZSTD_compress(out.data(), out.size(), body.data(), body.size(), kZstdLevel);
    out.resize(ZSTD_isError(size) != 0 ? 0 : size);
    return out;
}

std::string encode_whole(Coding coding, std::string_view body) {
    const auto encoder = StreamEncoder::make(coding);
    std::string out;
    if (!encoder || !encoder->add(body, out) || !encoder->finish(out)) return {};
    return out;
}

/// Thousandths of the weight in "q=0.8"; 1000 without one, 0 for what cannot be read.
int weight_of(std::string_view parameters) {
    const auto at = parameters.find("q=");
    if (at == std::string_view::npos) return 1000;
    const auto text = net::trimmed(parameters.substr(at + 2));
    if (text.empty() || (text[0] != '0' && text[0] != '1')) return 0;
    int weight = (text[0] - '0') * 1000;
    int step = 100;
    for (std::size_t i = 2; i < text.size() && i < 5 && text[1] == '.'; ++i, step /= 10) {
        if (text[i] < '0' || text[i] > '9') break;
        weight += (text[i] - '0') * step;
    }
    return std::min(weight, 1000);
}

/// In thousandths, by Coding; 0 = not wanted.
struct AcceptedWeights {
    std::array<int, 4> codings{};
    int identity = 0;
};

AcceptedWeights weights_of(std::string_view accept_encoding) {
    constexpr int kNotNamed = -1;
    AcceptedWeights weights{{0, kNotNamed, kNotNamed, kNotNamed}, 0};
    int any = 0;
    while (!accept_encoding.empty()) {
        const auto end = accept_encoding.find(',');
        const auto item = accept_encoding.substr(0, end);
        accept_encoding.remove_prefix(end == std::string_view::npos ? accept_encoding.size()
                                                                    : end + 1);
        const auto semicolon = item.find(';');
        const auto name = net::trimmed(item.substr(0, semicolon));
        const int weight =
            semicolon == std::string_view::npos ? 1000 : weight_of(item.substr(semicolon + 1));
        if (name == "*") any = weight;
        if (equals_ignoring_case(name, "identity")) weights.identity = weight;
        for (const Coding coding : {Coding::Gzip, Coding::Brotli, Coding::Zstd}) {
            if (!equals_ignoring_case(name, coding_name(coding))) continue;
            weights.codings[static_cast<std::size_t>(coding)] = weight;
        }
    }
    for (int& weight : weights.codings) {
        if (weight == kNotNamed) weight = any;
    }
    return weights;
}

}  // namespace

Result<std::string> decode_content(std::string_view encoding, std::string_view body,
                                   std::uint64_t bytes_max) {
    encoding = net::trimmed(encoding);
    if (encoding.empty() || equals_ignoring_case(encoding, "identity")) return std::string(body);
    const std::uint64_t limit = decoded_limit(body.size(), bytes_max);
    if (equals_ignoring_case(encoding, "gzip") || equals_ignoring_case(encoding, "x-gzip")) {
        return Inflater(kGzipWindow).run("gzip", body, limit);
    }
    if (equals_ignoring_case(encoding, "deflate")) {
        // The name means zlib's wrapper, yet some senders leave it out.
        auto wrapped = Inflater(kZlibWindow).run("deflate", body, limit);
        if (wrapped || wrapped.error().code != ErrorCode::InvalidArgument) return wrapped;
        return Inflater(-kZlibWindow).run("deflate", body, limit);
    }
    if (equals_ignoring_case(encoding, "zstd")) return decode_zstd(body, limit);
    return fail({ErrorCode::UnsupportedMediaType, "This content coding is not supported.",
                 "Content-Encoding", std::string(encoding), "gzip, deflate, zstd or identity"});
}

Coding preferred_coding(std::string_view accept_encoding) {
    const AcceptedWeights weights = weights_of(accept_encoding);
    Coding best = Coding::Identity;
    int most = std::max(weights.identity - 1, 0);
    // In order of preference among equals.
    for (const Coding coding : {Coding::Zstd, Coding::Brotli, Coding::Gzip}) {
        const int weight = weights.codings[static_cast<std::size_t>(coding)];
        if (weight > most) {
            most = weight;
            best = coding;
        }
    }
    return best;
}

bool accepts_coding(std::string_view accept_encoding, Coding coding) {
    return weights_of(accept_encoding).codings[static_cast<std::size_t>(coding)] > 0;
}

std::string_view coding_name(Coding coding) noexcept {
    switch (coding) {
        case Coding::Identity: return "";
        case Coding::Gzip: return "gzip";
        case Coding::Brotli: return "br";
        case Coding::Zstd: return "zstd";
    }
    return "";
}

std::string encode_content(Coding coding, std::string_view body) {
    switch (coding) {
        case Coding::Identity: return std::string(body);
        case Coding::Gzip: return gzip(body);
        case Coding::Brotli: return encode_whole(coding, body);
        case Coding::Zstd: return zstd(body);
    }
    return {};
}

bool is_compressible(std::string_view content_type) {
    const auto type = net::trimmed(content_type.substr(0, content_type.find(';')));
    if (type.starts_with("text/") || type.ends_with("+json") || type.ends_with("+xml")) return true;
    constexpr std::array<std::string_view, 7> kTypes{
        "application/json", "application/javascript", "application/xml", "application/x-ndjson",
        "application/wasm", "application/yaml",       "image/svg+xml"};
    return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

}  // namespace playhead::http
