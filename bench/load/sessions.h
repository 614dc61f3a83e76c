/// The sessions that the load consists of.
#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace playhead::bench {

/// One beacon of a pattern: its bytes and where a session's own id and times go.
struct Beacon {
    std::int64_t at_ms = 0;  ///< after the session's start
    std::string body;
    std::vector<std::uint32_t> id_at;
    std::vector<std::pair<std::uint32_t, std::int64_t>> time_at;  ///< offset, ms after the start
};

struct Pattern {
    std::string id, user_agent, address;
    std::vector<Beacon> beacons;
};

/// Simulated SmartSight sessions (four of five compact, one with long keys).
std::vector<Pattern> make_patterns(std::uint64_t seed, std::uint64_t customer_id,
                                   std::uint64_t count);

/// Sessions in steady state: as many as send `records_per_s` together; one that ends is replaced.
class Audience {
public:
    Audience(const std::vector<Pattern>& patterns, double records_per_s, std::uint64_t seed,
             std::int64_t now_ms);

    std::size_t size() const noexcept { return sessions_.size(); }
    std::int64_t next_due_ms() const { return due_.top().at_ms; }
    /// Appends the next beacon to `body`; says whose it is.
    const Pattern& take(std::string& body, unsigned& octet);

private:
    struct Session {
        const Pattern* pattern = nullptr;
        std::size_t next = 0;
        std::int64_t start_ms = 0;
        unsigned octet = 1;
        std::string id;
    };
    struct Due {
        std::int64_t at_ms;
        std::uint32_t session;
        friend bool operator>(const Due& left, const Due& right) noexcept {
            return left.at_ms > right.at_ms;
        }
    };
    void begin(std::uint32_t index, std::int64_t start_ms);

    const std::vector<Pattern>& patterns_;
    Random random_;
    std::vector<Session> sessions_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace playhead::bench
