#include "enrich/user_agent_rules.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <future>
#include <iterator>
#include <thread>
#include <vector>

#include "enrich/rule_list.h"

namespace playhead::enrich {
namespace {

constexpr std::size_t kChunkRules = 160;

using Keys = std::array<const char*, kReplacementsMax>;
constexpr Keys kBrowserKeys{"family_replacement", "v1_replacement", "v2_replacement",
                            "v3_replacement", nullptr};
constexpr Keys kOsKeys{"os_replacement", "os_v1_replacement", "os_v2_replacement",
                       "os_v3_replacement", "os_v4_replacement"};
constexpr Keys kDeviceKeys{"device_replacement", "brand_replacement", "model_replacement", nullptr,
                           nullptr};

struct RuleList {
    std::vector<Rule> rules;
    std::vector<std::unique_ptr<RuleChunk>> chunks;

    bool first_match(std::string_view text, RuleMatch& match) const {
        std::string lowered(text);
        for (char& c : lowered) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
        for (const auto& chunk : chunks) {
            if (chunk->first_match(text, lowered, match)) return true;
        }
        return false;
    }
};

Result<std::vector<Rule>> read_rules(const YAML::Node& list, const Keys& keys) {
    std::vector<Rule> rules;
    for (const auto& node : list) {
        if (rules.size() >= UserAgentRules::kRulesMax) {
            return fail_parameter("user_agent_rules", {},
                                  fmt::format("at most {} rules", UserAgentRules::kRulesMax),
                                  "too many user-agent rules");
        }
        Rule& rule = rules.emplace_back();
        rule.expression = node["regex"].as<std::string>();
        rule.ignore_case = node["regex_flag"] && node["regex_flag"].as<std::string>() == "i";
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (keys[i] == nullptr) continue;
            if (const auto value = node[keys[i]]) rule.replacements[i] = value.as<std::string>();
        }
    }
    return rules;
}

std::string trim(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string group(const RuleMatch& match, std::size_t number) {
    const auto& piece = match.groups[number];
    return piece.data() == nullptr ? std::string() : std::string(piece.data(), piece.size());
}

/// The replacement with $1 to $9 filled in, or the group when there is none (0 = nothing).
std::string field(const RuleMatch& match, std::size_t index, std::size_t default_group) {
    const std::string& replacement = match.rule->replacements[index];
    if (replacement.empty()) return default_group == 0 ? "" : trim(group(match, default_group));
    std::string text;
    for (std::size_t i = 0; i < replacement.size(); ++i) {
        const char next = i + 1 < replacement.size() ? replacement[i + 1] : '\0';
        if (replacement[i] == '$' && next >= '1' && next <= '9') {
            text += group(match, static_cast<std::size_t>(next - '0'));
            ++i;
        } else {
            text += replacement[i];
        }
    }
    return trim(text);
}

UserAgentFamily family_of(const RuleList& list, std::string_view text) {
    UserAgentFamily family;
    RuleMatch match;
    if (!list.first_match(text.substr(0, UserAgentRules::kUserAgentBytesMax), match)) return family;
    family.family = field(match, 0, 1);
    for (std::size_t i = 0; i < family.version.size(); ++i) {
        family.version[i] = i + 1 < kReplacementsMax ? field(match, i + 1, i + 2) : "";
    }
    return family;
}

}  // namespace

std::string UserAgentFamily::dotted_version() const {
    std::string text;
    for (const auto& part : version) {
        if (part.empty()) break;
        if (!text.empty()) text += '.';
        text += part;
    }
    return text;
}

struct UserAgentRules::Lists {
    RuleList browser;
    RuleList os;
    RuleList device;

