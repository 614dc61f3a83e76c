#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <string>

namespace playhead::log {

bool configure(std::string_view level) {
    auto logger = std::make_shared<spdlog::logger>(
        "playhead", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    spdlog::set_default_logger(std::move(logger));
    const auto parsed = spdlog::level::from_str(std::string(level));
    const bool known = parsed != spdlog::level::off || level == "off";
    spdlog::set_level(known ? parsed : spdlog::level::info);
    return known;
}

}  // namespace playhead::log
