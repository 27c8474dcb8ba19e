#include "format/compose_wish.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "base/messages/format_compose.h"
#include "format/compose_services.h"
#include "format/text.h"
#include "format/yaml_look.h"

namespace estiva::format {
namespace {

using Id = std::uint32_t;

constexpr std::uint64_t kMostGpus = 64;  // of one service; machines have 16 at most
constexpr std::string_view kVendor = "nvidia.com/gpu";
constexpr std::array<std::string_view, 4> kAskingKeys = {"deploy", "gpus", "runtime", "devices"};
// What NVIDIA's driver of the engine knows beside "gpu" (moby: daemon/nvidia_linux.go).
constexpr std::array<std::string_view, 8> kCapabilities = {
    "gpu", "nvidia", "compute", "compat32", "graphics", "utility", "video", "display"};

bool is_digits(std::string_view text) {
  return parse_u64(text).has_value() && text.size() <= 3 && (text.size() == 1 || text[0] != '0');
}

// "GPU-5a...", "MIG-5a...": as NVML and the specs write them.
bool is_uuid(std::string_view text) {
  if (!text.starts_with("GPU-") && !text.starts_with("MIG-")) return false;
  return text.size() > 8 &&
         text.substr(4).find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

bool is_mig_index(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != text.npos && is_digits(text.substr(0, colon)) &&
         is_digits(text.substr(colon + 1));
}

// "nvidia.com/gpu=0" of "0"; nullopt where nobody can say what it names.
std::optional<std::string> cdi_name(std::string_view id) {
  if (id.starts_with(kVendor) && id.substr(kVendor.size()).starts_with('=')) {
    id.remove_prefix(kVendor.size() + 1);
  }
  const bool is_known = id == "all" || is_digits(id) || is_uuid(id) || is_mig_index(id);
  return is_known ? std::optional(fmt::format("{}={}", kVendor, id)) : std::nullopt;
}

// Names of NVIDIA's GPUs: its own, or those of estiva's spec.
bool is_gpu_name(std::string_view device) {
  return device.starts_with("nvidia.com/") || device.starts_with("estiva.dev/gpu=");
}

bool has_reservations(const YamlTree& tree, Id service) {
  std::optional<Id> here = service;
  for (const char* key : {"deploy", "resources", "reservations", "devices"}) {
    if (here) here = value_of(tree, *here, key);
  }
  return here.has_value();
}

class Reader {
 public:
  Reader(const YamlTree& tree, Id services, Id service, ComposeAsk ask, ComposeWish& wish)
      : tree_(tree),
        uses_(count_uses(tree)),
        services_(services),
        service_(service),
        ask_(ask),
        wish_(wish) {}

  std::optional<ComposeTrouble> read(const ComposeService& seen);

 private:
  bool refuse(Id node, std::string why) {
    trouble_ = ComposeTrouble{tree_[node].place, std::move(why)};
    return false;
  }
  bool read_all();
  bool check_service();
  bool check_merged();
  bool check_extends();
  bool check_mapping(Id mapping, std::string_view key);
  bool check_private(Id node);
  bool read_reservations();
  bool read_item(Id item);
  bool read_capabilities(Id list);
  bool read_names(Id item);
  bool read_ids(Id list);
  bool read_count(Id node);
  bool read_gpus();
  bool read_runtime();
  bool read_devices();
  bool is_meant(Id item, bool by_gpus) const;
  bool take(Id node, std::string_view id);
  void take_first(std::uint64_t count);
  void note(Id node) {
    const TextPlace at = tree_[node].place;
    if (wish_.place.line == 0 || at.line < wish_.place.line) wish_.place = at;
  }
  std::optional<Id> visible_devices(std::string& value) const;

  const YamlTree& tree_;
  std::vector<unsigned> uses_;
  Id services_, service_;
  ComposeAsk ask_;
  ComposeWish& wish_;
  std::size_t requests_ = 0;  // that were understood
  std::optional<ComposeTrouble> trouble_;
};

// ---- What may stand where the service is changed ----

// A mapping of one owner, without tags, merge keys, and with each key once.
bool Reader::check_mapping(Id mapping, std::string_view key) {
  const YamlNode& node = tree_[mapping];
  if (!is_mapping(node)) return refuse(mapping, fmt::format(msg::kComposeNotMapping, key));
  if (uses_[mapping] > 1) return refuse(mapping, msg::kComposeShared);
  if (!node.tag.empty()) return refuse(mapping, fmt::format(msg::kComposeTag, node.tag));
  std::set<std::string_view> keys;
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const Id name = node.children[i];
    if (mapping != service_ && is_merge_key(tree_[name])) return refuse(name, msg::kComposeShared);
    if (!is_merge_key(tree_[name]) && !keys.insert(tree_[name].text).second) {
      return refuse(name, fmt::format(msg::kComposeTwice, tree_[name].text));
    }
  }
  return true;
}

// Nothing in it is named from elsewhere, has a tag or depends on a variable.
bool Reader::check_private(Id id) {
  const YamlNode& node = tree_[id];
  if (uses_[id] > 1) return refuse(id, msg::kComposeShared);
  if (!node.tag.empty()) return refuse(id, fmt::format(msg::kComposeTag, node.tag));
  if (node.text.find('$') != std::string::npos) {
    return refuse(id, fmt::format(msg::kComposeVariable, node.text));
  }
  return std::all_of(node.children.begin(), node.children.end(),
                     [&](Id child) { return check_private(child); });
}

bool Reader::check_extends() {
  if (const auto at = own_value(tree_, service_, "extends")) {
    return refuse(*at, msg::kComposeExtends);
  }
  const auto& all = tree_[services_].children;
  std::string_view name;
  for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
    if (all[i + 1] == service_) name = tree_[all[i]].text;
  }
  for (std::size_t i = 1; i < all.size(); i += 2) {
    const auto extends = value_of(tree_, all[i], "extends");
    if (!extends) continue;
    const auto by_name = own_value(tree_, *extends, "service");
    if (tree_[by_name.value_or(*extends)].text == name) {
      return refuse(*extends, msg::kComposeExtended);
    }
  }
  return true;
}

// What merge keys bring must not stand behind what is taken out or put in.
bool Reader::check_merged() {
  for (const Id source : merged_into(tree_, service_)) {
    for (const std::string_view key : kAskingKeys) {
      const auto at = own_key(tree_, source, key);
      const bool is_aside =
          key == "deploy" && !own_value(tree_, service_, key) && !has_reservations(tree_, source);
      if (at && !is_aside) return refuse(tree_[source].children[*at], msg::kComposeShared);
    }
  }
  return true;
}

bool Reader::check_service() {
  return check_mapping(services_, "services") && check_mapping(service_, "services") &&
         check_extends() && check_merged();
}

// ---- Which GPUs ----

bool Reader::take(Id node, std::string_view id) {
  // What Podman is to have stands there as it is, whoever the vendor is.
  const bool is_whole =
      ask_ == ComposeAsk::cdi_driver && id.find('=') != id.npos && id.find('/') != id.npos;
  const auto name = is_whole ? std::optional(std::string(id)) : cdi_name(id);
  if (!name) return refuse(node, fmt::format(msg::kComposeId, id));
  auto& devices = wish_.devices;
  if (std::find(devices.begin(), devices.end(), *name) == devices.end()) devices.push_back(*name);
  return true;
}

void Reader::take_first(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) (void)take(service_, std::to_string(i));
}

