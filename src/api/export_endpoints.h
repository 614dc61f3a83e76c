/// `/mm-apis/exports/{customerId}`: what is exported, where to and how it went.
#pragma once

#include "api/access.h"
#include "api/running_queries.h"
#include "directory/directory.h"
#include "exports/exporter.h"
#include "http/router.h"

namespace playhead::api {

/// GET and POST on the list; GET, PUT and DELETE on `/{id}`; POST on `/{id}/run` runs it now.
/// Administrators of the customer only; each change is in the audit log. Must outlive the server.
/// Thread safe.
class ExportEndpoints {
public:
    ExportEndpoints(const Access& access, exports::Exporter& exporter,
                    directory::Directory& directory, RunningQueries& ids)
        : access_(access), exporter_(exporter), directory_(directory), ids_(ids) {}

    void add_routes(http::Router& router);

private:
    using Answer = Result<net::Response>;
    Answer list(const net::Request& request, const Caller& caller);
    Answer create(const net::Request& request, const Caller& caller);
    Answer show(const net::Request& request, const Caller& caller);
    Answer replace(const net::Request& request, const Caller& caller);
    Answer remove(const net::Request& request, const Caller& caller);
    Answer run(const net::Request& request, const Caller& caller);
    Answer stored(exports::Definition definition, const Caller& caller, const char* action,
                  const net::Request& request, int status);
    void audit(const Caller& caller, const char* action, std::string_view id,
               const net::Request& request);
    Result<std::string> with_state(const exports::Definition& definition) const;

    const Access& access_;
    exports::Exporter& exporter_;
    directory::Directory& directory_;
    RunningQueries& ids_;
};

}  // namespace playhead::api
