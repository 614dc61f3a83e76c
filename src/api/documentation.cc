#include "api/documentation.h"

#include <fmt/format.h>

#include <memory>
#include <mutex>

#include "base/hash.h"

namespace playhead::api {

namespace {

struct Document {
    std::once_flag made;
    std::string text;
    std::string etag;
};

}  // namespace

void add_documentation(Contract& contract) {
    Operation out;
    out.path = "/openapi.json";
    out.id = "openapi";
    out.tag = "operations";
    out.summary = "This document";
    out.tolerant = true;
    out.replies = {{200, "application/json", R"({"type":"object"})", {}},
                   {304, {}, {}, "The document you have is the current one."}};
    out.examples = {{.name = "asked"}};
    contract.add(
        std::move(out), {http::RunOn::Pool, 0, false},
        [&contract, document = std::make_shared<Document>()](Call& call, net::Responder responder) {
            std::call_once(document->made, [&] {
                document->text = contract.openapi_json();
                document->etag = fmt::format("\"{:016x}\"", stable_hash(document->text));
            });
            const bool known =
                call.request.header("if-none-match").find(document->etag) != std::string_view::npos;
            net::Response response(known ? 304 : 200);
            if (!known) {
                response = net::Response(200, "application/json", document->text);
            }
            response.add("ETag", document->etag).add("Cache-Control", "public, max-age=300");
            responder.send(std::move(response));
        });
}

}  // namespace playhead::api
