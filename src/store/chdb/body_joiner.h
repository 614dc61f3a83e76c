/// The engine writes each piece of a stream as a body of its own; here they become one body, piece
/// by piece: the names of a CSV once, one Arrow schema, one Parquet footer over all row groups.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace playhead::store::chdb {

using Sink = std::function<bool(std::string_view)>;

class BodyJoiner {
public:
    virtual ~BodyJoiner() = default;
    /// Hands on what of the piece belongs into the body. False when the sink wants no more;
    /// Internal for a piece that is not what its format says.
    virtual Result<bool> add(std::string_view piece, const Sink& sink) = 0;
    /// What follows the last piece; only after one.
    virtual void finish(const Sink& sink) = 0;
};

/// For "CSVWithNames", "ArrowStream" and "Parquet"; pieces of others are put one behind another.
std::unique_ptr<BodyJoiner> make_joiner(std::string_view format);

}  // namespace playhead::store::chdb
