#include "app/offline_ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "app/config.h"
#include "app/control_plane.h"
#include "app/default_paths.h"
#include "app/retention.h"
#include "base/clock.h"
#include "enrich/enricher.h"
#include "ingest/pipeline.h"
#include "query/dictionary.h"
#include "store/chdb/chdb_store.h"

namespace playhead::app {

namespace {

constexpr std::int64_t kStoreWaitMs = 120'000;
/// Longer than any session may stay silent before it is dropped, and than the linger.
constexpr std::int64_t kSettleMs = 15 * 60'000;

/// What the collector does with a path; the simulator writes only these.
struct Target {
    ingest::RequestKind kind = ingest::RequestKind::Produce;
    std::string_view session_id;
    std::string_view body;
};

Target target_of(const simulator::Request& request) {
    Target target;
    target.body = request.body;
    std::string_view path = request.path;
    if (!path.starts_with("/cmcd/")) return target;
    target.kind = ingest::RequestKind::CmcdEvents;
    if (const std::size_t mark = path.find('?'); mark != std::string_view::npos) {
        target.kind = ingest::RequestKind::CmcdQuery;
        target.body = path.substr(mark + 1);
        path = path.substr(0, mark);
    }
    path.remove_prefix(6);
    if (const std::size_t slash = path.find('/'); slash != std::string_view::npos) {
        target.session_id = path.substr(slash + 1);
    }
    return target;
}

}  // namespace

struct OfflineIngest::Parts {
    explicit Parts(std::int64_t from_ms) : clock(from_ms) {}

