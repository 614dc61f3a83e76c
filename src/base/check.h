/// PH_CHECK: our own mistakes only, on in release. Operating errors are `Result` values instead.
#pragma once

namespace playhead {

/// Prints the failed condition and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace playhead

#define PH_CHECK(condition)                              \
    (static_cast<bool>(condition) ? static_cast<void>(0) \
                                  : ::playhead::check_failed(#condition, __FILE__, __LINE__))
