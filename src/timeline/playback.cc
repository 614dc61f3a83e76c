#include "timeline/playback.h"

#include <algorithm>

namespace playhead::timeline {

std::int64_t activity_end_of(const Session& session) noexcept {
    for (auto mark = session.marks.rbegin(); mark != session.marks.rend(); ++mark) {
        if (mark->kind == MarkKind::End || mark->kind == MarkKind::Complete) return mark->time_ms;
    }
    return session.last_ms();
}

Playback playback_of(const Session& session, const AdTimeline& ads, const Options& options) {
    return session.smartsight ? smartsight_playback(session, ads, options)
                              : cmcd_playback(session, ads, options);
}

}  // namespace playhead::timeline
