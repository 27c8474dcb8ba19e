// The daemon's documents: text in, plain values out. A member that is absent, null or of another
// type is unknown; only a wrong schema is an error, so that a newer daemon may add what it likes.
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "cli/documents.h"
#include "format/json_tree.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::JsonNode;
using format::JsonTree;

std::string text_of(JsonNode from, std::string_view name) {
  return std::string(from[name].text().value_or(""));
}

bool truth_of(JsonNode from, std::string_view name) {
  return from[name].boolean().value_or(false);
}

std::optional<std::uint64_t> count_of(JsonNode from, std::string_view name) {
  return from[name].unsigned_number();
}

std::optional<double> number_of(JsonNode from, std::string_view name) {
  return from[name].number();
}

std::int64_t pid_of(JsonNode from) {
  return static_cast<std::int64_t>(count_of(from, "pid").value_or(0));
}

// Calls `each` for the objects of a list; anything else in it is skipped.
template <class Each>
void for_objects(JsonNode from, std::string_view name, Each each) {
  const JsonNode list = from[name];
  for (std::size_t i = 0; list.is_array() && i < list.size(); ++i)
    if (list.at(i).is_object()) each(list.at(i));
}

std::vector<std::string> texts_of(JsonNode from, std::string_view name) {
  std::vector<std::string> texts;
  const JsonNode list = from[name];
  for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) {
    const JsonNode item = list.at(i);
    if (item.text()) texts.emplace_back(*item.text());
    if (item.is_object()) {
      const std::string inner = text_of(item, "text");
      texts.push_back(inner.empty() ? text_of(item, "name") : inner);
    }
  }
  return texts;
}

MissingReasons missing_of(JsonNode from) {
  MissingReasons reasons;
  const JsonNode missing = from["missing"];
  for (std::size_t i = 0; missing.is_object() && i < missing.size(); ++i)
    if (const auto why = missing.at(i).text())
      reasons.emplace_back(std::string(missing.name_at(i)), std::string(*why));
  return reasons;
}

void add_missing(MissingReasons& to, JsonNode from) {
  for (auto& row : missing_of(from)) to.push_back(std::move(row));
}

ProcessRow process_of(JsonNode from) {
  return {pid_of(from),
          count_of(from, "used_bytes"),
          text_of(from, "name"),
          text_of(from, "container"),
          text_of(from, "project"),
          text_of(from, "service"),
          text_of(from, "model"),
          number_of(from, "sm_utilization_ratio"),
          missing_of(from)};
}

std::vector<ConditionRow> conditions_of(JsonNode from) {
  std::vector<ConditionRow> rows;
  for_objects(from["health"], "conditions", [&rows](JsonNode condition) {
    rows.push_back({text_of(condition, "reason"), text_of(condition, "remedy"),
                    number_of(condition, "since_seconds")});
  });
  return rows;
}

GpuRow gpu_of(JsonNode from) {
  GpuRow row;
  row.index = count_of(from, "index").value_or(0);
  row.uuid = text_of(from, "uuid");
  row.name = text_of(from, "name");
  row.pci = text_of(from, "pci");
  const JsonNode memory = from["memory"];
  row.total_bytes = count_of(memory, "total_bytes");
  row.used_bytes = count_of(memory, "used_bytes");
  row.free_bytes = count_of(memory, "free_bytes");
  row.reserved_bytes = count_of(memory, "reserved_bytes");
  row.admissible_bytes = count_of(memory, "admissible_bytes");
  row.utilization = number_of(from, "utilization_ratio");
  row.celsius = number_of(from, "temperature_celsius");
  row.watts = number_of(from, "power_watts");
  if (from["clock_event_reasons"].is_array())
    row.clock_events = texts_of(from, "clock_event_reasons");
  row.health = text_of(from["health"], "state");
  row.conditions = conditions_of(from);
  for_objects(from, "processes",
              [&](JsonNode process) { row.processes.push_back(process_of(process)); });
  row.missing = missing_of(from);
  add_missing(row.missing, memory);
  return row;
}

LeaseRow lease_of(JsonNode from) {
  LeaseRow row;
  row.id = text_of(from, "id");
  row.model = text_of(from, "model");
  row.state = text_of(from, "state");
  row.granted_at = text_of(from, "granted_at");
  row.gpus = texts_of(from, "gpus");
  row.vram_bytes = count_of(from, "vram_bytes").value_or(0);
  const JsonNode holder = from["holder"];
  if (holder.size() > 0) row.pid = pid_of(holder);
  return row;
}

