#include "api/row_stream.h"

#include <utility>

namespace playhead::api {

namespace {

/// As much as the connection's buffer holds: a larger piece would be a copy of it all.
constexpr std::size_t kPieceBytes = net::kStreamBufferBytesMax / 2;

}  // namespace

RowStream::RowStream(net::Responder& responder, net::Response head)
    : responder_(responder), head_(std::move(head)) {
    if (!http::is_compressible(head_.header("Content-Type"))) return;
    head_.add("Vary", "Accept-Encoding");
    const auto coding = static_cast<http::Coding>(responder_.facts().coding);
    encoder_ = http::StreamEncoder::make(coding);
    if (encoder_) head_.add("Content-Encoding", http::coding_name(coding));
}

bool RowStream::add(std::string_view chunk) {
    if (responder_.gone()) return false;
    if (encoder_) {
        if (!encoder_->add(chunk, held_)) return false;
    } else {
        held_ += chunk;
    }
    if (!begun_ && held_.size() < kRowsHeldBackMax) return true;
    return flush();
}

bool RowStream::flush() {
    if (!begun_) {
        begun_ = true;
        if (!responder_.begin(std::move(head_))) return false;
    }
    for (std::string_view rest = held_; !rest.empty();) {
        const auto piece = rest.substr(0, kPieceBytes);
        if (!responder_.write(piece)) return false;
        rest.remove_prefix(piece.size());
    }
    held_.clear();
    return true;
}

void RowStream::finish() {
    if (encoder_ && !encoder_->finish(held_)) return;
    if (!flush() && responder_.gone()) return;
    responder_.end();
}

}  // namespace playhead::api
