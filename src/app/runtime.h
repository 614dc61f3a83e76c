/// Everything of a running server, wired: store, pipeline, control plane, HTTP. `serve` and
/// `verify` use it; nothing else is the same process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "app/config.h"
#include "base/result.h"
#include "ingest/pipeline.h"

namespace playhead::app {

/// Starts in order (control plane, store, recovery, HTTP) and stops in the reverse one. `start`
/// and `stop` on one thread; the rest from any.
class Runtime {
public:
    /// `progress` hears one line for anything that takes longer than a moment. Errors carry one
    /// clear sentence: directory in use, not writable, of a newer version, engine missing, port
    /// taken. Requires store::chdb::prepare_process before.
    static Result<std::unique_ptr<Runtime>> start(
        const Config& config, const std::function<void(const std::string&)>& progress);
    ~Runtime();

    /// "http://127.0.0.1:8080", with the real port.
    std::string url() const;
    std::uint16_t port() const;
    ingest::Pipeline& pipeline();
    /// Stops taking requests, stores what was acknowledged, closes everything; within 5 s. What is
    /// not stored by then is in the journal.
    void stop();

private:
    struct Parts;
    explicit Runtime(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace playhead::app