RecordRow record_of(JsonNode from) {
  return {text_of(from, "at"),     text_of(from, "kind"),  text_of(from, "subject"),
          text_of(from, "text"),   texts_of(from, "gpus"), count_of(from, "vram_bytes"),
          truth_of(from, "intact")};
}

GpuDocument gpus_of(JsonNode from) {
  GpuDocument document;
  document.schema = text_of(from, "schema");
  document.source = text_of(from, "source");
  document.sampled_at = text_of(from, "sampled_at");
  document.simulated = truth_of(from, "simulated");
  document.stale = truth_of(from, "stale");
  document.age_seconds = number_of(from, "sampled_age_seconds");
  const JsonNode driver = from["driver"];
  document.driver = {text_of(driver, "version"), text_of(driver, "nvml"), text_of(driver, "state"),
                     text_of(driver, "reason"), text_of(driver, "remedy")};
  for_objects(from, "gpus", [&](JsonNode gpu) { document.gpus.push_back(gpu_of(gpu)); });
  for_objects(from, "not_listed", [&](JsonNode gone) {
    document.not_listed.push_back({text_of(gone, "device"), conditions_of(gone)});
  });
  return document;
}

TopRow top_of(JsonNode from) {
  return {pid_of(from), text_of(from, "name"), number_of(from, "cpu_cores"),
          count_of(from, "resident_bytes").value_or(0)};
}

std::optional<double> pressure_of(JsonNode host, std::string_view of, std::string_view line) {
  return number_of(host["pressure"][of][line], "avg10_ratio");
}

HostRow host_of(JsonNode from) {
  HostRow row;
  row.cores = count_of(from, "cores").value_or(0);
  row.cpu = number_of(from, "cpu_ratio");
  const JsonNode memory = from["memory"];
  row.memory_total = count_of(memory, "total_bytes");
  row.memory_available = count_of(memory, "available_bytes");
  row.swap_total = count_of(memory, "swap_total_bytes");
  row.swap_used = count_of(memory, "swap_used_bytes");
  row.cpu_some = pressure_of(from, "cpu", "some");
  row.memory_some = pressure_of(from, "memory", "some");
  row.memory_full = pressure_of(from, "memory", "full");
  row.io_some = pressure_of(from, "io", "some");
  for_objects(from, "disks", [&](JsonNode disk) {
    row.disks.push_back({text_of(disk, "role"), text_of(disk, "path"),
                         count_of(disk, "total_bytes").value_or(0),
                         count_of(disk, "used_bytes").value_or(0), number_of(disk, "used_ratio")});
  });
  for_objects(from, "top_cpu", [&](JsonNode top) { row.top_cpu.push_back(top_of(top)); });
  for_objects(from, "top_memory", [&](JsonNode top) { row.top_memory.push_back(top_of(top)); });
  row.missing = missing_of(from);
  return row;
}

Failure strange(std::string_view why) {
  return fail(fmt::format(m::kDaemonStrange, ESTIVA_VERSION, why), std::string(m::kSameVersion));
}

// The whole text as one object; whatever is wrong with it becomes a sentence.
Result<JsonTree> parse(std::string_view text) {
  auto tree = JsonTree::parse(text);
  if (!tree) return strange(tree.error().what);
  if (!tree->root().is_object()) return strange("no object");
  return tree;
}

Result<JsonTree> parse_schema(std::string_view text, std::string_view schema) {
  auto tree = parse(text);
  if (!tree) return tree;
  const std::string got = text_of(tree->root(), "schema");
  if (got == schema) return tree;
  return fail(fmt::format(m::kDaemonSchema, got, ESTIVA_VERSION, schema),
              std::string(m::kSameVersion));
}

ErrorKind kind_of(std::string_view name) {
  for (const ErrorKind kind :
       {ErrorKind::no_room, ErrorKind::not_found, ErrorKind::usage, ErrorKind::degraded,
        ErrorKind::timed_out, ErrorKind::refused, ErrorKind::denied})
    if (kind_name(kind) == name) return kind;
  return ErrorKind::failed;
}

std::vector<LeaseRow> leases_of(JsonNode from) {
  std::vector<LeaseRow> rows;
  for_objects(from, "leases", [&](JsonNode lease) { rows.push_back(lease_of(lease)); });
  return rows;
}

