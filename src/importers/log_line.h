/// Lines of the access logs of CDNs and web servers: which form they have and what is in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "importers/log_record.h"

namespace playhead::importers {

enum class LogFormat : std::uint8_t { Auto, CloudFront, CloudFrontRealTime, Akamai, Fastly, Nginx };

/// "cloudfront", "cloudfront-realtime", "akamai", "fastly", "nginx", "auto"; InvalidArgument with
/// the nearest one.
Result<LogFormat> parse_log_format(std::string_view name);

/// Parses the lines of one file. Any format may also come as one JSON object a line, whose members
/// have the names of the format's fields. Not thread safe.
class LogLineParser {
public:
    /// `fields`: names of the columns, separated by commas; or an nginx `log_format` (it has '$').
    /// Empty: the format's own. InvalidArgument for one that could not be read.
    static Result<LogLineParser> create(LogFormat format, const std::string& fields);

    /// nullopt for a line that is no request (comment, blank). InvalidArgument for one that does
    /// not have the format.
    Result<std::optional<LogRecord>> parse(std::string_view line);

    /// What Auto found; Auto as long as nothing was told.
    LogFormat format() const noexcept { return format_; }

private:
    explicit LogLineParser(LogFormat format) : format_(format) {}

    /// A variable of a template and the text that follows it.
    struct Part {
        std::string name;
        std::string after;
    };

    Result<void> set_template(std::string_view text);
    Result<void> set_columns(std::string_view names, char separator);
    void detect(std::string_view line);
    Result<LogRecord> parse_json(std::string_view line) const;
    Result<LogRecord> parse_columns(std::string_view line) const;
    Result<LogRecord> parse_template(std::string_view line) const;

    LogFormat format_;
    std::vector<std::string> columns_;
    std::string before_;  ///< the first variable of the template
    std::vector<Part> parts_;
};

}  // namespace playhead::importers
