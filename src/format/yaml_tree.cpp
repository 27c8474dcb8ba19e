#include "format/yaml_tree.h"

#include <algorithm>
#include <fmt/format.h>
#include <libfyaml.h>
#include <map>
#include <memory>
#include <optional>

#include "base/messages/format_cdi.h"
#include "base/units.h"
#include "format/size.h"
#include "format/text.h"

namespace estiva::format {
namespace {

struct Fault {
  TextPlace place;
  std::string text;
};

char32_t decode(std::string_view text, std::size_t at, std::size_t length) {
  static constexpr unsigned char kFirstMask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t c = static_cast<unsigned char>(text[at]) & kFirstMask[length];
  for (std::size_t i = 1; i < length; ++i) {
    c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3F);
  }
  return c;
}

// What YAML allows unescaped: no control characters but tab and line ends.
bool may_stand(char32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
  return c != 0x7F && (c < 0x80 || c > 0x9F || c == 0x85) && c != 0xFFFE && c != 0xFFFF;
}

std::optional<Fault> check_characters(std::string_view text) {
  TextPlace here{1, 1};
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\0') return Fault{here, msg::kYamlNul};
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return Fault{here, msg::kYamlNotUtf8};
    const char32_t c = decode(text, at, length);
    if (!may_stand(c)) {
      return Fault{here, fmt::format(msg::kYamlControl, static_cast<std::uint32_t>(c))};
    }
    at += length;
    ++here.column;
    if (c == '\n') here = {here.line + 1, 1};
  }
  return std::nullopt;
}

std::string text_of(fy_token* token) {
  std::size_t length = 0;
  const char* text = token == nullptr ? nullptr : fy_token_get_text(token, &length);
  return text == nullptr ? std::string() : std::string(text, length);
}

constexpr std::string_view kBlanks = " \t";

// A text between single quotes as what it means (YAML 1.2, 7.3.2): '' is a quote, a line break with
// the blanks around it a space, and each empty line a line break. libfyaml 0.7.12, which has the
// rest, leaks half a KiB where a text has more than seven quotes.
std::string unquote_single(std::string_view raw) {
  std::string text;
  for (std::size_t at = 0; at < raw.size();) {
    if (raw[at] == '\'') {
      text += '\'';
      at += 2;
    } else if (raw[at] != '\n' && raw[at] != '\r') {
      text += raw[at++];
    } else {
      text.resize(text.find_last_not_of(kBlanks) + 1);
      std::size_t breaks = 0;
      for (; at < raw.size() && std::string_view(" \t\r\n").find(raw[at]) != raw.npos; ++at) {
        const bool is_half = raw[at] == '\r' && raw.substr(at + 1).starts_with('\n');
        breaks += !is_half && kBlanks.find(raw[at]) == raw.npos;
      }
      text.append(breaks == 1 ? 1 : breaks - 1, breaks == 1 ? ' ' : '\n');
    }
  }
  return text;
}

// In a text between double quotes.
bool has_json_escape(std::string_view raw) {
  for (std::size_t at = raw.find('\\'); at != raw.npos; at = raw.find('\\', at + 2)) {
    const std::string_view escape = raw.substr(at + 1, 3);
    if (escape.starts_with('/')) return true;
    if (escape.size() < 3 || escape[0] != 'u' || (escape[1] | 0x20) != 'd') continue;
    if (std::string_view("89abcdefABCDEF").find(escape[2]) != std::string_view::npos) return true;
  }
  return false;
}

// Takes the parser's events and makes the tree of them.
class Builder {
 public:
  // `skipped`: bytes before `text`, which count in the places of nodes.
  Builder(std::string_view text, std::uint32_t skipped, YamlTree& tree)
      : text_(text), skipped_(skipped), tree_(tree) {}

  // False: fault() says why, or the document has ended.
  bool take(fy_event& event);
  const std::optional<Fault>& fault() const { return fault_; }

 private:
  bool add(YamlNode node, fy_token* anchor);
  bool add_scalar(fy_event& event);
  bool add_alias(fy_event& event);
  bool attach(std::uint32_t id, TextPlace place);
  bool close(fy_event& event);
  void find_bytes(fy_event& event, bool is_quoted, YamlNode& node);
  bool fail_at(TextPlace place, std::string text) {
    fault_ = Fault{place, std::move(text)};
    return false;
  }

  std::string_view raw_of(fy_event& event) const;

  std::string_view text_;
  std::uint32_t skipped_;
  std::uint32_t last_end_ = 0;  // of the last thing that was seen
  YamlTree& tree_;
  std::vector<std::uint32_t> open_;    // containers around the next node
  std::vector<std::size_t> expanded_;  // by node: values in it, aliases written out
  std::map<std::string, std::uint32_t, std::less<>> anchors_;
  std::optional<Fault> fault_;
};

