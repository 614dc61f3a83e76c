/// Dimensions that follow from others and that no player states. Pure.
#pragma once

#include "model/rows.h"

namespace playhead::ingest {

/// Names the CDN by the host of the stream in rows whose player named none. The same row gets the
/// same name whenever it is made, so a cancel row matches what it cancels.
void derive_dimensions(model::RowBlock& rows);

}  // namespace playhead::ingest