    Result<void> compile(unsigned threads);
};

/// Chunks of all lists, taken by `threads` threads from the front.
Result<void> UserAgentRules::Lists::compile(unsigned threads) {
    struct Task {
        std::span<const Rule> rules;
        std::unique_ptr<RuleChunk>* chunk;
    };
    std::vector<Task> tasks;
    for (RuleList* list : {&browser, &os, &device}) {
        const std::span<const Rule> rules(list->rules);
        list->chunks.resize((rules.size() + kChunkRules - 1) / kChunkRules);
        for (std::size_t i = 0; i < list->chunks.size(); ++i) {
            const std::size_t begin = i * kChunkRules;
            const std::size_t count = std::min(kChunkRules, rules.size() - begin);
            tasks.push_back({rules.subspan(begin, count), &list->chunks[i]});
        }
    }
    std::atomic<std::size_t> next{0};
    const auto work = [&]() -> Result<void> {
        for (;;) {
            const std::size_t i = next.fetch_add(1);
            if (i >= tasks.size()) return {};
            auto chunk = RuleChunk::compile(tasks[i].rules);
            if (!chunk) return fail(chunk.error());
            *tasks[i].chunk = std::move(*chunk);
        }
    };
    std::vector<std::future<Result<void>>> helpers;
    for (unsigned i = 1; i < threads; ++i) {
        helpers.push_back(std::async(std::launch::async, work));
    }
    Result<void> outcome = work();
    for (auto& helper : helpers) {
        auto helped = helper.get();
        if (outcome && !helped) outcome = std::move(helped);
    }
    return outcome;
}

UserAgentRules::UserAgentRules(std::unique_ptr<Lists> lists) : lists_(std::move(lists)) {}
UserAgentRules::~UserAgentRules() = default;

Result<std::unique_ptr<UserAgentRules>> UserAgentRules::load(const std::string& path,
                                                             unsigned threads) {
    std::ifstream in(path, std::ios::binary);
    std::string yaml;
    if (in) yaml.assign(std::istreambuf_iterator<char>(in), {});
    if (!in || yaml.size() > kFileBytesMax) {
        return fail_parameter("user_agent_rules", path, "uap-core's regexes.yaml",
                              fmt::format("cannot read the user-agent rules {}", path));
    }
    auto rules = parse(yaml, threads);
    if (!rules) {
        rules.error().message = fmt::format("{}: {}", path, rules.error().message);
    }
    return rules;
}

Result<std::unique_ptr<UserAgentRules>> UserAgentRules::parse(const std::string& yaml,
                                                              unsigned threads) {
    auto lists = std::make_unique<Lists>();
    try {
        const YAML::Node root = YAML::Load(yaml);
        auto browser = read_rules(root["user_agent_parsers"], kBrowserKeys);
        auto os = read_rules(root["os_parsers"], kOsKeys);
        auto device = read_rules(root["device_parsers"], kDeviceKeys);
        for (auto* list : {&browser, &os, &device}) {
            if (!*list) return fail(list->error());
        }
        lists->browser.rules = std::move(*browser);
        lists->os.rules = std::move(*os);
        lists->device.rules = std::move(*device);
    } catch (const YAML::Exception& exception) {
        return fail_parameter("user_agent_rules", {}, "uap-core's regexes.yaml",
                              fmt::format("no user-agent rules: {}", exception.what()));
    }
    const auto compiled = lists->compile(std::max(1U, threads));
    if (!compiled) return fail(compiled.error());
    return std::unique_ptr<UserAgentRules>(new UserAgentRules(std::move(lists)));
}

UserAgentFamily UserAgentRules::browser(std::string_view user_agent) const {
    return family_of(lists_->browser, user_agent);
}

UserAgentFamily UserAgentRules::os(std::string_view user_agent) const {
    return family_of(lists_->os, user_agent);
}

UserAgentDevice UserAgentRules::device(std::string_view user_agent) const {
    RuleMatch match;
    if (!lists_->device.first_match(user_agent.substr(0, kUserAgentBytesMax), match)) return {};
    return {field(match, 0, 1), field(match, 1, 0), field(match, 2, 1)};
}

}  // namespace playhead::enrich
