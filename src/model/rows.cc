#include "model/rows.h"

namespace playhead::model {

const char* name_of(ViewStatus status) noexcept {
    switch (status) {
        case ViewStatus::Loaded: return "LOADED";
        case ViewStatus::Running: return "RUNNING";
        case ViewStatus::Ended: return "ENDED";
        case ViewStatus::Failed: return "FAILED";
        case ViewStatus::Exited: return "EXITED";
        case ViewStatus::Dropped: return "DROPPED";
    }
    return "LOADED";
}

AdditiveCounters& AdditiveCounters::operator+=(const AdditiveCounters& other) noexcept {
    for (const auto& column : kCounterColumns) this->*column.field += other.*column.field;
    return *this;
}

AdditiveCounters& AdditiveCounters::operator-=(const AdditiveCounters& other) noexcept {
    for (const auto& column : kCounterColumns) this->*column.field -= other.*column.field;
    return *this;
}

}  // namespace playhead::model