TextPlace place_of(fy_event& event) {
  const fy_mark* mark = fy_event_start_mark(&event);
  if (mark == nullptr) return {};
  return {static_cast<unsigned>(mark->line) + 1, static_cast<unsigned>(mark->column) + 1};
}

YamlNode container(YamlNode::Kind kind, fy_event& event, fy_token* tag) {
  YamlNode node;
  node.kind = kind;
  node.tag = text_of(tag);
  node.place = place_of(event);
  // A bracket has a width, the beginning of a block has none.
  const fy_mark* start = fy_event_start_mark(&event);
  const fy_mark* end = fy_event_end_mark(&event);
  node.is_flow = start != nullptr && end != nullptr && start->input_pos < end->input_pos;
  if (start != nullptr) node.begin = static_cast<std::uint32_t>(start->input_pos);
  return node;
}

bool Builder::take(fy_event& event) {
  switch (event.type) {
    case FYET_SCALAR:
      return add_scalar(event);
    case FYET_ALIAS:
      return add_alias(event);
    case FYET_SEQUENCE_START:
      return add(container(YamlNode::Kind::sequence, event, event.sequence_start.tag),
                 event.sequence_start.anchor);
    case FYET_MAPPING_START:
      return add(container(YamlNode::Kind::mapping, event, event.mapping_start.tag),
                 event.mapping_start.anchor);
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
      return close(event);
    case FYET_DOCUMENT_END:
      return false;
    default:
      return true;
  }
}

// As it is written; empty where that is not known.
std::string_view Builder::raw_of(fy_event& event) const {
  const fy_mark* start = fy_event_start_mark(&event);
  const fy_mark* end = fy_event_end_mark(&event);
  const bool known = start != nullptr && end != nullptr && start->input_pos <= end->input_pos &&
                     end->input_pos <= text_.size();
  return known ? text_.substr(start->input_pos, end->input_pos - start->input_pos)
               : std::string_view();
}

// The parser's marks of a quoted text are inside the quotes.
void Builder::find_bytes(fy_event& event, bool is_quoted, YamlNode& node) {
  const fy_mark* start = fy_event_start_mark(&event);
  const fy_mark* end = fy_event_end_mark(&event);
  if (start == nullptr || end == nullptr || start->input_pos > end->input_pos) return;
  const std::uint32_t quote = is_quoted ? 1 : 0;
  node.begin = static_cast<std::uint32_t>(start->input_pos) + skipped_ - quote;
  node.end = static_cast<std::uint32_t>(end->input_pos) + skipped_ + quote;
  if (node.end > node.begin) last_end_ = node.end;
}

bool Builder::add_scalar(fy_event& event) {
  YamlNode node;
  node.tag = text_of(event.scalar.tag);
  node.place = place_of(event);
  const fy_scalar_style style =
      event.scalar.value == nullptr ? FYSS_PLAIN : fy_scalar_token_get_style(event.scalar.value);
  const std::string_view raw = style == FYSS_PLAIN ? std::string_view() : raw_of(event);
  const bool has_quotes = style == FYSS_SINGLE_QUOTED && raw.find("''") != raw.npos;
  node.text = has_quotes ? unquote_single(raw) : text_of(event.scalar.value);
  node.is_plain = style == FYSS_PLAIN;
  node.has_json_escape = style == FYSS_DOUBLE_QUOTED && has_json_escape(raw);
  const bool is_quoted = style == FYSS_DOUBLE_QUOTED || style == FYSS_SINGLE_QUOTED;
  if (is_quoted && node.place.column > 1) --node.place.column;  // the parser's is after the quote
  find_bytes(event, is_quoted, node);
  // Half of a surrogate pair, written as an escape.
  if (!is_utf8(node.text)) return fail_at(node.place, msg::kYamlNotUtf8);
  return add(std::move(node), event.scalar.anchor);
}

bool Builder::add(YamlNode node, fy_token* anchor) {
  const auto id = static_cast<std::uint32_t>(tree_.nodes.size());
  const TextPlace place = node.place;
  const bool opens = node.kind != YamlNode::Kind::scalar;
  if (id == YamlTree::kMaxValues) {
    return fail_at(place, fmt::format(msg::kYamlTooMany, YamlTree::kMaxValues));
  }
  if (opens && open_.size() == YamlTree::kMaxDepth) {
    return fail_at(place, fmt::format(msg::kYamlTooDeep, YamlTree::kMaxDepth));
  }
  tree_.nodes.push_back(std::move(node));
  expanded_.push_back(1);
  if (anchor != nullptr) anchors_[text_of(anchor)] = id;
  if (opens) {
    // Its parent gets it, with its size, when it is closed.
    open_.push_back(id);
    return true;
  }
  return attach(id, place);
}

