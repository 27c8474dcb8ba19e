#include "act/record.h"

#include <fmt/format.h>

#include "format/json_fields.h"
#include "format/plan_text.h"
#include "format/sha256.h"

namespace estiva::act {
namespace {

constexpr std::size_t kSum = 16;  // hexadecimal digits; against torn lines, not against people

}  // namespace

template <class Io>
static void fields(Io& io, Attribute& attribute) {
  format::bytes_field(io, "name", attribute.name);
  format::bytes_field(io, "value", attribute.value);
}

template <class Io>
static void fields(Io& io, UnitLink& link) {
  format::bytes_field(io, "path", link.path);
  format::bytes_field(io, "leads_to", link.leads_to);
}

template <class Io>
static void fields(Io& io, State& state) {
  io.named("is", state.is, State::Is::word);
  io("sha256", state.sha256);
  io("size", state.size);
  format::bytes_field(io, "leads_to", state.leads_to);
  io("node", state.node);
  format::bytes_field(io, "word", state.word);
  io("mode", state.mode);
  io("uid", state.uid);
  io("gid", state.gid);
  io("modified_ns", state.modified_ns);
  io.list("attributes", state.attributes);
  io.list("links", state.links);
  format::bytes_list(io, "names", state.names);
}

template <class Io>
static void fields(Io& io, Record& record) {
  io.named("kind", record.kind, RecordKind::undo_finished);
  io("step", record.step);
  io("at_ns", record.at_ns);
  format::bytes_field(io, "path", record.path);
  format::bytes_field(io, "temp", record.temp);
  format::bytes_list(io, "made", record.made);
  io("saved", record.saved);
  io("before", record.before);
  io("after", record.after);
  format::bytes_field(io, "text", record.text);
}

std::string_view to_name(RecordKind kind) {
  switch (kind) {
    case RecordKind::intent:
      return "intent";
    case RecordKind::done:
      return "done";
    case RecordKind::failed:
      return "failed";
    case RecordKind::finished:
      return "finished";
    case RecordKind::undo_begun:
      return "undo_begun";
    case RecordKind::undone:
      return "undone";
    case RecordKind::undo_finished:
      return "undo_finished";
  }
  return "intent";
}

std::string record_to_line(const Record& record) {
  std::string json;
  format::JsonWriter writer(json);
  format::write_fields(writer, record);
  return fmt::format("{} {}\n", format::sha256_hex(json).substr(0, kSum), json);
}

std::optional<Record> record_from_line(std::string_view line) {
  if (line.size() <= kSum || line[kSum] != ' ') return std::nullopt;
  const std::string_view json = line.substr(kSum + 1);
  if (format::sha256_hex(json).substr(0, kSum) != line.substr(0, kSum)) return std::nullopt;
  const auto tree = format::JsonTree::parse(json);
  Record record;
  if (!tree || !format::read_fields(tree->root(), record).empty()) return std::nullopt;
  return record;
}

}  // namespace estiva::act
