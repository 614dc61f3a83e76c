#include "query/sql.h"

#include <fmt/format.h>

namespace playhead::query {

SqlParameters::SqlParameters(std::uint64_t customer_id) {
    parameters_.push_back({"customer", std::to_string(customer_id), false});
}

std::string SqlParameters::bind(std::string value, std::string_view type) {
    std::string name = "p" + std::to_string(parameters_.size() - 1);
    std::string holder = fmt::format("{{{}:{}}}", name, type);
    parameters_.push_back({std::move(name), std::move(value), false});
    return holder;
}

std::string SqlParameters::text(std::string_view value) {
    return bind(std::string(value), "String");
}

std::string SqlParameters::number(double value) {
    return bind(fmt::format("{}", value), "Float64");
}

std::string SqlParameters::integer(std::int64_t value) {
    return bind(std::to_string(value), "Int64");
}

std::string SqlParameters::unsigned_integer(std::uint64_t value) {
    return bind(std::to_string(value), "UInt64");
}

std::string SqlParameters::time(std::int64_t epoch_s) {
    return "fromUnixTimestamp64Milli(" + integer(epoch_s * 1000) + ", 'UTC')";
}

std::string SqlParameters::whole_time(std::int64_t epoch_s) {
    return "toDateTime(" + integer(epoch_s) + ", 'UTC')";
}

std::string scope(std::string_view table, bool final_rows) {
    return fmt::format("FROM {}{} WHERE customerid = {{customer:UInt64}}", table,
                       final_rows ? " FINAL" : "");
}

}  // namespace playhead::query
