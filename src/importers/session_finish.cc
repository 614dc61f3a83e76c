/// From what a source tells of a finished session to a row that is complete and consistent, and to
/// its minutes.
#include <algorithm>
#include <cmath>

#include "importers/session_fields.h"
#include "model/score.h"

namespace playhead::importers {

namespace {

using model::AdditiveCounters;
using model::SessionRow;
using model::ViewStatus;

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kLengthMaxMs = 36LL * 3'600'000;
constexpr double kCompletedPercent = 90;

class Finish {
public:
    Finish(SessionDraft& draft, const std::set<std::string, std::less<>>& known)
        : draft_(draft), row_(draft.row), counters_(draft.row.counters), known_(known) {}

    Result<void> run() {
        if (row_.key.session_id.empty()) return wrong("no session id");
        if (row_.start_ms <= 0) return wrong("no start time that can be read");
        watch();
        plays();
        if (auto end = times(); !end) return end;
        status();
        outcomes();
        rates();
        progress();
        score();
        row_.first_receive_ms = row_.start_ms;
        row_.last_receive_ms = row_.end_ms;
        row_.revision = 1;
        row_.sign = 1;
        return {};
    }

private:
    static tl::unexpected<Error> wrong(std::string what) {
        return fail(ErrorCode::InvalidArgument, std::move(what));
    }
    bool has(std::string_view name) const { return known_.contains(name); }

    void watch() {
        if (draft_.watch_ms < 0) return;
        const auto share = [&](double percent) {
            return std::llround(std::clamp(percent, 0.0, 100.0) / 100 *
                                static_cast<double>(draft_.watch_ms));
        };
        if (!has("stall_ms") && draft_.stall_percent >= 0) {
            counters_.stall_ms = share(draft_.stall_percent);
            if (!has("seek_stall_ms") && draft_.buffering_percent >= draft_.stall_percent) {
                counters_.seek_stall_ms = share(draft_.buffering_percent - draft_.stall_percent);
            }
        }
        if (has("playing_ms")) return;
        counters_.playing_ms = std::max<std::int64_t>(
            0, draft_.watch_ms - counters_.stall_ms - counters_.seek_stall_ms);
    }

    void plays() {
        if (!has("attempts")) counters_.attempts = 1;
        if (!has("plays")) {
            counters_.plays = counters_.playing_ms > 0 || row_.first_frame_ms > 0 ||
                              (has("startup_ms") && row_.startup_ms >= 0) ||
                              row_.status == ViewStatus::Ended;
        }
        if (counters_.plays == 0) row_.startup_ms = -1;
    }

    Result<void> times() {
        if (row_.end_ms == 0 && draft_.length_ms >= 0) {
            row_.end_ms = row_.start_ms + draft_.length_ms;
        }
        if (row_.end_ms == 0) {
            row_.end_ms = row_.start_ms + std::max<std::int64_t>(0, row_.startup_ms) +
                          counters_.playing_ms + counters_.stall_ms + counters_.seek_stall_ms +
                          counters_.pause_ms + counters_.ad_ms;
        }
        if (row_.end_ms < row_.start_ms) return wrong("it ends before it begins");
        if (row_.end_ms - row_.start_ms > kLengthMaxMs) return wrong("it lasts more than 36 hours");
        if (counters_.plays == 0) {
            row_.first_frame_ms = 0;
        } else if (row_.first_frame_ms == 0) {
            row_.first_frame_ms = row_.start_ms + std::max<std::int64_t>(0, row_.startup_ms);
        }
        if (row_.first_frame_ms != 0) {
            row_.first_frame_ms = std::clamp(row_.first_frame_ms, row_.start_ms, row_.end_ms);
        }
        if (!has("startup_wait_ms") && row_.startup_ms >= 0) {
            counters_.startup_wait_ms = row_.startup_ms;
        }
        return {};
    }

    void status() {
        if (has("viewstatus") && row_.status != ViewStatus::Loaded &&
            row_.status != ViewStatus::Running) {
            return;
        }
        if (counters_.ended_plays > 0) {
            row_.status = ViewStatus::Ended;
        } else if (counters_.startup_failures + counters_.startup_business_failures > 0) {
            row_.status = ViewStatus::Failed;
        } else {
            // Nothing tells of a clean end.
            row_.status = counters_.plays > 0 ? ViewStatus::Dropped : ViewStatus::Exited;
        }
    }

    void outcomes() {
        const auto follow = [&](const char* name, std::int64_t AdditiveCounters::* counter,
                                bool holds) {
            if (!has(name)) counters_.*counter = holds ? 1 : 0;
        };
        const bool played = counters_.plays > 0;
        follow("ended_plays", &AdditiveCounters::ended_plays,
               played && row_.status == ViewStatus::Ended);
        follow("dropped", &AdditiveCounters::dropped, played && row_.status == ViewStatus::Dropped);
        if (!has("startup_business_failures")) {
            follow("startup_failures", &AdditiveCounters::startup_failures,
                   row_.status == ViewStatus::Failed);
        }
        follow("exits_before_start", &AdditiveCounters::exits_before_start,
               row_.status == ViewStatus::Exited);
        if (has("stall_count")) {
            follow("buffered_plays", &AdditiveCounters::buffered_plays,
                   played && counters_.stall_count > 0);
        }
    }

