/// `playhead verify`, first half: the sessions of the store against the simulator's truth.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/rows.h"
#include "simulator/truth.h"
#include "store/store.h"

namespace playhead::app {

/// What happened within one hour.
struct HourPart {
    model::AdditiveCounters counters;
    std::int64_t active_ms = 0;
    std::int64_t present = 0;  ///< minutes in which the session was open
};

/// A session as it must come out: the truth's numbers wherever the wire can state them, the stored
/// ones elsewhere, so that sums over sessions can be compared as well.
struct ExpectedSession {
    std::string session_id;
    simulator::Wire wire = simulator::Wire::Compact;
    std::string view_status;
    std::int64_t start_ms = 0, end_ms = 0, first_frame_ms = 0;
    std::int64_t startup_ms = -1, ad_startup_ms = -1;
    double duration_s = 0, progress_percent = -1;
    double score = -1, lost_startup = 0, lost_stalls = 0, lost_quality = 0, lost_failure = 0;
    bool is_live = false;
    std::uint32_t asn = 0;
    model::Dimensions dimensions;
    model::AdditiveCounters counters;
    std::map<std::int64_t, HourPart> hours;  ///< by start of the hour, epoch ms
};

/// Differences found: all are counted, the first `kShownMax` are kept as text, of each kind at most
/// `kShownPerKindMax`.
class Differences {
public:
    static constexpr std::size_t kShownMax = 20;
    static constexpr int kShownPerKindMax = 2;
    void add(const std::string& kind, std::string text);
    std::uint64_t count() const noexcept { return count_; }
    const std::vector<std::string>& shown() const noexcept { return shown_; }

private:
    std::uint64_t count_ = 0;
    std::map<std::string, int> kinds_;
    std::vector<std::string> shown_;
};

/// Per compared field: how often, and how far apart.
struct FieldSummary {
    std::uint64_t compared = 0;
    std::uint64_t differing = 0;
    std::int64_t largest = 0;    ///< difference, in the field's unit
    std::int64_t tolerance = 0;  ///< allowed, see `tolerance_of`
    std::array<std::uint64_t, 4> differing_by_wire{};
};

/// How far a stored counter may be from the truth because the wire cannot say it better, in the
/// counter's unit; 0 for all but `seek_stall_ms` of SmartSight sessions.
std::int64_t tolerance_of(simulator::Wire wire, std::string_view field,
                          const model::AdditiveCounters& truth);

/// Remembers the truth while the traffic runs, then compares. Single-threaded.
class SessionVerifier {
public:
    SessionVerifier(const simulator::World& world, std::uint64_t customer_id)
        : world_(world), customer_id_(customer_id) {}

    /// To be called for each session of the traffic.
    void expect(const simulator::Truth& truth);

    /// Reads all sessions, live sessions, slices, ads and application events of the customer.
    /// Errors are the store's; differences are not errors.
    Result<void> compare(store::Store& store);

    const std::vector<ExpectedSession>& sessions() const noexcept { return expected_; }
    const std::map<std::string, FieldSummary>& fields() const noexcept { return fields_; }
    const Differences& differences() const noexcept { return differences_; }

private:
    struct Known;
    struct Cells;
    Result<store::ResultTable> ask(store::Store& store, const std::string& sql) const;
    Result<void> compare_part(store::Store& store, std::uint64_t part, std::uint64_t parts);
    Result<void> compare_rest(store::Store& store);
    void take_session(const Cells& row);
    void take_hour(const Cells& row);
    void close_session(std::size_t index);
    void field(const ExpectedSession& session, const std::string& name, std::int64_t truth,
               std::int64_t stored, std::int64_t tolerance);
    void text_field(const ExpectedSession& session, const std::string& name,
                    const std::string& truth, const std::string& stored);

    void differs(FieldSummary& summary, const ExpectedSession& session, const std::string& name,
                 const std::string& stored, const std::string& truth);

    const simulator::World& world_;
    const std::uint64_t customer_id_;
    std::vector<ExpectedSession> expected_;
    std::vector<std::vector<std::string_view>> comparable_;  ///< by index of `expected_`
    std::vector<model::AdditiveCounters> stored_;            ///< the same
    std::vector<bool> seen_;
    std::unordered_map<std::string, std::size_t> index_;
    std::uint64_t application_events_ = 0;
    std::map<std::string, FieldSummary> fields_;
    Differences differences_;
};

}  // namespace playhead::app
