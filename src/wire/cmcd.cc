#include "wire/cmcd.h"

#include <algorithm>
#include <cmath>

#include "wire/cmcd_event.h"
#include "wire/form_field.h"
#include "wire/structured_text.h"

namespace playhead::wire {

CmcdBatch decode_cmcd_events(std::string body, const CmcdSource& source) {
    CmcdBatch result;
    result.batch.body = std::make_unique<const std::string>(std::move(body));
    CmcdEventDecoder decoder(result, source);
    std::string_view rest = *result.batch.body;
    std::size_t records = 0;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        if (++records > kCmcdRecordsMax) {
            ++result.records_bad;
            continue;
        }
        if (!sf::is_utf8(line)) {
            ++result.records_bad;
            continue;
        }
        CmcdRecord record;
        record.read(line, result.batch.dropped_keys);
        decoder.add(record, CmcdEventDecoder::Mode::Event);
    }
    return result;
}

CmcdBatch decode_cmcd_request(std::string_view query, const CmcdHeaders& headers,
                              const CmcdSource& source) {
    CmcdBatch result;
    CmcdRecord record;
    const auto read = [&](std::string_view text) {
        if (sf::is_utf8(text)) {
            record.read(result.batch.arena.copy(text), result.batch.dropped_keys);
        } else {
            ++result.batch.dropped_keys;
        }
    };
    if (headers.any()) {
        for (const auto text : {headers.session, headers.status, headers.object, headers.request}) {
            read(text);
        }
    } else if (const auto field = form_field(query, "CMCD")) {
        read(*field);
    } else {
        return result;
    }
    CmcdEventDecoder decoder(result, source);
    decoder.add(record, CmcdEventDecoder::Mode::Request);
    return result;
}

}  // namespace playhead::wire
