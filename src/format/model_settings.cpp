#include "format/model_settings.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

#include "base/messages/format.h"
#include "format/model_toml.h"
#include "format/settings_values.h"
#include "format/size.h"
#include "format/text.h"

namespace estiva::format {
namespace {

using namespace std::chrono_literals;
using Time = ModelSpec::Time;

constexpr std::size_t kMaxArguments = 256;
constexpr std::size_t kMaxAliases = 32;
constexpr double kMostGpus = 64;  // decide::kMostShares
constexpr Time kLongest = 24h;

constexpr std::string_view kEngineNames =
    "process, container, ollama, llama-server, vllm, lease, remote";
constexpr std::string_view kPolicyNames = "keep, swap, always-unload";

constexpr std::array<std::string_view, 29> kKeys = {
    "engine",  "command",   "environment", "directory",   "user",       "url",
    "ready",   "container", "model",       "file",        "api_key",    "aliases",
    "vram",    "gpu",       "gpus",        "host_memory", "policy",     "pinned",
    "preload", "priority",  "group",       "sleep",       "checkpoint", "ttl",
    "quantum", "drain",     "load_limit",  "stop_limit",  "wait_limit"};
constexpr std::array<std::string_view, 2> kMoreKeys = {"parallel", "queue_limit"};

std::vector<std::string_view> known_keys() {
  std::vector<std::string_view> all(kKeys.begin(), kKeys.end());
  all.insert(all.end(), kMoreKeys.begin(), kMoreKeys.end());
  return all;
}

Result<ModelEngine> parse_engine(std::string_view text) {
  const auto kind = parse_model_engine(text);
  if (!kind) return not_accepted(text, kEngineNames);
  return *kind;
}

Result<ResidencyPolicy> parse_policy(std::string_view text) {
  const auto policy = parse_residency_policy(text);
  if (!policy) return not_accepted(text, kPolicyNames);
  return *policy;
}

// A URL that we may speak to: what needs no name server, so that nothing waits for one.
void read_texts(SectionReader& section, ModelSpec& model) {
  model.command = section.texts("command", kMaxArguments, "a list of at most 256 texts")
                      .value_or(std::vector<std::string>());
  model.environment = section.texts("environment", kMaxArguments, "a list of \"NAME=VALUE\" texts")
                          .value_or(std::vector<std::string>());
  model.aliases = section.texts("aliases", kMaxAliases, "a list of at most 32 names")
                      .value_or(std::vector<std::string>());
  const auto take = [&](std::string_view key, std::string& out, std::string_view accepted) {
    out = section.text(key, accepted).value_or(std::move(out));
  };
  take("user", model.user, "the name of a user");
  take("container", model.container, "a container's name or id, or \"PROJECT/SERVICE\"");
  take("model", model.model, "what the engine calls the model");
  take("api_key", model.api_key, "a key, or \"file:PATH\"");
  take("gpu", model.gpu, "\"auto\", an index or a UUID");
  take("group", model.group, "a name in quotes");
  section.parsed("directory", kAcceptsFolder, model.directory, parse_folder);
  section.parsed("file", kAcceptsFolder, model.file, parse_folder);
  // ${PORT} is no port yet, so only the scheme is looked at here.
  section.parsed("url", kAcceptsUrl, model.url, parse_url);
  section.parsed("ready", kAcceptsUrl, model.ready, parse_url);
}

void read_treatment(SectionReader& section, ModelSpec& model) {
  section.parsed("policy", kPolicyNames, model.policy, parse_policy);
  model.pinned = section.boolean("pinned").value_or(model.pinned);
  model.preload = section.boolean("preload").value_or(model.preload);
  model.may_sleep = section.boolean("sleep").value_or(model.may_sleep);
  model.may_checkpoint = section.boolean("checkpoint").value_or(model.may_checkpoint);
  if (const auto priority = section.number("priority", -10, 10, "a number from -10 to 10")) {
    model.priority = static_cast<int>(*priority);
  }
  Time ttl{-1};
  section.parsed("ttl", kAcceptsTime, ttl, parse_model_time);
  if (ttl >= Time{0}) model.ttl = ttl;
  section.parsed("quantum", kAcceptsTime, model.quantum, parse_model_time);
  section.parsed("drain", kAcceptsTime, model.drain, parse_model_time);
  section.parsed("load_limit", kAcceptsTime, model.load_limit, parse_model_time);
  section.parsed("stop_limit", kAcceptsTime, model.stop_limit, parse_model_time);
  section.parsed("wait_limit", kAcceptsTime, model.wait_limit, parse_model_time);
  if (const auto most = section.number("parallel", 0, 4096, "a number from 0 to 4096")) {
    model.parallel = static_cast<unsigned>(*most);
  }
  if (const auto most = section.number("queue_limit", 1, 4096, "a number from 1 to 4096")) {
    model.queue_limit = static_cast<unsigned>(*most);
  }
}

void read_needs(SectionReader& section, ModelSpec& model) {
  section.parsed("vram", kAcceptsSize, model.vram, parse_size);
  section.parsed("host_memory", kAcceptsSize, model.host_memory, parse_size);
  if (const auto gpus = section.number("gpus", 1, kMostGpus, "a number from 1 to 64")) {
    model.gpus = static_cast<unsigned>(*gpus);
  }
}

// What an engine can't do without: the key, and what to add.
struct Needed {
  ModelEngine engine;
  std::string_view key;
  bool is_there;
  std::string_view how;
};

void check_needed(SectionReader& section, const ModelSpec& model) {
  const std::array<Needed, 5> table = {{
      {ModelEngine::process, "command", !model.command.empty(),
       "Add the program and its arguments as a list of texts"},
      {ModelEngine::vllm, "command", !model.command.empty(),
       "Add vLLM's command and its arguments as a list of texts"},
      {ModelEngine::container, "container", !model.container.empty(),
       "Add the container's name, or \"PROJECT/SERVICE\" of a Compose project"},
      {ModelEngine::llama_server, "file", !model.file.empty() || !model.command.empty(),
       "Add the path of the GGUF file"},
      {ModelEngine::remote, "url", !model.url.empty(), "Add the address of the server"},
  }};
  for (const Needed& needed : table) {
    if (needed.engine == model.engine && !needed.is_there) {
      return section.missing(needed.key, needed.how);
    }
  }
}

ModelSpec read_model(SectionReader& section, std::string_view name) {
  ModelSpec model;
  model.name = name;
  if (section.node("engine") == nullptr) {
    section.missing("engine", fmt::format("Add one of: {}", kEngineNames));
    return model;
  }
  section.parsed("engine", kEngineNames, model.engine, parse_engine);
  read_texts(section, model);
  read_needs(section, model);
  read_treatment(section, model);
  if (!section.failed()) check_needed(section, model);
  return model;
}

// A request's name must mean one model.
void check_names(std::string_view file, SectionReader& names, const std::vector<ModelSpec>& models,
                 std::optional<Error>& error) {
  std::map<std::string_view, std::string_view> owner;
  for (const ModelSpec& model : models) owner.emplace(model.name, model.name);
  for (const ModelSpec& model : models) {
    for (const std::string& alias : model.aliases) {
      const toml::table* table = names.table(model.name);
      SectionReader section(file, fmt::format("models.{}", model.name), table, {}, error);
      if (!is_model_name(alias)) {
        return section.wrong_value("aliases", msg::kNotAModelName, msg::kNotAModelNameHow);
      }
      const auto [at, is_new] = owner.emplace(alias, model.name);
      if (!is_new) {
        return section.wrong_value("aliases", fmt::format(msg::kAliasTaken, alias, at->second),
                                   msg::kAliasTakenHow);
      }
    }
  }
}

}  // namespace

Result<ModelSpec::Time> parse_model_time(std::string_view text) {
  const auto time = parse_duration(text);
  if (time && *time > kLongest) {
    return not_accepted(text, "a duration in quotes up to 24h, such as \"30s\"");
  }
  return time;
}

void read_models(std::string_view file, SectionReader& top, std::vector<ModelSpec>& out,
                 std::optional<Error>& error) {
  const toml::table* models = top.table("models");
  if (models == nullptr) return;
  if (models->size() > kMaxModels) {
    return top.wrong_value("models", fmt::format("{} models", models->size()),
                           fmt::format(msg::kAccepted, fmt::format("at most {}", kMaxModels)));
  }
  const auto keys = known_keys();
  SectionReader names(file, "models", models, {}, error);
  for (const auto& [key, value] : *models) {
    const toml::table* table = names.table(key.str());
    if (error) return;
    if (!is_model_name(key.str())) {
      return names.wrong_value(key.str(), msg::kNotAModelName, msg::kNotAModelNameHow);
    }
    SectionReader section(file, fmt::format("models.{}", key.str()), table, keys, error);
    out.push_back(read_model(section, key.str()));
  }
  if (!error) check_names(file, names, out, error);
}

}  // namespace estiva::format
