#include "api/contract.h"

#include <nlohmann/json.hpp>

#include "api/documentation.h"
#include "api/schemas.h"
#include "http/tests/loopback.h"

namespace playhead::api {
namespace {

using Json = nlohmann::json;

class ContractTest : public http::testing::LoopbackTest {
protected:
    ContractTest() : contract_(router(), nullptr, "1.2.3") {}

    static Operation fruit() {
        Operation out;
        out.path = "/fruit/{kind}";
        out.id = "fruit";
        out.tag = "test";
        out.summary = "Fruit";
        out.parameters = {
            {.name = "kind",
             .type = query::ParameterType::Choice,
             .choices = {"apple", "pear"},
             .in_path = true},
            {.name = "limit", .type = query::ParameterType::Integer, .otherwise = "7", .most = 10},
            {.name = "ripe", .type = query::ParameterType::Flag, .otherwise = "0"},
            {.name = "color", .example = "red", .bytes_max = 5, .required = true},
            {.name = "old", .ignored = true}};
        out.replies = {{200, "application/json", R"({"type":"array"})", "Fruit."}};
        out.examples = {{.name = "red", .query = "color=red"}};
        return out;
    }

    /// Adds `operation`, answering what its handler was given.
    void serve(Operation operation) {
        contract_.add(
            std::move(operation), inline_route(), [](Call& call, net::Responder responder) {
                const Json given{call.text("kind"), call.integer("limit"), call.flag("ripe"),
                                 call.text("color"), call.has("limit")};
                responder.send(net::Response(200, "application/json", given.dump()));
            });
    }

