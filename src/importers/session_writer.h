/// Finished sessions into the store, each once: what is there already is left out, by customer and
/// session id. Sessions of one day go together: their minutes first, then the sessions themselves,
/// each with a token made of what they are. Whatever a kill leaves half done, the same rows written
/// again complete it. Not thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/rows.h"
#include "store/store.h"

namespace playhead::importers {

struct WriteReport {
    std::uint64_t written = 0;
    std::uint64_t there_already = 0;
};

class SessionWriter {
public:
    /// Sessions written together; a caller's larger list is cut.
    static constexpr std::size_t kSessionsAtOnce = 10'000;

    SessionWriter(store::Store& store, std::uint64_t customer_id)
        : store_(store), customer_id_(customer_id) {}

    Result<WriteReport> write(std::vector<model::SessionRow> rows);

private:
    Result<void> write_day(std::vector<model::SessionRow>& rows, WriteReport& report);
    /// Drops the rows whose sessions are stored, and the second of two with the same id.
    Result<void> leave_out_known(std::vector<model::SessionRow>& rows) const;

    store::Store& store_;
    std::uint64_t customer_id_;
};

}  // namespace playhead::importers
