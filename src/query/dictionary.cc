#include "query/dictionary.h"

#include <algorithm>

namespace playhead::query {

const char* name_of(Source source) noexcept {
    switch (source) {
        case Source::Sessions: return "sessions";
        case Source::Slices: return "slices";
        case Source::AdViews: return "ad_views";
        case Source::Errors: return "errors";
    }
    return "sessions";
}

Result<void> Dictionary::index() {
    const auto add = [this](auto& target, const std::string& name,
                            std::size_t position) -> Result<void> {
        if (metric_index_.contains(name) || dimension_index_.contains(name)) {
            return fail_parameter("key", name, "keys and aliases that occur once",
                                  "dictionary: \"" + name + "\" is named twice");
        }
        target.emplace(name, position);
        names_.push_back(name);
        return {};
    };
    const auto add_all = [&](auto& target, const auto& entries) -> Result<void> {
        for (std::size_t position = 0; position < entries.size(); ++position) {
            if (auto added = add(target, entries[position].key, position); !added) return added;
            for (const auto& alias : entries[position].aliases) {
                if (auto added = add(target, alias, position); !added) return added;
            }
        }
        return {};
    };
    if (auto added = add_all(metric_index_, metrics_); !added) return added;
    return add_all(dimension_index_, dimensions_);
}

const Metric* Dictionary::metric(std::string_view name) const {
    const auto found = metric_index_.find(name);
    return found == metric_index_.end() ? nullptr : &metrics_[found->second];
}

const Dimension* Dictionary::dimension(std::string_view name) const {
    const auto found = dimension_index_.find(name);
    return found == dimension_index_.end() ? nullptr : &dimensions_[found->second];
}

bool Dictionary::timezone_known(std::string_view name) const {
    return timezones_.find(name) != timezones_.end();
}

bool Dictionary::timezone_whole_hours(std::string_view name) const {
    const auto found = timezones_.find(name);
    return found != timezones_.end() && found->second;
}

}  // namespace playhead::query
