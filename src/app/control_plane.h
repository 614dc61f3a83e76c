/// What the administrative subcommands share: the data directory and its directory file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "directory/directory.h"

namespace playhead::app {

/// Makes the path absolute and the directory if need be. Unavailable when it cannot be written,
/// Unprocessable when a newer version wrote it.
Result<std::string> prepare_data_dir(const std::string& path);

/// Opens `<data_dir>/directory.sqlite`.
Result<std::unique_ptr<directory::Directory>> open_directory(const std::string& data_dir,
                                                             const Clock& clock);

/// Prints "playhead: <message>" on stderr and returns 1.
int complain(const Error& error);

}  // namespace playhead::app
