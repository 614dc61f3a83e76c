#include "api/query_desk.h"

#include <chrono>
#include <memory>
#include <utility>

#include "net/problem.h"

namespace playhead::api {

namespace {

/// Times a query into the histogram, failed ones too.
class Timing {
public:
    explicit Timing(Histogram& histogram) : histogram_(histogram) {}
    ~Timing() {
        const auto passed = std::chrono::steady_clock::now() - begun_;
        histogram_.observe(std::chrono::duration<double>(passed).count());
    }
    Timing(const Timing&) = delete;
    Timing& operator=(const Timing&) = delete;

private:
    Histogram& histogram_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

std::shared_ptr<query::Turn> turn_of(std::uint64_t customer_id, const std::string& query_id) {
    auto turn = std::make_shared<query::Turn>();
    turn->customer_id = customer_id;
    turn->query_id = query_id;
    turn->name = query::running_name(query_id, customer_id);
    return turn;
}

}  // namespace

QueryDesk::QueryDesk(const query::Engine& engine, query::Schedule& schedule,
                     RunningQueries& running, MetricsRegistry& metrics)
    : engine_(engine),
      schedule_(schedule),
      running_(running),
      seconds_(metrics.histogram("playhead_query_seconds", "",
                                 "Time of API queries from their turn to their answer")),
      failures_(metrics.counter("playhead_query_failures_total", "",
                                "Queries that failed for a reason of ours")) {}

void QueryDesk::hand_in(std::uint64_t customer_id, const std::string& query_id,
                        net::Responder responder, Work work) {
    // Shared, since a job can be copied and a responder not.
    const auto held = std::make_shared<net::Responder>(std::move(responder));
    const auto entry = std::make_shared<RunningQuery>(running_, query_id, customer_id);
    const auto turn = turn_of(customer_id, query_id);
    // Set before the job may answer: one thread at a time has the responder.
    held->on_disconnect([this, customer_id, query_id, turn] {
        turn->cancelled = true;
        cancel(query_id, customer_id);
    });
    const auto taken = schedule_.submit(
        turn, [this, held, entry, query_id, work = std::move(work)](const Result<void>& admitted) {
            if (!admitted) return refuse(admitted.error(), query_id, *held, *entry);
            const Timing timing(seconds_);
            work(*held, *entry);
        });
    if (!taken) refuse(taken.error(), query_id, *held, *entry);
}

void QueryDesk::refuse(const Error& error, std::string_view query_id, net::Responder& responder,
                       RunningQuery& entry) {
    entry.end({error.code});
    responder.send(refusal(error, query_id));
}

void QueryDesk::run_aside(std::uint64_t customer_id, const std::function<Outcome()>& work) {
    const auto query_id = new_id();
    const auto turn = turn_of(customer_id, query_id);
    turn->patient = true;
    RunningQuery entry(running_, query_id, customer_id);
    const query::Turn::Scope scope(*turn);
    const Timing timing(seconds_);
    entry.end(work());
}

bool QueryDesk::cancel(std::string_view query_id, std::uint64_t customer_id) {
    const bool scheduled = schedule_.cancel(customer_id, query_id);
    return engine_.cancel(query_id, customer_id) || scheduled;
}

void QueryDesk::close() {
    for (const auto& turn : schedule_.turns()) cancel(turn->query_id, turn->customer_id);
    schedule_.stop();
}

net::Response QueryDesk::refusal(const Error& error, std::string_view query_id) {
    auto response = net::problem_response(error);
    // Not the store's fault when the client left.
    if (response.status >= 500) failures_.add();
    if (error.code == ErrorCode::TooManyRequests) response.add("Retry-After", "1");
    response.add("X-Query-Id", query_id);
    return response;
}

void QueryDesk::note_kept(std::uint64_t customer_id, const std::string& query_id) {
    RunningQuery(running_, query_id, customer_id).end({});
    seconds_.observe(0);
}

}  // namespace playhead::api