bool Builder::add_alias(fy_event& event) {
  const std::string name = text_of(event.alias.anchor);
  TextPlace place = place_of(event);
  if (place.column > 1) --place.column;  // the parser's is that of the name after the '*'
  if (const fy_mark* end = fy_event_end_mark(&event); end != nullptr) {
    last_end_ = static_cast<std::uint32_t>(end->input_pos) + skipped_;
  }
  const auto found = anchors_.find(name);
  if (found == anchors_.end()) return fail_at(place, fmt::format(msg::kYamlNoAnchor, name));
  if (std::find(open_.begin(), open_.end(), found->second) != open_.end()) {
    return fail_at(place, fmt::format(msg::kYamlAliasInside, name));
  }
  return attach(found->second, place);
}

bool Builder::close(fy_event& event) {
  const std::uint32_t id = open_.back();
  open_.pop_back();
  YamlNode& node = tree_.nodes[id];
  const fy_mark* end = fy_event_end_mark(&event);
  if (node.is_flow && end != nullptr) {
    last_end_ = static_cast<std::uint32_t>(end->input_pos) + skipped_;
  }
  node.begin += skipped_;
  node.end = last_end_;
  return attach(id, tree_.nodes[id].place);
}

bool Builder::attach(std::uint32_t id, TextPlace place) {
  if (open_.empty()) {
    tree_.root = id;
    return true;
  }
  const std::uint32_t parent = open_.back();
  tree_.nodes[parent].children.push_back(id);
  expanded_[parent] += expanded_[id];
  if (expanded_[parent] > YamlTree::kMaxExpanded) {
    return fail_at(place, fmt::format(msg::kYamlManyAliases, YamlTree::kMaxExpanded));
  }
  return true;
}

using Parser = std::unique_ptr<fy_parser, void (*)(fy_parser*)>;
using Diagnosis = std::unique_ptr<fy_diag, void (*)(fy_diag*)>;

// Errors are collected. What the library would print all the same, even if told to be quiet, goes
// nowhere.
Diagnosis make_diagnosis() {
  fy_diag_cfg settings;
  fy_diag_cfg_default(&settings);
  settings.fp = nullptr;
  settings.output_fn = [](fy_diag*, void*, const char*, std::size_t) {};
  settings.colorize = false;
  Diagnosis diagnosis(fy_diag_create(&settings), &fy_diag_destroy);
  if (diagnosis) fy_diag_set_collect_errors(diagnosis.get(), true);
  return diagnosis;
}

// The first error that was collected.
Fault syntax_fault(fy_diag* diagnosis) {
  void* previous = nullptr;
  const fy_diag_error* error = fy_diag_errors_iterate(diagnosis, &previous);
  Fault fault{{}, msg::kYamlSyntax};
  if (error != nullptr && error->msg != nullptr) {
    fault.text = fmt::format(msg::kYamlSyntaxWhy, error->msg);
  }
  if (error != nullptr && error->line > 0) {
    fault.place = {static_cast<unsigned>(error->line), static_cast<unsigned>(error->column)};
  }
  return fault;
}

std::optional<Fault> build(std::string_view text, std::uint32_t skipped, YamlTree& tree) {
  fy_parse_cfg settings{};
  const Diagnosis diagnosis = make_diagnosis();
  settings.search_path = "";
  settings.diag = diagnosis.get();
  settings.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG |
                                                   FYPCF_SLOPPY_FLOW_INDENTATION | FYPCF_JSON_NONE |
                                                   FYPCF_DISABLE_MMAP_OPT);
  const Parser parser(fy_parser_create(&settings), &fy_parser_destroy);
  if (!diagnosis || !parser || fy_parser_set_string(parser.get(), text.data(), text.size()) != 0) {
    return Fault{{}, msg::kYamlSyntax};
  }
  Builder builder(text, skipped, tree);
  while (fy_event* event = fy_parser_parse(parser.get())) {
    const bool goes_on = builder.take(*event);
    fy_parser_event_free(parser.get(), event);
    if (builder.fault()) return builder.fault();
    if (!goes_on) return std::nullopt;
  }
  if (fy_parser_get_stream_error(parser.get())) return syntax_fault(diagnosis.get());
  return std::nullopt;
}

Failure fail_at(const Fault& fault, TextPlace* place) {
  if (place != nullptr) *place = fault.place;
  if (fault.place.line == 0) return fail(fault.text);
  return fail(fmt::format(msg::kYamlAt, fault.place.line, fault.place.column, fault.text));
}

}  // namespace

Result<YamlTree> YamlTree::parse(std::string_view text, TextPlace* place) {
  if (text.size() > kMaxText) {
    return fail_at({{}, fmt::format(msg::kYamlTooBig, format_size(Bytes{kMaxText}))}, place);
  }
  const std::uint32_t skipped = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  text.remove_prefix(skipped);
  if (const auto fault = check_characters(text)) return fail_at(*fault, place);
  YamlTree tree;
  if (text.find_first_not_of(" \t\r\n") == text.npos) return tree;
  if (const auto fault = build(text, skipped, tree)) return fail_at(*fault, place);
  return tree;
}

}  // namespace estiva::format
