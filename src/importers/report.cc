#include "importers/report.h"

#include <cstring>

namespace playhead::importers {

namespace {

void put(std::string& out, const void* data, std::size_t size) {
    out.append(static_cast<const char*>(data), size);
}

void put_text(std::string& out, std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    put(out, &size, sizeof size);
    out.append(text);
}

bool take(std::string_view& bytes, void* to, std::size_t size) {
    if (bytes.size() < size) return false;
    std::memcpy(to, bytes.data(), size);
    bytes.remove_prefix(size);
    return true;
}

bool take_text(std::string_view& bytes, std::string& to) {
    std::uint32_t size = 0;
    if (!take(bytes, &size, sizeof size) || bytes.size() < size) return false;
    to.assign(bytes.substr(0, size));
    bytes.remove_prefix(size);
    return true;
}

}  // namespace

void append_report(std::string& out, const Report& report) {
    put(out, &report.time_ms, sizeof report.time_ms);
    put(out, &report.id, sizeof report.id);
    put(out, &report.session_hash, sizeof report.session_hash);
    put(out, &report.kind, sizeof report.kind);
    put_text(out, report.address);
    put_text(out, report.user_agent);
    put_text(out, report.body);
}

bool take_report(std::string_view& bytes, Report& report) {
    std::string_view rest = bytes;
    const bool whole = take(rest, &report.time_ms, sizeof report.time_ms) &&
                       take(rest, &report.id, sizeof report.id) &&
                       take(rest, &report.session_hash, sizeof report.session_hash) &&
                       take(rest, &report.kind, sizeof report.kind) &&
                       take_text(rest, report.address) && take_text(rest, report.user_agent) &&
                       take_text(rest, report.body);
    if (whole) bytes = rest;
    return whole;
}

}  // namespace playhead::importers
