#include "store/chdb/connection.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "store/chdb/body_joiner.h"

namespace playhead::store::chdb {
namespace {

constexpr std::size_t kMessageBytesMax = 600;

/// Parameter values are read by the engine in the escaped form of its TSV format.
std::string escape(std::string_view value) {
    std::string escaped;
    escaped.reserve(value.size());
    for (const char c : value) {
        switch (c) {
            case '\\': escaped += "\\\\"; break;
            case '\t': escaped += "\\t"; break;
            case '\n': escaped += "\\n"; break;
            case '\r': escaped += "\\r"; break;
            case '\0': escaped += "\\0"; break;
            default: escaped += c;
        }
    }
    return escaped;
}

/// The parameters in the C API's form; points into itself.
class BoundParameters {
public:
    explicit BoundParameters(const std::vector<Parameter>& parameters) {
        values_.reserve(parameters.size());
        for (const auto& parameter : parameters) {
            values_.push_back(parameter.is_literal ? parameter.value : escape(parameter.value));
            name_starts_.push_back(parameter.name.data());
            name_sizes_.push_back(parameter.name.size());
        }
        for (const auto& value : values_) {
            value_starts_.push_back(value.c_str());
            value_sizes_.push_back(value.size());
        }
    }
    const char* const* names() const { return name_starts_.data(); }
    const std::size_t* name_sizes() const { return name_sizes_.data(); }
    const char* const* values() const { return value_starts_.data(); }
    const std::size_t* value_sizes() const { return value_sizes_.data(); }
    std::size_t size() const { return values_.size(); }

private:
    std::vector<std::string> values_;
    std::vector<const char*> name_starts_, value_starts_;
    std::vector<std::size_t> name_sizes_, value_sizes_;
};

std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text.substr(0, kMessageBytesMax)) {
        const bool blank = static_cast<unsigned char>(c) < 0x20;
        if (blank && (line.empty() || line.back() == ' ')) continue;
        line += blank ? ' ' : c;
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}

}  // namespace

int engine_code(std::string_view engine_text) {
    const auto at = engine_text.find("Code: ");
    int code = 0;
    if (at != std::string_view::npos) {
        const auto digits = engine_text.substr(at + 6);
        std::from_chars(digits.data(), digits.data() + digits.size(), code);
    }
    return code;
}

Error error_of(std::string_view engine_text) {
    const auto make = [&](ErrorCode code, std::string_view what) {
        return Error{code, fmt::format("{}: {}", what, one_line(engine_text)), {}, {}, {}};
    };
    switch (engine_code(engine_text)) {
        case 243: return make(ErrorCode::Unavailable, "disk full");
        case 241: return make(ErrorCode::Unavailable, "the query needs more memory than allowed");
        case 159: return make(ErrorCode::Timeout, "the query took longer than allowed");
        case 394: return make(ErrorCode::Cancelled, "the query was cancelled");
        case 164: return make(ErrorCode::PermissionDenied, "query connections only read");
        case 252: return make(ErrorCode::Unavailable, "the store has too many parts to merge");
        default: return make(ErrorCode::Internal, "the store's engine failed");
    }
}

Answer::~Answer() {
    if (result_ != nullptr) api_->destroy_query_result(result_);
}

std::string_view Answer::bytes() const {
    const char* start = api_->result_buffer(result_);
    return start == nullptr ? std::string_view()
                            : std::string_view(start, api_->result_length(result_));
}

std::string_view Answer::error() const {
    const char* text = api_->result_error(result_);
    return text == nullptr ? std::string_view() : std::string_view(text);
}

Result<Connection> Connection::open(const EngineApi& api,
                                    const std::vector<std::string>& arguments) {
    std::vector<std::string> words{"clickhouse"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size());
    for (auto& word : words) argv.push_back(word.data());
    EngineConnection** outer = api.connect(static_cast<int>(argv.size()), argv.data());
    if (outer == nullptr || *outer == nullptr) {
        return fail(ErrorCode::Unavailable,
                    "the store's engine does not start; it wrote the reason to stderr");
    }
    return Connection(api, outer);
}

