#include "format/compose_to_cdi.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/format_cdi.h"
#include "base/messages/format_compose.h"
#include "format/compose_cut.h"
#include "format/text.h"
#include "format/yaml_look.h"

namespace estiva::format {
namespace {

using Id = std::uint32_t;

constexpr std::size_t kMostAsking = 100;  // services that ask for a GPU; each is a parse

bool is_equal(const YamlTree& a, Id x, const YamlTree& b, Id y) {
  const YamlNode& one = a[x];
  const YamlNode& other = b[y];
  if (one.kind != other.kind || one.text != other.text || one.tag != other.tag ||
      one.is_plain != other.is_plain || one.children.size() != other.children.size()) {
    return false;
  }
  for (std::size_t i = 0; i < one.children.size(); ++i) {
    if (!is_equal(a, one.children[i], b, other.children[i])) return false;
  }
  return true;
}

// The first "---" may stand before the first document; a second one, or what follows "...", is not
// seen by the parser. A lone CR would end a line for YAML and not here.
bool is_one_document(std::string_view text, const YamlTree& tree) {
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    const bool is_mark = (line.starts_with("---") || line.starts_with("...")) &&
                         (line.size() == 3 || trim(line.substr(3, 1)).empty());
    if (is_mark && at > tree[tree.root].begin) return false;
    const std::size_t cr = line.find('\r');
    if (cr != line.npos && cr + 1 != line.size()) return false;
    if (text.find('\n', at) == text.npos) break;
  }
  return true;
}

// One service: the cuts in the text, and the same change in the tree to hold it against.
class Edit {
 public:
  Edit(std::string_view text, const YamlTree& tree, Id service, const ComposeWish& wish)
      : tree_(tree), after_(tree), cut_(text, tree), service_(service), wish_(wish) {}

  std::optional<std::string> run();
  const std::string& why() const { return why_; }
  TextPlace trouble() const { return trouble_; }

 private:
  struct Entry {
    Id mapping = 0, key = 0;
    bool operator==(const Entry& other) const = default;
  };
  std::vector<Entry> way_of_reservation() const;
  void find_entries();
  bool cut_all();
  bool cut_entry(const Entry& entry);
  bool add_devices();
  std::size_t place_of(const Entry& entry) const;
  void erase_in_tree(const Entry& entry);
  void add_in_tree();
  Id add_scalar(const std::string& text, bool is_plain);
  bool is_whole(Id key) const;

  const YamlTree& tree_;
  YamlTree after_;
  ComposeCut cut_;
  Id service_;
  const ComposeWish& wish_;
  std::vector<Entry> entries_;      // that go whole
  bool takes_some_items_ = false;   // of a list that stays
  Id first_ = 0;                    // key of the service's entry that is changed first
  std::vector<std::string> names_;  // to be added
  std::size_t step_ = 2;
  std::string why_;
  TextPlace trouble_;
};

Id key_of(const YamlTree& tree, Id mapping, Id value) {
  const auto& children = tree[mapping].children;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    if (children[i + 1] == value) return children[i];
  }
  return mapping;
}

// From the service's "deploy" inwards to "devices".
std::vector<Edit::Entry> Edit::way_of_reservation() const {
  std::vector<Entry> way;
  Id mapping = service_;
  for (const Id value : wish_.reservations) {
    way.push_back({mapping, key_of(tree_, mapping, value)});
    mapping = value;
  }
  return way;
}

