// See README.md beside this file.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/server.h"

namespace {

using namespace playhead;

/// Answers what it was given, all at once, every millisecond.
class BatchCommitter {
public:
    BatchCommitter() : thread_([this] { run(); }) {}
    ~BatchCommitter() {
        stop_ = true;
        thread_.join();
    }
    void add(http::Responder responder) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(responder));
    }

private:
    void run() {
        while (!stop_) {
            std::vector<http::Responder> batch;
            {
                const std::lock_guard lock(mutex_);
                batch.swap(waiting_);
            }
            for (auto& responder : batch) responder.send(http::Response(204));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    std::mutex mutex_;
    std::vector<http::Responder> waiting_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    SystemClock clock;
    MetricsRegistry metrics;
    http::ServerOptions options;
    options.net.listen = "127.0.0.1:" + std::string(argc > 1 ? argv[1] : "0");
    options.net.shards = argc > 2 ? std::atoi(argv[2]) : 1;
    const bool deferred = argc > 3 && std::string_view(argv[3]) == "deferred";
    BatchCommitter committer;
    http::Server server(options, clock, metrics);
    const http::RouteOptions inline_route{http::RunOn::Reactor, http::kBodyBytesMaxDefault, true};
    server.router().add(http::Method::Post, "/produce", inline_route,
                        [&](http::Request&, http::Responder responder) {
                            if (deferred) {
                                committer.add(std::move(responder));
                            } else {
                                responder.send(http::Response(204));
                            }
                        });
    if (const auto started = server.start(); !started) {
        std::fprintf(stderr, "http_floor: %s\n", started.error().message.c_str());
        return 1;
    }
    std::printf("http://127.0.0.1:%u\n", static_cast<unsigned>(server.port()));
    std::fflush(stdout);
    int signal = 0;
    sigwait(&signals, &signal);
    server.drain_and_stop(1000);
    return 0;
}
