/// JSON Schemas that several operations share, among them the names of the dictionary.
#pragma once

#include "api/contract.h"
#include "query/dictionary.h"

namespace playhead::api {

/// Adds Problem, Envelope, Meta, Metric, Dimension, MetricOrDimension, SessionDetail, OAuthError,
/// Tokens and DictionaryDocument. The names come from `dictionary`.
void add_schemas(Contract& contract, const query::Dictionary& dictionary);

/// `{"$ref":"#/components/schemas/<name>"}`.
std::string schema_of(std::string_view name);

}  // namespace playhead::api
