#include "directory/validation.h"

#include <fmt/format.h>

#include <algorithm>

#include "directory/directory.h"

namespace playhead::directory {

namespace {

constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kListEntryBytesMax = 255;
constexpr std::size_t kEmailBytesMax = 254;
constexpr std::int64_t kRateLimitMax = 1'000'000;
constexpr std::int64_t kStatsIntervalMaxS = 3600;

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    });
}

/// Inputs may be huge; what is repeated in an error is not.
std::string shortened(std::string_view text) {
    return std::string(text.substr(0, 100));
}

Result<void> check_name(std::string_view what, std::string_view text, bool may_be_empty) {
    if ((text.empty() && !may_be_empty) || text.size() > kNameBytesMax || has_control(text)) {
        return fail_parameter(
            std::string(what), shortened(text),
            "up to 200 bytes of text without control characters",
            fmt::format("The {} is empty, too long or has control characters.", what));
    }
    return {};
}

Result<void> check_customer(std::string_view what, std::int64_t customer_id) {
    if (customer_id > 0) return {};
    return fail_parameter(std::string(what), std::to_string(customer_id),
                          "a positive 64-bit integer", "A customer id is a positive number.");
}

Result<void> check_list(std::string_view what, const std::vector<std::string>& items) {
    if (items.size() > kAllowListEntriesMax) {
        return fail_parameter(std::string(what), std::to_string(items.size()),
                              fmt::format("at most {} entries", kAllowListEntriesMax),
                              "The list is too long.");
    }
    for (const auto& item : items) {
        if (item.empty() || item.size() > kListEntryBytesMax || has_control(item)) {
            return fail_parameter(std::string(what), shortened(item),
                                  "entries of 1 to 255 bytes without control characters",
                                  "An entry of the list is empty, too long or not printable.");
        }
    }
    return {};
}

Result<void> check_range(std::string_view what, std::int64_t value, std::int64_t low,
                         std::int64_t high) {
    if (value >= low && value <= high) return {};
    return fail_parameter(std::string(what), std::to_string(value),
                          fmt::format("a number from {} to {}", low, high),
                          fmt::format("The value of {} is out of range.", what));
}

}  // namespace

bool is_email(std::string_view text) noexcept {
    if (text.size() > kEmailBytesMax || has_control(text)) return false;
    if (text.find(' ') != std::string_view::npos) return false;
    const auto at = text.find('@');
    if (at == std::string_view::npos || at == 0) return false;
    if (text.find('@', at + 1) != std::string_view::npos) return false;
    const auto domain = text.substr(at + 1);
    const auto dot = domain.find('.');
    return dot != std::string_view::npos && dot != 0 && domain.back() != '.';
}

std::string lower_ascii(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

Result<void> validate(const Tenant& tenant) {
    if (auto ok = check_customer("customer_id", tenant.customer_id); !ok) return ok;
    if (auto ok = check_name("name", tenant.name, false); !ok) return ok;
    if (auto ok = check_list("allowed_origins", tenant.allowed_origins); !ok) return ok;
    if (auto ok = check_list("ingest_keys", tenant.ingest_keys); !ok) return ok;
    if (auto ok = check_range("plan_level", tenant.plan_level, 0, INT32_MAX); !ok) return ok;
    if (auto ok = check_range("rate_limit_per_address_per_s", tenant.rate_limit_per_address_per_s,
                              0, kRateLimitMax);
        !ok) {
        return ok;
    }
    if (tenant.parent_customer_id) {
        if (auto ok = check_customer("parent", *tenant.parent_customer_id); !ok) return ok;
        if (*tenant.parent_customer_id == tenant.customer_id) {
            return fail_parameter("parent", std::to_string(tenant.customer_id), "another customer",
                                  "A tenant cannot be its own parent.");
        }
    }
    return check_range("stats_interval_s", tenant.stats_interval_s, 1, kStatsIntervalMaxS);
}

Result<void> validate(const User& user) {
    if (!is_email(user.email)) {
        return fail_parameter("email", shortened(user.email), "an address like name@example.com",
                              "That is not an email address.");
    }
    if (auto ok = check_customer("customer_id", user.customer_id); !ok) return ok;
    if (auto ok = check_name("given_name", user.given_name, true); !ok) return ok;
    if (auto ok = check_name("family_name", user.family_name, true); !ok) return ok;
    if (user.further_customers.size() >= kCustomersPerUserMax) {
        return fail_parameter("further_customers", std::to_string(user.further_customers.size()),
                              fmt::format("fewer than {}", kCustomersPerUserMax),
                              "The account names too many customers.");
    }
    for (const auto customer : user.further_customers) {
        if (auto ok = check_customer("further_customers", customer); !ok) return ok;
    }
    return {};
}

Result<void> validate(const ApiKey& key) {
    if (auto ok = check_name("id", key.id, false); !ok) return ok;
    if (auto ok = check_name("key_hash", key.key_hash, false); !ok) return ok;
    if (auto ok = check_name("name", key.name, true); !ok) return ok;
    return check_customer("customer_id", key.customer_id);
}

Result<void> validate(const Document& document) {
    if (auto ok = check_name("kind", document.kind, false); !ok) return ok;
    if (auto ok = check_name("id", document.id, false); !ok) return ok;
    if (document.body.size() > kDocumentBytesMax) {
        return fail(ErrorCode::PayloadTooLarge, "The document is larger than 1 MiB.");
    }
    return check_customer("customer_id", document.customer_id);
}

std::string join_lines(const std::vector<std::string>& items) {
    std::string text;
    for (const auto& item : items) {
        if (!text.empty()) text += '\n';
        text += item;
    }
    return text;
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> items;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        items.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return items;
}

}  // namespace playhead::directory
