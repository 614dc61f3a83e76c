/// Making text from strangers fit to be stored.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace playhead::enrich {

/// The text without control characters (each becomes a space) and, unless it is valid UTF-8, with
/// '?' for every byte above 0x7F; cut to `bytes_max` at a character's border.
std::string clean_text(std::string_view text, std::size_t bytes_max);

}  // namespace playhead::enrich
