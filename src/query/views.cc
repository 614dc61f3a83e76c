#include "query/views.h"

#include <string>

namespace playhead::query {

namespace {

Result<void> check(const DimensionUse& use, const char* parameter,
                   const std::set<Source>& sources) {
    for (const auto source : sources) {
        if (use.on(source)) continue;
        std::string where;
        for (const auto other : kSources) {
            if (!use.on(other)) continue;
            where += std::string(where.empty() ? "" : "; ") + std::string(views_of(other));
        }
        return fail(Error{
            ErrorCode::Unprocessable,
            use.name + " is not known in the view that the metrics need (" + name_of(source) + ")",
            parameter, use.name, "metrics that are answered in " + where});
    }
    return {};
}

}  // namespace

std::string_view views_of(Source source) noexcept {
    switch (source) {
        case Source::Sessions: return "dimension=all, microscope, subscriber, asset or geo";
        case Source::Slices: return "dimension=live, or any with concurrency=1";
        case Source::AdViews: return "dimension=ad";
        case Source::Errors: return "/mm-apis/error";
    }
    return {};
}

Result<void> check_dimensions(const QueryRequest& request, const std::set<Source>& sources) {
    for (const auto* list : {&request.group_by, &request.columns}) {
        for (const auto& use : *list) {
            if (auto ok = check(use, "aggby", sources); !ok) return ok;
        }
    }
    for (const auto& each : request.filter) {
        if (auto ok = check(each.dimension, "filter", sources); !ok) return ok;
    }
    return {};
}

}  // namespace playhead::query
