// Reading of CDI specs: a walk over the YAML tree that knows each member's name and type.
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>

#include "base/messages/format_cdi.h"
#include "format/cdi_spec.h"
#include "format/text.h"
#include "format/yaml_tree.h"

namespace estiva::format {
namespace {

constexpr std::size_t kMaxShown = 80;  // bytes of a foreign text in a sentence

std::string shown(std::string_view text) {
  if (text.size() <= kMaxShown) return std::string(text);
  std::size_t end = kMaxShown;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// A number where text belongs, as Go's FormatFloat(value, 'g', -1, 32) writes it.
std::string float_text(double number) {
  const auto value = static_cast<float>(number);
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[64];
  const auto print = [&](std::chars_format how) {
    return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, how).ptr);
  };
  const std::string scientific = print(std::chars_format::scientific);
  const auto exponent = parse_i64(
      scientific.substr(scientific.find('e') + 1 + (scientific.find("e+") != scientific.npos)));
  return exponent.value_or(0) < -4 || exponent.value_or(0) >= 6 ? scientific
                                                                : print(std::chars_format::fixed);
}

std::string scalar_text(const YamlScalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* yes = std::get_if<bool>(&value)) return *yes ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value)) return float_text(*number);
  return {};
}

std::string_view kind_of(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::sequence) return msg::kCdiList;
  if (node.kind == YamlNode::Kind::mapping) return msg::kCdiMapping;
  const YamlScalar value = resolve_scalar(node);
  if (std::holds_alternative<YamlNull>(value)) return msg::kCdiNothing;
  if (std::holds_alternative<bool>(value)) return msg::kCdiBoolean;
  return std::holds_alternative<std::string>(value) ? std::string_view(msg::kCdiText)
                                                    : msg::kCdiNumber;
}

class Reader {
 public:
  explicit Reader(const YamlTree& tree) : tree_(tree) {}

  void read(CdiSpec& spec);
  bool failed() const { return fault_.has_value(); }
  TextPlace place() const { return place_; }
  const std::string& fault() const { return *fault_; }

 private:
  using Read = std::function<void(const YamlNode&, std::string_view name)>;
  struct Member {
    std::string_view name;
    Read read;
  };
  using Members = std::initializer_list<Member>;
  using Seen = std::set<std::string, std::less<>>;

  void reject(const YamlNode& at, std::string text) {
    if (fault_) return;
    place_ = at.place;
    fault_ = std::move(text);
  }
  void reject_type(const YamlNode& at, std::string_view name, std::string_view must) {
    reject(at, fmt::format(msg::kCdiWrongType, name, kind_of(at), must));
  }
  bool is_null(const YamlNode& node) const {
    return node.kind == YamlNode::Kind::scalar &&
           std::holds_alternative<YamlNull>(resolve_scalar(node));
  }
  std::optional<std::string> key_of(const YamlNode& key);
  void pairs(const YamlNode& map, Seen& seen,
             const std::function<void(const YamlNode&, const std::string&, const YamlNode&)>& each);
  void merge(const YamlNode& value, Seen& seen,
             const std::function<void(const YamlNode&, const std::string&, const YamlNode&)>& each);
  void members(const YamlNode& map, std::string_view name, Members known);
  void unknown(const YamlNode& key, const std::string& name, Members known);

  Read text(std::string& to);
  Read flag(bool& to);
  template <class T>
  Read number(std::optional<T>& to);
  Read texts(std::vector<std::string>& to);
  Read annotations(std::map<std::string, std::string>& to);
  Read group_ids(std::vector<std::uint32_t>& to);
  template <class Each>
  void elements(const YamlNode& node, std::string_view name, Each each);
  template <auto take, class T>
  Read objects(std::vector<T>& to);

  void read_device(const YamlNode& node, CdiDevice& device);
  Read edits(CdiEdits& to);
  void read_node(const YamlNode& node, CdiNode& to);
  void read_mount(const YamlNode& node, CdiMount& to);
  void read_hook(const YamlNode& node, CdiHook& to);
  void read_net(const YamlNode& node, CdiNetDevice& to);
  Read rdt(std::optional<CdiIntelRdt>& to);

  const YamlTree& tree_;
  std::optional<std::string> fault_;
  TextPlace place_;
};

