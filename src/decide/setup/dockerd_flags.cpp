#include "decide/setup/dockerd_flags.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace estiva::decide {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// Flags that the file calls otherwise (moby: daemon/command/config.go, config_unix.go, options.go).
constexpr std::array<Pair, 18> kOtherNames{{
    {"add-runtime", "runtimes"},
    {"authorization-plugin", "authorization-plugins"},
    {"cdi-spec-dir", "cdi-spec-dirs"},
    {"default-address-pool", "default-address-pools"},
    {"default-network-opt", "default-network-opts"},
    {"default-ulimit", "default-ulimits"},
    {"dns-opt", "dns-opts"},
    {"exec-opt", "exec-opts"},
    {"feature", "features"},
    {"host", "hosts"},
    {"host-gateway-ip", "host-gateway-ips"},
    {"insecure-registry", "insecure-registries"},
    {"label", "labels"},
    {"log-opt", "log-opts"},
    {"node-generic-resource", "node-generic-resources"},
    {"registry-mirror", "registry-mirrors"},
    {"storage-opt", "storage-opts"},
    {"cluster-store-opt", "cluster-store-opts"},
}};

constexpr std::array<Pair, 8> kShort{{{"H", "host"},
                                      {"D", "debug"},
                                      {"l", "log-level"},
                                      {"G", "group"},
                                      {"s", "storage-driver"},
                                      {"b", "bridge"},
                                      {"p", "pidfile"},
                                      {"r", "restart"}}};

// Objects of the file whose members are no settings of their own (flatOptions of moby).
constexpr std::array<std::string_view, 7> kWhole{
    "builder",         "cluster-store-opts", "default-network-opts",
    "default-ulimits", "features",           "log-opts",
    "runtimes"};

std::string_view find_in(std::span<const Pair> table, std::string_view name) {
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const Pair& pair) { return pair.first == name; });
  return row == table.end() ? name : row->second;
}

// Its name without dashes and, where it stands in the same word, its value. Nothing: no flag.
struct Word {
  std::string_view name;
  std::optional<std::string_view> value;
};
std::optional<Word> read_word(std::string_view word) {
  if (word.size() < 2 || word[0] != '-') return std::nullopt;
  const bool is_long = word[1] == '-';
  word.remove_prefix(is_long ? 2 : 1);
  const std::size_t equals = word.find('=');
  if (is_long || equals == 1) {
    if (equals == word.npos) return Word{word, std::nullopt};
    return Word{word.substr(0, equals), word.substr(equals + 1)};
  }
  const std::string_view name = find_in(kShort, word.substr(0, 1));
  if (word.size() == 1) return Word{name, std::nullopt};
  return Word{name, word.substr(1)};
}

}  // namespace

std::vector<DockerdFlag> parse_dockerd_flags(std::span<const std::string> arguments) {
  std::vector<DockerdFlag> flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto word = read_word(arguments[i]);
    if (!word) continue;
    DockerdFlag flag{std::string(find_in(kOtherNames, find_in(kShort, word->name))), "true",
                     arguments[i]};
    // dockerd takes no arguments but flags, so a word without a dash is the value of the one
    // before.
    const bool next = i + 1 < arguments.size() && !arguments[i + 1].starts_with('-');
    if (word->value) {
      flag.value = *word->value;
    } else if (next) {
      flag.value = arguments[++i];
      flag.words += " " + flag.value;
    }
    flags.push_back(std::move(flag));
  }
  return flags;
}

Result<std::vector<DockerdFlag>> flag_conflicts(std::span<const DockerdFlag> flags,
                                                const format::JsonEdit& file) {
  std::vector<DockerdFlag> both;
  if (flags.empty()) return both;
  auto keys = file.names({});
  if (!keys) return tl::unexpected(keys.error());
  const std::vector<std::string> outer = *keys;
  for (const std::string& key : outer) {
    if (std::find(kWhole.begin(), kWhole.end(), key) != kWhole.end()) continue;
    const auto inner = file.names({key});  // an error: it is no object
    if (inner) keys->insert(keys->end(), inner->begin(), inner->end());
  }
  const auto is_there = [&](std::string_view key) {
    return std::find(keys->begin(), keys->end(), key) != keys->end();
  };
  for (const DockerdFlag& flag : flags) {
    // The file had "host-gateway-ip" before Docker 28, and still may.
    const bool old_name = flag.key == "host-gateway-ips" && is_there("host-gateway-ip");
    if ((is_there(flag.key) || old_name) && flag.key != "runtimes") both.push_back(flag);
  }
  return both;
}

}  // namespace estiva::decide
