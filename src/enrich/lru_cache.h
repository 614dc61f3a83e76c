/// A bounded cache from strings to values, least recently used out first, in independent shards so
/// that threads rarely meet. Thread safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace playhead::enrich {

template <class Value>
class LruCache {
public:
    /// `entries_max` over all shards; at least one per shard is kept. `seed` keeps strangers from
    /// choosing keys that collide.
    LruCache(std::size_t entries_max, std::uint64_t seed) : seed_(seed) {
        for (auto& shard : shards_) {
            shard = std::make_unique<Shard>();
            shard->entries_max = entries_max / kShards + 1;
            shard->index.reserve(shard->entries_max);
        }
    }

    /// The value, or null when it is not there.
    std::shared_ptr<const Value> find(std::string_view key) {
        const Key hashed{key, stable_hash(key, seed_)};
        Shard& shard = shard_of(hashed);
        const std::lock_guard held(shard.mutex);
        const auto found = shard.index.find(hashed);
        if (found == shard.index.end()) return nullptr;
        shard.touch(found->second.get());
        return found->second->value;
    }

    void insert(std::string_view key, std::shared_ptr<const Value> value) {
        const std::uint64_t hash = stable_hash(key, seed_);
        Shard& shard = shard_of({key, hash});
        const std::lock_guard held(shard.mutex);
        if (shard.index.contains(Key{key, hash})) return;
        if (shard.index.size() >= shard.entries_max) shard.drop_oldest();
        auto node = std::make_unique<Node>(std::string(key), std::move(value), hash);
        shard.link_front(node.get());
        const Key owned{node->key, hash};
        shard.index.emplace(owned, std::move(node));
    }

    std::size_t size() const {
        std::size_t entries = 0;
        for (const auto& shard : shards_) {
            const std::lock_guard held(shard->mutex);
            entries += shard->index.size();
        }
        return entries;
    }

private:
    static constexpr std::size_t kShards = 16;

    struct Key {
        std::string_view text;
        std::uint64_t hash;
        bool operator==(const Key& other) const noexcept { return text == other.text; }
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept { return key.hash; }
    };
    struct Node {
        Node(std::string key_text, std::shared_ptr<const Value> shared, std::uint64_t key_hash)
            : key(std::move(key_text)), value(std::move(shared)), hash(key_hash) {}
        std::string key;
        std::shared_ptr<const Value> value;
        std::uint64_t hash;
        Node* newer = nullptr;
        Node* older = nullptr;
    };
    struct alignas(64) Shard {
        void unlink(Node* node) noexcept {
            (node->newer != nullptr ? node->newer->older : newest) = node->older;
            (node->older != nullptr ? node->older->newer : oldest) = node->newer;
        }
        void link_front(Node* node) noexcept {
            node->newer = nullptr;
            node->older = newest;
            (newest != nullptr ? newest->newer : oldest) = node;
            newest = node;
        }
        void touch(Node* node) noexcept {
            if (node == newest) return;
            unlink(node);
            link_front(node);
        }
        void drop_oldest() {
            Node* const node = oldest;
            unlink(node);
            index.erase(Key{node->key, node->hash});
        }

        mutable std::mutex mutex;
        std::unordered_map<Key, std::unique_ptr<Node>, KeyHash> index;
        Node* newest = nullptr;
        Node* oldest = nullptr;
        std::size_t entries_max = 1;
    };

    Shard& shard_of(const Key& key) noexcept { return *shards_[(key.hash >> 56U) % kShards]; }

    std::uint64_t seed_;
    std::array<std::unique_ptr<Shard>, kShards> shards_;
};

}  // namespace playhead::enrich
