/// What dashboards read besides sessions: rows derived from sessions that are in the store already.
#pragma once

#include <cstdint>

#include "store/store.h"

namespace playhead::bench {

/// One error event, of 30 codes, per session with a fatal error, halfway through it.
void fill_events(store::Store& store);
/// One ad view per ad that a session started, at its start.
void fill_ad_views(store::Store& store);
/// The minute rollup of the slices of `table`: its rows are those of all copies, which share their
/// keys; its sums are not. Ends the process on an error, as all of these do: a bench without its
/// data measures nothing.
void fill_minutes(store::Store& store, const char* table);

}  // namespace playhead::bench