std::optional<std::string> Reader::key_of(const YamlNode& key) {
  if (key.has_json_escape) {
    reject(key, msg::kCdiJsonEscape);
  } else if (key.kind == YamlNode::Kind::scalar) {
    const YamlScalar value = resolve_scalar(key);
    if (!std::holds_alternative<YamlNull>(value) && !std::holds_alternative<YamlBadTag>(value)) {
      return scalar_text(value);
    }
  }
  reject(key, msg::kCdiBadKey);
  return std::nullopt;
}

void Reader::pairs(
    const YamlNode& map, Seen& seen,
    const std::function<void(const YamlNode&, const std::string&, const YamlNode&)>& each) {
  for (std::size_t i = 0; i + 1 < map.children.size() && !fault_; i += 2) {
    const YamlNode& key = tree_[map.children[i]];
    const YamlNode& value = tree_[map.children[i + 1]];
    if (is_merge_key(key)) {
      merge(value, seen, each);
      continue;
    }
    const auto name = key_of(key);
    if (name && !seen.insert(*name).second) {
      reject(key, fmt::format(msg::kCdiTwice, shown(*name)));
    }
    if (!fault_) each(key, *name, value);
  }
}

void Reader::merge(
    const YamlNode& value, Seen& seen,
    const std::function<void(const YamlNode&, const std::string&, const YamlNode&)>& each) {
  if (value.kind == YamlNode::Kind::mapping) return pairs(value, seen, each);
  if (value.kind != YamlNode::Kind::sequence) return reject(value, msg::kCdiBadMerge);
  for (const std::uint32_t id : value.children) {
    if (tree_[id].kind != YamlNode::Kind::mapping) return reject(tree_[id], msg::kCdiBadMerge);
    pairs(tree_[id], seen, each);
  }
}

void Reader::members(const YamlNode& map, std::string_view name, Members known) {
  if (map.kind != YamlNode::Kind::mapping) return reject_type(map, name, msg::kCdiMapping);
  Seen seen;
  std::set<std::string_view> taken;
  pairs(map, seen, [&](const YamlNode& key, const std::string& word, const YamlNode& value) {
    for (const Member& member : known) {
      if (!same_name(member.name, word)) continue;
      if (!taken.insert(member.name).second) {
        return reject(key, fmt::format(msg::kCdiTwice, member.name));
      }
      return member.read(value, member.name);
    }
    unknown(key, word, known);
  });
}

void Reader::unknown(const YamlNode& key, const std::string& name, Members known) {
  std::vector<std::string_view> names;
  for (const Member& member : known) names.push_back(member.name);
  const auto near = nearest_name(name, names);
  reject(key, near ? fmt::format(msg::kCdiUnknownNear, shown(name), *near)
                   : fmt::format(msg::kCdiUnknownMember, shown(name)));
}

Reader::Read Reader::text(std::string& to) {
  return [this, &to](const YamlNode& node, std::string_view name) {
    if (node.kind != YamlNode::Kind::scalar) return reject_type(node, name, msg::kCdiText);
    if (node.has_json_escape) return reject(node, msg::kCdiJsonEscape);
    const YamlScalar value = resolve_scalar(node);
    if (std::holds_alternative<YamlBadTag>(value)) {
      return reject(node, fmt::format(msg::kCdiBadTag, shown(node.text), node.tag));
    }
    to = scalar_text(value);
  };
}

Reader::Read Reader::flag(bool& to) {
  return [this, &to](const YamlNode& node, std::string_view name) {
    if (is_null(node)) return;
    const YamlScalar value =
        node.kind == YamlNode::Kind::scalar ? resolve_scalar(node) : YamlScalar(YamlBadTag{});
    if (!std::holds_alternative<bool>(value)) return reject_type(node, name, msg::kCdiBoolean);
    to = std::get<bool>(value);
  };
}

