#include "importers/csv_reader.h"

namespace playhead::importers {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

Result<bool> CsvReader::next(std::vector<std::string>& fields) {
    fields.clear();
    std::string field;
    std::size_t bytes = 0;
    bool quoted = false;
    std::string_view line;
    do {
        auto more = source_.next(line);
        if (!more) return more;
        if (!*more) {
            if (!quoted) return false;
            return fail(ErrorCode::InvalidArgument, "a quote that nothing closes");
        }
        if (source_.number() == 1 && line.starts_with(kByteOrderMark)) {
            line.remove_prefix(kByteOrderMark.size());
        }
        if (!quoted) {
            first_line_ = source_.number();
            if (line.empty() && !source_.too_long()) continue;
        }
        bytes += line.size() + 1;
        if (source_.too_long() || bytes > kRowBytesMax) {
            return fail(ErrorCode::InvalidArgument, "a row that is too long");
        }
        if (quoted) field += '\n';
        for (std::size_t at = 0; at < line.size(); ++at) {
            const char c = line[at];
            if (quoted) {
                if (c != '"') {
                    field += c;
                } else if (at + 1 < line.size() && line[at + 1] == '"') {
                    field += line[++at];
                } else {
                    quoted = false;
                }
            } else if (c == '"' && field.empty()) {
                quoted = true;
            } else if (c == ',') {
                fields.push_back(std::move(field));
                field.clear();
                if (fields.size() > kColumnsMax) {
                    return fail(ErrorCode::InvalidArgument, "too many columns");
                }
            } else {
                field += c;
            }
        }
        if (!quoted) {
            fields.push_back(std::move(field));
            return true;
        }
    } while (true);
}

}  // namespace playhead::importers
