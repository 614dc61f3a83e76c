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

TEST_F(ContractTest, PublishesTheSameTable) {
    serve(fruit());
    router().add(net::Method::Get, "/elsewhere", inline_route(), [](auto&, auto) {});
    const auto document = Json::parse(contract_.openapi_json());
    EXPECT_EQ(document["info"]["version"], "1.2.3");
    const auto& operation = document["paths"]["/fruit/{kind}"]["get"];
    ASSERT_EQ(operation["parameters"].size(), 5U);
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
