#include "auth/token_form.h"

#include <simdjson.h>
#include <sodium.h>

#include <algorithm>
#include <string>

#include "auth/oauth_reply.h"

namespace playhead::auth {

namespace {

constexpr std::string_view kScheme = "basic ";
constexpr std::size_t kCredentialsBytesMax = 1024;

tl::unexpected<Error> not_a_form(std::string_view expected) {
    return fail(Error{ErrorCode::InvalidArgument,
                      "the JSON body cannot be used",
                      "body",
                      {},
                      std::string(expected)});
}

bool names_scheme(std::string_view header) {
    return header.size() >= kScheme.size() &&
           std::equal(kScheme.begin(), kScheme.end(), header.begin(), [](char want, char got) {
               return want == (got >= 'A' && got <= 'Z' ? static_cast<char>(got + 32) : got);
           });
}

}  // namespace

bool looks_like_json(std::string_view body) {
    const std::size_t begin = body.find_first_not_of(" \t\r\n");
    return begin != std::string_view::npos && (body[begin] == '{' || body[begin] == '[');
}

Result<FormPairs> form_from_json(std::string_view body) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(body.data(), body.size()).get_object().get(object) != simdjson::SUCCESS) {
        return not_a_form("an object");
    }
    FormPairs form;
    for (const auto member : object) {
        std::string_view text;
        if (member.value.get(text) != simdjson::SUCCESS || form.size() == kTokenFieldsMax) {
            return not_a_form("an object with a few members, all of them texts");
        }
        form.emplace_back(std::string(member.key), std::string(text));
    }
    return form;
}

bool add_basic_credentials(std::string_view authorization, FormPairs& form) {
    if (!names_scheme(authorization)) return true;
    std::string_view encoded = authorization.substr(kScheme.size());
    if (encoded.size() > kCredentialsBytesMax || !field(form, "client_secret").empty())
        return false;
    std::string plain(encoded.size(), '\0');
    std::size_t size = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(plain.data()), plain.size(),
                          encoded.data(), encoded.size(), nullptr, &size, nullptr,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        return false;
    }
    plain.resize(size);
    const std::size_t colon = plain.find(':');
    if (colon == std::string::npos) return false;
    const std::string id = plain.substr(0, colon);
    // The same name in both places is tolerated, since libraries send it so; another one is not.
    if (const auto named = field(form, "client_id"); !named.empty() && named != id) return false;
    std::erase_if(form, [](const auto& pair) { return pair.first == "client_id"; });
    std::erase_if(form, [](const auto& pair) { return pair.first == "client_secret"; });
    form.emplace_back("client_id", id);
    form.emplace_back("client_secret", plain.substr(colon + 1));
    return true;
}

}  // namespace playhead::auth