// A whole number; one that is written as 1.0 or 1e3 is one, too.
std::optional<std::int64_t> whole_number(const YamlScalar& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  const auto* number = std::get_if<double>(&value);
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (number == nullptr || *number != std::floor(*number)) return std::nullopt;
  if (*number < -kLimit || *number >= kLimit) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

template <class T>
Reader::Read Reader::number(std::optional<T>& to) {
  return [this, &to](const YamlNode& node, std::string_view name) {
    if (is_null(node)) return;
    const YamlScalar value =
        node.kind == YamlNode::Kind::scalar ? resolve_scalar(node) : YamlScalar(YamlBadTag{});
    if (std::holds_alternative<std::string>(value) || std::holds_alternative<bool>(value) ||
        std::holds_alternative<YamlBadTag>(value)) {
      return reject_type(node, name, msg::kCdiWholeNumber);
    }
    constexpr auto kLeast = static_cast<std::int64_t>(std::numeric_limits<T>::min());
    constexpr auto kMost = static_cast<std::int64_t>(std::numeric_limits<T>::max());
    const auto whole = whole_number(value);
    if (!whole || *whole < kLeast || *whole > kMost) {
      return reject(node, fmt::format(msg::kCdiOutOfRange, name, shown(node.text), kLeast, kMost));
    }
    to = static_cast<T>(*whole);
  };
}

template <class Each>
void Reader::elements(const YamlNode& node, std::string_view name, Each each) {
  if (is_null(node)) return;
  if (node.kind != YamlNode::Kind::sequence) return reject_type(node, name, msg::kCdiList);
  for (const std::uint32_t id : node.children) {
    if (fault_) return;
    each(tree_[id]);
  }
}

Reader::Read Reader::texts(std::vector<std::string>& to) {
  return [this, &to](const YamlNode& node, std::string_view name) {
    elements(node, name, [&](const YamlNode& element) { text(to.emplace_back())(element, name); });
  };
}

Reader::Read Reader::group_ids(std::vector<std::uint32_t>& to) {
  return [this, &to](const YamlNode& node, std::string_view name) {
    elements(node, name, [&](const YamlNode& element) {
      std::optional<std::uint32_t> one;
      number(one)(element, name);
      to.push_back(one.value_or(0));
    });
  };
}

Reader::Read Reader::annotations(std::map<std::string, std::string>& to) {
  return [this, &to](const YamlNode& node, std::string_view name) {
    if (is_null(node)) return;
    if (node.kind != YamlNode::Kind::mapping) return reject_type(node, name, msg::kCdiMapping);
    Seen seen;
    pairs(node, seen, [&](const YamlNode&, const std::string& key, const YamlNode& value) {
      text(to[key])(value, key);
    });
  };
}

template <auto take, class T>
Reader::Read Reader::objects(std::vector<T>& to) {
  return [this, &to](const YamlNode& node, std::string_view name) {
    elements(node, name, [&](const YamlNode& element) {
      // In Go a device is no pointer.
      if (is_null(element) && name != "devices") {
        return reject(element, fmt::format(msg::kCdiNullElement, name));
      }
      (this->*take)(element, to.emplace_back());
    });
  };
}

void Reader::read(CdiSpec& spec) {
  members(tree_[tree_.root], msg::kCdiTheSpec,
          {{"cdiVersion", text(spec.version)},
           {"kind", text(spec.kind)},
           {"annotations", annotations(spec.annotations)},
           {"devices", objects<&Reader::read_device>(spec.devices)},
           {"containerEdits", edits(spec.edits)}});
}

void Reader::read_device(const YamlNode& node, CdiDevice& device) {
  members(node, msg::kCdiADevice,
          {{"name", text(device.name)},
           {"annotations", annotations(device.annotations)},
           {"containerEdits", edits(device.edits)}});
}

Reader::Read Reader::edits(CdiEdits& to) {
  return [this, &to](const YamlNode& node, std::string_view name) {
    if (is_null(node)) return;
    members(node, name,
            {{"env", texts(to.env)},
             {"deviceNodes", objects<&Reader::read_node>(to.nodes)},
             {"netDevices", objects<&Reader::read_net>(to.net_devices)},
             {"mounts", objects<&Reader::read_mount>(to.mounts)},
             {"hooks", objects<&Reader::read_hook>(to.hooks)},
             {"additionalGids", group_ids(to.additional_gids)},
             {"intelRdt", rdt(to.intel_rdt)}});
  };
}

void Reader::read_node(const YamlNode& node, CdiNode& to) {
  members(node, msg::kCdiANode,
          {{"path", text(to.path)},
           {"hostPath", text(to.host_path)},
           {"type", text(to.type)},
           {"major", number(to.major)},
           {"minor", number(to.minor)},
           {"fileMode", number(to.file_mode)},
           {"permissions", text(to.permissions)},
           {"uid", number(to.uid)},
           {"gid", number(to.gid)}});
}

void Reader::read_mount(const YamlNode& node, CdiMount& to) {
  members(node, msg::kCdiAMount,
          {{"hostPath", text(to.host_path)},
           {"containerPath", text(to.container_path)},
           {"type", text(to.type)},
           {"options", texts(to.options)}});
}

void Reader::read_hook(const YamlNode& node, CdiHook& to) {
  members(node, msg::kCdiAHook,
          {{"hookName", text(to.name)},
           {"path", text(to.path)},
           {"args", texts(to.args)},
           {"env", texts(to.env)},
           {"timeout", number(to.timeout)}});
}

void Reader::read_net(const YamlNode& node, CdiNetDevice& to) {
  members(node, msg::kCdiANet,
          {{"hostInterfaceName", text(to.host_name)}, {"name", text(to.name)}});
}

Reader::Read Reader::rdt(std::optional<CdiIntelRdt>& to) {
  return [this, &to](const YamlNode& node, std::string_view name) {
    if (is_null(node)) return;
    CdiIntelRdt& rdt = to.emplace();
    members(node, name,
            {{"closID", text(rdt.clos_id)},
             {"l3CacheSchema", text(rdt.l3_schema)},
             {"memBwSchema", text(rdt.mem_bw_schema)},
             {"schemata", texts(rdt.schemata)},
             {"enableMonitoring", flag(rdt.enable_monitoring)},
             {"enableCMT", flag(rdt.enable_cmt)},
             {"enableMBM", flag(rdt.enable_mbm)}});
  };
}

}  // namespace

