#include "app/runtime.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "alerts/alert_book.h"
#include "alerts/evaluator.h"
#include "alerts/sampler.h"
#include "alerts/webhooks.h"
#include "api/access.h"
#include "api/admin_endpoints.h"
#include "api/alert_endpoints.h"
#include "api/contract.h"
#include "api/documentation.h"
#include "api/export_endpoints.h"
#include "api/ingest_operations.h"
#include "api/oauth.h"
#include "api/operations.h"
#include "api/query_desk.h"
#include "api/query_endpoints.h"
#include "api/schemas.h"
#include "api/smart_query_endpoint.h"
#include "api/sql_endpoints.h"
#include "api/watched_sampler.h"
#include "app/control_plane.h"
#include "app/default_paths.h"
#include "app/identity_provider.h"
#include "app/retention.h"
#include "app/version.h"
#include "auth/api_key.h"
#include "auth/key_ring.h"
#include "auth/login_throttle.h"
#include "auth/password.h"
#include "auth/secrets.h"
#include "auth/token_issuer.h"
#include "auth/token_verifier.h"
#include "base/log.h"
#include "directory/tenant_snapshot.h"
#include "enrich/enricher.h"
#include "http/server.h"
#include "ingest/collector.h"
#include "notify/outbox.h"
#include "query/engine.h"
#include "query/kept_days.h"
#include "query/schedule/schedule.h"
#include "store/chdb/chdb_store.h"

namespace playhead::app {

namespace {

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr std::int64_t kDrainMs = 1500;
constexpr std::int64_t kStoreOnStopMs = 2500;
/// For what asks the store beside the API: rules of alerts, exports.
constexpr int kConnectionsAside = 2;

/// Holds the data directory for this process. The engine and the journal have locks of their own;
/// this one is taken first, so that the message is about the directory as a whole.
class DataDirLock {
public:
    static Result<DataDirLock> take(const std::string& data_dir) {
        const std::string path = data_dir + "/LOCK";
        const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
        if (file < 0) {
            return fail(ErrorCode::Unavailable,
                        fmt::format("the data directory {} cannot be written: {}", data_dir,
                                    std::strerror(errno)));
        }
        if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
            ::close(file);
            return fail(ErrorCode::Conflict,
                        fmt::format("the data directory {} is in use by another playhead process",
                                    data_dir));
        }
        return DataDirLock(file);
    }
    DataDirLock(DataDirLock&& other) noexcept : file_(other.file_) { other.file_ = -1; }
    DataDirLock& operator=(DataDirLock&&) = delete;
    DataDirLock(const DataDirLock&) = delete;
    DataDirLock& operator=(const DataDirLock&) = delete;
    ~DataDirLock() {
        if (file_ >= 0) ::close(file_);
    }

private:
    explicit DataDirLock(int file) : file_(file) {}
    int file_;
};

int cores() {
    const unsigned count = std::thread::hardware_concurrency();
    return count == 0 ? 1 : static_cast<int>(count);
}

query::FairLimits fair_limits(const Config& config) {
    query::FairLimits limits;
    const auto all = static_cast<int>(config.integer("query.connections"));
    const auto own = static_cast<int>(config.integer("query.tenant_connections"));
    limits.running_max = all == 0 ? 3 * cores() : all;
    limits.tenant_running_max = std::min(own == 0 ? cores() : own, limits.running_max);
    limits.reserved = limits.running_max - std::max(1, limits.running_max / 3);
    limits.waiting_max = static_cast<std::size_t>(config.integer("query.waiting_max"));
    limits.tenant_waiting_max =
        static_cast<std::size_t>(config.integer("query.tenant_waiting_max"));
    return limits;
}

}  // namespace

struct Runtime::Parts {
    explicit Parts(DataDirLock held) : lock(std::move(held)) {}

