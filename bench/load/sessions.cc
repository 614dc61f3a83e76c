#include "load/sessions.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>

#include "simulator/traffic.h"

namespace playhead::bench {
namespace {

constexpr std::int64_t kBase_ms = 1'780'000'000'000;
constexpr std::int64_t kNearMs = 2 * 86'400'000LL;
constexpr std::size_t kTimeDigits = 13;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Numbers of 13 digits that are about the simulated time.
void find_times(Beacon& beacon, std::int64_t start_ms) {
    const std::string& text = beacon.body;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && is_digit(text[end])) ++end;
        if (end - at == kTimeDigits) {
            std::int64_t value = 0;
            std::from_chars(text.data() + at, text.data() + end, value);
            if (std::abs(value - kBase_ms) < kNearMs) {
                beacon.time_at.emplace_back(at, value - start_ms);
            }
        }
        at = std::max(end, at + 1);
    }
}

void find_ids(Beacon& beacon, const std::string& id) {
    for (auto at = beacon.body.find(id); at != std::string::npos;
         at = beacon.body.find(id, at + id.size())) {
        beacon.id_at.push_back(static_cast<std::uint32_t>(at));
    }
}

}  // namespace

std::vector<Pattern> make_patterns(std::uint64_t seed, std::uint64_t customer_id,
                                   std::uint64_t count) {
    const simulator::World world({.seed = seed});
    simulator::TrafficOptions options;
    options.seed = seed;
    options.from_ms = kBase_ms;
    options.until_ms = kBase_ms + 3'600'000;
    options.sessions = count;
    options.mix = {.compact = 0.8, .long_keys = 0.2, .cmcd_event = 0, .cmcd_query = 0};
    options.writer.customer_id = customer_id;
    options.application_share = 0;
    simulator::Traffic traffic(world, options);
    std::map<std::uint64_t, Pattern> found;
    std::map<std::uint64_t, std::int64_t> starts;
    traffic.on_truth([&](const simulator::Truth& truth) {
        found[truth.playback.ordinal].id = truth.session_id;
        starts[truth.playback.ordinal] = truth.start_ms;
    });
    simulator::Request request;
    while (traffic.next(request)) {
        Pattern& pattern = found.at(request.session);
        pattern.user_agent = request.user_agent;
        pattern.address = request.forwarded_for;
        Beacon& beacon = pattern.beacons.emplace_back();
        beacon.at_ms = request.send_ms - starts[request.session];
        beacon.body = request.body;
        find_ids(beacon, pattern.id);
        find_times(beacon, starts[request.session]);
    }
    std::vector<Pattern> patterns;
    for (auto& [ordinal, pattern] : found) {
        if (pattern.beacons.size() >= 2) patterns.push_back(std::move(pattern));
    }
    return patterns;
}

Audience::Audience(const std::vector<Pattern>& patterns, double records_per_s, std::uint64_t seed,
                   std::int64_t now_ms)
    : patterns_(patterns), random_(seed) {
    double beacons = 0;
    double seconds = 0;
    for (const Pattern& pattern : patterns) {
        beacons += static_cast<double>(pattern.beacons.size());
        seconds += static_cast<double>(pattern.beacons.back().at_ms) / 1000;
    }
    sessions_.resize(static_cast<std::size_t>(std::max(1.0, records_per_s * seconds / beacons)));
    // Mid-way, as a server sees them that has just become theirs; a long session is met more often.
    for (std::uint32_t index = 0; index < sessions_.size(); ++index) {
        for (;;) {
            begin(index, now_ms);
            const auto length = sessions_[index].pattern->beacons.back().at_ms;
            if (random_.uniform(0, 4.0 * 3'600'000) < static_cast<double>(length)) break;
        }
        Session& session = sessions_[index];
        const auto& sent = session.pattern->beacons;
        const auto passed =
            static_cast<std::int64_t>(random_.uniform(0, static_cast<double>(sent.back().at_ms)));
        while (sent[session.next].at_ms < passed) ++session.next;
        session.start_ms -= passed;
        due_.push({session.start_ms + sent[session.next].at_ms, index});
    }
}

void Audience::begin(std::uint32_t index, std::int64_t start_ms) {
    Session& session = sessions_[index];
    session.pattern = &patterns_[random_.below(patterns_.size())];
    session.next = 0;
    session.start_ms = start_ms;
    session.octet = 1 + static_cast<unsigned>(random_.below(250));
    session.id = session.pattern->id;
    // Same shape, other digits.
    for (char& c : session.id) {
        if (c != '-') c = "0123456789abcdef"[random_.next_u32() & 15U];
    }
}

const Pattern& Audience::take(std::string& body, unsigned& octet) {
    const Due due = due_.top();
    due_.pop();
    Session& session = sessions_[due.session];
    const Pattern& pattern = *session.pattern;
    const Beacon& beacon = pattern.beacons[session.next];
    const std::size_t at = body.size();
    body += beacon.body;
    for (const auto offset : beacon.id_at) {
        std::memcpy(body.data() + at + offset, session.id.data(), session.id.size());
    }
    for (const auto& [offset, after_ms] : beacon.time_at) {
        char* digits = body.data() + at + offset;
        std::to_chars(digits, digits + kTimeDigits, session.start_ms + after_ms);
    }
    octet = session.octet;
    if (++session.next == pattern.beacons.size()) begin(due.session, due.at_ms + 1000);
    due_.push({session.start_ms + session.pattern->beacons[session.next].at_ms, due.session});
    return pattern;
}

}  // namespace playhead::bench
