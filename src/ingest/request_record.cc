#include "ingest/request_record.h"

#include <cmath>

namespace playhead::ingest {

namespace {

constexpr char kVersion = 1;
/// Version 1 of a cut knew one kind only, the whole one.
constexpr char kCutVersionWhole = 1;
constexpr char kCutVersion = 2;
constexpr auto kWhole = static_cast<std::uint8_t>(timeline::CutKind::Whole);
constexpr auto kCutKindLast = static_cast<std::uint8_t>(timeline::CutKind::Rows);

void put_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(value | 0x80));
        value >>= 7U;
    }
    out.push_back(static_cast<char>(value));
}

void put_signed(std::string& out, std::int64_t value) {
    put_varint(out,
               (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
}

void put_text(std::string& out, std::string_view text) {
    put_varint(out, text.size());
    out.append(text);
}

/// Reads forward; after the first failure every read yields nothing and `ok` stays false.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    std::uint8_t byte() {
        if (!take(1)) return 0;
        return static_cast<std::uint8_t>(bytes_[at_ - 1]);
    }

    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint8_t part = byte();
            if (!ok_) return 0;
            value |= static_cast<std::uint64_t>(part & 0x7FU) << shift;
            if ((part & 0x80U) == 0) return value;
        }
        ok_ = false;
        return 0;
    }

    std::int64_t signed_varint() {
        const std::uint64_t value = varint();
        return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1));
    }

    std::string_view text() {
        const std::uint64_t size = varint();
        if (size > bytes_.size() || !take(size)) {
            ok_ = false;
            return {};
        }
        return bytes_.substr(at_ - size, size);
    }

    std::string_view rest() const { return ok_ ? bytes_.substr(at_) : std::string_view{}; }
    bool ok() const noexcept { return ok_; }

private:
    bool take(std::size_t count) {
        if (!ok_ || bytes_.size() - at_ < count) {
            ok_ = false;
            return false;
        }
        at_ += count;
        return true;
    }

    std::string_view bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace

std::string encode_head(const RequestRecord& record) {
    const model::ClientContext& context = record.context;
    std::string out;
    out.reserve(96 + context.user_agent.size() + context.region.size() + context.city.size() +
                context.isp.size() + record.session_id.size());
    out.push_back(kVersion);
    out.push_back(static_cast<char>(record.kind));
    put_varint(out, record.customer_id);
    put_signed(out, record.receive_ms);
    put_text(out, record.session_id);
    for (const std::string* text : {&context.ip_address, &context.continent, &context.country,
                                    &context.region, &context.city, &context.isp}) {
        put_text(out, *text);
    }
    put_varint(out, context.asn);
    out.push_back(context.has_location ? 1 : 0);
    if (context.has_location) {
        put_signed(out, std::llround(context.latitude * 10));
        put_signed(out, std::llround(context.longitude * 10));
    }
    put_text(out, context.user_agent);
    return out;
}

Result<DecodedRecord> decode_record(std::string_view payload) {
    Reader reader(payload);
    if (reader.byte() != static_cast<std::uint8_t>(kVersion)) {
        return fail(ErrorCode::Internal, "journal record: not a request of a version known here");
    }
    DecodedRecord decoded;
    RequestRecord& record = decoded.record;
    const std::uint8_t kind = reader.byte();
    const bool known_kind = kind >= 1 && kind <= 4;
    if (known_kind) record.kind = static_cast<RequestKind>(kind);
    record.customer_id = reader.varint();
    record.receive_ms = reader.signed_varint();
    record.session_id = reader.text();
    model::ClientContext& context = record.context;
    for (std::string* text : {&context.ip_address, &context.continent, &context.country,
                              &context.region, &context.city, &context.isp}) {
        *text = reader.text();
    }
    context.asn = static_cast<std::uint32_t>(reader.varint());
    context.has_location = reader.byte() == 1;
    if (context.has_location) {
        context.latitude = static_cast<double>(reader.signed_varint()) / 10;
        context.longitude = static_cast<double>(reader.signed_varint()) / 10;
    }
    context.user_agent = reader.text();
    decoded.body = reader.rest();
    if (!reader.ok() || !known_kind) {
        return fail(ErrorCode::Internal, "journal record: a request that is cut short or damaged");
    }
    return decoded;
}

std::string encode_cut(const CutRecord& cut) {
    std::string out;
    out.push_back(kCutVersion);
    put_varint(out, cut.number);
    put_signed(out, cut.now_ms);
    out.push_back(static_cast<char>(cut.kind));
    return out;
}

Result<CutRecord> decode_cut(std::string_view payload) {
    Reader reader(payload);
    CutRecord cut;
    const std::uint8_t version = reader.byte();
    const bool known = version == kCutVersionWhole || version == kCutVersion;
    cut.number = reader.varint();
    cut.now_ms = reader.signed_varint();
    const std::uint8_t kind = version == kCutVersion ? reader.byte() : kWhole;
    const bool known_kind = kind <= kCutKindLast;
    if (known_kind) cut.kind = static_cast<timeline::CutKind>(kind);
    if (!known || !known_kind || !reader.ok())
        return fail(ErrorCode::Internal, "journal record: a damaged cut");
    return cut;
}

}  // namespace playhead::ingest
