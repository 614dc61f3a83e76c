/// The forms in which rows leave: one table for every endpoint that has them. Pure.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace playhead::api {

struct AnswerForm {
    std::string_view name;  ///< as `format` has it
    std::string_view content_type;
    std::string_view engine_format;
};

/// JSON first: what it means is the endpoint's (the envelope, or the engine's own).
inline constexpr std::array<AnswerForm, 5> kAnswerForms{{
    {"json", "application/json", "JSON"},
    {"ndjson", "application/x-ndjson", "JSONEachRow"},
    {"csv", "text/csv; charset=utf-8; header=present", "CSVWithNames"},
    {"arrow", "application/vnd.apache.arrow.stream", "ArrowStream"},
    {"parquet", "application/vnd.apache.parquet", "Parquet"},
}};
inline constexpr std::string_view kAnswerFormNames = "json, ndjson, csv, arrow or parquet";

/// By its name; null for an unknown one.
inline const AnswerForm* form_named(std::string_view name) noexcept {
    for (const AnswerForm& form : kAnswerForms) {
        if (form.name == name) return &form;
    }
    return nullptr;
}

/// The first of `forms` whose type an Accept header names; null when there is none.
inline const AnswerForm* form_accepted(std::span<const AnswerForm> forms,
                                       std::string_view accept) noexcept {
    for (const AnswerForm& form : forms) {
        const auto type = form.content_type.substr(0, form.content_type.find(';'));
        if (accept.find(type) != std::string_view::npos) return &form;
    }
    return nullptr;
}

}  // namespace playhead::api