GpuShortage shortage_of(JsonNode from) {
  return {text_of(from, "uuid"), text_of(from, "why"), count_of(from, "index"),
          count_of(from, "free_bytes"), count_of(from, "missing_bytes")};
}

}  // namespace

Result<GpuDocument> read_gpu_document(std::string_view text) {
  const auto value = parse_schema(text, "estiva/gpu/1");
  if (!value) return Failure(value.error());
  return gpus_of(value->root());
}

Result<StatusDocument> read_status_document(std::string_view text) {
  const auto value = parse_schema(text, "estiva/status/1");
  if (!value) return Failure(value.error());
  const JsonNode from = value->root();
  StatusDocument document;
  document.gpu = gpus_of(from);
  for_objects(from, "checks", [&](JsonNode check) {
    document.checks.push_back({text_of(check, "name"), text_of(check, "state"),
                               text_of(check, "reason"), text_of(check, "remedy")});
  });
  document.host = host_of(from["host"]);
  const JsonNode engine = from["engine"];
  document.engine = {text_of(engine, "state"),
                     text_of(engine, "name"),
                     text_of(engine, "version"),
                     text_of(engine, "reason"),
                     text_of(engine, "remedy"),
                     count_of(engine, "containers").value_or(0),
                     count_of(engine, "running").value_or(0)};
  document.leases = leases_of(from);
  for_objects(from, "models",
              [&document](JsonNode model) { document.models.push_back(read_model_row(model)); });
  document.on_battery = truth_of(from, "on_battery");
  return document;
}

Result<std::vector<LeaseRow>> read_leases_document(std::string_view text) {
  const auto value = parse_schema(text, "estiva/leases/1");
  if (!value) return Failure(value.error());
  return leases_of(value->root());
}

Result<std::vector<RecordRow>> read_journal_document(std::string_view text) {
  const auto value = parse_schema(text, "estiva/journal/1");
  if (!value) return Failure(value.error());
  std::vector<RecordRow> rows;
  for_objects(value->root(), "records",
              [&rows](JsonNode record) { rows.push_back(record_of(record)); });
  return rows;
}

Result<RecordRow> read_record(std::string_view text) {
  const auto value = parse(text);
  if (!value) return Failure(value.error());
  return record_of(value->root());
}

Result<Assignment> read_assignment(std::string_view text) {
  const auto value = parse_schema(text, "estiva/assign/1");
  if (!value) return Failure(value.error());
  const JsonNode from = value->root();
  Assignment assignment;
  assignment.lease = lease_of(from["lease"]);
  assignment.already_assigned = truth_of(from, "already_assigned");
  assignment.why = text_of(from, "why");
  return assignment;
}

Result<std::int64_t> read_self_pid(std::string_view text) {
  const auto value = parse_schema(text, "estiva/self/1");
  if (!value) return Failure(value.error());
  return pid_of(value->root());
}

Result<LoginLinks> read_login_document(std::string_view text) {
  const auto value = parse_schema(text, "estiva/login/1");
  if (!value) return Failure(value.error());
  const JsonNode from = value->root();
  return LoginLinks{texts_of(from, "urls"), number_of(from, "expires_seconds").value_or(0),
                    count_of(from, "ended").value_or(0)};
}

std::optional<Refusal> read_refusal(std::string_view text) {
  const auto value = parse(text);
  if (!value) return std::nullopt;
  const JsonNode from = value->root()["refused"];
  if (!from.is_object()) return std::nullopt;
  Refusal refusal;
  refusal.kind = kind_of(text_of(from, "kind"));
  refusal.reason = text_of(from, "reason");
  refusal.remedy = text_of(from, "remedy");
  for_objects(from, "gpus", [&](JsonNode gpu) { refusal.gpus.push_back(shortage_of(gpu)); });
  refusal.would_fit_if = texts_of(from, "would_fit_if");
  return refusal;
}

std::optional<Error> read_error(std::string_view text) {
  const auto value = parse(text);
  if (!value) return std::nullopt;
  const JsonNode from = value->root()["error"];
  if (from.size() == 0) return std::nullopt;
  return Error{kind_of(text_of(from, "kind")), text_of(from, "message"), text_of(from, "remedy")};
}

}  // namespace estiva::cli
