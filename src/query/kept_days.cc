#include "query/kept_days.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "base/log.h"
#include "query/planner.h"
#include "query/series.h"

namespace playhead::query {

namespace {

/// Late beacons are common for so long after a day's end.
constexpr std::int64_t kSettled_s = 15 * 60;
/// Rows of `kept_days` go when 8 days old (migration 0010); a day is made anew before.
constexpr std::int64_t kDayAgeMaxMs = 7 * kDay_s * 1000;
/// A day that changes is made again at most so often.
constexpr std::int64_t kRebuildAfterMs = 10 * 60'000;
/// What the engine refused is left alone for so long.
constexpr std::int64_t kRefusedForMs = 3'600'000;
/// Wishes further apart than this are not "asked again".
constexpr std::int64_t kForgottenAfterMs = kDay_s * 1000;
/// Days of one statement.
constexpr std::int64_t kBuildDaysMax = 5;
/// Groups of one statement; a question with more is as cheap from rows.
constexpr std::int64_t kGroupsMax = 500'000;
constexpr const char* kQueryId = "kept-days";

}  // namespace

bool age_spares(std::int64_t from_s, std::int64_t days, std::int64_t now_s) noexcept {
    return from_s - kSessionLengthMax_s > now_s - (days - 1) * kDay_s;
}

KeptDays::KeptDays(store::Store& store, const store::Changes& changes, const Clock& clock,
                   Options options)
    : store_(store), changes_(changes), clock_(clock), options_(options) {
    // Should rows of an earlier process still stand in the table, their numbers do not come again.
    std::random_device entropy;
    next_number_ = (static_cast<std::uint64_t>(entropy()) << 32U) | entropy();
    thread_ = std::thread([this] { run(); });
}

KeptDays::~KeptDays() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    // A build that was about to begin sees `stopping_`.
    static_cast<void>(store_.cancel(kQueryId));
    thread_.join();
}

void KeptDays::count_in(MetricsRegistry& metrics) {
    built_ = &metrics.counter("playhead_kept_days_built_total", "",
                              "Days of a question that were summed for later answers");
    metrics.gauge("playhead_kept_days", "", "Days of questions that stand summed", [this] {
        const std::lock_guard lock(mutex_);
        std::size_t days = 0;
        for (const auto& [key, entry] : entries_) days += entry.days.size();
        return static_cast<double>(days);
    });
}

bool KeptDays::closed(std::int64_t day) const {
    return (day + 1) * kDay_s + kSettled_s <= clock_.now_ms() / 1000;
}

/// Rows leave the store by age, unseen by `changes`.
bool KeptDays::expiring(std::int64_t day, bool details) const {
    const auto days = details ? std::min(options_.details_days, options_.retention_days)
                              : options_.retention_days;
    return !age_spares(day * kDay_s, days, clock_.now_ms() / 1000);
}

/// The version of a day's rows; none while they move.
std::optional<std::uint64_t> KeptDays::still(std::uint64_t customer_id, std::int64_t day) const {
    // To the second before midnight: `counted` is to the hour, ends included.
    const auto state = changes_.counted(customer_id, day * kDay_s, (day + 1) * kDay_s - 1);
    if (state.moving) return std::nullopt;
    return state.version;
}

bool KeptDays::stands(std::uint64_t customer_id, std::int64_t day, const Day& kept,
                      bool details) const {
    return clock_.now_ms() - kept.made_ms < kDayAgeMaxMs && !expiring(day, details) &&
           still(customer_id, day) == kept.version;
}

std::vector<KeptRange> KeptDays::find(std::uint64_t customer_id, const DayRecipe& recipe,
                                      std::int64_t from_day, std::int64_t to_day) const {
    std::vector<KeptRange> out;
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find({customer_id, recipe.key});
    if (entry == entries_.end()) return out;
    const auto& days = entry->second.days;
    const auto end = days.lower_bound(to_day);
    for (auto at = days.lower_bound(from_day); at != end; ++at) {
        if (!stands(customer_id, at->first, at->second, recipe.details)) continue;
        const bool follows =
            !out.empty() && out.back().to_day == at->first && out.back().build == at->second.build;
        if (!follows) out.push_back({at->first, at->first, at->second.build});
        out.back().to_day = at->first + 1;
    }
    return out;
}

void KeptDays::want(std::uint64_t customer_id, std::vector<DayWish> wishes) {
    const auto now_ms = clock_.now_ms();
    {
        const std::lock_guard lock(mutex_);
        for (auto& wish : wishes) {
            Key key{customer_id, wish.recipe.key};
            auto& entry = entries_[key];
            if (now_ms - entry.asked_ms > kForgottenAfterMs) entry.asked = 0;
            entry.asked_ms = now_ms;
            entry.wish = std::move(wish);
            const bool refused = entry.refused_ms != 0 && now_ms - entry.refused_ms < kRefusedForMs;
            if (entry.asked++ < options_.asked_before || entry.queued || refused) continue;
            entry.queued = true;
            queue_.push_back(std::move(key));
        }
        make_room();
    }
    changed_.notify_all();
}

