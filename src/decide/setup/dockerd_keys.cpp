#include "decide/setup/dockerd_keys.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "base/messages/decide_daemon_json.h"
#include "base/messages/format_json.h"
#include "format/engine_version.h"
#include "format/json_repair.h"
#include "format/json_tree.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

using format::JsonEdit;
using format::JsonPath;
using format::JsonType;
using format::JsonValue;

enum class Holds : std::uint8_t {
  any,
  text,
  boolean,
  whole,        // a number without a fraction
  texts,        // an array of them
  objects,      // an array of them
  text_map,     // an object of texts
  boolean_map,  // and so on
  object_map,
  object,
};

struct Key {
  std::string_view name;
  Holds holds = Holds::text;
  unsigned since = 0, gone = 0;  // major versions; 0: before 20.10, or still there
};

// Versions are those of moby's release notes; where a setting came with a minor version, its major
// one counts, so that nothing is refused that Docker takes.
constexpr Key kKeys[] = {
    {"allow-direct-routing", Holds::boolean, 28},
    {"allow-nondistributable-artifacts", Holds::any},
    {"api-cors-header", Holds::text, 0, 28},
    {"authorization-plugins", Holds::texts},
    {"bip", Holds::text},
    {"bip6", Holds::text, 28},
    {"bridge", Holds::text},
    {"bridge-accept-fwmark", Holds::text, 29},
    {"builder", Holds::object},
    {"cdi-spec-dirs", Holds::texts, 25},
    {"cgroup-parent", Holds::text},
    {"cluster-advertise", Holds::text, 0, 23},
    {"cluster-store", Holds::text, 0, 23},
    {"cluster-store-opts", Holds::text_map, 0, 23},
    {"containerd", Holds::text},
    {"containerd-namespace", Holds::text},
    {"containerd-plugins-namespace", Holds::any},
    {"cpu-rt-period", Holds::whole},
    {"cpu-rt-runtime", Holds::whole},
    {"cri-containerd", Holds::boolean},
    {"data-root", Holds::text},
    {"debug", Holds::boolean},
    {"default-address-pools", Holds::objects},
    {"default-cgroupns-mode", Holds::text},
    {"default-gateway", Holds::text},
    {"default-gateway-v6", Holds::text},
    {"default-ipc-mode", Holds::text},
    {"default-network-opts", Holds::object_map, 24},
    {"default-runtime", Holds::text},
    {"default-shm-size", Holds::text},
    {"default-ulimits", Holds::object_map},
    {"deprecated-key-path", Holds::any},
    {"dns", Holds::texts},
    {"dns-opts", Holds::texts},
    {"dns-search", Holds::texts},
    {"exec-opts", Holds::texts},
    {"exec-root", Holds::text},
    {"experimental", Holds::boolean},
    {"features", Holds::boolean_map},
    {"firewall-backend", Holds::text, 29},
    {"fixed-cidr", Holds::text},
    {"fixed-cidr-v6", Holds::text},
    {"graph", Holds::text, 0, 23},
    {"group", Holds::text},
    {"host-gateway-ip", Holds::text},
    {"host-gateway-ips", Holds::texts, 28},
    {"hosts", Holds::texts},
    {"http-proxy", Holds::any, 23},
    {"https-proxy", Holds::any, 23},
    {"icc", Holds::boolean},
    {"init", Holds::boolean},
    {"init-path", Holds::text},
    {"insecure-registries", Holds::texts},
    {"ip", Holds::text},
    {"ip-forward", Holds::boolean},
    {"ip-forward-no-drop", Holds::boolean, 28},
    {"ip-masq", Holds::boolean},
    {"ip6tables", Holds::boolean},
    {"iptables", Holds::boolean},
    {"ipv6", Holds::boolean},
    {"labels", Holds::texts},
    {"live-restore", Holds::boolean},
    {"log-driver", Holds::text},
    {"log-format", Holds::text, 25},
    {"log-level", Holds::text},
    {"log-opts", Holds::text_map},
    {"max-concurrent-downloads", Holds::whole},
    {"max-concurrent-uploads", Holds::whole},
    {"max-download-attempts", Holds::whole},
    {"metrics-addr", Holds::text},
    {"mtu", Holds::whole},
    {"network-control-plane-mtu", Holds::whole},
    {"network-diagnostic-port", Holds::whole},
    {"no-new-privileges", Holds::boolean},
    {"no-proxy", Holds::any, 23},
    {"node-generic-resources", Holds::texts},
    {"oom-score-adjust", Holds::whole, 0, 25},
    {"pidfile", Holds::text},
    {"proxies", Holds::text_map, 23},
    {"raw-logs", Holds::boolean},
    {"registry-mirrors", Holds::texts},
    {"rootless", Holds::boolean},
    {"runtimes", Holds::object_map},
    {"seccomp-profile", Holds::text},
    {"selinux-enabled", Holds::boolean},
    {"shutdown-timeout", Holds::whole},
    {"storage-driver", Holds::text},
    {"storage-opts", Holds::texts},
    {"swarm-default-advertise-addr", Holds::text},
    {"tls", Holds::boolean},
    {"tlscacert", Holds::text},
    {"tlscert", Holds::text},
    {"tlskey", Holds::text},
    {"tlsverify", Holds::boolean},
    {"userland-proxy", Holds::boolean},
    {"userland-proxy-path", Holds::text},
    {"userns-remap", Holds::text},
};

