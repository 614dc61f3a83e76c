/// A SmartSight API as a source of sessions: authorization, which metrics it knows, pages of its
/// session list. Any generation of it; another Playhead speaks it too. Not thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "importers/mapping.h"
#include "net/http_client.h"

namespace playhead::importers {

struct SmartSightOptions {
    std::string from;  ///< http(s)://host[:port]
    std::uint64_t customer_id = 0;
    std::string api_key;
    std::string user, password;  ///< instead of a key
    std::string token_url;       ///< of the password grant; empty: the realm `playhead` at `from`
    std::string plan_level;      ///< for the older generations; empty: not sent
    std::vector<std::string> tags;
    std::string ca_file;
};

/// The sessions of a period, as texts in the order of `SmartSightSource::columns`.
struct SmartSightRows {
    std::vector<std::vector<std::string>> rows;
    bool too_many = false;  ///< more than asked for; no rows then
};

class SmartSightSource {
public:
    explicit SmartSightSource(SmartSightOptions options);

    /// Authorizes, and asks for one row with everything that an import could use; what the source
    /// refuses by name is left out. PermissionDenied, Unavailable; Unprocessable when it does not
    /// even tell ids and times.
    Result<void> connect(std::int64_t since_s, std::int64_t until_s);

    const std::vector<std::string>& columns() const noexcept { return columns_; }
    /// What of its metrics becomes which of our fields; bound to `columns`.
    const Mapping& mapping() const noexcept { return mapping_; }

    /// Sessions that began in [since, until), in order of start, asked for in pages and, since an
    /// API takes only so many metrics at once, in groups of columns. Tries again a few times where
    /// the source or the network is unwell.
    Result<SmartSightRows> sessions(std::int64_t since_s, std::int64_t until_s,
                                    std::uint64_t page_rows, std::uint64_t rows_max);

private:
    Result<void> log_in();
    Result<net::ClientResponse> get(const std::string& target);
    std::string target_of(const std::vector<std::string>& metrics, std::int64_t since_s,
                          std::int64_t until_s, std::uint64_t offset, std::uint64_t limit) const;
    /// What of `names` the source takes.
    Result<std::vector<std::string>> accepted(std::vector<std::string> names, std::int64_t since_s,
                                              std::int64_t until_s);
    Result<void> make_mapping();
    /// A page of one group; `total` becomes the rows of the whole period.
    Result<std::uint64_t> add_page(const std::vector<std::string>& group, const std::string& target,
                                   SmartSightRows& out, std::uint64_t& total);

    SmartSightOptions options_;
    net::HttpClient client_;
    std::string bearer_;
    std::vector<std::vector<std::string>> groups_;
    std::vector<std::string> columns_;
    std::unordered_map<std::string, std::size_t> places_;  ///< of session ids in a result
    Mapping mapping_ = Mapping::of({});
};

}  // namespace playhead::importers