/// Forgets what was asked for least recently. Its rows go by age.
void KeptDays::make_room() {
    while (entries_.size() > options_.recipes_max) {
        const auto oldest = std::min_element(
            entries_.begin(), entries_.end(),
            [](const auto& a, const auto& b) { return a.second.asked_ms < b.second.asked_ms; });
        std::erase(queue_, oldest->first);
        entries_.erase(oldest);
    }
}

/// The next neighbouring days of a recipe that are closed, still, and not there.
std::optional<KeptDays::Build> KeptDays::next_build(const Key& key) {
    const auto now_ms = clock_.now_ms();
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    Entry& entry = found->second;
    const auto& wish = entry.wish;
    const auto version_to_make = [&](std::int64_t day) -> std::optional<std::uint64_t> {
        if (!closed(day) || expiring(day, wish.recipe.details)) return std::nullopt;
        const auto kept = entry.days.find(day);
        if (kept != entry.days.end() &&
            (stands(key.first, day, kept->second, wish.recipe.details) ||
             now_ms - kept->second.made_ms < kRebuildAfterMs)) {
            return std::nullopt;
        }
        return still(key.first, day);
    };
    while (!entry.days.empty() && expiring(entry.days.begin()->first, wish.recipe.details)) {
        entry.days.erase(entry.days.begin());
    }
    Build build;
    // The newest first: they are in most periods.
    for (auto day = wish.to_day - 1; day >= wish.from_day; --day) {
        const auto version = version_to_make(day);
        if (!version && build.versions.empty()) continue;
        if (!version || std::ssize(build.versions) == kBuildDaysMax) break;
        build.versions.insert(build.versions.begin(), *version);
        build.from_day = day;
    }
    if (build.versions.empty()) {
        entry.queued = false;
        return std::nullopt;
    }
    build.recipe = wish.recipe;
    return build;
}

Result<void> KeptDays::check_room() {
    const auto size = store_.query(
        {fmt::format("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = '{}'",
                     kKeptDaysTable),
         {}},
        {});
    if (!size) return fail(size.error());
    if (size->rows.empty() ||
        number_of(size->rows[0][0], 0) < static_cast<double>(options_.disk_bytes_max)) {
        return {};
    }
    return fail(ErrorCode::Unavailable, "they take as much of the disk as they may");
}

/// Writes the days of a build into the table.
Result<void> KeptDays::derive(const Build& build, std::int64_t to_day, std::uint64_t number) {
    if (auto room = check_room(); !room) return room;
    auto statement = build.recipe.write(build.from_day * kDay_s, to_day * kDay_s, number);
    if (!statement) return fail(statement.error());
    statement->sql += fmt::format(
        " SETTINGS max_threads = 1, max_insert_threads = 1, max_memory_usage = {}, "
        "max_rows_to_group_by = {}, group_by_overflow_mode = 'throw'",
        options_.memory_bytes_max, kGroupsMax);
    store::QueryOptions options;
    options.query_id = kQueryId;
    options.time_limit_s = options_.time_limit_s;
    options.patient = true;
    options.cancelled = &stopping_;
    return store_.derive(*statement, options);
}

void KeptDays::make(const Key& key, const Build& build) {
    const auto number = next_number_++;
    const auto to_day = build.from_day + std::ssize(build.versions);
    const auto made = derive(build, to_day, number);
    if (!made && !stopping_) {
        // Too many groups, mostly: the question is answered from rows as before.
        log::info("days of a question were not summed: {}", made.error().message);
    }
    const auto now_ms = clock_.now_ms();
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    if (!made) {
        entry.refused_ms = now_ms;
        entry.queued = false;
        return;
    }
    for (std::int64_t day = build.from_day; day < to_day; ++day) {
        const auto version = build.versions[static_cast<std::size_t>(day - build.from_day)];
        // A day whose rows moved meanwhile is noted, so that it is not tried at once again, under
        // a version that is not theirs.
        entry.days[day] = {number, version, now_ms};
        if (still(key.first, day) == version && built_ != nullptr) built_->add(1);
    }
}

void KeptDays::run() {
    const auto emptied =
        store_.execute({fmt::format("TRUNCATE TABLE IF EXISTS {}", kKeptDaysTable), {}});
    if (!emptied) log::warn("the days of the last run stay: {}", emptied.error().message);
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        const Key key = queue_.front();
        working_ = true;
        lock.unlock();
        const auto build = next_build(key);
        if (build) make(key, *build);
        lock.lock();
        working_ = false;
        std::erase(queue_, key);
        const auto entry = entries_.find(key);
        // To the end of the queue: nobody's long history keeps the others waiting.
        if (build && entry != entries_.end() && entry->second.queued) queue_.push_back(key);
        changed_.notify_all();
    }
}

bool KeptDays::wait_idle(std::int64_t timeout_ms) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                             [this] { return queue_.empty() && !working_; });
}

}  // namespace playhead::query
