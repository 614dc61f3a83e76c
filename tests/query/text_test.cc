// Runs tests/query/*.test: text files of rows, requests and expected answers.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "base/json_writer.h"
#include "query/engine.h"
#include "query/envelope.h"
#include "seed.h"
#include "store/store.h"

namespace playhead::query::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> test_files() {
    std::vector<std::string> out;
    for (const auto& entry :
         fs::directory_iterator(fs::path(PLAYHEAD_SOURCE_DIR) / "tests/query")) {
        if (entry.path().extension() == ".test") out.push_back(entry.path().stem().string());
    }
    std::sort(out.begin(), out.end());
    return out;
}

struct Case {
    int line = 0;
    std::string endpoint, parameters, error, error_parameter;
    std::uint64_t customer = 1;
    bool any_order = false;
    std::vector<std::string> sql, not_sql, rows;
    bool expects_rows = false;
    int total = -1;
};

struct File {
    std::vector<std::pair<std::string, std::map<std::string, std::string>>> seeds;
    std::vector<Case> cases;
};

std::map<std::string, std::string> fields_of(std::istream& in) {
    std::map<std::string, std::string> out;
    for (std::string word; in >> word;) {
        const auto equals = word.find('=');
        out[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
    }
    return out;
}

std::string rest_of(std::istream& in) {
    std::string out;
    std::getline(in >> std::ws, out);
    return out;
}

void read_line(const std::string& line, int number, File& out) {
    std::istringstream in(line);
    std::string word;
    in >> word;
    if (word == "session" || word == "live_session" || word == "slice" || word == "ad" ||
        word == "event") {
        out.seeds.emplace_back(word, fields_of(in));
    } else if (word == "request") {
        Case next;
        next.line = number;
        in >> next.endpoint;
        next.parameters = rest_of(in);
        out.cases.push_back(next);
    } else if (word == "as") {
        in >> out.cases.back().customer;
    } else if (word == "sql") {
        out.cases.back().sql.push_back(rest_of(in));
    } else if (word == "not-sql") {
        out.cases.back().not_sql.push_back(rest_of(in));
    } else if (word == "error") {
        in >> out.cases.back().error >> out.cases.back().error_parameter;
    } else if (word == "row") {
        out.cases.back().expects_rows = true;
        out.cases.back().rows.push_back(rest_of(in));
    } else if (word == "no-rows") {
        out.cases.back().expects_rows = true;
    } else if (word == "total") {
        in >> out.cases.back().total;
    } else {
        throw std::invalid_argument("cannot read line " + std::to_string(number) + ": " + line);
    }
}

File read_file(const fs::path& path) {
    std::ifstream in(path);
    File out;
    int number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.empty() || line.front() == '#') continue;
        read_line(line, number, out);
    }
    return out;
}

Parameters parameters_of(const std::string& text) {
    Parameters out;
    std::istringstream in(text);
    for (std::string piece; std::getline(in, piece, '&');) {
        const auto equals = piece.find('=');
        out.emplace_back(piece.substr(0, equals), piece.substr(equals + 1));
    }
    return out;
}

Endpoint endpoint_of(const std::string& name) {
    if (name == "qbrdata") return Endpoint::QbrData;
    if (name == "live") return Endpoint::QbrDataLive;
    if (name == "listsessions") return Endpoint::ListSessions;
    if (name == "error") return Endpoint::Error;
    EXPECT_EQ(name, "metricquery");
    return Endpoint::MetricQuery;
}

/// One row as the text of its JSON members, e.g. `{"plays":1,"country":"DE"}`.
std::string row_text(const Answer& answer, const std::vector<store::Cell>& row) {
    std::string out = "{";
    for (const auto& name : answer.field_order) {
        for (std::size_t i = 0; i < answer.columns.size(); ++i) {
            if (answer.columns[i].name != name) continue;
            if (out.size() > 1) out += ",";
            append_json_string(out, name);
            out += ":";
            append_cell(out, answer.columns[i], row[i]);
        }
    }
    return out + "}";
}

class QueryText : public ::testing::TestWithParam<std::string> {};

void run_case(const Case& each, std::uint64_t base) {
    const ManualClock clock(1'800'000'000'000);
    const auto request = parse_request(parameters_of(each.parameters), endpoint_of(each.endpoint),
                                       dictionary(), {clock.now_ms() / 1000, 400});
    if (!each.error.empty()) {
        Error error;
        if (!request) {
            error = request.error();
        } else {
            const auto plan = plan_query(*request, dictionary(), base + each.customer);
            ASSERT_FALSE(plan);
            error = plan.error();
        }
        EXPECT_EQ(std::to_string(http_status(error.code)), each.error) << error.message;
        EXPECT_EQ(error.parameter, each.error_parameter) << error.message;
        EXPECT_FALSE(error.expected.empty());
        return;
    }
    ASSERT_TRUE(request) << request.error().message << " / " << request.error().expected;
    const auto plan = plan_query(*request, dictionary(), base + each.customer);
    ASSERT_TRUE(plan) << plan.error().message;
    for (const auto& part : each.sql) {
        EXPECT_NE(plan->statement.sql.find(part), std::string::npos) << plan->statement.sql;
    }
    for (const auto& part : each.not_sql) {
        EXPECT_EQ(plan->statement.sql.find(part), std::string::npos) << plan->statement.sql;
    }
    auto* store = engine_store();
    if (store == nullptr || (!each.expects_rows && each.total < 0)) return;
    const Engine engine(*store, dictionary(), clock, {});
    const auto answer = engine.run(*request, base + each.customer);
    ASSERT_TRUE(answer) << answer.error().message << "\n" << plan->statement.sql;
    if (each.total >= 0) {
        EXPECT_EQ(answer->total_records, each.total);
    }
    if (!each.expects_rows) return;
    std::vector<std::string> rows;
    for (const auto& row : answer->rows) rows.push_back(row_text(*answer, row));
    EXPECT_EQ(rows, each.rows) << plan->statement.sql;
}

TEST_P(QueryText, AnswersAsWritten) {
    const auto file =
        read_file(fs::path(PLAYHEAD_SOURCE_DIR) / "tests/query" / (GetParam() + ".test"));
    // Each file has customers of its own in the one store of this process.
    static std::uint64_t base = 0;
    base += 1000;
    if (auto* store = engine_store()) {
        for (auto [table, fields] : file.seeds) {
            const auto customer = fields.contains("customer") ? std::stoull(fields["customer"]) : 1;
            fields["customer"] = std::to_string(base + customer);
            seed(*store, table, fields);
        }
    }
    for (const auto& each : file.cases) {
        SCOPED_TRACE(GetParam() + ".test:" + std::to_string(each.line));
        run_case(each, base);
    }
}

INSTANTIATE_TEST_SUITE_P(Files, QueryText, ::testing::ValuesIn(test_files()),
                         [](const auto& file) { return file.param; });

}  // namespace
}  // namespace playhead::query::test
