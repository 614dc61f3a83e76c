#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace playhead {

void check_failed(const char* condition, const char* file, int line) noexcept {
    std::fprintf(stderr, "playhead: internal check failed: %s (%s:%d)\n", condition, file, line);
    std::abort();
}

}  // namespace playhead
