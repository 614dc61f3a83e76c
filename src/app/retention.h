/// The retention that the configuration asks for, put into the store.
#pragma once

#include "app/config.h"
#include "base/result.h"
#include "store/store.h"

namespace playhead::app {

Result<void> apply_retention(store::Store& store, const Config& config);

}  // namespace playhead::app
