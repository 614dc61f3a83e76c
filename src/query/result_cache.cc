#include "query/result_cache.h"

#include <algorithm>
#include <utility>

namespace playhead::query {

std::string plan_key(const store::Statement& statement) {
    // Lengths first, so that no value can pass for the next name.
    std::string key = statement.sql;
    for (const auto& parameter : statement.parameters) {
        key += '\n' + std::to_string(parameter.name.size()) + ':' + parameter.name +
               (parameter.is_literal ? '!' : '=') + std::to_string(parameter.value.size()) + ':' +
               parameter.value;
    }
    return key;
}

std::uint64_t bytes_of(const store::ResultTable& table) {
    std::uint64_t bytes = sizeof(table);
    for (const auto& column : table.columns) {
        bytes += sizeof(column) + column.name.capacity() + column.type.capacity();
    }
    for (const auto& row : table.rows) {
        bytes += sizeof(std::vector<store::Cell>) + row.capacity() * sizeof(store::Cell);
        for (const auto& cell : row) {
            const auto* text = std::get_if<std::string>(&cell);
            // Short texts lie in the cell itself.
            if (text != nullptr && text->capacity() >= sizeof(std::string) / 2) {
                bytes += text->capacity();
            }
        }
    }
    return bytes;
}

void ResultCache::count_in(MetricsRegistry& metrics) {
    hits_ = &metrics.counter("playhead_query_cache_total", "outcome=\"hit\"",
                             "Statements of API queries by whether a kept answer was valid");
    misses_ = &metrics.counter("playhead_query_cache_total", "outcome=\"miss\"",
                               "Statements of API queries by whether a kept answer was valid");
    metrics.gauge("playhead_query_cache_bytes", "", "Memory of kept answers",
                  [this] { return static_cast<double>(bytes()); });
}

std::optional<KeptTable> ResultCache::look_up(const std::string& key,
                                              const store::ChangeState& state) {
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    const auto entry = found->second;
    if (entry->version != state.version) {
        erase(entry);
        return std::nullopt;
    }
    if (state.moving) return std::nullopt;
    auto& order = shares_.find(entry->customer_id)->second.order;
    order.splice(order.begin(), order, entry);
    return entry->kept;
}

std::optional<KeptTable> ResultCache::find(const std::string& key, const store::ChangeState& state,
                                           bool counts) {
    auto kept = look_up(key, state);
    if (hits_ != nullptr && (kept || counts)) (kept ? hits_ : misses_)->add();
    return kept;
}

void ResultCache::put(std::uint64_t customer_id, std::string key, const store::ChangeState& state,
                      SharedTable table, std::int64_t now_ms) {
    const std::uint64_t bytes = bytes_of(*table) + 2 * sizeof(Entry) + key.capacity();
    if (state.moving || bytes > bytes_max_ / kEntryShareMax) return;
    const std::lock_guard lock(mutex_);
    if (const auto old = index_.find(key); old != index_.end()) erase(old->second);
    Share& share = shares_[customer_id];
    share.order.push_front(Entry{std::move(key), customer_id, state.version, bytes,
                                 KeptTable{std::move(table), now_ms}});
    index_.emplace(share.order.front().key, share.order.begin());
    share.bytes += bytes;
    bytes_ += bytes;
    make_room();
}

void ResultCache::erase(Order::iterator entry) {
    const auto share = shares_.find(entry->customer_id);
    share->second.bytes -= entry->bytes;
    bytes_ -= entry->bytes;
    index_.erase(std::string_view(entry->key));
    share->second.order.erase(entry);
    if (share->second.order.empty()) shares_.erase(share);
}

void ResultCache::make_room() {
    while (bytes_ > bytes_max_) {
        const auto most = std::max_element(
            shares_.begin(), shares_.end(),
            [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; });
        erase(std::prev(most->second.order.end()));
    }
}

std::uint64_t ResultCache::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace playhead::query
