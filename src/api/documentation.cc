#include "api/documentation.h"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <mutex>

#include "base/hash.h"
#include "base/log.h"
#include "http/static_files.h"

namespace playhead::api {

namespace {

constexpr std::string_view kScript = "swagger-ui-bundle.js";
constexpr std::string_view kStyle = "swagger-ui.css";

/// A text that is made once, when it is first asked for.
class LateText {
public:
    LateText(std::string_view content_type, std::function<std::string()> make)
        : content_type_(content_type), make_(std::move(make)) {}

    net::Response answer(const net::Request& request) {
        std::call_once(made_, [this] {
            text_ = make_();
            etag_ = fmt::format("\"{:016x}\"", stable_hash(text_));
        });
        const bool known = request.header("if-none-match").find(etag_) != std::string_view::npos;
        auto response = known ? net::Response(304) : net::Response(200, content_type_, text_);
        response.add("ETag", etag_).add("Cache-Control", "public, max-age=300");
        return response;
    }

private:
    std::string_view content_type_;
    std::function<std::string()> make_;
    std::once_flag made_;
    std::string text_;
    std::string etag_;
};

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '&': out += "&amp;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

/// Every operation as plain HTML: what is seen without script, or without the assets.
std::string operation_list(const Contract& contract) {
    std::string out = "<h1>Playhead API</h1>\n<table>\n";
    for (const auto& operation : contract.operations()) {
        std::string names;
        for (const auto& parameter : operation.parameters) {
            if (parameter.in_path || parameter.ignored) continue;
            names += (names.empty() ? "" : ", ") + parameter.name + (parameter.required ? "*" : "");
        }
        out += fmt::format(
            "<tr><td>{}</td><td><code>{}</code></td><td>{}<br><small>{}</small></td></tr>\n",
            net::method_name(operation.method), escaped(operation.path), escaped(operation.summary),
            escaped(names));
    }
    return out +
           "</table>\n<p>The whole contract: <a href=\"/openapi.json\">/openapi.json</a></p>\n";
}

std::string page(const Contract& contract, bool with_assets) {
    std::string head =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<title>Playhead API</title>\n<style>body{font-family:sans-serif;margin:1em}"
        "td{vertical-align:top;padding:.2em .8em}</style>\n";
    if (with_assets) head += fmt::format("<link rel=\"stylesheet\" href=\"/docs/{}\">\n", kStyle);
    std::string body = "</head><body>\n<div id=\"docs\">\n";
    if (!with_assets) {
        body +=
            "<p><strong>The interactive page is not installed</strong> on this server: "
            "<code>./dev setup</code> fetches it. This is the plain list.</p>\n";
    }
    body += operation_list(contract) + "</div>\n";
    if (with_assets) {
        // No validator of somebody else's: the page asks this server only.
        body += fmt::format(
            "<script src=\"/docs/{}\"></script>\n<script>SwaggerUIBundle({{url:\"/openapi.json\","
            "dom_id:\"#docs\",validatorUrl:null,deepLinking:true,"
            "defaultModelsExpandDepth:0}});</script>\n",
            kScript);
    }
    return head + body + "</body></html>\n";
}

Operation document_operation(std::string path, std::string id, std::string summary,
                             std::string content_type, std::string schema) {
    Operation out;
    out.path = std::move(path);
    out.id = std::move(id);
    out.tag = "operations";
    out.summary = std::move(summary);
    out.tolerant = true;
    out.replies = {{200, std::move(content_type), std::move(schema), {}},
                   {304, {}, {}, "The one you have is current."}};
    return out;
}

void add_assets(Contract& contract, std::shared_ptr<http::StaticFiles> files) {
    auto out = document_operation("/docs/{file}", "docsFile", "A file of the page", "text/css",
                                  R"({"type":"string"})");
    out.replies.push_back({200, "text/javascript", R"({"type":"string"})", {}});
    out.parameters = {{.name = "file", .example = std::string(kStyle), .in_path = true}};
    out.problems = {404};
    out.examples = {{.name = "the style", .path = {{"file", std::string(kStyle)}}},
                    {.name = "no such file", .path = {{"file", "no.js"}}, .status = 404}};
    contract.add(std::move(out), {http::RunOn::Reactor, 0, false},
                 [files = std::move(files)](Call& call, net::Responder responder) {
                     responder.send(files->respond(call.request, call.text("file")));
                 });
}

}  // namespace

void add_documentation(Contract& contract, const std::string& assets) {
    std::shared_ptr<http::StaticFiles> files;
    if (!assets.empty()) {
        auto loaded = http::StaticFiles::load(assets);
        if (loaded) files = std::make_shared<http::StaticFiles>(std::move(*loaded));
        if (!loaded) log::warn("/docs is a plain list: {}", loaded.error().message);
    }
    const auto add = [&](Operation operation, std::shared_ptr<LateText> text) {
        operation.examples = {{.name = "asked"}};
        contract.add(std::move(operation), {http::RunOn::Pool, 0, false},
                     [text = std::move(text)](Call& call, net::Responder responder) {
                         responder.send(text->answer(call.request));
                     });
    };
    add(document_operation("/openapi.json", "openapi", "This document", "application/json",
                           R"({"type":"object"})"),
        std::make_shared<LateText>("application/json",
                                   [&contract] { return contract.openapi_json(); }));
    add(document_operation("/docs", "docs", "A page to read the document and to try it",
                           "text/html", R"({"type":"string"})"),
        std::make_shared<LateText>(
            "text/html; charset=utf-8",
            [&contract, with = files != nullptr] { return page(contract, with); }));
    if (files) add_assets(contract, std::move(files));
}

}  // namespace playhead::api
