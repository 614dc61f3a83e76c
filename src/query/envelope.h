/// JSON of answers and of the dictionary.
#pragma once

#include <string>

#include "query/engine.h"

namespace playhead::query {

struct Envelope {
    std::string body;
    /// Of rows and meta, without what differs when the same is asked again: id, times, the cache.
    std::string tag;
};

Envelope envelope_of(const Answer& answer);

/// The body alone:
/// `{"totalcount":…,"pagecount":…,"totalrecords":…,"response":[{…,"totalpages":…}],"meta":{…}}`. No
/// NaN, no infinities: null. Counts without decimals, others with at most 4.
std::string envelope_json(const Answer& answer);

/// A cell as JSON, rounded as its column says.
void append_cell(std::string& out, const PlanColumn& column, const store::Cell& cell);

/// The body of `/mm-apis/dictionary`: metrics, dimensions, operators, views, definitions,
/// granularities, and which go together; `tags` is a JSON array of the customer's own.
std::string dictionary_json(const Dictionary& dictionary, std::string_view tags = "[]");

/// The page docs/dictionary.md.
std::string dictionary_markdown(const Dictionary& dictionary);

}  // namespace playhead::query