    DataDirLock lock;
    SystemClock clock;
    MetricsRegistry metrics;
    auth::SystemEntropy entropy;
    std::unique_ptr<directory::Directory> directory;
    std::unique_ptr<directory::TenantWatch> tenants;
    std::unique_ptr<auth::KeyRing> keys;
    std::unique_ptr<auth::PasswordHasher> passwords;
    std::unique_ptr<auth::LoginThrottle> throttle;
    std::unique_ptr<auth::ApiKeyVerifier> api_keys;
    std::unique_ptr<auth::TokenIssuer> issuer;
    std::unique_ptr<auth::TokenVerifier> verifier;
    std::unique_ptr<IdentityProvider> provider;  ///< null: the built-in issuer
    std::unique_ptr<api::Access> access;
    std::unique_ptr<enrich::Enricher> enricher;
    std::unique_ptr<ingest::RequestDecoder> decoder;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<query::Dictionary> dictionary;
    store::Changes changes;
    std::unique_ptr<query::KeptDays> kept_days;  ///< null: switched off
    std::unique_ptr<query::Engine> engine;
    std::unique_ptr<ingest::Pipeline> pipeline;
    std::unique_ptr<ingest::Collector> collector;
    std::unique_ptr<api::Contract> contract;
    api::RunningQueries running{clock};
    std::unique_ptr<query::Schedule> schedule;
    std::unique_ptr<api::QueryDesk> desk;
    std::unique_ptr<query::SqlGate> sql_gate;
    std::unique_ptr<api::QueryEndpoints> endpoints;
    std::unique_ptr<api::SqlEndpoints> sql_endpoints;
    std::unique_ptr<exports::Exporter> exporter;
    std::unique_ptr<api::ExportEndpoints> export_endpoints;
    std::unique_ptr<api::SmartQueryEndpoint> smart_queries;
    std::unique_ptr<api::AdminEndpoints> administration;
    std::unique_ptr<alerts::AlertBook> alert_book;
    std::unique_ptr<alerts::QuerySampler> alert_sampler;  ///< for the API
    std::unique_ptr<alerts::QuerySampler> evaluator_sampler;
    std::unique_ptr<api::WatchedSampler> watched_sampler;  ///< the evaluator's, under the desk
    std::unique_ptr<notify::Outbox> outbox;
    std::unique_ptr<alerts::Webhooks> webhooks;
    std::unique_ptr<alerts::Evaluator> alert_evaluator;
    std::unique_ptr<api::AlertEndpoints> alert_endpoints;
    std::unique_ptr<http::Server> server;

    std::mutex watch_mutex;
    std::condition_variable watch_wake;
    bool watch_stopping = false;
    std::thread watch;

    Result<void> open_control_plane(const Config& config, const std::string& data_dir);
    Result<void> open_enricher(const Config& config);
    Result<void> open_store(const Config& config, const std::string& data_dir);
    Result<void> open_pipeline(const Config& config, const std::string& data_dir,
                               const std::function<void(const std::string&)>& progress);
    Result<void> open_server(const Config& config);
    Result<void> open_sql(const Config& config);
    void open_exports(const Config& config);
    Result<void> open_alerts(const Config& config);
    void watch_directory();
    void stop();
};

Result<void> Runtime::Parts::open_control_plane(const Config& config, const std::string& data_dir) {
    auto opened = open_directory(data_dir, clock);
    if (!opened) return fail(opened.error());
    directory = std::move(*opened);
    auto watched = directory::TenantWatch::start(*directory);
    if (!watched) return fail(watched.error());
    tenants = std::move(*watched);
    auto ring = auth::KeyRing::open(*directory, clock);
    if (!ring) return fail(ring.error());
    keys = std::move(*ring);
    passwords = std::make_unique<auth::PasswordHasher>();
    throttle = std::make_unique<auth::LoginThrottle>(clock);
    api_keys = std::make_unique<auth::ApiKeyVerifier>(*directory, clock);
    auth::TokenIssuerOptions issuing;
    issuing.realm = config.text("auth.realm");
    issuing.client_ids = config.list("auth.clients");
    auto redirects = pairs_setting(config, "auth.redirect_uris");
    if (!redirects) return fail(redirects.error());
    issuing.redirect_uris = std::move(*redirects);
    auto after_logout = pairs_setting(config, "auth.post_logout_redirect_uris");
    if (!after_logout) return fail(after_logout.error());
    issuing.post_logout_redirect_uris = std::move(*after_logout);
    issuer = std::make_unique<auth::TokenIssuer>(*directory, *keys, *passwords, *throttle,
                                                 *api_keys, entropy, clock, issuing);
    auth::TokenVerifierOptions verifying;
    verifying.realm = issuing.realm;
    verifier = std::make_unique<auth::TokenVerifier>(*keys, clock, verifying);
    auto external = IdentityProvider::open(config, clock);
    if (!external) return fail(external.error());
    provider = std::move(*external);
    auth::BearerVerifier& tokens =
        provider ? provider->verifier() : static_cast<auth::BearerVerifier&>(*verifier);
    access = std::make_unique<api::Access>(tokens, *api_keys, *tenants);
    return {};
}

