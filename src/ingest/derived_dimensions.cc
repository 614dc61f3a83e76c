#include "ingest/derived_dimensions.h"

#include "enrich/cdn_name.h"

namespace playhead::ingest {

namespace {

void derive_cdn(model::Dimensions& dimensions) {
    std::string& cdn = dimensions[model::index_of(model::Dimension::Cdn)];
    if (!cdn.empty()) return;
    const std::string& host = dimensions[model::index_of(model::Dimension::SourceHostName)];
    cdn = enrich::cdn_of_host(host);
    if (cdn.empty()) {
        cdn = enrich::cdn_of_host(dimensions[model::index_of(model::Dimension::StreamUrl)]);
    }
}

}  // namespace

void derive_dimensions(model::RowBlock& rows) {
    for (auto& row : rows.sessions) derive_cdn(row.dimensions);
    for (auto& row : rows.live_sessions) derive_cdn(row.dimensions);
    for (auto& row : rows.slices) derive_cdn(row.dimensions);
    for (auto& row : rows.ad_views) derive_cdn(row.dimensions);
}

}  // namespace playhead::ingest
