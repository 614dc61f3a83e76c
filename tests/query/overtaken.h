// A store in whose derivations something may happen.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "store/store.h"

namespace playhead::query::test {

/// Lets something happen while days are being made.
class Overtaken : public store::Store {
public:
    explicit Overtaken(store::Store& inner) : inner_(inner) {}
    std::function<void()> meanwhile;

    Result<void> migrate() override { return inner_.migrate(); }
    Result<void> insert(const store::ColumnBatch& batch, std::string_view token) override {
        return inner_.insert(batch, token);
    }
    Result<store::ResultTable> query(const store::Statement& statement,
                                     const store::QueryOptions& options) override {
        return inner_.query(statement, options);
    }
    Result<void> stream(const store::Statement& statement, std::string_view format,
                        const store::QueryOptions& options,
                        const std::function<bool(std::string_view)>& sink) override {
        return inner_.stream(statement, format, options, sink);
    }
    Result<std::uint64_t> largest(std::string_view table, std::string_view column) override {
        return inner_.largest(table, column);
    }
    Result<void> execute(const store::Statement& statement) override {
        return inner_.execute(statement);
    }
    Result<void> derive(const store::Statement& statement,
                        const store::QueryOptions& options) override {
        auto done = inner_.derive(statement, options);
        if (meanwhile) std::exchange(meanwhile, nullptr)();
        return done;
    }
    bool cancel(std::string_view query_id) override { return inner_.cancel(query_id); }
    std::uint64_t free_bytes() const override { return inner_.free_bytes(); }

private:
    store::Store& inner_;
};

}  // namespace playhead::query::test
