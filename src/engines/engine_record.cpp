#include "engines/engine_record.h"

#include "format/json_fields.h"

namespace estiva::engines {
namespace {

constexpr std::string_view kSchema = "estiva/engine/1";

// As it is written; flat, so that a person can read it in the store.
struct Flat {
  std::string schema{kSchema};
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string boot_id, mark, group;
  std::uint64_t group_inode = 0;
  std::string url, ready;
  unsigned sleep_level = 0;
};

template <class Access>
void fields(Access& field, Flat& record) {
  field("schema", record.schema);
  field("pid", record.pid);
  field("start_ticks", record.start_ticks);
  field("boot_id", record.boot_id);
  field("mark", record.mark);
  field("group", record.group);
  field("group_inode", record.group_inode);
  field("url", record.url);
  field("ready", record.ready);
  field("sleep_level", record.sleep_level);
}

}  // namespace

std::string to_text(const EngineRecord& record) {
  Flat flat;
  flat.pid = record.tree.leader.pid;
  flat.start_ticks = record.tree.leader.start_ticks;
  flat.boot_id = record.tree.leader.boot_id;
  flat.mark = record.tree.mark;
  if (record.tree.group) {
    flat.group = record.tree.group->folder;
    flat.group_inode = record.tree.group->inode;
  }
  flat.url = record.url;
  flat.ready = record.ready;
  flat.sleep_level = record.sleep_level;
  std::string out;
  format::JsonWriter json(out);
  format::write_fields(json, flat);
  return out;
}

Result<EngineRecord> parse_engine_record(std::string_view text) {
  const auto tree = format::JsonTree::parse(text);
  if (!tree) return Failure(tree.error());
  Flat flat;
  if (auto problem = format::read_fields(tree->root(), flat); !problem.empty())
    return fail(problem);
  if (flat.schema != kSchema) return fail(flat.schema);
  if (flat.pid <= 0 || flat.pid > INT32_MAX || flat.mark.empty()) return fail("pid");
  EngineRecord record;
  record.tree.leader = {static_cast<pid_t>(flat.pid), flat.start_ticks, std::move(flat.boot_id)};
  record.tree.mark = std::move(flat.mark);
  if (!flat.group.empty())
    record.tree.group = ControlGroup{std::move(flat.group), flat.group_inode};
  record.url = std::move(flat.url);
  record.ready = std::move(flat.ready);
  record.sleep_level = flat.sleep_level;
  return record;
}

}  // namespace estiva::engines
