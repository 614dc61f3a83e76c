/// Where an export's files go.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "exports/definition.h"

namespace playhead::exports {

/// Largest object of a single PUT; a day with more rows has more parts.
inline constexpr std::uint64_t kObjectBytesMax = 512ULL << 20U;

/// One thread.
class Target {
public:
    virtual ~Target() = default;
    /// Puts the file at `local` under `name` ("customerid=1/date=…/part-00000.parquet"): whole or
    /// not at all, over what is there. Takes the local file away.
    virtual Result<void> put(const std::string& local, const std::string& name) = 0;
    /// Takes a file away; fine when it is not there.
    virtual Result<void> remove(const std::string& name) = 0;
};

/// `definition` has passed `parse_definition` under the policy of now.
std::unique_ptr<Target> open_target(const Definition& definition, const Clock& clock);

}  // namespace playhead::exports