Result<void> Runtime::Parts::open_enricher(const Config& config) {
    enrich::EnricherOptions options;
    options.geo_databases = config.list("geo_db");
    options.trusted_proxies = config.list("trusted_proxies");
    options.user_agent_rules = config.text("ua_rules");
    if (options.user_agent_rules.empty()) options.user_agent_rules = default_user_agent_rules();
    if (options.user_agent_rules.empty()) {
        log::warn(
            "no user-agent rules (ua_rules): browser, OS and device stay empty unless the "
            "player says them; ./dev setup fetches them");
    }
    std::array<std::uint8_t, 8> seed{};
    entropy.fill(seed);
    std::memcpy(&options.cache_seed, seed.data(), seed.size());
    auto created = enrich::Enricher::create(options);
    if (!created) return fail(created.error());
    enricher = std::move(*created);
    decoder = std::make_unique<ingest::RequestDecoder>(&enricher->user_agents());
    return {};
}

Result<void> Runtime::Parts::open_store(const Config& config, const std::string& data_dir) {
    store::chdb::ChdbOptions options;
    options.directory = data_dir + "/store";
    options.library_path = config.text("store.library");
    const auto limits = fair_limits(config);
    options.readers = limits.running_max + kConnectionsAside;
    options.patient_readers = limits.running_max + kConnectionsAside;
    options.server_memory_bytes_max =
        static_cast<std::uint64_t>(config.integer("store.memory_bytes_max"));
    // A customer's queries together stay within its share, since each stays within its part of it.
    options.query_memory_bytes_max = static_cast<std::uint64_t>(
        std::min(config.integer("query.memory_bytes_max"),
                 config.integer("query.tenant_memory_bytes_max") / limits.tenant_running_max));
    auto opened = store::chdb::open_chdb_store(options);
    if (!opened) return fail(opened.error());
    store = std::move(*opened);
    if (auto migrated = store->migrate(); !migrated) return migrated;
    if (auto applied = apply_retention(*store, config); !applied) return applied;
    auto loaded = query::Dictionary::load();
    if (!loaded) return fail(loaded.error());
    dictionary = std::make_unique<query::Dictionary>(std::move(*loaded));
    return {};
}

Result<void> Runtime::Parts::open_pipeline(
    const Config& config, const std::string& data_dir,
    const std::function<void(const std::string&)>& progress) {
    ingest::PipelineOptions options;
    options.data_dir = data_dir;
    options.changes = &changes;
    options.durability = config.text("ingest.durability") == "os" ? journal::Durability::Os
                                                                  : journal::Durability::Fsync;
    options.workers = static_cast<int>(config.integer("ingest.workers"));
    options.cut_interval_ms = config.integer("ingest.cut_interval_ms");
    options.whole_cut_interval_ms = config.integer("ingest.whole_cut_interval_ms");
    options.snapshot_interval_ms = config.integer("ingest.snapshot_interval_ms");
    options.journal_retention_ms = config.integer("retention.journal_days") * kDayMs;
    options.timeline.linger_ms = config.integer("ingest.linger_ms");
    options.timeline.live_row_ms = config.integer("ingest.live_row_ms");
    options.timeline.slice_ms = config.integer("ingest.slice_ms");
    options.timeline.retention_ms = config.integer("retention.sessions_days") * kDayMs;
    auto opened = ingest::Pipeline::open(options, *store, *decoder, clock, metrics, progress);
    if (!opened) return fail(opened.error());
    pipeline = std::move(*opened);
    const auto& recovery = pipeline->recovery();
    if (recovery.records > 0) {
        log::info("recovered: {} journal records replayed, {} blocks stored", recovery.records,
                  recovery.blocks_inserted);
    }
    for (const std::string& loss : recovery.losses) log::warn("journal: {}", loss);
    return {};
}

