/// The one table of operations: what it lists is routed, checked and published as OpenAPI.
///
/// To add an endpoint:
///  1. Fill an `Operation`: method, path ("/mm-apis/x/{customerId}"), id, tag, summary, permission.
///  2. List its `parameters` (`query/parameters.h`): name, type, description, example, and where
///     they apply `otherwise` (the default), `choices`, `least`, `most`, `required`, `ignored`
///     (known in another generation). `{customerId}` needs no entry; other path names do,
///     `in_path`.
///  3. Say what it answers in `replies` (status, content type, JSON Schema as text; shared schemas
///     are in `api/schemas.cc`). Problems 400, 401, 403, 404 and 503 come by themselves.
///  4. Give at least one `Example`: CI sends each and checks status and schema.
///  5. A small JSON body: list its `fields` (`api/json_fields.h`); they are read before the handler
///     runs (`call.fields()`) and make the body's schema.
///  6. `contract.add(operation, {RunOn::Pool, body_bytes_max, true}, handler)`. The handler gets a
///     `Call`: the caller is let in and every parameter has its type (`call.integer("limit")`).
///     Only what needs the meaning (do these names go together?) is left to the handler to check.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/access.h"
#include "api/json_fields.h"
#include "http/router.h"
#include "query/parameters.h"

namespace playhead::api {

/// One form of an answer. One of status 304 says that the operation honours `If-None-Match` and
/// answers an `ETag`.
struct Reply {
    int status = 200;
    std::string content_type = "application/json";
    std::string schema{};  ///< JSON text; empty where the form has none
    std::string description{};
};

/// What a request carries. The contract refuses an empty one where it is required; the handler
/// reads it.
struct RequestBody {
    std::vector<std::string> content_types = {"application/json"};
    std::string schema{};  ///< JSON text; made from `fields` where those are listed
    std::string example{};
    bool required = true;
    std::span<const Field> fields{};  ///< of a JSON object; static
};

/// A request that CI sends. `{customerId}` stands for the demo's customer.
struct Example {
    std::string name{};
    std::string query{};  ///< "a=b&c=d", encoded as it is to be sent
    std::string body{};
    std::vector<std::pair<std::string, std::string>> path{};  ///< values of path parameters
    int status = 200;
};

/// Where one parameter decides what the others are: one of its values.
struct Variant {
    std::string value{};
    std::string summary{}, description{};
    std::vector<query::Parameter> parameters{};  ///< the whole table, that parameter included
    std::string schema{};                        ///< of the answer with 200, JSON text
};

struct Operation {
    net::Method method = net::Method::Get;
    std::string path{};
    std::string id{};  ///< camelCase, unique: the name of a generated client's function
    std::string tag{};
    std::string summary{};
    std::string description{};
    /// Without one, anybody may ask.
    std::optional<auth::Permission> permission{};
    std::vector<query::Parameter> parameters{};
    /// With `variants` the name of the parameter that decides; `parameters` are then all of theirs.
    std::string variant_by{};
    std::vector<Variant> variants{};
    std::optional<RequestBody> body{};
    std::vector<Reply> replies{};
    std::vector<int> problems{};  ///< statuses of problem documents that do not come by themselves
    std::vector<Example> examples{};
    /// The handler asks whether the identity has the permission, and for what; the contract only
    /// who it is. Else the permission is for `{customerId}`, which the path must have.
    bool admits_itself = false;
    /// Query parameters that are not listed are let pass: for probes and protocols of others.
    bool tolerant = false;
};

/// A request whose credentials and parameters have been found good.
class Call {
public:
    Call(const Operation& operation, net::Request& http_request)
        : request(http_request), operation_(operation) {}

    net::Request& request;
    /// Of an operation with a permission; without a customer where that `admits_itself`.
    Caller caller;

    bool has(std::string_view name) const { return !given_value(name).empty(); }
    /// As given, trimmed, else the table's default; a choice as the table writes it. Also of path
    /// parameters. A name that the
    /// operation does not list is a mistake of ours (PH_CHECK).
    std::string_view text(std::string_view name) const;
    std::int64_t integer(std::string_view name) const { return query::integer_of(text(name)); }
    bool flag(std::string_view name) const { return query::flag_of(text(name)); }
    std::uint64_t customer_id() const { return static_cast<std::uint64_t>(caller.customer_id); }
    /// The body of an operation that lists `fields`.
    const JsonFields& fields() const noexcept { return fields_; }
    /// Query parameters as given.
    const query::Parameters& given() const noexcept { return given_; }

private:
    friend class Contract;
    std::string_view given_value(std::string_view name) const;

    const Operation& operation_;
    query::Parameters given_;
    JsonFields fields_;
};

using CallHandler = std::function<void(Call&, net::Responder)>;

/// Filled at start, read-only afterwards; must outlive the server. Thread safe then.
class Contract {
public:
    /// `access` may be null where no operation has a permission.
    Contract(http::Router& router, const Access* access, std::string version)
        : router_(router), access_(access), version_(std::move(version)) {}
    Contract(const Contract&) = delete;
    Contract& operator=(const Contract&) = delete;

    /// Routes and documents. Checked in this order before the handler runs: credential (401),
    /// customer, plan and permission (403, 404), parameters and body (400).
    void add(Operation operation, http::RouteOptions options, CallHandler handler);
    /// Documents a route that another module has added to the router (PH_CHECK).
    void describe(Operation operation);
    /// A schema that others refer to as "#/components/schemas/<name>". JSON text.
    void add_schema(std::string name, std::string schema);

    const std::deque<Operation>& operations() const noexcept { return operations_; }
    /// The OpenAPI 3.1 document. Routes that nobody has described are named in `x-undocumented`.
    std::string openapi_json() const;

private:
    const Operation& keep(Operation operation);
    Result<void> let_in(Call& call) const;
    Result<void> admit(Call& call, auth::Identity identity) const;
    static Result<void> check_given(const Operation& operation, const Call& call);

    http::Router& router_;
    const Access* access_;
    std::string version_;
    std::deque<Operation> operations_;
    std::map<std::string, std::string> schemas_;
};

}  // namespace playhead::api
