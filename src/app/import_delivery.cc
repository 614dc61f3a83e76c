#include "app/import_delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "app/control_plane.h"
#include "store/chdb/engine_library.h"

namespace playhead::app {

namespace {

using importers::Report;
using importers::ReportKind;

/// Reports sent to a server between two notes of what it has acknowledged.
constexpr std::uint64_t kSentPerCommit = 1000;

/// A cut per this part of the time imported, within bounds.
constexpr std::int64_t kCutsOfImport = 200;
constexpr std::int64_t kCutMinMs = 600'000;
constexpr std::int64_t kCutMaxMs = 3'600'000;

class ToServer final : public ImportDelivery {
public:
    ToServer(const ImportTarget& target, std::optional<importers::Ledger> ledger)
        : ImportDelivery(std::move(ledger)), target_(target), client_(target.to) {}

    /// CMCD is answered 204 whatever becomes of it, so what can be known is asked before.
    Result<void> check() {
        auto answer = client_.get(fmt::format("/mm-apis/register/{}", target_.customer_id));
        if (!answer) return fail(answer.error());
        if (answer->status == 200) return {};
        return fail(ErrorCode::NotFound,
                    fmt::format("{} does not know customer {} (it answered {})", target_.to,
                                target_.customer_id, answer->status));
    }

    Result<void> finish() override { return commit(); }

private:
    Result<void> deliver(const Report& report) override {
        wait_for(report.time_ms);
        net::ClientRequest request;
        const bool query = report.kind == ReportKind::CmcdQuery;
        request.method = query ? "GET" : "POST";
        request.target = query ? fmt::format("/cmcd/{}?{}", target_.customer_id, report.body)
                               : std::string("/produce");
        if (!query) {
            request.body = report.body;
            request.headers.emplace_back("Content-Type", "application/json");
        }
        if (!report.user_agent.empty()) {
            request.headers.emplace_back("User-Agent", printable(report.user_agent));
        }
        if (!report.address.empty()) {
            request.headers.emplace_back("X-Forwarded-For", printable(report.address));
        }
        auto answer = client_.send(request);
        if (!answer) return fail(answer.error());
        if (answer->status / 100 != 2) {
            return fail(ErrorCode::Unavailable,
                        fmt::format("the server answered {}: {}", answer->status,
                                    answer->body.substr(0, 300)));
        }
        return ++sent_ % kSentPerCommit == 0 ? commit() : Result<void>();
    }

    /// A log must not write headers of its own.
    static std::string printable(std::string text) {
        std::replace_if(
            text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; },
            ' ');
        return text;
    }

    void wait_for(std::int64_t time_ms) {
        if (target_.speed <= 0) return;
        if (first_ms_ == 0) first_ms_ = time_ms;
        const auto offset_us = static_cast<std::int64_t>(static_cast<double>(time_ms - first_ms_) *
                                                         1000 / target_.speed);
        std::this_thread::sleep_until(begun_ + std::chrono::microseconds(offset_us));
    }

    ImportTarget target_;
    net::HttpClient client_;
    std::uint64_t sent_ = 0;
    std::int64_t first_ms_ = 0;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

class ToDirectory final : public ImportDelivery {
public:
    ToDirectory(const ImportTarget& target, std::int64_t span_ms)
        : ImportDelivery(importers::Ledger(target.data_dir + "/imports", target.customer_id)),
          target_(target),
          span_ms_(span_ms) {}

    Result<void> finish() override {
        // Nothing new: no time has passed either.
        if (!ingest_) return {};
        if (auto finished = ingest_->finish(); !finished) return finished;
        return commit();
    }

private:
    /// At the time of the first report that is new.
    Result<void> open(std::int64_t from_ms) {
        if (auto prepared = store::chdb::prepare_process(); !prepared) return prepared;
        OfflineOptions options;
        options.data_dir = target_.data_dir;
        options.engine_library = target_.config.text("store.library");
        options.from_ms = from_ms;
        options.block_interval_ms = std::clamp(span_ms_ / kCutsOfImport, kCutMinMs, kCutMaxMs);
        options.config = target_.config;
        auto ingest = OfflineIngest::open(options);
        if (!ingest) return fail(ingest.error());
        ingest_ = std::move(*ingest);
        return {};
    }

    Result<void> deliver(const Report& report) override {
        if (!ingest_) {
            if (auto opened = open(report.time_ms); !opened) return opened;
        }
        ingest::RequestRecord record;
        const bool query = report.kind == ReportKind::CmcdQuery;
        record.kind = query ? ingest::RequestKind::CmcdQuery : ingest::RequestKind::Produce;
        record.customer_id = query ? target_.customer_id : 0;
        record.receive_ms = report.time_ms;
        auto done =
            ingest_->take(std::move(record), report.address, report.user_agent, report.body);
        if (!done || ingest_->blocks() == blocks_) return done;
        blocks_ = ingest_->blocks();
        // This report itself came after the block.
        return commit(1);
    }

    ImportTarget target_;
    std::int64_t span_ms_;
    std::unique_ptr<OfflineIngest> ingest_;
    std::uint64_t blocks_ = 0;
};

}  // namespace

Result<std::unique_ptr<ImportDelivery>> ImportDelivery::open(const ImportTarget& target,
                                                             std::int64_t span_ms) {
    if (!target.to.empty()) {
        std::optional<importers::Ledger> ledger;
        if (!target.remember.empty()) ledger.emplace(target.remember, target.customer_id);
        auto delivery = std::make_unique<ToServer>(target, std::move(ledger));
        if (auto checked = delivery->check(); !checked) return fail(checked.error());
        return delivery;
    }
    return std::make_unique<ToDirectory>(target, span_ms);
}

Result<bool> ImportDelivery::take(const Report& report) {
    if (ledger_) {
        auto fresh = ledger_->note(report.time_ms, report.id);
        if (!fresh || !*fresh) return fresh;
    }
    if (auto delivered = deliver(report); !delivered) return fail(delivered.error());
    return true;
}

Result<void> ImportDelivery::commit(std::size_t keep) {
    return ledger_ ? ledger_->commit(keep) : Result<void>();
}

Result<void> check_customer(const std::string& data_dir, std::uint64_t customer_id) {
    auto prepared = prepare_data_dir(data_dir);
    if (!prepared) return fail(prepared.error());
    static const SystemClock clock;
    auto directory = open_directory(*prepared, clock);
    if (!directory) return fail(directory.error());
    if ((*directory)->tenant(static_cast<std::int64_t>(customer_id))) return {};
    return fail(ErrorCode::NotFound,
                fmt::format("customer {} is not in {}: playhead tenant add --data-dir {} "
                            "--customer {}",
                            customer_id, data_dir, data_dir, customer_id));
}

Result<Config> import_config(const std::string& file) {
    Config config;
    if (!file.empty()) {
        if (auto loaded = config.load_yaml(file); !loaded) return fail(loaded.error());
    }
    if (auto loaded = config.load_environment(); !loaded) return fail(loaded.error());
    return config;
}

}  // namespace playhead::app
