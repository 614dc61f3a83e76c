/// Structured-enough logging to stderr. Thread safe. The hot path logs nothing.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

namespace playhead::log {

/// Sets the level ("trace", "debug", "info", "warn", "error", "off") and the pattern, to stderr.
/// Unknown names leave the level at "info" and return false.
bool configure(std::string_view level);

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace playhead::log