    void rates() {
        if (draft_.average_kbps > 0 && !has("bitrate_kbit")) {
            counters_.bitrate_ms = counters_.playing_ms;
            counters_.bitrate_kbit =
                std::llround(draft_.average_kbps * static_cast<double>(counters_.playing_ms));
        }
        if (draft_.throughput_kbps > 0 && !has("throughput_kbit")) {
            counters_.throughput_kbit = std::llround(draft_.throughput_kbps);
            counters_.throughput_count = 1;
        }
        if (draft_.live_latency_ms >= 0 && !has("live_latency_sum_ms")) {
            counters_.live_latency_sum_ms = std::llround(draft_.live_latency_ms);
            counters_.live_latency_count = 1;
        }
        if (draft_.dropped_frames_percent > 0 && !has("frames_total")) {
            counters_.frames_total = std::llround(static_cast<double>(counters_.frames_dropped) *
                                                  100 / draft_.dropped_frames_percent);
        }
    }

    void progress() {
        if (has("completions") || !has("progress_percent") || row_.is_live) return;
        counters_.completions = counters_.plays > 0 && row_.progress_percent >= kCompletedPercent;
    }

    void score() {
        if (has("score")) return;
        const bool judged =
            (has("startup_ms") || counters_.plays == 0) && (has("playing_ms") || has("watch_ms")) &&
            (has("stall_ms") || has("stall_percent")) && has("stall_count") && has("viewstatus");
        if (!judged) return;
        model::ScoreInput input = model::score_input_of(counters_);
        input.attempted = counters_.attempts > 0;
        input.played = counters_.plays > 0;
        input.failed = counters_.startup_failures + counters_.instream_failures > 0;
        if (counters_.bitrate_ms > 0) input.bitrate_top_kbps = row_.bitrate_max_kbps;
        model::set_score(row_, input);
    }

    SessionDraft& draft_;
    SessionRow& row_;
    AdditiveCounters& counters_;
    const std::set<std::string, std::less<>>& known_;
};

/// Where a counter belongs within a session.
enum class Place : std::uint8_t { Start, FirstFrame, End, Startup, Play };

Place place_of(std::int64_t AdditiveCounters::* counter) {
    using C = AdditiveCounters;
    if (counter == &C::attempts) return Place::Start;
    if (counter == &C::plays) return Place::FirstFrame;
    if (counter == &C::startup_wait_ms) return Place::Startup;
    for (const auto at_end :
         {&C::ended_plays, &C::dropped, &C::startup_failures, &C::startup_business_failures,
          &C::exits_before_start, &C::instream_failures, &C::instream_business_failures,
          &C::exits_before_ad, &C::exits_during_ad, &C::completions, &C::buffered_plays}) {
        if (counter == at_end) return Place::End;
    }
    return Place::Play;
}

/// `total` times the part of [begin, end) that is before `until`; all of it at the end.
std::int64_t until(std::int64_t total, std::int64_t begin, std::int64_t end, std::int64_t until) {
    if (until >= end) return total;
    if (until <= begin) return 0;
    return static_cast<std::int64_t>(static_cast<long double>(total) *
                                     static_cast<long double>(until - begin) /
                                     static_cast<long double>(end - begin));
}

}  // namespace

Result<void> finish_session(SessionDraft& draft, const std::set<std::string, std::less<>>& known) {
    return Finish(draft, known).run();
}

std::vector<model::SliceRow> slices_of(const SessionRow& row) {
    std::vector<model::SliceRow> out;
    const std::int64_t end = std::max(row.end_ms, row.start_ms + 1);
    const std::int64_t frame = row.first_frame_ms != 0 ? row.first_frame_ms : row.start_ms;
    for (std::int64_t minute = row.start_ms / kMinuteMs * kMinuteMs; minute < end;
         minute += kMinuteMs) {
        const std::int64_t next = minute + kMinuteMs;
        const bool last = next >= end;
        model::SliceRow& slice = out.emplace_back();
        slice.key = row.key;
        slice.minute_ms = minute;
        slice.dimensions = row.dimensions;
        slice.tags = row.tags;
        slice.asn = row.asn;
        slice.is_live = row.is_live;
        slice.active_ms = std::min(next, end) - std::max(minute, row.start_ms);
        slice.present = 1;
        const auto within = [&](std::int64_t total, std::int64_t from, std::int64_t to) {
            const std::int64_t stop = last ? to : next;
            return until(total, from, to, stop) - until(total, from, to, minute);
        };
        const auto happens = [&](std::int64_t at) {
            return at < next && (at >= minute || minute <= row.start_ms);
        };
        for (const auto& column : model::kCounterColumns) {
            const std::int64_t total = row.counters.*column.field;
            std::int64_t& value = slice.counters.*column.field;
            if (total == 0) continue;
            switch (place_of(column.field)) {
                case Place::Start: value = happens(row.start_ms) ? total : 0; break;
                case Place::FirstFrame:
                    value = happens(std::min(frame, end - 1)) ? total : 0;
                    break;
                case Place::End: value = last ? total : 0; break;
                case Place::Startup:
                    value = within(total, row.start_ms, std::max(frame, row.start_ms + 1));
                    break;
                case Place::Play: value = within(total, std::min(frame, end - 1), end); break;
            }
        }
    }
    return out;
}

}  // namespace playhead::importers