// Names of flags: dockerd takes them in the file as well, and passes over what they say.
constexpr std::string_view kPassedOver[] = {
    "add-runtime",
    "authorization-plugin",
    "cdi-spec-dir",
    "config-file",
    "default-ulimit",
    "default-address-pool",
    "dns-opt",
    "default-network-opt",
    "exec-opt",
    "feature",
    "help",
    "host",
    "label",
    "insecure-registry",
    "log-opt",
    "node-generic-resource",
    "registry-mirror",
    "restart",
    "storage-opt",
    "validate",
    "version",
};

// The words for it in messages/format_json.h.
std::string_view in_words(Holds holds) {
  switch (holds) {
    case Holds::boolean:
    case Holds::boolean_map:
      return msg::kJsonIsBoolean;
    case Holds::whole:
      return msg::kJsonIsWhole;
    case Holds::objects:
    case Holds::object:
    case Holds::object_map:
      return msg::kJsonIsObject;
    default:
      return msg::kJsonIsText;
  }
}

bool is_whole(std::string_view digits) {
  return digits.find_first_of(".eE") == digits.npos;
}

// What is neither an array nor an object; null leaves a setting as it is, whatever it holds.
bool fits(Holds holds, const JsonValue& value) {
  if (value.type == JsonType::null) return true;
  if (holds == Holds::boolean) return value.type == JsonType::boolean;
  if (holds == Holds::whole) return value.type == JsonType::number && is_whole(value.text);
  return value.type == JsonType::text;
}

// Does a part of an array or a map have the type that all of it must have?
bool part_fits(Holds holds, const format::JsonNode& part) {
  if (part.is_null()) return true;
  if (holds == Holds::boolean_map) return part.boolean().has_value();
  if (holds == Holds::objects || holds == Holds::object_map) return part.is_object();
  return part.text().has_value();
}

// The place of the first part that does not fit; nothing: all do.
std::optional<std::size_t> wrong_part(Holds holds, const format::JsonNode& whole) {
  for (std::size_t i = 0; i < whole.size(); ++i)
    if (!part_fits(holds, whole.at(i))) return i;
  return std::nullopt;
}

