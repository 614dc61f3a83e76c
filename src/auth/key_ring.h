/// The keys tokens are signed with, kept in the directory: one active, those before it verify until
/// every token they signed has expired.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "auth/jws.h"
#include "base/clock.h"
#include "base/result.h"
#include "directory/directory.h"

namespace playhead::auth {

struct KeyRingOptions {
    /// How long a retired key verifies: longer than any token lives, plus the time another process
    /// may take to learn of the rotation.
    std::int64_t retired_verifies_ms = 2 * 3600 * 1000;
    /// A token with an unknown kid makes the ring look into the directory, at most this often.
    std::int64_t reload_interval_ms = 1000;
};

/// Thread safe; reads are one atomic load. Keys made by another process are found by `reload`, or
/// by themselves when a token names one.
class KeyRing {
public:
    /// Loads the keys, making the first when there is none. References must outlive the ring.
    static Result<std::unique_ptr<KeyRing>> open(directory::Directory& directory,
                                                 const Clock& clock,
                                                 const KeyRingOptions& options = {});
    /// Makes a new active key.
    Result<void> rotate();
    /// Forgets a leaked key at once, here and (after their reload) in other processes; a new active
    /// key is made when it was the active one.
    Result<void> remove(std::string_view kid);
    /// Reads the keys again; also call it when the directory's change marker moves.
    Result<void> reload();

    /// The key of that id while it may verify.
    std::optional<RsaKey> find(std::string_view kid);
    /// Signs with the active key.
    Result<std::string> sign(std::string_view payload) const;
    std::string active_kid() const;
    /// The JWKS document (RFC 7517 section 5).
    std::string jwks() const;
    /// Grows with every change of the keys; cached verdicts of an older one are void.
    std::uint64_t generation() const;

private:
    struct Entry {
        RsaKey key;
        std::optional<std::int64_t> not_after_ms;
    };
    struct State {
        std::uint64_t generation = 0;
        std::string active_kid;
        std::map<std::string, Entry, std::less<>> entries;
    };

    KeyRing(directory::Directory& directory, const Clock& clock, const KeyRingOptions& options)
        : directory_(directory), clock_(clock), options_(options) {}
    Result<void> make_active(bool only_first);
    std::optional<RsaKey> find_loaded(std::string_view kid) const;

    directory::Directory& directory_;
    const Clock& clock_;
    KeyRingOptions options_;
    std::mutex reload_mutex_;
    std::atomic<std::int64_t> next_reload_ms_{0};
    std::atomic<std::shared_ptr<const State>> state_;
};

}  // namespace playhead::auth