void Edit::find_entries() {
  std::vector<Id> touched;  // keys of the service
  if (!wish_.items.empty()) {
    const auto way = way_of_reservation();
    const Id list = wish_.reservations.back();
    touched.push_back(way.front().key);
    step_ = cut_.step_of(way.back().key, list);
    takes_some_items_ = wish_.items.size() < tree_[list].children.size();
    // Outwards, as long as it is alone in what is around it.
    std::size_t at = way.size() - 1;
    while (at > 0 && tree_[way[at].mapping].children.size() == 2) --at;
    if (!takes_some_items_) entries_.push_back(way[at]);
  }
  const auto take_key = [&](const char* name) {
    const auto at = own_key(tree_, service_, name);
    if (!at) return;
    entries_.push_back({service_, tree_[service_].children[*at]});
    touched.push_back(entries_.back().key);
  };
  if (wish_.takes_gpus) take_key("gpus");
  if (wish_.takes_runtime) take_key("runtime");
  for (const Id key : tree_[service_].children) {
    if (std::find(touched.begin(), touched.end(), key) == touched.end()) continue;
    first_ = key;
    break;
  }
  if (wish_.has_devices) return;
  const auto present = own_value(tree_, service_, "devices");
  for (const std::string& name : wish_.devices) {
    const bool is_there =
        present && std::any_of(tree_[*present].children.begin(), tree_[*present].children.end(),
                               [&](Id one) { return tree_[one].text == name; });
    if (!is_there) names_.push_back(name);
  }
}

std::size_t Edit::place_of(const Entry& entry) const {
  const auto& children = tree_[entry.mapping].children;
  return static_cast<std::size_t>(std::find(children.begin(), children.end(), entry.key) -
                                  children.begin());
}

// The service's entry goes as a whole.
bool Edit::is_whole(Id key) const {
  return std::find(entries_.begin(), entries_.end(), Entry{service_, key}) != entries_.end();
}

bool Edit::add_devices() {
  if (names_.empty()) return true;
  if (const auto list = own_value(tree_, service_, "devices")) {
    return cut_.add_items(*list, names_);
  }
  return cut_.add_list(service_, place_of({service_, first_}), is_whole(first_), names_, step_);
}

bool Edit::cut_entry(const Entry& entry) {
  const bool is_done =
      entry == Entry{service_, first_} && !names_.empty() && !own_value(tree_, service_, "devices");
  return is_done || cut_.remove_entry(entry.mapping, place_of(entry));
}

bool Edit::cut_all() {
  if (takes_some_items_ && !cut_.remove_items(wish_.reservations.back(), wish_.items)) return false;
  if (!add_devices()) return false;
  return std::all_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return cut_entry(entry); });
}

// ---- The same in the tree ----

Id Edit::add_scalar(const std::string& text, bool is_plain) {
  YamlNode node;
  node.text = text;
  node.is_plain = is_plain;
  after_.nodes.push_back(std::move(node));
  return static_cast<Id>(after_.nodes.size() - 1);
}

void Edit::erase_in_tree(const Entry& entry) {
  auto& children = after_.nodes[entry.mapping].children;
  const auto at = std::find(children.begin(), children.end(), entry.key);
  children.erase(at, at + 2);
}

void Edit::add_in_tree() {
  if (names_.empty()) return;
  auto list = own_value(tree_, service_, "devices");
  if (!list) {
    const Id key = add_scalar("devices", true);
    YamlNode node;
    node.kind = YamlNode::Kind::sequence;
    after_.nodes.push_back(std::move(node));
    list = static_cast<Id>(after_.nodes.size() - 1);
    auto& children = after_.nodes[service_].children;
    const auto at = std::find(children.begin(), children.end(), first_);
    children.insert(at, {key, *list});
  }
  for (const std::string& name : names_) {
    const Id item = add_scalar(name, true);
    after_.nodes[*list].children.push_back(item);
  }
}

// Quotes of what is new follow its neighbours: only here they don't matter.
void forget_quotes(YamlTree& tree, Id service) {
  const auto list = own_value(tree, service, "devices");
  if (!list) return;
  const auto at = own_key(tree, service, "devices");
  tree.nodes[tree[service].children[*at]].is_plain = true;
  for (const Id item : tree[*list].children) tree.nodes[item].is_plain = true;
}