bool Reader::read_count(Id node) {
  const std::string& text = tree_[node].text;
  if (!is_scalar(tree_[node])) {
    return refuse(node, fmt::format(msg::kComposeCount, "count", kMostGpus));
  }
  if (text == "all" || text == "-1") return take(node, "all");
  const auto count = is_digits(text) ? parse_u64(text) : std::nullopt;
  if (!count || *count == 0 || *count > kMostGpus) {
    return refuse(node, fmt::format(msg::kComposeCount, text, kMostGpus));
  }
  take_first(*count);
  return true;
}

bool Reader::read_ids(Id list) {
  if (!is_sequence(tree_[list])) {
    return refuse(list, fmt::format(msg::kComposeNotList, "device_ids"));
  }
  if (tree_[list].children.empty()) return refuse(list, msg::kComposeNoIds);
  for (const Id id : tree_[list].children) {
    if (!is_scalar(tree_[id])) return refuse(id, fmt::format(msg::kComposeId, "device_ids"));
    if (!take(id, tree_[id].text)) return false;
  }
  return true;
}

// Without both it is all of them, as Compose and the engine have it. Both together Compose refuses;
// where they say the same it is plain what was meant.
bool Reader::read_names(Id item) {
  const auto count = own_value(tree_, item, "count");
  const auto ids = own_value(tree_, item, "device_ids");
  if (!count && !ids) return take(item, "all");
  if (!ids) return read_count(*count);
  const bool says_same = !count || (is_sequence(tree_[*ids]) && is_scalar(tree_[*count]) &&
                                    parse_u64(tree_[*count].text) == tree_[*ids].children.size());
  return says_same ? read_ids(*ids) : refuse(*count, msg::kComposeBoth);
}

