#include "importers/session_table.h"

#include <fmt/format.h>

#include <filesystem>

#include "importers/csv_reader.h"

namespace playhead::importers {

namespace {

constexpr std::uint64_t kRowsAtOnce = 10'000;
constexpr const char* kStaging = "import_staging";
constexpr const char* kRowNumber = "playhead_row";

class CsvTable final : public SessionTable {
public:
    explicit CsvTable(LineSource source) : reader_(std::move(source)) {}

    Result<void> read_header() {
        auto any = reader_.next(columns_);
        if (!any) return fail(any.error());
        if (*any) return {};
        return fail(ErrorCode::InvalidArgument, reader_.name() + " is empty: no names of columns");
    }

    const std::vector<std::string>& columns() const noexcept override { return columns_; }
    Result<bool> next(std::vector<std::string>& fields) override {
        auto any = reader_.next(fields);
        if (any && *any && fields.size() != columns_.size()) {
            return fail(ErrorCode::InvalidArgument,
                        fmt::format("{} fields where the first row has {}", fields.size(),
                                    columns_.size()));
        }
        return any;
    }
    std::uint64_t line() const noexcept override { return reader_.line(); }

private:
    CsvReader reader_;
    std::vector<std::string> columns_;
};

std::string text_of(const store::Cell& cell) {
    const auto* text = std::get_if<std::string>(&cell);
    return text == nullptr ? std::string() : *text;
}

class ParquetTable final : public SessionTable {
public:
    explicit ParquetTable(store::Store& store) : store_(store) {}
    ~ParquetTable() override { (void)drop(); }
    ParquetTable(const ParquetTable&) = delete;
    ParquetTable& operator=(const ParquetTable&) = delete;

    Result<void> load(const std::string& path) {
        // What an earlier run that was killed has left.
        if (auto dropped = drop(); !dropped) return dropped;
        store::Statement statement;
        // One thread: rows keep the numbers that they have in the file.
        statement.sql = fmt::format(
            "CREATE TABLE {} ENGINE = MergeTree ORDER BY {} AS SELECT rowNumberInAllBlocks() AS {},"
            " * FROM file({{path:String}}, 'Parquet') SETTINGS max_threads = 1",
            kStaging, kRowNumber, kRowNumber);
        statement.parameters.push_back({"path", path, false});
        if (auto made = store_.execute(statement); !made) {
            return fail(ErrorCode::InvalidArgument,
                        fmt::format("{} cannot be read as Parquet: {}", path,
                                    made.error().message.substr(0, 300)));
        }
        auto described = store_.query({fmt::format("DESCRIBE TABLE {}", kStaging), {}}, {});
        if (!described) return fail(described.error());
        for (const auto& row : described->rows) {
            const std::string name = text_of(row[0]);
            if (name == kRowNumber) continue;
            columns_.push_back(name);
            add_expression(name, text_of(row[1]));
        }
        return {};
    }

    const std::vector<std::string>& columns() const noexcept override { return columns_; }

    Result<bool> next(std::vector<std::string>& fields) override {
        if (at_ == page_.rows.size()) {
            if (ended_) return false;
            store::Statement statement;
            statement.sql = fmt::format(
                "SELECT {} FROM {} WHERE {} >= {{a:UInt64}} AND {} < {{b:UInt64}} ORDER BY {}",
                expressions_, kStaging, kRowNumber, kRowNumber, kRowNumber);
            statement.parameters.push_back({"a", std::to_string(read_), false});
            statement.parameters.push_back({"b", std::to_string(read_ + kRowsAtOnce), false});
            auto page = store_.query(statement, {});
            if (!page) return fail(Error{ErrorCode::Unavailable, page.error().message, {}, {}, {}});
            page_ = std::move(*page);
            at_ = 0;
            ended_ = page_.rows.size() < kRowsAtOnce;
            if (page_.rows.empty()) return false;
        }
        fields.clear();
        fields.reserve(columns_.size());
        for (const auto& cell : page_.rows[at_]) fields.push_back(text_of(cell));
        ++at_;
        ++read_;
        return true;
    }

    std::uint64_t line() const noexcept override { return read_; }

private:
    Result<void> drop() {
        return store_.execute({fmt::format("DROP TABLE IF EXISTS {}", kStaging), {}});
    }

    void add_expression(const std::string& name, const std::string& type) {
        const std::string column = store::quoted_identifier(name);
        // Date, Date32, DateTime, DateTime64, nullable or not.
        const bool time =
            type.find("Date") != std::string::npos && type.find("Array") == std::string::npos &&
            type.find("Map") == std::string::npos && type.find("Tuple") == std::string::npos;
        const std::string value =
            time ? fmt::format("toUnixTimestamp64Milli(toDateTime64({}, 3, 'UTC'))", column)
                 : column;
        if (!expressions_.empty()) expressions_ += ", ";
        expressions_ += fmt::format("ifNull(toString({}), '')", value);
    }

    store::Store& store_;
    std::vector<std::string> columns_;
    std::string expressions_;
    store::ResultTable page_;
    std::size_t at_ = 0;
    std::uint64_t read_ = 0;
    bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<SessionTable>> open_csv(const std::string& path) {
    auto source = LineSource::open(path);
    if (!source) return fail(source.error());
    auto table = std::make_unique<CsvTable>(std::move(*source));
    if (auto read = table->read_header(); !read) return fail(read.error());
    return table;
}

Result<std::unique_ptr<SessionTable>> open_parquet(const std::string& path, store::Store& store) {
    std::error_code error;
    const std::string absolute = std::filesystem::absolute(path, error).string();
    if (!std::filesystem::is_regular_file(absolute, error)) {
        return fail(ErrorCode::NotFound, fmt::format("cannot read {}", path));
    }
    // The engine would take these for patterns of names.
    if (absolute.find_first_of("*?{}[]|\\'") != std::string::npos) {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("{}: a name without * ? {{ }} [ ] | \\ ' expected", path));
    }
    auto table = std::make_unique<ParquetTable>(store);
    if (auto loaded = table->load(absolute); !loaded) return fail(loaded.error());
    return table;
}

Result<std::unique_ptr<SessionTable>> open_table(const std::string& path, store::Store* store) {
    if (!path.ends_with(".parquet")) return open_csv(path);
    if (store == nullptr) return fail(ErrorCode::Internal, "Parquet needs the engine");
    return open_parquet(path, *store);
}

}  // namespace playhead::importers