Result<void> Runtime::Parts::open_server(const Config& config) {
    http::ServerOptions options;
    options.net.listen = config.text("listen");
    options.net.shards = static_cast<int>(config.integer("shards"));
    options.net.tls.certificate_chain_file = config.text("tls.certificate");
    options.net.tls.private_key_file = config.text("tls.key");
    options.application.workers = 2 * cores() + 4;
    server = std::make_unique<http::Server>(options, clock, metrics);

    ingest::CollectorOptions collecting;
    collecting.public_url = config.text("public_url");
    collecting.body_bytes_max = static_cast<std::uint64_t>(config.integer("ingest.body_bytes_max"));
    collecting.rate_limit_per_address_per_s = config.integer("ingest.rate_limit_per_address_per_s");
    auto policy = enrich::parse_address_policy(config.text("address_policy"));
    if (!policy) return fail(policy.error());
    collecting.address_policy = *policy;
    collector = std::make_unique<ingest::Collector>(collecting, *pipeline, *decoder, *enricher,
                                                    *tenants, clock, metrics);
    collector->add_routes(server->router());

    api::OauthOptions oauth;
    oauth.realm = config.text("auth.realm");
    oauth.issuer_base = config.text("auth.public_url");
    contract = std::make_unique<api::Contract>(server->router(), access.get(), kVersion);
    api::add_schemas(*contract, *dictionary);
    api::describe_ingest(*contract);
    // With an external provider there must be no second way to get a token.
    if (!provider) api::add_oauth_routes(*contract, oauth, *issuer, *keys, *verifier, entropy);
    administration = std::make_unique<api::AdminEndpoints>(*directory, *passwords, entropy,
                                                           api::AdminOptions{provider == nullptr});
    administration->add_operations(*contract);
    api::add_operations_routes(*contract, metrics, [this] { return pipeline->status().trouble; });
    query::EngineOptions querying;
    querying.retention_days = config.integer("retention.sessions_days");
    querying.publication = [this] { return pipeline->publication(); };
    querying.time_limit_s = static_cast<double>(config.integer("query.time_limit_s"));
    querying.details_days =
        std::min(config.integer("retention.slices_days"), config.integer("retention.events_days"));
    querying.changes = &changes;
    querying.cache_bytes_max = static_cast<std::uint64_t>(config.integer("query.cache_bytes_max"));
    if (config.boolean("query.kept_days")) {
        query::KeptDays::Options keeping;
        keeping.retention_days = querying.retention_days;
        keeping.details_days = querying.details_days;
        kept_days = std::make_unique<query::KeptDays>(*store, changes, clock, keeping);
        kept_days->count_in(metrics);
        querying.days = kept_days.get();
    }
    engine = std::make_unique<query::Engine>(*store, *dictionary, clock, querying);
    engine->count_in(metrics);
    schedule = std::make_unique<query::Schedule>(
        fair_limits(config), static_cast<double>(config.integer("query.wait_limit_s")), clock,
        metrics);
    desk = std::make_unique<api::QueryDesk>(*engine, *schedule, running, metrics);
    endpoints = std::make_unique<api::QueryEndpoints>(
        *engine, *directory, *tenants, *desk, [this] { return pipeline->status().watermark_ms; });
    endpoints->add_operations(*contract);
    if (auto opened = open_sql(config); !opened) return opened;
    open_exports(config);
    if (auto opened = open_alerts(config); !opened) return opened;
    smart_queries = std::make_unique<api::SmartQueryEndpoint>(
        *engine, *desk, [this] { return pipeline->status().watermark_ms; });
    smart_queries->add_operations(*contract);
    api::add_documentation(*contract, default_docs_assets());
    return server->start();
}

Result<void> Runtime::Parts::open_sql(const Config& config) {
    query::SqlLimits limits;
    limits.rows_max = static_cast<std::uint64_t>(config.integer("sql.rows_max"));
    limits.memory_bytes_max = static_cast<std::uint64_t>(config.integer("sql.memory_bytes_max"));
    limits.time_limit_s = static_cast<double>(config.integer("sql.time_limit_s"));
    auto gate = query::SqlGate::open(*store, limits);
    if (!gate) return fail(gate.error());
    sql_gate = std::move(*gate);
    sql_endpoints =
        std::make_unique<api::SqlEndpoints>(*sql_gate, *engine, *desk, running, metrics);
    sql_endpoints->add_operations(*contract);
    return {};
}

void Runtime::Parts::open_exports(const Config& config) {
    exporter = std::make_unique<exports::Exporter>(
        *store, *directory, clock,
        exports::ExportPolicy{config.list("exports.roots"), config.list("exports.s3_endpoints")},
        config.text("data_dir") + "/exports");
    export_endpoints = std::make_unique<api::ExportEndpoints>(*exporter, *directory, running);
    export_endpoints->add_operations(*contract);
    exporter->start();
}

