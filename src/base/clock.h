/// Time is injected: nothing but `SystemClock` asks the operating system.
#pragma once

#include <atomic>
#include <cstdint>

namespace playhead {

/// Wall clock (epoch milliseconds, UTC) and a monotonic one (nanoseconds). Thread safe.
class Clock {
public:
    virtual ~Clock() = default;
    virtual std::int64_t now_ms() const noexcept = 0;
    virtual std::int64_t monotonic_ns() const noexcept = 0;
};

class SystemClock final : public Clock {
public:
    std::int64_t now_ms() const noexcept override;
    std::int64_t monotonic_ns() const noexcept override;
};

/// A clock that a test moves by hand. Thread safe.
class ManualClock final : public Clock {
public:
    explicit ManualClock(std::int64_t start_ms) : now_ms_(start_ms) {}
    std::int64_t now_ms() const noexcept override { return now_ms_.load(); }
    std::int64_t monotonic_ns() const noexcept override { return now_ms_.load() * 1'000'000; }
    void set_ms(std::int64_t value) noexcept { now_ms_.store(value); }
    void advance_ms(std::int64_t delta) noexcept { now_ms_.fetch_add(delta); }

private:
    std::atomic<std::int64_t> now_ms_;
};

}  // namespace playhead
