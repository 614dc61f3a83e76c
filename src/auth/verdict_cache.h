/// A bounded map from a digest to a value that expires: least recently used goes first.
#pragma once

#include <cstdint>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "auth/secrets.h"

namespace playhead::auth {

/// Thread safe. Keys are SHA-256 digests, so that what is cached gives no secret away and senders
/// cannot choose collisions.
template <class Value>
class VerdictCache {
public:
    explicit VerdictCache(std::size_t entries_max) : entries_max_(entries_max) {}

    /// The value while it is valid at `now_ms`.
    std::optional<Value> get(const Digest& key, std::int64_t now_ms) {
        const std::lock_guard lock(mutex_);
        const auto found = index_.find(key);
        if (found == index_.end()) return std::nullopt;
        if (found->second->expires_ms <= now_ms) {
            entries_.erase(found->second);
            index_.erase(found);
            return std::nullopt;
        }
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->value;
    }

    void put(const Digest& key, Value value, std::int64_t expires_ms) {
        const std::lock_guard lock(mutex_);
        if (const auto found = index_.find(key); found != index_.end()) {
            found->second->value = std::move(value);
            found->second->expires_ms = expires_ms;
            return;
        }
        if (entries_.size() >= entries_max_) {
            index_.erase(entries_.back().key);
            entries_.pop_back();
        }
        entries_.push_front({key, std::move(value), expires_ms});
        index_.emplace(key, entries_.begin());
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return entries_.size();
    }

private:
    struct Entry {
        Digest key;
        Value value;
        std::int64_t expires_ms;
    };
    struct DigestHash {
        std::size_t operator()(const Digest& digest) const noexcept {
            std::size_t hash = 0;
            std::memcpy(&hash, digest.data(), sizeof hash);
            return hash;
        }
    };

    mutable std::mutex mutex_;
    std::size_t entries_max_;
    std::list<Entry> entries_;  ///< most recently used first
    std::unordered_map<Digest, typename std::list<Entry>::iterator, DigestHash> index_;
};

}  // namespace playhead::auth