Result<void> Runtime::Parts::open_alerts(const Config& config) {
    alert_book = std::make_unique<alerts::AlertBook>(*store, clock);
    alert_sampler = std::make_unique<alerts::QuerySampler>(*engine);
    evaluator_sampler = std::make_unique<alerts::QuerySampler>(*engine, "alert-evaluator");
    watched_sampler = std::make_unique<api::WatchedSampler>(*evaluator_sampler, *desk);
    auto policy = notify::WebhookPolicy::make(config.list("alerts.webhook_networks"));
    if (!policy) return fail(policy.error());
    outbox = std::make_unique<notify::Outbox>(
        *directory, clock, metrics, std::move(*policy), [this](const notify::Notification& sent) {
            // The origin only: what follows it is often a secret.
            const auto url = notify::split_url(sent.url);
            const auto noted =
                alert_book->add_notified(static_cast<std::uint64_t>(sent.customer_id), sent.subject,
                                         url ? url->origin : std::string());
            if (!noted) log::warn("alert {}: {}", sent.subject, noted.error().message);
        });
    if (auto read = outbox->open(); !read) return read;
    webhooks = std::make_unique<alerts::Webhooks>(*outbox);
    alert_evaluator = std::make_unique<alerts::Evaluator>(
        *directory, *watched_sampler, *alert_book, webhooks.get(),
        [this] { return pipeline->status().watermark_ms; }, config.integer("alerts.settle_s"));
    alert_endpoints = std::make_unique<api::AlertEndpoints>(
        *directory, *alert_book, *alert_sampler, outbox->policy(), *desk, clock,
        config.integer("retention.sessions_days"));
    alert_endpoints->add_operations(*contract);
    outbox->start();
    alert_evaluator->start();
    return {};
}

void Runtime::Parts::watch_directory() {
    std::unique_lock hold(watch_mutex);
    while (!watch_stopping) {
        watch_wake.wait_for(hold, std::chrono::milliseconds(500));
        if (watch_stopping) return;
        hold.unlock();
        if (auto polled = tenants->poll(); !polled) {
            log::warn("customers not reloaded: {}", polled.error().message);
        } else if (*polled) {
            if (auto reloaded = keys->reload(); !reloaded) {
                log::warn("signing keys not reloaded: {}", reloaded.error().message);
            }
        }
        hold.lock();
    }
}

void Runtime::Parts::stop() {
    if (server) server->drain_and_stop(kDrainMs);
    if (desk) desk->close();
    if (exporter) exporter->stop();
    if (alert_evaluator) alert_evaluator->stop();
    if (outbox) outbox->stop();
    if (pipeline) pipeline->stop(kStoreOnStopMs);
    {
        const std::lock_guard hold(watch_mutex);
        watch_stopping = true;
    }
    watch_wake.notify_all();
    if (watch.joinable()) watch.join();
}

Runtime::Runtime(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Runtime::~Runtime() {
    stop();
}

Result<std::unique_ptr<Runtime>> Runtime::start(
    const Config& config, const std::function<void(const std::string&)>& progress) {
    auto data_dir = prepare_data_dir(config.text("data_dir"));
    if (!data_dir) return fail(data_dir.error());
    auto lock = DataDirLock::take(*data_dir);
    if (!lock) return fail(lock.error());
    auto parts = std::make_unique<Parts>(std::move(*lock));
    Result<void> done = parts->open_control_plane(config, *data_dir);
    if (done) done = parts->open_enricher(config);
    if (done) done = parts->open_store(config, *data_dir);
    if (done) done = parts->open_pipeline(config, *data_dir, progress);
    if (done) done = parts->open_server(config);
    if (!done) {
        parts->stop();
        return fail(done.error());
    }
    parts->watch = std::thread([&running = *parts] { running.watch_directory(); });
    return std::unique_ptr<Runtime>(new Runtime(std::move(parts)));
}

std::string Runtime::url() const {
    return fmt::format("http://127.0.0.1:{}", port());
}

std::uint16_t Runtime::port() const {
    return parts_->server->port();
}

ingest::Pipeline& Runtime::pipeline() {
    return *parts_->pipeline;
}

void Runtime::stop() {
    parts_->stop();
}

}  // namespace playhead::app
