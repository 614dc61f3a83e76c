/// One line of a file of recorded requests, and what to send to a Playhead server for it.
///
/// A line is a JSON object: `t` (epoch ms), `method`, `url`, `headers` (object) or `rawHeaders`
/// (names and values in turn), `body` (text) or `bodyBase64`. Registrations and beacons go to the
/// same path; CMCD posted to any collector goes to /cmcd/{customer}/{last segment of its path};
/// a media request that carries CMCD goes to /cmcd/{customer} as a CDN would mirror it. Anything
/// else (preflights, media without CMCD, answers) is not sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_client.h"

namespace playhead::app {

struct RecordedRequest {
    std::int64_t sent_ms = 0;
    net::ClientRequest request;
};

/// nullopt for a line that is not to be sent. InvalidArgument for what is no such line.
Result<std::optional<RecordedRequest>> read_recorded(std::string_view line,
                                                     std::uint64_t customer_id);

}  // namespace playhead::app