bool Reader::read_capabilities(Id list) {
  if (!is_sequence(tree_[list])) {
    return refuse(list, fmt::format(msg::kComposeNotList, "capabilities"));
  }
  for (const Id one : tree_[list].children) {
    const std::string& text = tree_[one].text;
    const bool is_known =
        std::find(kCapabilities.begin(), kCapabilities.end(), text) != kCapabilities.end();
    if (!is_scalar(tree_[one]) || !is_known) {
      return refuse(one, fmt::format(msg::kComposeCapability, text));
    }
  }
  return true;
}

bool Reader::read_item(Id item) {
  if (!check_mapping(item, "devices") || !check_private(item)) return false;
  const auto& children = tree_[item].children;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    const std::string& key = tree_[children[i]].text;
    if (key == "capabilities" && !read_capabilities(children[i + 1])) return false;
    if (key != "driver" && key != "count" && key != "device_ids" && key != "capabilities") {
      return refuse(children[i], fmt::format(msg::kComposeUnknown, key));
    }
  }
  ++requests_;
  note(item);
  return read_names(item);
}

bool Reader::is_meant(Id item, bool by_gpus) const {
  const auto driver = value_of(tree_, item, "driver");
  const std::string name = driver ? tree_[*driver].text : std::string();
  if (ask_ == ComposeAsk::cdi_driver) return name == "cdi";
  if (name == "nvidia" || (name.empty() && by_gpus)) return true;
  const auto capabilities = value_of(tree_, item, "capabilities");
  if (!name.empty() || !capabilities) return false;
  const auto& all = tree_[*capabilities].children;
  return std::any_of(all.begin(), all.end(), [&](Id one) { return tree_[one].text == "gpu"; });
}

// ---- Where it is asked ----

bool Reader::read_reservations() {
  std::vector<Id> way;
  Id here = service_;
  for (const char* key : {"deploy", "resources", "reservations", "devices"}) {
    const auto next = own_value(tree_, here, key);
    if (!next) return true;
    here = *next;
    way.push_back(here);
  }
  const Id list = way.back();
  if (!is_sequence(tree_[list])) {
    return refuse(list, fmt::format(msg::kComposeNotList, "devices"));
  }
  for (const Id item : tree_[list].children) {
    if (!is_mapping(tree_[item]) || !is_meant(item, false)) continue;
    if (!read_item(item)) return false;
    wish_.items.push_back(item);
  }
  if (wish_.items.empty()) return true;
  for (std::size_t i = 0; i + 1 < way.size(); ++i) {
    if (!check_mapping(way[i], "deploy")) return false;
  }
  if (uses_[list] > 1) return refuse(list, msg::kComposeShared);
  if (!tree_[list].tag.empty()) return refuse(list, fmt::format(msg::kComposeTag, tree_[list].tag));
  wish_.reservations = std::move(way);
  return true;
}

bool Reader::read_gpus() {
  const auto gpus = own_value(tree_, service_, "gpus");
  if (!gpus) return true;
  if (!check_private(*gpus)) return false;
  note(*gpus);
  wish_.takes_gpus = true;
  if (!is_sequence(tree_[*gpus])) {
    ++requests_;
    return read_count(*gpus);
  }
  for (const Id item : tree_[*gpus].children) {
    if (!is_mapping(tree_[item]) || !is_meant(item, true)) {
      const auto driver = own_value(tree_, item, "driver");
      return refuse(item, fmt::format(msg::kComposeOtherDriver, tree_[driver.value_or(item)].text));
    }
    if (!read_item(item)) return false;
  }
  return true;
}

// The node of NVIDIA_VISIBLE_DEVICES in the environment, and its value.
std::optional<Id> Reader::visible_devices(std::string& value) const {
  constexpr std::string_view kName = "NVIDIA_VISIBLE_DEVICES";
  const auto environment = value_of(tree_, service_, "environment");
  if (!environment) return std::nullopt;
  if (is_mapping(tree_[*environment])) {
    const auto found = value_of(tree_, *environment, kName);
    if (found) value = tree_[*found].text;
    return found;
  }
  std::optional<Id> last;
  for (const Id line : tree_[*environment].children) {
    const std::string_view text = tree_[line].text;
    if (!text.starts_with(kName) || !text.substr(kName.size()).starts_with('=')) continue;
    last = line;
    value = text.substr(kName.size() + 1);
  }
  return last;
}

