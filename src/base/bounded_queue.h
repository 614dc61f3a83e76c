/// A blocking queue with a bound: the back-pressure between pipeline stages.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace playhead {

/// Many producers, many consumers. `close` wakes everyone; what is queued can still be popped.
template <class T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t items_max) : items_max_(items_max) {}

    /// False when full or closed; the item is left with the caller then.
    bool try_push(T& item) {
        {
            const std::lock_guard lock(mutex_);
            if (closed_ || items_.size() >= items_max_) return false;
            items_.push_back(std::move(item));
        }
        ready_.notify_one();
        return true;
    }

    /// Waits for room. False when closed; the item is left with the caller then.
    bool push(T& item) {
        {
            std::unique_lock lock(mutex_);
            room_.wait(lock, [&] { return closed_ || items_.size() < items_max_; });
            if (closed_) return false;
            items_.push_back(std::move(item));
        }
        ready_.notify_one();
        return true;
    }

    /// Waits for an item; nullopt when closed and empty.
    std::optional<T> pop() {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [&] { return closed_ || !items_.empty(); });
        if (items_.empty()) return std::nullopt;
        T item = std::move(items_.front());
        items_.pop_front();
        lock.unlock();
        room_.notify_one();
        return item;
    }

    /// Waits for at least one item and takes all there are; empty when closed and empty.
    std::vector<T> pop_all() {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [&] { return closed_ || !items_.empty(); });
        std::vector<T> taken;
        taken.reserve(items_.size());
        for (auto& item : items_) taken.push_back(std::move(item));
        items_.clear();
        lock.unlock();
        room_.notify_all();
        return taken;
    }

    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        ready_.notify_all();
        room_.notify_all();
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return items_.size();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::condition_variable room_;
    std::deque<T> items_;
    std::size_t items_max_;
    bool closed_ = false;
};

}  // namespace playhead
