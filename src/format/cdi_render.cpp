// Writing of CDI specs: one walk over the value, two ways to write it down.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <type_traits>

#include "format/cdi_spec.h"
#include "format/text.h"

namespace estiva::format {
namespace {

// Characters that YAML does not allow as they are, or takes for the end of a line; the escapes are
// JSON's as well.
bool needs_escape(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  if (character.size() == 2)
    return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  return character == "\u2028" || character == "\u2029" || character == "\uFEFF" ||
         character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
}

std::uint32_t code_of(std::string_view character) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(character[i]));
  };
  if (character.size() == 1) return byte(0);
  if (character.size() == 2) return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
  return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text, at), 1);
    const std::string_view character = text.substr(at, length);
    at += length;
    if (utf8_length(character, 0) == 0) {
      out += "\uFFFD";
    } else if (character == "\"" || character == "\\") {
      out.append("\\").append(character);
    } else if (needs_escape(character)) {
      out += fmt::format("\\u{:04x}", code_of(character));
    } else {
      out += character;
    }
  }
  return out + '"';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// What YAML 1.1 takes for a boolean or for nothing.
bool is_yaml_word(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kWords = {"y",   "n",    "yes",   "no",  "on",
                                                             "off", "true", "false", "null"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                      [](char a, char b) { return (a | 0x20) == b; });
  });
}

// Only what no reader of any version could take for something else; all other text is quoted.
bool may_be_plain(std::string_view text) {
  if (text.empty() || !(is_letter(text[0]) || text[0] == '/') || text.back() == ':') return false;
  const bool is_tame = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') ||
           std::string_view("/_.=+:-").find(c) != std::string_view::npos;
  });
  return is_tame && !is_yaml_word(text);
}

std::string yaml_scalar(std::string_view text) {
  return may_be_plain(text) ? std::string(text) : quoted(text);
}

class YamlOut {
 public:
  void begin_root() {}
  void end_root() {}
  void text(std::string_view name, std::string_view value) { line(name, yaml_scalar(value)); }
  void raw(std::string_view name, std::string_view value) { line(name, value); }
  void begin_map(std::string_view name) {
    line(name, "");
    indent_ += 2;
  }
  void end_map() { indent_ -= 2; }
  void begin_list(std::string_view name) { line(name, ""); }
  void end_list() {}
  void begin_item() {
    indent_ += 2;
    has_dash_ = true;
  }
  void end_item() { indent_ -= 2; }
  void item(std::string_view raw) { out_.append(indent_, ' ').append("- ").append(raw) += '\n'; }
  void text_item(std::string_view value) { item(yaml_scalar(value)); }
  std::string take() { return std::move(out_); }

 private:
  void line(std::string_view name, std::string_view value) {
    out_.append(has_dash_ ? indent_ - 2 : indent_, ' ');
    if (has_dash_) out_ += "- ";
    has_dash_ = false;
    out_.append(yaml_scalar(name)) += ':';
    if (!value.empty()) out_.append(" ").append(value);
    out_ += '\n';
  }

  std::string out_;
  std::size_t indent_ = 0;
  bool has_dash_ = false;
};

class JsonOut {
 public:
  void begin_root() { open('{'); }
  void end_root() {
    close('}');
    out_ += '\n';
  }
  void text(std::string_view name, std::string_view value) { raw(name, quoted(value)); }
  void raw(std::string_view name, std::string_view value) { key(name).append(value); }
  void begin_map(std::string_view name) {
    key(name);
    open('{');
  }
  void end_map() { close('}'); }
  void begin_list(std::string_view name) {
    key(name);
    open('[');
  }
  void end_list() { close(']'); }
  void begin_item() {
    next();
    open('{');
  }
  void end_item() { close('}'); }
  void item(std::string_view raw) {
    next();
    out_ += raw;
  }
  void text_item(std::string_view value) { item(quoted(value)); }
  std::string take() { return std::move(out_); }

 private:
  void open(char bracket) {
    out_ += bracket;
    indent_ += 2;
    is_first_ = true;
  }
  void close(char bracket) {
    indent_ -= 2;
    if (!is_first_) out_.append("\n").append(indent_, ' ');
    out_ += bracket;
    is_first_ = false;
  }
  void next() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    out_.append("\n").append(indent_, ' ');
  }
  std::string& key(std::string_view name) {
    next();
    return out_.append(quoted(name)).append(": ");
  }

  std::string out_;
  std::size_t indent_ = 0;
  bool is_first_ = true;
};

template <class Out>
void write_text(Out& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out.text(name, value);
}

