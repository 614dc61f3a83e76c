/// Where an import brings reports: a running server, or the pipeline of a data directory.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "app/config.h"
#include "app/offline_ingest.h"
#include "base/result.h"
#include "importers/ledger.h"
#include "importers/report.h"
#include "net/http_client.h"

namespace playhead::app {

/// What `playhead import` was told about its target.
struct ImportTarget {
    std::string to;        ///< a running server; or
    std::string data_dir;  ///< a data directory that is not in use
    std::string remember;  ///< with `to`: folder of the lists of imported lines; empty: none
    std::uint64_t customer_id = 0;
    double speed = 0;  ///< with `to`; 0: at once
    Config config;
};

/// Takes reports in order of time, each line once. Not thread safe.
class ImportDelivery {
public:
    virtual ~ImportDelivery() = default;

    /// Asks a server whether it knows the customer (for a directory: `check_customer`). `span_ms`:
    /// from the first report to the last.
    static Result<std::unique_ptr<ImportDelivery>> open(const ImportTarget& target,
                                                        std::int64_t span_ms);

    /// False for one that was imported before.
    Result<bool> take(const importers::Report& report);
    /// After the last.
    virtual Result<void> finish() = 0;

protected:
    explicit ImportDelivery(std::optional<importers::Ledger> ledger) : ledger_(std::move(ledger)) {}
    virtual Result<void> deliver(const importers::Report& report) = 0;
    /// All that was delivered so far is durable, but for the `keep` newest.
    Result<void> commit(std::size_t keep = 0);

private:
    std::optional<importers::Ledger> ledger_;
};

/// NotFound with the remedy when the data directory has no such customer.
Result<void> check_customer(const std::string& data_dir, std::uint64_t customer_id);

/// The configuration that a server of the data directory would have: file (may be empty) and
/// environment.
Result<Config> import_config(const std::string& file);

}  // namespace playhead::app