Result<CdiSpec> parse_cdi_spec(std::string_view text, TextPlace* place) {
  if (place != nullptr) *place = {};
  const auto tree = YamlTree::parse(text, place);
  if (!tree) return fail(tree.error().what, msg::kCdiHow);
  const bool is_empty = tree->nodes.empty() ||
                        ((*tree)[tree->root].kind == YamlNode::Kind::scalar &&
                         std::holds_alternative<YamlNull>(resolve_scalar((*tree)[tree->root])));
  if (is_empty) return fail(msg::kCdiEmpty, msg::kCdiHow);
  CdiSpec spec;
  Reader reader(*tree);
  reader.read(spec);
  if (!reader.failed()) return spec;
  const TextPlace at = reader.place();
  if (place != nullptr) *place = at;
  return fail(fmt::format(msg::kYamlAt, at.line, at.column, reader.fault()), msg::kCdiHow);
}

namespace {

// Takes "name" or "[7]" off the front of a place; empty at its end.
std::string_view next_step(std::string_view& place) {
  if (place.starts_with('.')) place.remove_prefix(1);
  const std::size_t end = place.starts_with('[') ? place.find(']') + 1 : place.find_first_of(".[");
  const std::string_view step = place.substr(0, end);
  place.remove_prefix(step.size());
  return step;
}

const YamlNode* child_of(const YamlTree& tree, const YamlNode& node, std::string_view step) {
  if (step.starts_with('[')) {
    const auto index = parse_u64(step.substr(1, step.size() - 2));
    if (node.kind != YamlNode::Kind::sequence || !index || *index >= node.children.size())
      return nullptr;
    return &tree[node.children[*index]];
  }
  if (node.kind != YamlNode::Kind::mapping) return nullptr;
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    if (same_name(tree[node.children[i]].text, step)) return &tree[node.children[i + 1]];
  }
  return nullptr;
}

}  // namespace

TextPlace cdi_place_of(std::string_view text, std::string_view place) {
  const auto tree = YamlTree::parse(text);
  if (!tree || tree->nodes.empty()) return {};
  const YamlNode* at = &(*tree)[tree->root];
  while (!place.empty()) {
    const std::string_view step = next_step(place);
    const YamlNode* next = step.empty() ? nullptr : child_of(*tree, *at, step);
    if (next == nullptr) break;
    at = next;
  }
  return at->place;
}

}  // namespace estiva::format
