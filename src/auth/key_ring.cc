#include "auth/key_ring.h"

namespace playhead::auth {

Result<std::unique_ptr<KeyRing>> KeyRing::open(directory::Directory& directory, const Clock& clock,
                                               const KeyRingOptions& options) {
    std::unique_ptr<KeyRing> ring(new KeyRing(directory, clock, options));
    if (auto loaded = ring->reload(); !loaded) return fail(loaded.error());
    if (ring->active_kid().empty()) {
        // Another process may have been first; then its key is ours too.
        auto made = ring->make_active(true);
        if (!made && made.error().code != ErrorCode::Conflict) return fail(made.error());
        if (auto loaded = ring->reload(); !loaded) return fail(loaded.error());
    }
    return ring;
}

Result<void> KeyRing::make_active(bool only_first) {
    auto pem = RsaKey::generate_pem();
    if (!pem) return fail(pem.error());
    const auto key = RsaKey::from_private_pem(*pem);
    if (!key) return fail(key.error());
    directory::SigningKeyRow row;
    row.kid = key->thumbprint();
    row.private_pem = std::move(*pem);
    return directory_.activate_signing_key(row, clock_.now_ms() + options_.retired_verifies_ms,
                                           only_first);
}

Result<void> KeyRing::rotate() {
    if (auto made = make_active(false); !made) return made;
    return reload();
}

Result<void> KeyRing::remove(std::string_view kid) {
    const bool was_active = active_kid() == kid;
    if (auto removed = directory_.remove_signing_key(kid); !removed) return removed;
    if (was_active) return rotate();
    return reload();
}

Result<void> KeyRing::reload() {
    const std::lock_guard lock(reload_mutex_);
    const auto rows = directory_.signing_keys();
    if (!rows) return fail(rows.error());
    const auto before = state_.load();
    auto next = std::make_shared<State>();
    next->generation = before ? before->generation : 0;
    bool changed = !before || before->entries.size() != rows->size();
    for (const auto& row : *rows) {
        if (row.active) next->active_kid = row.kid;
        if (before) {
            if (const auto known = before->entries.find(row.kid); known != before->entries.end()) {
                next->entries.emplace(row.kid, Entry{known->second.key, row.not_after_ms});
                continue;
            }
        }
        changed = true;
        auto key = RsaKey::from_private_pem(row.private_pem);
        if (!key) return fail(key.error());
        next->entries.emplace(row.kid, Entry{std::move(*key), row.not_after_ms});
    }
    if (changed) ++next->generation;
    state_.store(std::move(next));
    return {};
}

std::optional<RsaKey> KeyRing::find_loaded(std::string_view kid) const {
    const auto state = state_.load();
    const auto found = state->entries.find(kid);
    if (found == state->entries.end()) return std::nullopt;
    const auto& not_after_ms = found->second.not_after_ms;
    if (not_after_ms && *not_after_ms < clock_.now_ms()) return std::nullopt;
    return found->second.key;
}

std::optional<RsaKey> KeyRing::find(std::string_view kid) {
    if (auto found = find_loaded(kid)) return found;
    const auto now_ms = clock_.now_ms();
    auto due_ms = next_reload_ms_.load();
    if (now_ms < due_ms ||
        !next_reload_ms_.compare_exchange_strong(due_ms, now_ms + options_.reload_interval_ms)) {
        return std::nullopt;
    }
    if (!reload()) return std::nullopt;
    return find_loaded(kid);
}

Result<std::string> KeyRing::sign(std::string_view payload) const {
    const auto state = state_.load();
    const auto found = state->entries.find(state->active_kid);
    if (found == state->entries.end()) {
        return fail(ErrorCode::Unavailable, "There is no active signing key.");
    }
    return sign_rs256(payload, found->second.key, state->active_kid);
}

std::string KeyRing::active_kid() const {
    return state_.load()->active_kid;
}

std::uint64_t KeyRing::generation() const {
    return state_.load()->generation;
}

std::string KeyRing::jwks() const {
    const auto state = state_.load();
    const auto now_ms = clock_.now_ms();
    std::string keys;
    for (const auto& [kid, entry] : state->entries) {
        if (entry.not_after_ms && *entry.not_after_ms < now_ms) continue;
        if (!keys.empty()) keys += ',';
        keys += entry.key.public_jwk(kid);
    }
    return "{\"keys\":[" + keys + "]}";
}

}  // namespace playhead::auth