std::optional<Error> wrong_value(const JsonEdit& file, const Key& key, const JsonValue& value) {
  if (key.holds == Holds::any) return std::nullopt;
  const JsonPath path{std::string(key.name)};
  const bool is_list = key.holds == Holds::texts || key.holds == Holds::objects;
  if (key.holds < Holds::texts) {
    if (fits(key.holds, value)) return std::nullopt;
    return file.wrong_type(path, value, in_words(key.holds));
  }
  if (value.type == JsonType::null) return std::nullopt;
  if (value.type != (is_list ? JsonType::array : JsonType::object))
    return file.wrong_type(path, value, is_list ? msg::kJsonIsArray : msg::kJsonIsObject);
  if (key.holds == Holds::object) return std::nullopt;
  const auto whole = format::JsonTree::parse(value.text);
  const auto wrong = whole ? wrong_part(key.holds, whole->root()) : std::nullopt;
  if (!wrong) return std::nullopt;
  if (is_list) {
    const bool are_texts = key.holds == Holds::texts;
    return file.wrong_type(path, value, are_texts ? msg::kJsonIsTexts : msg::kJsonIsObjects);
  }
  const JsonPath inner{path[0], std::string(whole->root().name_at(*wrong))};
  const auto part = file.find(inner);
  if (!part || !*part) return std::nullopt;
  return file.wrong_type(inner, **part, in_words(key.holds));
}

const Key* find_key(std::string_view name, std::optional<format::EngineVersion> version) {
  const auto* key = std::ranges::find(kKeys, name, &Key::name);
  if (key == std::end(kKeys)) return nullptr;
  const bool is_known =
      !version || (version->major >= key->since && (key->gone == 0 || version->major < key->gone));
  return is_known ? key : nullptr;
}

// dockerd looks only at the members of an object that it has no setting for (moby,
// configValuesSet).
bool is_passed_over(const JsonEdit& file, const std::string& name, const JsonValue& value,
                    std::optional<format::EngineVersion> version) {
  if (value.type != JsonType::object) return false;
  const auto inner = file.names({name});
  return inner && std::ranges::all_of(*inner, [&](const std::string& one) {
           return find_key(one, version) != nullptr;
         });
}

Error unknown(const JsonEdit& file, std::string_view path, const std::string& name,
              const JsonValue& value, std::string_view version) {
  const format::TextPlace place = file.place_of(value);
  std::vector<std::string_view> names;
  for (const Key& key : kKeys)
    if (find_key(key.name, format::parse_engine_version(version)) != nullptr)
      names.push_back(key.name);
  const auto near = format::nearest_name(name, names);
  const bool is_other_version = find_key(name, std::nullopt) != nullptr;
  const std::string docker =
      is_other_version ? fmt::format(msg::kDaemonThis, version) : std::string(msg::kDaemonAny);
  std::string what = fmt::format(msg::kDaemonUnknown, docker, name);
  if (near && !is_other_version) what += fmt::format(msg::kDaemonDidYouMean, *near);
  return {ErrorKind::refused, fmt::format("{}:{}:{}: {}", path, place.line, place.column, what),
          std::string(msg::kDaemonUnknownHow)};
}

}  // namespace

std::optional<Error> refused_by_dockerd(const JsonEdit& file, std::string_view path,
                                        std::string_view version) {
  const auto names = file.names({});
  if (!names) return names.error();
  const auto engine = format::parse_engine_version(version);
  for (const std::string& name : *names) {
    const auto value = file.find({name});
    if (!value || !*value) continue;
    const Key* key = find_key(name, engine);
    if (key == nullptr) {
      if (std::ranges::find(kPassedOver, name) != std::end(kPassedOver)) continue;
      if (is_passed_over(file, name, **value, engine)) continue;
      return unknown(file, path, name, **value, version);
    }
    if (auto wrong = wrong_value(file, *key, **value)) return wrong;
  }
  return std::nullopt;
}

std::optional<Error> fault_of_daemon_json(const std::string& text, const std::string& path,
                                          std::string_view version) {
  const auto file = JsonEdit::parse(text, path);
  if (file) return refused_by_dockerd(*file, path, version);
  if (format::JsonTree::parse(text)) return std::nullopt;
  Error fault = file.error();
  const auto mended = format::repair_json(text);
  if (mended && !fault_of_daemon_json(*mended, path, version)) fault.remedy = msg::kDaemonMendedHow;
  return fault;
}

}  // namespace estiva::decide
