/// Statement text with bound parameters, and the one place where a table is read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace playhead::query {

/// Collects the parameters of a statement. Not thread safe; one per statement.
class SqlParameters {
public:
    explicit SqlParameters(std::uint64_t customer_id);

    /// Binds a value; returns its place holder, e.g. `{p3:String}`.
    std::string text(std::string_view value);
    std::string number(double value);
    std::string integer(std::int64_t value);
    std::string unsigned_integer(std::uint64_t value);
    /// A DateTime64 of epoch seconds.
    std::string time(std::int64_t epoch_s);
    /// A DateTime of epoch seconds, for columns without milliseconds.
    std::string whole_time(std::int64_t epoch_s);

    std::vector<store::Parameter> take() { return std::move(parameters_); }

private:
    std::string bind(std::string value, std::string_view type);

    std::vector<store::Parameter> parameters_;
};

/// `FROM <table> [FINAL] WHERE customerid = <customer>`: every read of a table of ours goes through
/// here, so that no statement can forget the customer.
std::string scope(std::string_view table, bool final_rows);

}  // namespace playhead::query