Connection::~Connection() {
    if (outer_ != nullptr) api_->close_conn(outer_);
}

Result<Answer> Connection::query(std::string_view sql, const std::vector<Parameter>& parameters,
                                 std::string_view format, std::string* reason) {
    const BoundParameters bound(parameters);
    Answer answer(*api_,
                  api_->query_with_params_n(*outer_, sql.data(), sql.size(), format.data(),
                                            format.size(), bound.names(), bound.name_sizes(),
                                            bound.values(), bound.value_sizes(), bound.size()));
    if (!answer.valid()) return fail(ErrorCode::Internal, "the store's engine gave no answer");
    if (const auto text = answer.error(); !text.empty()) {
        if (reason != nullptr) *reason = text;
        return fail(error_of(text));
    }
    return answer;
}

Result<void> Connection::stream(std::string_view sql, const std::vector<Parameter>& parameters,
                                std::string_view format,
                                const std::function<bool(std::string_view)>& sink,
                                std::string* reason) {
    const auto in_one_piece = [&]() -> Result<void> {
        auto answer = query(sql, parameters, format, reason);
        if (!answer) return fail(std::move(answer.error()));
        sink(answer->bytes());
        return {};
    };
    if (format == "JSON") return in_one_piece();
    const auto joiner = make_joiner(format);
    bool begun = false;
    const auto refused = [&](std::string_view text) {
        if (reason != nullptr) *reason = text;
        return fail(error_of(text));
    };
    const BoundParameters bound(parameters);
    const Answer whole(
        *api_, api_->stream_query_with_params_n(*outer_, sql.data(), sql.size(), format.data(),
                                                format.size(), bound.names(), bound.name_sizes(),
                                                bound.values(), bound.value_sizes(), bound.size()));
    if (!whole.valid()) return fail(ErrorCode::Internal, "the store's engine gave no answer");
    if (const auto text = whole.error(); !text.empty()) return refused(text);
    for (;;) {
        const Answer chunk(*api_, api_->stream_fetch_result(*outer_, whole.handle()));
        if (chunk.valid()) {
            if (const auto text = chunk.error(); !text.empty()) return refused(text);
        }
        if (!chunk.valid() || chunk.bytes().empty()) break;
        begun = true;
        const auto more = joiner->add(chunk.bytes(), sink);
        if (more && *more) continue;
        // Without this the next query of the connection silently answers nothing.
        api_->stream_cancel_query(*outer_, whole.handle());
        return more ? Result<void>{} : fail(more.error());
    }
    if (begun) {
        joiner->finish(sink);
        return {};
    }
    // No rows, no piece: but a body without rows has a schema.
    return format == "Parquet" || format == "ArrowStream" ? in_one_piece() : Result<void>{};
}

Result<void> Connection::insert(std::string_view sql, std::string_view native) {
    constexpr std::string_view kFormat = "Native";
    EngineInsert* insert =
        api_->stream_insert_n(*outer_, sql.data(), sql.size(), kFormat.data(), kFormat.size());
    if (insert == nullptr) {
        return fail(ErrorCode::Internal, "the store's engine refused an insert");
    }
    const auto failure = [&]() -> Result<void> {
        const char* text = api_->stream_insert_error(insert);
        auto error = error_of(text == nullptr ? "no reason given" : text);
        api_->stream_cancel_insert(insert);
        api_->destroy_insert_stream(insert);
        return fail(std::move(error));
    };
    if (api_->stream_insert_error(insert) != nullptr) return failure();
    if (api_->stream_append(insert, native.data(), native.size()) != 0) return failure();
    const Answer done(*api_, api_->stream_done(insert));
    if (!done.valid()) return failure();
    Result<void> outcome;
    if (const auto text = done.error(); !text.empty()) outcome = fail(error_of(text));
    api_->destroy_insert_stream(insert);
    return outcome;
}

}  // namespace playhead::store::chdb