    std::string get(const std::string& target) {
        return converse("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }
    static Json body_of(const std::string& reply) {
        return Json::parse(reply.substr(reply.find("\r\n\r\n") + 4));
    }

    Contract contract_;
};

TEST_F(ContractTest, HandsOverCheckedValuesAndDefaults) {
    serve(fruit());
    start();
    EXPECT_EQ(body_of(get("/fruit/pear?color=red")), Json({"pear", 7, false, "red", false}));
    EXPECT_EQ(body_of(get("/fruit/pear?color=red&limit=10&ripe=true&old=x")),
              Json({"pear", 10, true, "red", true}));
}

TEST_F(ContractTest, RefusesWhatIsNotInTheTable) {
    serve(fruit());
    start();
    const auto refused = [&](const std::string& target, const std::string& parameter,
                             const std::string& expected) {
        const auto reply = get(target);
        EXPECT_EQ(reply.substr(9, 3), "400") << target;
        const auto problem = body_of(reply);
        EXPECT_EQ(problem.value("parameter", ""), parameter) << target;
        EXPECT_NE(problem.value("expected", "").find(expected), std::string::npos) << problem;
    };
    refused("/fruit/plum?color=red", "kind", "apple, pear");
    refused("/fruit/pear", "color", "for example red");
    refused("/fruit/pear?color=", "color", "for example red");
    refused("/fruit/pear?color=yellow", "color", "at most 5 bytes");
    refused("/fruit/pear?color=red&limit=11", "limit", "from 0 to 10");
    refused("/fruit/pear?color=red&limit=1.5", "limit", "from 0 to 10");
    refused("/fruit/pear?color=red&ripe=2", "ripe", "0 or 1");
    refused("/fruit/pear?color=red&limt=1", "limt", "limit");
    refused("/fruit/pear?color=red&color=red", "color", "one value");
    refused("/fruit/pear?color=%zz", "color", "");
}

TEST_F(ContractTest, WantsTheBodyThatItSays) {
    auto operation = fruit();
    operation.method = net::Method::Post;
    operation.body = RequestBody{};
    serve(operation);
    start();
    const std::string head =
        "POST /fruit/pear?color=red HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    const auto empty = converse(head + "Content-Length: 0\r\n\r\n");
    EXPECT_EQ(body_of(empty)["parameter"], "body");
    EXPECT_EQ(converse(head + "Content-Length: 2\r\n\r\n{}").substr(9, 3), "200");
}

TEST_F(ContractTest, ReadsTheFieldsOfABody) {
    static constexpr Field kFields[] = {
        {.name = "sort", .type = FieldType::Text, .required = true, .choices = "fuji|gala"},
        {.name = "weight", .type = FieldType::Integer, .least = 1, .most = 9}};
    auto operation = fruit();
    operation.method = net::Method::Post;
    operation.body = RequestBody{.fields = kFields};
    contract_.add(operation, inline_route(), [](Call& call, net::Responder responder) {
        responder.send(net::Response(200, "application/json",
                                     "\"" + *call.fields().find<std::string>("sort") + "\""));
    });
    start();
    const auto post = [&](const std::string& body) {
        const auto reply = converse(
            "POST /fruit/pear?color=red HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            "Content-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
        const auto answer = body_of(reply);
        return reply.substr(9, 4) + (answer.is_object() ? answer.value("parameter", "") : "");
    };
    EXPECT_EQ(post(R"({"sort":"plum"})"), "400 sort");
    EXPECT_EQ(post(R"({"sort":"gala","weight":10})"), "400 weight");
    EXPECT_EQ(post(R"({"weight":1})"), "400 sort");
    EXPECT_EQ(post(R"({"sort":"gala","wieght":1})"), "400 wieght");
    const auto schema =
        Json::parse(contract_.openapi_json())["paths"]["/fruit/{kind}"]["post"]["requestBody"]
                                             ["content"]["application/json"]["schema"];
    EXPECT_EQ(schema["required"], Json({"sort"}));
    EXPECT_EQ(schema["properties"]["weight"],
              Json({{"type", "integer"}, {"minimum", 1}, {"maximum", 9}}));
    EXPECT_EQ(schema["additionalProperties"], false);
}

TEST_F(ContractTest, OneParameterChoosesTheTableOfTheOthers) {
    const query::Parameter by{.name = "kind",
                              .type = query::ParameterType::Choice,
                              .choices = {"apple", "pear"},
                              .required = true};
    Operation operation;
    operation.path = "/fruit";
    operation.id = "anyFruit";
    operation.tag = "test";
    operation.summary = "Fruit";
    operation.variant_by = "kind";
    operation.variants = {
        {.value = "apple",
         .parameters = {by,
                        {.name = "sort", .choices = {}},
                        {.name = "size", .type = query::ParameterType::Integer, .most = 5}},
         .schema = "{}"},
        {.value = "pear",
         .parameters = {by,
                        {.name = "size", .type = query::ParameterType::Integer, .most = 9},
                        {.name = "ripe", .required = true}},
         .schema = "{}"}};
    operation.replies = {{200, "application/json", "{}", {}}};
    contract_.add(operation, inline_route(), [](Call& call, net::Responder responder) {
        responder.send(net::Response(200, "application/json", std::string(call.text("size"))));
    });
    start();
    const auto named = [&](const std::string& query) {
        const auto reply = get("/fruit?" + query);
        const auto body = body_of(reply);
        return reply.substr(9, 4) + (body.is_object() ? body.value("parameter", "") : body.dump());
    };
    EXPECT_EQ(named("kind=apple&size=5"), "200 5");
    EXPECT_EQ(named("kind=Pear&size=9&ripe=x"), "200 9");
    EXPECT_EQ(named("kind=apple&size=6"), "400 size");
    EXPECT_EQ(named("kind=apple&size=5&ripe=x"), "400 ripe");
    EXPECT_EQ(named("kind=pear&size=5"), "400 ripe");
    EXPECT_EQ(named("kind=plum"), "400 kind");
    EXPECT_EQ(named("size=5"), "400 kind");
    const auto document = Json::parse(contract_.openapi_json())["paths"]["/fruit"]["get"];
    EXPECT_EQ(document["parameters"].size(), 5U);
    EXPECT_EQ(document["parameters"][2]["schema"]["type"], "string") << "they differ by kind";
    EXPECT_EQ(document["x-variants"]["of"]["pear"]["parameters"].size(), 3U);
}

TEST_F(ContractTest, PublishesTheSameTable) {
    serve(fruit());
    router().add(net::Method::Get, "/elsewhere", inline_route(), [](auto&, auto) {});
    const auto document = Json::parse(contract_.openapi_json());
    EXPECT_EQ(document["info"]["version"], "1.2.3");
    const auto& operation = document["paths"]["/fruit/{kind}"]["get"];
    ASSERT_EQ(operation["parameters"].size(), 6U) << "Accept-Encoding is the last";
    EXPECT_EQ(operation["parameters"][0]["in"], "path");
    EXPECT_EQ(operation["parameters"][0]["schema"]["enum"], Json({"apple", "pear"}));
    EXPECT_EQ(operation["parameters"][1]["schema"],
              Json({{"type", "integer"}, {"minimum", 0}, {"maximum", 10}, {"default", 7}}));
    EXPECT_EQ(operation["parameters"][3]["required"], true);
    EXPECT_EQ(operation["parameters"][4]["deprecated"], true);
    EXPECT_TRUE(operation["responses"].contains("400"));
    EXPECT_EQ(operation["x-examples"][0]["query"], "color=red");
    EXPECT_EQ(document["x-undocumented"], Json({"GET /elsewhere"}));
}

TEST_F(ContractTest, HeadersFollowFromTheReplies) {
    auto known = fruit();
    known.path = "/known/{kind}";
    known.id = "known";
    known.replies.push_back({304, {}, {}, {}});
    auto bytes = fruit();
    bytes.path = "/bytes/{kind}";
    bytes.id = "bytes";
    bytes.replies = {{200, "application/vnd.apache.parquet", {}, {}}};
    for (const auto& operation : {fruit(), known, bytes}) serve(operation);
    const auto document = Json::parse(contract_.openapi_json());
    const auto headers_of = [&](const std::string& path) {
        std::vector<std::string> out;
        for (const auto& parameter : document["paths"][path]["get"]["parameters"]) {
            if (!parameter.contains("$ref")) continue;
            const Json::json_pointer at(parameter["$ref"].get<std::string>().substr(1));
            EXPECT_EQ(document[at]["in"], "header");
            out.push_back(document[at]["name"]);
        }
        return out;
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(headers_of("/fruit/{kind}"), Names({"Accept-Encoding"}));
    EXPECT_EQ(headers_of("/known/{kind}"), Names({"If-None-Match", "Accept-Encoding"}));
    EXPECT_EQ(headers_of("/bytes/{kind}"), Names());
    const auto& replies = document["paths"]["/known/{kind}"]["get"]["responses"];
    for (const auto* status : {"200", "304"}) {
        EXPECT_TRUE(replies[status]["headers"].contains("ETag")) << status;
    }
    EXPECT_FALSE(replies["400"].contains("headers"));
}

TEST_F(ContractTest, NamesOfTheDocumentAreThoseOfTheDictionary) {
    const auto dictionary = query::Dictionary::load();
    ASSERT_TRUE(dictionary);
    add_schemas(contract_, *dictionary);
    const auto schemas = Json::parse(contract_.openapi_json())["components"]["schemas"];
    for (const auto& name : schemas["Metric"]["anyOf"][0]["enum"]) {
        EXPECT_NE(dictionary->metric(name.get<std::string>()), nullptr) << name;
    }
    for (const auto& name : schemas["Dimension"]["anyOf"][0]["enum"]) {
        EXPECT_NE(dictionary->dimension(name.get<std::string>()), nullptr) << name;
    }
    EXPECT_GT(schemas["Metric"]["anyOf"][0]["enum"].size(), dictionary->metrics().size() - 1);
}

TEST_F(ContractTest, DocsWithoutTheAssetsSaySoAndListTheOperations) {
    serve(fruit());
    add_documentation(contract_, "/no/such/folder");
    start();
    const auto page = get("/docs");
    EXPECT_NE(page.find("not installed"), std::string::npos) << page;
    EXPECT_NE(page.find("/fruit/{kind}"), std::string::npos);
    EXPECT_EQ(page.find("<script"), std::string::npos);
    const auto document = get("/openapi.json");
    const auto at = document.find("ETag: ") + 6;
    const auto etag = document.substr(at, document.find("\r\n", at) - at);
    const auto again = converse(
        "GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "If-None-Match: " +
        etag + "\r\n\r\n");
    EXPECT_EQ(again.substr(9, 3), "304");
}

}  // namespace
}  // namespace playhead::api
