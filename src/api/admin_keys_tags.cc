#include <simdjson.h>

#include <algorithm>

#include "api/admin_endpoints.h"
#include "api/admin_replies.h"
#include "api/tags.h"
#include "auth/api_key.h"

namespace playhead::api {

namespace {

using net::Response;

constexpr std::string_view kTagKind = "tag";
constexpr std::size_t kTagNameBytesMax = 64;

void write_time(JsonWriter& json, const char* name, const std::optional<std::int64_t>& time_ms) {
    json.key(name);
    if (time_ms) {
        json.value(*time_ms);
    } else {
        json.null();
    }
}

void write_key_members(JsonWriter& json, const directory::ApiKey& key) {
    json.member("id", key.id);
    json.member("name", key.name);
    json.member("customerId", key.customer_id);
    json.member("scope", directory::scope_name(key.scope));
    json.member("createdMs", key.created_ms);
    write_time(json, "revokedMs", key.revoked_ms);
    write_time(json, "lastUsedMs", key.last_used_ms);
}

void write_key(JsonWriter& json, const directory::ApiKey& key) {
    json.begin_object();
    write_key_members(json, key);
    json.end_object();
}

struct Tag {
    std::string title;
    std::string description;
    std::string type = "text";
};

std::string tag_body(std::string_view name, const Tag& tag) {
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    json.member("name", name);
    json.member("title", tag.title);
    json.member("description", tag.description);
    json.member("type", tag.type);
    json.end_object();
    return body;
}

Tag read_tag(const directory::Document& document) {
    Tag tag;
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    if (parser.parse(document.body).get(json) != simdjson::SUCCESS) return tag;
    const auto take = [&](const char* name, std::string& into) {
        std::string_view text;
        if (json[name].get(text) == simdjson::SUCCESS) into = text;
    };
    take("title", tag.title);
    take("description", tag.description);
    take("type", tag.type);
    return tag;
}

void write_tag(JsonWriter& json, const directory::Document& document) {
    json.raw(document.body);
}

Result<void> check_tag_name(std::string_view name) {
    const bool plain = !name.empty() && name.size() <= kTagNameBytesMax &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                  (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
                       });
    if (!plain) {
        return fail_parameter("name", std::string(name.substr(0, kTagNameBytesMax)),
                              "1 to 64 letters, digits, '_', '-' or '.'",
                              "the tag's name cannot be used");
    }
    return {};
}

}  // namespace

Result<std::string> declared_tags_json(const directory::Directory& directory,
                                       std::int64_t customer_id) {
    auto tags = directory.documents(kTagKind, customer_id);
    if (!tags) return fail(tags.error());
    std::sort(tags->begin(), tags->end(),
              [](const auto& left, const auto& right) { return left.id < right.id; });
    std::string out;
    JsonWriter json(out);
    json.begin_array();
    for (const auto& document : *tags) {
        const Tag tag = read_tag(document);
        json.begin_object();
        json.member("key", "tag." + document.id);
        json.member("name", document.id);
        json.member("title", tag.title);
        json.member("description", tag.description);
        json.member("type", tag.type);
        json.end_object();
    }
    json.end_array();
    return out;
}

Result<Response> AdminEndpoints::list_keys(const Admin& admin, const Call& call) {
    const auto customer = chosen_customer(admin, call);
    if (!customer) return fail(customer.error());
    const auto keys = directory_.api_keys(*customer);
    if (!keys) return fail(keys.error());
    return admin_list("apiKeys", *keys, write_key);
}

Result<directory::ApiKey> AdminEndpoints::managed_key(const Admin& admin, const Call& call) const {
    auto key = directory_.api_key(call.text("id"));
    if (!key && key.error().code != ErrorCode::NotFound) return fail(key.error());
    if (key && admin.find(key->customer_id) != nullptr) return key;
    return fail(Error{ErrorCode::NotFound,
                      "there is no such key among those that you manage",
                      "id",
                      std::string(call.text("id").substr(0, 15)),
                      {}});
}

Result<Response> AdminEndpoints::get_key(const Admin& admin, const Call& call) {
    const auto key = managed_key(admin, call);
    if (!key) return fail(key.error());
    return admin_item(200, *key, write_key);
}

Result<Response> AdminEndpoints::add_key(const Admin& admin, const Call& call) {
    const auto& fields = call.fields();
    const auto customer = body_customer(admin, call);
    if (!customer) return fail(customer.error());
    const auto& name = *fields.find<std::string>("scope");
    const auto scope = directory::parse_scope(name);
    if (!scope) {
        return fail_parameter("scope", name.substr(0, 64), "read, ingest or admin",
                              "there is no such scope");
    }
    const auto keys = directory_.api_keys(*customer);
    if (!keys) return fail(keys.error());
    if (keys->size() >= kApiKeysPerCustomerMax) return fail_full("keys", kApiKeysPerCustomerMax);
    std::string label;
    fields.take("name", label);
    const auto made = auth::create_api_key(directory_, entropy_, *customer, *scope, label);
    if (!made) return fail(made.error());
    note(admin, "apikey-added", made->id, *customer, "scope " + name);
    const auto stored = directory_.api_key(made->id);
    if (!stored) return fail(stored.error());
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    write_key_members(json, *stored);
    json.member("key", made->key);  // this once
    json.end_object();
    return admin_reply(201, std::move(body));
}

