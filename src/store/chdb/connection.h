/// One connection to the engine: one thread at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/chdb/engine_library.h"
#include "store/store.h"

namespace playhead::store::chdb {

/// A finished result; frees the engine's memory.
class Answer {
public:
    Answer(const EngineApi& api, EngineResult* result) : api_(&api), result_(result) {}
    Answer(Answer&& other) noexcept : api_(other.api_), result_(other.result_) {
        other.result_ = nullptr;
    }
    Answer& operator=(Answer&&) = delete;
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    ~Answer();

    bool valid() const noexcept { return result_ != nullptr; }
    EngineResult* handle() const noexcept { return result_; }
    std::string_view bytes() const;
    std::string_view error() const;  ///< empty = none
    double elapsed_s() const { return api_->result_elapsed(result_); }
    std::uint64_t rows_read() const { return api_->result_storage_rows_read(result_); }
    std::uint64_t bytes_read() const { return api_->result_storage_bytes_read(result_); }

private:
    const EngineApi* api_;
    EngineResult* result_;
};

/// Turns the engine's error text into ours: full disk and memory → Unavailable, limits → Timeout,
/// killed → Cancelled, else Internal; one line.
Error error_of(std::string_view engine_text);

/// The number in the engine's error text, 0 when there is none.
int engine_code(std::string_view engine_text);

class Connection {
public:
    /// Opens; `arguments` are the engine's `--name=value`. Starts the engine on the first one.
    static Result<Connection> open(const EngineApi& api, const std::vector<std::string>& arguments);
    Connection(Connection&& other) noexcept : api_(other.api_), outer_(other.outer_) {
        other.outer_ = nullptr;
    }
    Connection& operator=(Connection&&) = delete;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    /// Runs one statement and returns the whole answer in `format`. `reason` gets the engine's own
    /// text of an error.
    Result<Answer> query(std::string_view sql, const std::vector<Parameter>& parameters,
                         std::string_view format, std::string* reason = nullptr);

    /// The same in chunks; `sink` returns false to stop.
    Result<void> stream(std::string_view sql, const std::vector<Parameter>& parameters,
                        std::string_view format, const std::function<bool(std::string_view)>& sink,
                        std::string* reason = nullptr);

    /// Runs an INSERT whose data are `native` blocks.
    Result<void> insert(std::string_view sql, std::string_view native);

private:
    Connection(const EngineApi& api, EngineConnection** outer) : api_(&api), outer_(outer) {}

    const EngineApi* api_;
    EngineConnection** outer_;
};

}  // namespace playhead::store::chdb
