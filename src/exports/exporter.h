/// Runs what is due. One thread of its own; all methods thread safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "directory/directory.h"
#include "exports/definition.h"
#include "store/store.h"

namespace playhead::exports {

/// Rows of one part; a day with more has more parts.
inline constexpr std::uint64_t kRowsPerPart = 1'000'000;

/// What was last written of a day.
struct WrittenDay {
    std::string content;  ///< a hash over the day's rows
    std::uint64_t rows = 0;
    std::uint64_t parts = 0;
};

/// Kept in the directory beside the definition.
struct ExportState {
    std::int64_t ran_s = 0;  ///< the last whole run
    std::string error;       ///< of the last run; empty when it went well
    std::map<std::string, WrittenDay> days;
};

/// As an object; `with_content` also the hashes, which are of no use outside.
void write_state(JsonWriter& json, const ExportState& state, bool with_content);

class Exporter {
public:
    /// `scratch` is a directory for parts in the making; what lies there is removed.
    Exporter(store::Store& store, directory::Directory& directory, const Clock& clock,
             ExportPolicy policy, std::string scratch);
    ~Exporter();
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;

    void start();
    void stop();

    const ExportPolicy& policy() const noexcept { return policy_; }
    Result<std::vector<Definition>> list(std::int64_t customer_id) const;
    Result<Definition> find(std::int64_t customer_id, std::string_view id) const;
    Result<void> put(const Definition& definition);
    /// Forgets the export and its state; its files stay.
    Result<void> remove(std::int64_t customer_id, std::string_view id);
    Result<ExportState> state(std::int64_t customer_id, std::string_view id) const;

    /// Writes every day in the look-back whose rows are not those written last. What was done
    /// before an error is kept. Blocks; one run at a time.
    Result<ExportState> run(const Definition& definition);

private:
    void work();
    bool is_due(const Definition& definition, const ExportState& state) const;
    Result<void> write_days(const Definition& definition, ExportState& state);
    Result<void> write_day(const Definition& definition, const std::string& day,
                           const WrittenDay& now, ExportState& state);
    Result<void> write_part(const Definition& definition, const std::string& day,
                            std::uint64_t part, std::uint64_t parts, const std::string& local);
    Result<void> save(const Definition& definition, const ExportState& state);

    store::Store& store_;
    directory::Directory& directory_;
    const Clock& clock_;
    ExportPolicy policy_;
    std::string scratch_;
    std::mutex run_mutex_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace playhead::exports
