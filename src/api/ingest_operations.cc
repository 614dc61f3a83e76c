#include "api/ingest_operations.h"

#include "api/schemas.h"

namespace playhead::api {

namespace {

Operation ingest_operation(net::Method method, std::string path, std::string id,
                           std::string summary) {
    Operation out;
    out.method = method;
    out.path = std::move(path);
    out.id = std::move(id);
    out.tag = "ingest";
    out.summary = std::move(summary);
    out.tolerant = true;
    return out;
}

void describe_beacons(Contract& contract, std::string path, std::string id) {
    auto out = ingest_operation(net::Method::Post, std::move(path), std::move(id),
                                "Beacons of the SmartSight SDKs");
    out.description = "Long or compact keys, one object or an array, plain or compressed.";
    out.body = RequestBody{{"application/json"}, R"({"type":["object","array"]})", {}, true};
    out.replies = {
        {200, "application/json", R"({"type":"object","maxProperties":0})", "Taken, durably."}};
    out.problems = {403, 413, 415, 429};
    contract.describe(std::move(out));
}

void describe_cmcd(Contract& contract, std::string path, const std::string& id) {
    const bool with_sid = path.ends_with("{sid}");
    const auto parameters = [&] {
        std::vector<query::Parameter> out;
        if (with_sid) {
            out.push_back({.name = "sid",
                           .description = "Stands in where the player sends none.",
                           .example = "s1",
                           .in_path = true});
        }
        return out;
    };
    auto events = ingest_operation(net::Method::Post, path, id + "Events", "CMCD v2 event mode");
    events.parameters = parameters();
    events.body = RequestBody{
        {"application/cmcd", "text/cmcd", "text/plain"}, R"({"type":"string"})", {}, false};
    events.replies = {{204, {}, {}, "In any case, since players raise errors on anything else."}};
    contract.describe(std::move(events));
    auto request = ingest_operation(net::Method::Get, std::move(path), id + "Request",
                                    "CMCD of a request, in the query or in headers");
    request.parameters = parameters();
    request.parameters.push_back({.name = "CMCD", .description = "CMCD v1 or v2 keys."});
    request.replies = {{204, {}, {}, "In any case."}};
    contract.describe(std::move(request));
}

}  // namespace

void describe_ingest(Contract& contract) {
    auto registration = ingest_operation(net::Method::Get, "/mm-apis/register/{customerId}",
                                         "registerPlayer", "Registration of an SDK");
    registration.replies = {{200, "application/json",
                             object_schema({"producerURL string", "statsInterval integer",
                                            "mode string", "timestamp integer", "mmVideo boolean",
                                            "mmAd boolean", "secProdList string[]"}),
                             "Where and how often to send."}};
    registration.problems = {404};
    registration.examples = {{.name = "asked"}};
    contract.describe(std::move(registration));
    describe_beacons(contract, "/produce", "produce");
    describe_beacons(contract, "/produce/batch", "produceBatch");
    describe_cmcd(contract, "/cmcd/{customerId}", "cmcd");
    describe_cmcd(contract, "/cmcd/{customerId}/{sid}", "cmcdOfSession");
}

}  // namespace playhead::api
