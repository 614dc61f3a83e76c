/// Feeds simulated requests straight into a data directory, as a server would have taken them at
/// the simulated times: same decoder, same pipeline, same store; only the clock is the traffic's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "app/config.h"
#include "base/result.h"
#include "ingest/request_record.h"
#include "query/engine.h"
#include "simulator/writers.h"
#include "store/store.h"

namespace playhead::app {

struct OfflineOptions {
    std::string data_dir;
    std::string engine_library;                          ///< empty: the default
    std::int64_t from_ms = 0;                            ///< the clock's start
    std::int64_t block_interval_ms = 60'000;             ///< simulated time between two cuts
    std::set<std::string, std::less<>> business_errors;  ///< codes that are no technical failures
    Config config;  ///< places, addresses and retention, as of the server that will read it
};

/// Single-threaded. The directory must not be in use.
class OfflineIngest {
public:
    /// Errors as of the server's start. Requires store::chdb::prepare_process before.
    static Result<std::unique_ptr<OfflineIngest>> open(const OfflineOptions& options);
    ~OfflineIngest();

    /// Takes a request as received at its `send_ms`; requests must come in that order.
    Result<void> take(const simulator::Request& request, std::uint64_t customer_id);
    /// Takes what a sender at `address` with this user agent said, as received at
    /// `record.receive_ms`. Time only goes forward: an earlier moment is taken now.
    Result<void> take(ingest::RequestRecord record, std::string_view address,
                      std::string_view user_agent, std::string_view body);
    /// Blocks that are in the store: everything taken before the last one is there.
    std::uint64_t blocks() const noexcept;
    /// Lets time pass until every session has closed, and waits for the store.
    Result<void> finish();

    store::Store& store();
    const query::Engine& engine() const;
    std::uint64_t events() const noexcept;

private:
    struct Parts;
    explicit OfflineIngest(std::unique_ptr<Parts> parts);
    Result<void> advance(std::int64_t now_ms);
    std::unique_ptr<Parts> parts_;
};

}  // namespace playhead::app