std::optional<std::string> Edit::run() {
  find_entries();
  const bool is_cut = cut_all();
  auto text = is_cut ? cut_.finish() : std::nullopt;
  if (!text) {
    why_ = cut_.met_tab() ? msg::kComposeTab : msg::kComposeLayout;
    trouble_ = cut_.trouble().line != 0 ? cut_.trouble() : wish_.place;
    return std::nullopt;
  }
  add_in_tree();
  for (const Entry& entry : entries_) erase_in_tree(entry);
  if (takes_some_items_) {
    auto& items = after_.nodes[wish_.reservations.back()].children;
    for (const Id item : wish_.items) std::erase(items, item);
  }
  auto parsed = YamlTree::parse(*text);
  bool is_right = parsed.has_value() && !parsed->nodes.empty();
  if (is_right) {
    const auto services = own_value(*parsed, parsed->root, "services");
    const auto name = key_of(tree_, *own_value(tree_, tree_.root, "services"), service_);
    const auto service = services ? own_value(*parsed, *services, tree_[name].text) : std::nullopt;
    if (service) forget_quotes(*parsed, *service);
    forget_quotes(after_, service_);
    is_right = is_equal(after_, after_.root, *parsed, parsed->root);
  }
  if (is_right) return text;
  why_ = msg::kComposeCheck;
  trouble_ = wish_.place;
  return std::nullopt;
}

ComposeRefusal refusal(const std::string& service, TextPlace place, std::string_view why) {
  return {service, place, fmt::format(msg::kYamlAt, place.line, place.column, why)};
}

// One service of the text as it is now.
void rewrite(const ComposeService& seen, ComposeAsk ask, const YamlTree& tree,
             ComposeRewrite& result) {
  const std::string& service = seen.name;
  const auto services = own_value(tree, tree.root, "services");
  const auto value = services ? own_value(tree, *services, service) : std::nullopt;
  if (!value) {
    result.refusals.push_back(refusal(service, {seen.line, 1}, msg::kComposeShared));
    return;
  }
  ComposeWish wish;
  if (const auto trouble = read_compose_wish(tree, *services, *value, seen, ask, wish)) {
    result.refusals.push_back(refusal(service, trouble->place, trouble->why));
    return;
  }
  if (!wish.any()) return;
  if (!is_one_document(result.text, tree)) {
    result.refusals.push_back(refusal(service, wish.place, msg::kComposeDocuments));
    return;
  }
  Edit edit(result.text, tree, *value, wish);
  auto text = edit.run();
  if (!text) {
    result.refusals.push_back(refusal(service, edit.trouble(), edit.why()));
    return;
  }
  result.text = std::move(*text);
  if (wish.has_devices) wish.devices.clear();
  result.changes.push_back({service, wish.place, std::move(wish.devices)});
}

}  // namespace

Result<ComposeRewrite> compose_to_cdi(std::string_view text, ComposeAsk ask,
                                      const std::vector<std::string>* only) {
  ComposeRewrite result;
  result.text = text;
  auto tree = YamlTree::parse(text);
  if (!tree) return Failure(tree.error());
  if (tree->nodes.empty()) return result;
  std::vector<ComposeService> asking = read_compose_services(*tree);
  std::erase_if(asking, [&](const ComposeService& one) {
    const bool is_wanted =
        only == nullptr || std::find(only->begin(), only->end(), one.name) != only->end();
    return !is_wanted || !asks_so(one, ask);
  });
  if (asking.size() > kMostAsking) return fail(fmt::format(msg::kComposeMany, kMostAsking));
  // From the last to the first, so that the places of those before stay what they are.
  for (auto one = asking.rbegin(); one != asking.rend(); ++one) {
    const std::size_t changes = result.changes.size();
    rewrite(*one, ask, *tree, result);
    if (result.changes.size() == changes) continue;
    tree = YamlTree::parse(result.text);
    if (!tree) return Failure(tree.error());
  }
  std::reverse(result.changes.begin(), result.changes.end());
  std::reverse(result.refusals.begin(), result.refusals.end());
  return result;
}

}  // namespace estiva::format