    ManualClock clock;
    MetricsRegistry metrics;
    std::unique_ptr<enrich::Enricher> enricher;
    std::unique_ptr<ingest::RequestDecoder> decoder;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<query::Dictionary> dictionary;
    std::unique_ptr<query::Engine> engine;
    std::unique_ptr<ingest::Pipeline> pipeline;
    std::int64_t block_interval_ms = 0;
    std::int64_t next_block_ms = 0;
    std::uint64_t events = 0;
    std::uint64_t blocks = 0;
    enrich::AddressPolicy address_policy = enrich::AddressPolicy::Slash24;
};

OfflineIngest::OfflineIngest(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

OfflineIngest::~OfflineIngest() {
    if (parts_->pipeline) parts_->pipeline->stop(kStoreWaitMs);
}

Result<std::unique_ptr<OfflineIngest>> OfflineIngest::open(const OfflineOptions& options) {
    auto data_dir = prepare_data_dir(options.data_dir);
    if (!data_dir) return fail(data_dir.error());
    auto parts = std::make_unique<Parts>(options.from_ms);
    parts->block_interval_ms = options.block_interval_ms;
    parts->next_block_ms = options.from_ms + options.block_interval_ms;
    enrich::EnricherOptions enriching;
    enriching.geo_databases = options.config.list("geo_db");
    enriching.user_agent_rules = options.config.text("ua_rules");
    if (enriching.user_agent_rules.empty()) enriching.user_agent_rules = default_user_agent_rules();
    auto policy = enrich::parse_address_policy(options.config.text("address_policy"));
    if (!policy) return fail(policy.error());
    parts->address_policy = *policy;
    auto enricher = enrich::Enricher::create(enriching);
    if (!enricher) return fail(enricher.error());
    parts->enricher = std::move(*enricher);
    parts->decoder = std::make_unique<ingest::RequestDecoder>(&parts->enricher->user_agents());
    store::chdb::ChdbOptions storing;
    storing.directory = *data_dir + "/store";
    storing.library_path = options.engine_library;
    const bool fresh = !std::filesystem::exists(storing.directory);
    auto store = store::chdb::open_chdb_store(storing);
    if (!store) return fail(store.error());
    parts->store = std::move(*store);
    if (auto migrated = parts->store->migrate(); !migrated) return fail(migrated.error());
    // As a server would: changing it later means rewriting what is there, and is the server's to
    // do.
    if (fresh) {
        if (auto applied = apply_retention(*parts->store, options.config); !applied) {
            return fail(applied.error());
        }
    }
    auto dictionary = query::Dictionary::load();
    if (!dictionary) return fail(dictionary.error());
    parts->dictionary = std::make_unique<query::Dictionary>(std::move(*dictionary));
    parts->engine = std::make_unique<query::Engine>(*parts->store, *parts->dictionary, parts->clock,
                                                    query::EngineOptions{});
    ingest::PipelineOptions pipelining;
    pipelining.data_dir = *data_dir;
    pipelining.durability = journal::Durability::Os;
    pipelining.timeline.business_errors = options.business_errors;
    // Blocks are cut by `advance`, at simulated times; the pipeline's own timer stays out of it.
    pipelining.cut_interval_ms = 3'600'000;
    pipelining.snapshot_interval_ms = 6LL * 3'600'000;
    auto pipeline = ingest::Pipeline::open(pipelining, *parts->store, *parts->decoder, parts->clock,
                                           parts->metrics, {});
    if (!pipeline) return fail(pipeline.error());
    parts->pipeline = std::move(*pipeline);
    return std::unique_ptr<OfflineIngest>(new OfflineIngest(std::move(parts)));
}

Result<void> OfflineIngest::advance(std::int64_t now_ms) {
    while (now_ms >= parts_->next_block_ms) {
        parts_->clock.set_ms(parts_->next_block_ms);
        if (auto flushed = parts_->pipeline->flush(kStoreWaitMs); !flushed) return flushed;
        ++parts_->blocks;
        parts_->next_block_ms += parts_->block_interval_ms;
    }
    parts_->clock.set_ms(std::max(now_ms, parts_->clock.now_ms()));
    return {};
}

Result<void> OfflineIngest::take(const simulator::Request& request, std::uint64_t customer_id) {
    const Target target = target_of(request);
    ingest::RequestRecord record;
    record.kind = target.kind;
    record.customer_id = target.kind == ingest::RequestKind::Produce ? 0 : customer_id;
    record.session_id = target.session_id;
    record.receive_ms = request.send_ms;
    const std::string_view address =
        request.forwarded_for.empty() ? "127.0.0.1" : std::string_view(request.forwarded_for);
    return take(std::move(record), address, request.user_agent, target.body);
}

Result<void> OfflineIngest::take(ingest::RequestRecord record, std::string_view address,
                                 std::string_view user_agent, std::string_view body) {
    if (auto advanced = advance(record.receive_ms); !advanced) return advanced;
    record.context = parts_->enricher->describe(address, {}, user_agent, parts_->address_policy);
    auto decoded = parts_->decoder->decode(record, body);
    if (!decoded) return fail(decoded.error());
    parts_->events += (*decoded)->batch.events.size();
    return parts_->pipeline->submit(record, body, std::move(*decoded), [](const Result<void>&) {});
}

Result<void> OfflineIngest::finish() {
    const std::int64_t end_ms = parts_->clock.now_ms() + kSettleMs;
    // In steps, as a server would see it: what closes a session is the passing of time.
    for (std::int64_t at = parts_->clock.now_ms(); at < end_ms; at += kSettleMs / 3) {
        parts_->clock.set_ms(at + kSettleMs / 3);
        if (auto flushed = parts_->pipeline->flush(kStoreWaitMs); !flushed) return flushed;
        ++parts_->blocks;
    }
    return {};
}

std::uint64_t OfflineIngest::blocks() const noexcept {
    return parts_->blocks;
}

store::Store& OfflineIngest::store() {
    return *parts_->store;
}

const query::Engine& OfflineIngest::engine() const {
    return *parts_->engine;
}

std::uint64_t OfflineIngest::events() const noexcept {
    return parts_->events;
}

}  // namespace playhead::app
