#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>

#include "http/content_coding.h"

namespace playhead::http {

namespace {

constexpr std::size_t kBlockBytes = 64 * 1024;
// Fast enough to keep up with the engine's output on one core.
constexpr int kGzipLevel = 4;
constexpr int kZstdLevel = 3;
constexpr int kBrotliQuality = 4;
constexpr int kBrotliWindowLog = 20;
constexpr int kGzipWindow = 15 + 16;
constexpr std::size_t kPieceBytes = 1U << 20U;

class GzipEncoder final : public StreamEncoder {
public:
    GzipEncoder() {
        ready_ = deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, kGzipWindow, 8,
                              Z_DEFAULT_STRATEGY) == Z_OK;
    }
    ~GzipEncoder() override {
        if (ready_) deflateEnd(&stream_);
    }
    GzipEncoder(const GzipEncoder&) = delete;
    GzipEncoder& operator=(const GzipEncoder&) = delete;

    bool add(std::string_view chunk, std::string& out) override {
        // zlib counts in 32 bits.
        for (; !chunk.empty(); chunk.remove_prefix(std::min(chunk.size(), kPieceBytes))) {
            if (!run(chunk.substr(0, kPieceBytes), Z_NO_FLUSH, out)) return false;
        }
        return true;
    }
    bool finish(std::string& out) override { return run({}, Z_FINISH, out); }

private:
    bool run(std::string_view piece, int flush, std::string& out) {
        if (!ready_) return false;
        // zlib's interface predates const.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
        stream_.avail_in = static_cast<uInt>(piece.size());
        do {
            stream_.next_out = reinterpret_cast<Bytef*>(block_.data());
            stream_.avail_out = kBlockBytes;
            if (deflate(&stream_, flush) == Z_STREAM_ERROR) return false;
            out.append(block_.data(), kBlockBytes - stream_.avail_out);
        } while (stream_.avail_out == 0);
        return true;
    }

    z_stream stream_{};
    std::array<char, kBlockBytes> block_{};
    bool ready_ = false;
};

class ZstdEncoder final : public StreamEncoder {
public:
    ZstdEncoder() : context_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
        if (context_) {
            ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kZstdLevel);
        }
    }
    bool add(std::string_view chunk, std::string& out) override {
        return run(chunk, ZSTD_e_continue, out);
    }
    bool finish(std::string& out) override { return run({}, ZSTD_e_end, out); }

private:
    bool run(std::string_view chunk, ZSTD_EndDirective directive, std::string& out) {
        if (!context_) return false;
        ZSTD_inBuffer input{chunk.data(), chunk.size(), 0};
        while (true) {
            ZSTD_outBuffer output{block_.data(), kBlockBytes, 0};
            const std::size_t left =
                ZSTD_compressStream2(context_.get(), &output, &input, directive);
            if (ZSTD_isError(left) != 0) return false;
            out.append(block_.data(), output.pos);
            if (directive == ZSTD_e_end ? left == 0 : input.pos == input.size) return true;
        }
    }

    std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context_;
    std::array<char, kBlockBytes> block_{};
};

class BrotliEncoder final : public StreamEncoder {
public:
    BrotliEncoder()
        : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr),
                 BrotliEncoderDestroyInstance) {
        if (!state_) return;
        BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, kBrotliQuality);
        BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, kBrotliWindowLog);
    }
    bool add(std::string_view chunk, std::string& out) override {
        return run(chunk, BROTLI_OPERATION_PROCESS, out);
    }
    bool finish(std::string& out) override { return run({}, BROTLI_OPERATION_FINISH, out); }

private:
    bool run(std::string_view chunk, BrotliEncoderOperation operation, std::string& out) {
        if (!state_) return false;
        std::size_t in_left = chunk.size();
        const auto* in = reinterpret_cast<const std::uint8_t*>(chunk.data());
        do {
            std::size_t out_left = kBlockBytes;
            auto* to = reinterpret_cast<std::uint8_t*>(block_.data());
            if (BrotliEncoderCompressStream(state_.get(), operation, &in_left, &in, &out_left, &to,
                                            nullptr) == BROTLI_FALSE) {
                return false;
            }
            out.append(block_.data(), kBlockBytes - out_left);
        } while (in_left > 0 || BrotliEncoderHasMoreOutput(state_.get()) == BROTLI_TRUE);
        return true;
    }

    std::unique_ptr<BrotliEncoderState, void (*)(BrotliEncoderState*)> state_;
    std::array<char, kBlockBytes> block_{};
};

}  // namespace

std::unique_ptr<StreamEncoder> StreamEncoder::make(Coding coding) {
    switch (coding) {
        case Coding::Identity: return nullptr;
        case Coding::Gzip: return std::make_unique<GzipEncoder>();
        case Coding::Brotli: return std::make_unique<BrotliEncoder>();
        case Coding::Zstd: return std::make_unique<ZstdEncoder>();
    }
    return nullptr;
}

}  // namespace playhead::http
