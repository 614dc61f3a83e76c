#include "store/chdb/body_joiner.h"

#include <algorithm>

#include "store/chdb/parquet_footer.h"

namespace playhead::store::chdb {

namespace {

std::uint32_t little_endian(std::string_view bytes) noexcept {
    std::uint32_t out = 0;
    for (std::size_t at = 0; at < 4; ++at) {
        out |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at])) << (8 * at);
    }
    return out;
}

tl::unexpected<Error> not_a(const char* format) {
    return fail(ErrorCode::Internal, std::string("the store's engine wrote no ") + format);
}

class PlainJoiner final : public BodyJoiner {
public:
    Result<bool> add(std::string_view piece, const Sink& sink) override { return sink(piece); }
    void finish(const Sink&) override {}
};

class CsvJoiner final : public BodyJoiner {
public:
    Result<bool> add(std::string_view piece, const Sink& sink) override {
        // The names belong before the first piece only.
        if (names_.empty()) {
            names_ = piece.substr(0, piece.find('\n') + 1);
        } else if (piece.starts_with(names_)) {
            piece.remove_prefix(names_.size());
        }
        return piece.empty() || sink(piece);
    }
    void finish(const Sink&) override {}

private:
    std::string names_;
};

/// A stream is a schema, batches and an end mark; a message is a mark, the length of its metadata,
/// and that. A schema has no body.
class ArrowJoiner final : public BodyJoiner {
public:
    Result<bool> add(std::string_view piece, const Sink& sink) override {
        if (piece.size() < kMark.size() + 4 || !piece.starts_with(kMark)) return not_a("Arrow");
        const std::size_t end = kMark.size() + 4 + little_endian(piece.substr(kMark.size()));
        if (end > piece.size() || !piece.ends_with(kEnd)) return not_a("Arrow");
        const auto schema = piece.substr(0, end);
        if (!schema_.empty() && schema != schema_) return not_a("Arrow of one schema");
        const bool first = schema_.empty();
        if (first) schema_ = schema;
        piece.remove_suffix(kEnd.size());
        if (!first) piece.remove_prefix(std::min(end, piece.size()));
        return piece.empty() || sink(piece);
    }
    void finish(const Sink& sink) override { sink(kEnd); }

private:
    static constexpr std::string_view kMark{"\xff\xff\xff\xff", 4};
    static constexpr std::string_view kEnd{"\xff\xff\xff\xff\0\0\0\0", 8};
    std::string schema_;
};

/// A file is a mark, row groups with their indexes, a footer that says where they lie, its length
/// and the mark again.
class ParquetJoiner final : public BodyJoiner {
public:
    Result<bool> add(std::string_view piece, const Sink& sink) override {
        constexpr std::size_t kTail = 8;
        if (piece.size() < kMark.size() + kTail || !piece.starts_with(kMark) ||
            !piece.ends_with(kMark)) {
            return not_a("Parquet");
        }
        const std::size_t footer = little_endian(piece.substr(piece.size() - kTail));
        if (footer > piece.size() - kTail - kMark.size()) return not_a("Parquet");
        const auto from = piece.size() - kTail - footer;
        const bool first = written_ == 0;
        const auto shift = first ? 0 : static_cast<std::int64_t>(written_ - kMark.size());
        if (!footer_.add(piece.substr(from, footer), shift)) return not_a("Parquet");
        const auto rows = piece.substr(first ? 0 : kMark.size(), from - (first ? 0 : kMark.size()));
        written_ += rows.size();
        return rows.empty() || sink(rows);
    }
    void finish(const Sink& sink) override {
        std::string tail = footer_.text();
        const auto size = static_cast<std::uint32_t>(tail.size());
        for (unsigned at = 0; at < 4; ++at) tail.push_back(static_cast<char>(size >> (8 * at)));
        tail += kMark;
        sink(tail);
    }

private:
    static constexpr std::string_view kMark = "PAR1";
    ParquetFooter footer_;
    std::size_t written_ = 0;
};

}  // namespace

std::unique_ptr<BodyJoiner> make_joiner(std::string_view format) {
    if (format == "CSVWithNames") return std::make_unique<CsvJoiner>();
    if (format == "ArrowStream") return std::make_unique<ArrowJoiner>();
    if (format == "Parquet") return std::make_unique<ParquetJoiner>();
    return std::make_unique<PlainJoiner>();
}

}  // namespace playhead::store::chdb