template <class Out, class T>
void write_number(Out& out, std::string_view name, const std::optional<T>& value) {
  if (value) out.raw(name, std::to_string(*value));
}

template <class Out>
void write_flag(Out& out, std::string_view name, bool value) {
  if (value) out.raw(name, "true");
}

template <class Out>
void write_texts(Out& out, std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  out.begin_list(name);
  for (const std::string& value : values) out.text_item(value);
  out.end_list();
}

template <class Out, class T, class Write>
void write_objects(Out& out, std::string_view name, const std::vector<T>& values, Write write) {
  if (values.empty()) return;
  out.begin_list(name);
  for (const T& value : values) {
    out.begin_item();
    write(value);
    out.end_item();
  }
  out.end_list();
}

template <class Out>
void write_annotations(Out& out, const std::map<std::string, std::string>& annotations) {
  if (annotations.empty()) return;
  out.begin_map("annotations");
  for (const auto& [key, value] : annotations) out.text(key, value);
  out.end_map();
}

template <class Out>
void write_node(Out& out, const CdiNode& node) {
  out.text("path", node.path);
  write_text(out, "hostPath", node.host_path);
  write_text(out, "type", node.type);
  write_number(out, "major", node.major);
  write_number(out, "minor", node.minor);
  write_number(out, "fileMode", node.file_mode);
  write_text(out, "permissions", node.permissions);
  write_number(out, "uid", node.uid);
  write_number(out, "gid", node.gid);
}

template <class Out>
void write_mount(Out& out, const CdiMount& mount) {
  out.text("hostPath", mount.host_path);
  out.text("containerPath", mount.container_path);
  write_text(out, "type", mount.type);
  write_texts(out, "options", mount.options);
}

template <class Out>
void write_hook(Out& out, const CdiHook& hook) {
  out.text("hookName", hook.name);
  out.text("path", hook.path);
  write_texts(out, "args", hook.args);
  write_texts(out, "env", hook.env);
  write_number(out, "timeout", hook.timeout);
}

template <class Out>
void write_rdt(Out& out, const CdiIntelRdt& rdt) {
  if (rdt == CdiIntelRdt{}) return out.raw("intelRdt", "{}");
  out.begin_map("intelRdt");
  write_text(out, "closID", rdt.clos_id);
  write_text(out, "l3CacheSchema", rdt.l3_schema);
  write_text(out, "memBwSchema", rdt.mem_bw_schema);
  write_texts(out, "schemata", rdt.schemata);
  write_flag(out, "enableMonitoring", rdt.enable_monitoring);
  write_flag(out, "enableCMT", rdt.enable_cmt);
  write_flag(out, "enableMBM", rdt.enable_mbm);
  out.end_map();
}

template <class Out>
void write_edits(Out& out, const CdiEdits& edits) {
  out.begin_map("containerEdits");
  write_texts(out, "env", edits.env);
  write_objects(out, "deviceNodes", edits.nodes,
                [&](const CdiNode& node) { write_node(out, node); });
  write_objects(out, "netDevices", edits.net_devices, [&](const CdiNetDevice& net) {
    out.text("hostInterfaceName", net.host_name);
    out.text("name", net.name);
  });
  write_objects(out, "mounts", edits.mounts,
                [&](const CdiMount& mount) { write_mount(out, mount); });
  write_objects(out, "hooks", edits.hooks, [&](const CdiHook& hook) { write_hook(out, hook); });
  if (!edits.additional_gids.empty()) {
    out.begin_list("additionalGids");
    for (const std::uint32_t gid : edits.additional_gids) out.item(std::to_string(gid));
    out.end_list();
  }
  if (edits.intel_rdt) write_rdt(out, *edits.intel_rdt);
  out.end_map();
}

template <class Out>
std::string write_spec(const CdiSpec& spec) {
  Out out;
  out.begin_root();
  out.text("cdiVersion", spec.version);
  out.text("kind", spec.kind);
  write_annotations(out, spec.annotations);
  if (spec.devices.empty()) out.raw("devices", "[]");
  write_objects(out, "devices", spec.devices, [&](const CdiDevice& device) {
    out.text("name", device.name);
    write_annotations(out, device.annotations);
    if (device.edits.empty()) {
      out.raw("containerEdits", "{}");
    } else {
      write_edits(out, device.edits);
    }
  });
  if (!spec.edits.empty()) write_edits(out, spec.edits);
  out.end_root();
  return out.take();
}

}  // namespace

std::string render_cdi_yaml(const CdiSpec& spec) {
  return write_spec<YamlOut>(spec);
}

std::string render_cdi_json(const CdiSpec& spec) {
  return write_spec<JsonOut>(spec);
}

}  // namespace estiva::format