// A reservation says which GPUs, before the environment does.
bool Reader::read_runtime() {
  const auto runtime = own_value(tree_, service_, "runtime");
  if (!runtime || tree_[*runtime].text != "nvidia") return true;
  if (!check_private(*runtime)) return false;
  note(*runtime);
  wish_.takes_runtime = true;
  std::string visible;
  const auto where = visible_devices(visible);
  const std::vector<std::string> reserved = wish_.devices;
  if (!where) return !reserved.empty() || wish_.has_devices || refuse(*runtime, msg::kComposeWhich);
  if (visible.find('$') != visible.npos) {
    return refuse(*where, fmt::format(msg::kComposeVariable, visible));
  }
  if (wish_.has_devices && reserved.empty()) return true;
  wish_.devices.clear();
  for (std::string_view rest = visible; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (!take(*where, trim(rest.substr(0, comma)))) return false;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (wish_.devices.empty()) return refuse(*runtime, msg::kComposeWhich);
  if (!reserved.empty() && reserved != wish_.devices) {
    return refuse(*where, fmt::format(msg::kComposeDiffer, visible));
  }
  return true;
}

bool Reader::read_devices() {
  const auto devices = own_value(tree_, service_, "devices");
  if (!devices) return true;
  if (!is_sequence(tree_[*devices])) {
    return refuse(*devices, fmt::format(msg::kComposeNotList, "devices"));
  }
  if (uses_[*devices] > 1) return refuse(*devices, msg::kComposeShared);
  if (!tree_[*devices].tag.empty()) {
    return refuse(*devices, fmt::format(msg::kComposeTag, tree_[*devices].tag));
  }
  for (const Id one : tree_[*devices].children) {
    const bool is_asked = ask_ == ComposeAsk::legacy && is_gpu_name(tree_[one].text);
    wish_.has_devices = wish_.has_devices || is_asked;
  }
  return true;
}

bool Reader::read_all() {
  if (!check_service() || !read_devices() || !read_reservations()) return false;
  if (ask_ == ComposeAsk::legacy && (!read_gpus() || !read_runtime())) return false;
  const std::string all = fmt::format("{}=all", kVendor);
  auto& devices = wish_.devices;
  if (std::find(devices.begin(), devices.end(), all) != devices.end()) devices = {all};
  return true;
}

std::size_t requests_of(const ComposeService& seen, ComposeAsk ask) {
  return static_cast<std::size_t>(
      std::count_if(seen.requests.begin(), seen.requests.end(), [&](const ComposeGpuRequest& one) {
        return ask == ComposeAsk::legacy ? is_legacy(one) : one.driver == "cdi";
      }));
}

bool is_by_runtime(const ComposeService& seen, ComposeAsk ask) {
  return ask == ComposeAsk::legacy && seen.runtime == "nvidia";
}

std::optional<ComposeTrouble> Reader::read(const ComposeService& seen) {
  wish_.has_devices = ask_ == ComposeAsk::legacy && requests_of(seen, ComposeAsk::cdi_driver) > 0;
  if (!read_all()) return trouble_;
  // What is seen with merge keys followed must be what was read without them.
  const bool is_all =
      requests_ == requests_of(seen, ask_) && is_by_runtime(seen, ask_) == wish_.takes_runtime;
  if (!is_all) (void)refuse(service_, msg::kComposeShared);
  return trouble_;
}

}  // namespace

std::vector<unsigned> count_uses(const YamlTree& tree) {
  std::vector<unsigned> uses(tree.nodes.size());
  for (const YamlNode& node : tree.nodes) {
    for (const Id child : node.children) ++uses[child];
  }
  return uses;
}

bool asks_so(const ComposeService& service, ComposeAsk ask) {
  return requests_of(service, ask) > 0 || is_by_runtime(service, ask);
}

std::optional<ComposeTrouble> read_compose_wish(const YamlTree& tree, Id services, Id service,
                                                const ComposeService& seen, ComposeAsk ask,
                                                ComposeWish& wish) {
  if (!asks_so(seen, ask)) return std::nullopt;
  return Reader(tree, services, service, ask, wish).read(seen);
}

}  // namespace estiva::format
