/// `/mm-apis/exports/{customerId}`: what is exported, where to and how it went.
#pragma once

#include "api/contract.h"
#include "api/running_queries.h"
#include "directory/directory.h"
#include "exports/exporter.h"

namespace playhead::api {

/// GET and POST on the list; GET, PUT and DELETE on `/{id}`; POST on `/{id}/run` runs it now.
/// Administrators of the customer only; each change is in the audit log. Must outlive the server.
/// Thread safe.
class ExportEndpoints {
public:
    ExportEndpoints(exports::Exporter& exporter, directory::Directory& directory,
                    RunningQueries& ids)
        : exporter_(exporter), directory_(directory), ids_(ids) {}

    void add_operations(Contract& contract);

private:
    using Answer = Result<net::Response>;
    Answer list(const Call& call);
    Answer create(const Call& call);
    Answer show(const Call& call);
    Answer replace(const Call& call);
    Answer remove(const Call& call);
    Answer run(const Call& call);
    Answer stored(const exports::Definition& definition, const Call& call, const char* action,
                  int status);
    void audit(const Call& call, const char* action, std::string_view id);
    Result<std::string> with_state(const exports::Definition& definition) const;

    exports::Exporter& exporter_;
    directory::Directory& directory_;
    RunningQueries& ids_;
};

}  // namespace playhead::api