Result<Response> AdminEndpoints::change_key(const Admin& admin, const Call& call) {
    auto key = managed_key(admin, call);
    if (!key) return fail(key.error());
    const auto& fields = call.fields();
    fields.take("name", key->name);
    if (auto done = directory_.rename_api_key(key->id, key->name); !done) return fail(done.error());
    note(admin, "apikey-changed", key->id, key->customer_id, fields.names());
    return admin_item(200, *key, write_key);
}

Result<Response> AdminEndpoints::revoke_key(const Admin& admin, const Call& call) {
    const auto key = managed_key(admin, call);
    if (!key) return fail(key.error());
    if (auto done = directory_.revoke_api_key(key->id); !done) return fail(done.error());
    note(admin, "apikey-revoked", key->id, key->customer_id, "");
    return Response(204);
}

Result<directory::Document> AdminEndpoints::find_tag(std::int64_t customer_id,
                                                     std::string_view name) const {
    const auto tags = directory_.documents(kTagKind, customer_id);
    if (!tags) return fail(tags.error());
    for (const auto& tag : *tags) {
        if (tag.id == name) return tag;
    }
    return fail(Error{ErrorCode::NotFound,
                      "there is no such tag",
                      "id",
                      std::string(name.substr(0, kTagNameBytesMax)),
                      {}});
}

Result<Response> AdminEndpoints::list_tags(const Admin& admin, const Call& call) {
    const auto customer = chosen_customer(admin, call);
    if (!customer) return fail(customer.error());
    const auto tags = directory_.documents(kTagKind, *customer);
    if (!tags) return fail(tags.error());
    return admin_list("tags", *tags, write_tag);
}

Result<Response> AdminEndpoints::get_tag(const Admin& admin, const Call& call) {
    const auto customer = chosen_customer(admin, call);
    if (!customer) return fail(customer.error());
    const auto tag = find_tag(*customer, call.text("id"));
    if (!tag) return fail(tag.error());
    return admin_item(200, *tag, write_tag);
}

Result<Response> AdminEndpoints::add_tag(const Admin& admin, const Call& call) {
    const auto& fields = call.fields();
    const auto customer = body_customer(admin, call);
    if (!customer) return fail(customer.error());
    directory::Document document;
    document.kind = kTagKind;
    document.customer_id = *customer;
    fields.take("name", document.id);
    Tag tag;
    fields.take("title", tag.title);
    fields.take("description", tag.description);
    fields.take("type", tag.type);
    if (auto good = check_tag_name(document.id); !good) return fail(good.error());
    const auto tags = directory_.documents(kTagKind, *customer);
    if (!tags) return fail(tags.error());
    if (tags->size() >= kTagsPerCustomerMax) return fail_full("tags", kTagsPerCustomerMax);
    const auto same = [&](const auto& one) { return one.id == document.id; };
    if (std::any_of(tags->begin(), tags->end(), same)) {
        return fail(ErrorCode::Conflict, "there is a tag of that name");
    }
    document.body = tag_body(document.id, tag);
    if (auto done = directory_.put_document(document); !done) return fail(done.error());
    note(admin, "tag-added", document.id, *customer, "");
    return admin_item(201, document, write_tag);
}

Result<Response> AdminEndpoints::change_tag(const Admin& admin, const Call& call) {
    const auto customer = chosen_customer(admin, call);
    if (!customer) return fail(customer.error());
    auto document = find_tag(*customer, call.text("id"));
    if (!document) return fail(document.error());
    const auto& fields = call.fields();
    Tag tag = read_tag(*document);
    fields.take("title", tag.title);
    fields.take("description", tag.description);
    fields.take("type", tag.type);
    document->body = tag_body(document->id, tag);
    if (auto done = directory_.put_document(*document); !done) return fail(done.error());
    note(admin, "tag-changed", document->id, *customer, fields.names());
    return admin_item(200, *document, write_tag);
}

Result<Response> AdminEndpoints::remove_tag(const Admin& admin, const Call& call) {
    const auto customer = chosen_customer(admin, call);
    if (!customer) return fail(customer.error());
    const auto tag = find_tag(*customer, call.text("id"));
    if (!tag) return fail(tag.error());
    if (auto done = directory_.remove_document(kTagKind, *customer, tag->id); !done) {
        return fail(done.error());
    }
    note(admin, "tag-removed", tag->id, *customer, "");
    return Response(204);
}

}  // namespace playhead::api
