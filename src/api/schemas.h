/// JSON Schemas that several operations share, among them the names of the dictionary.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "api/contract.h"
#include "query/dictionary.h"

namespace playhead::api {

/// Adds the components; names and types of rows come from `dictionary`.
void add_schemas(Contract& contract, const query::Dictionary& dictionary);

/// An object of exactly these members, each "name type": a type of JSON Schema, `#Name` of a
/// component, with `[]` an array of it, with `?` or null. A leading `-`: may be missing.
std::string object_schema(std::initializer_list<const char*> members);

/// The envelope of rows of this schema.
std::string envelope_schema(std::string_view row);

/// `{"$ref":"#/components/schemas/<name>"}`.
std::string schema_of(std::string_view name);

}  // namespace playhead::api
