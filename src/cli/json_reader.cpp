// The one file of the command line that sees Boost.JSON: text in, plain values out. A member that
// is absent, null or of another type is unknown; only a wrong schema is an error, so that a newer
// daemon may add what it likes.
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "cli/documents.h"

namespace estiva::cli {
namespace {

namespace json = boost::json;
namespace m = msg::cli;

const json::value* member(const json::object& from, std::string_view name) {
  return from.if_contains(json::string_view(name.data(), name.size()));
}

std::string text_of(const json::object& from, std::string_view name) {
  const json::value* value = member(from, name);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string().c_str(), value->get_string().size());
}

bool truth_of(const json::object& from, std::string_view name) {
  const json::value* value = member(from, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::optional<std::uint64_t> count_of(const json::object& from, std::string_view name) {
  const json::value* value = member(from, name);
  if (value == nullptr) return std::nullopt;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0)
    return static_cast<std::uint64_t>(value->get_int64());
  return std::nullopt;
}

std::optional<double> number_of(const json::object& from, std::string_view name) {
  const json::value* value = member(from, name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  if (value->is_double()) return value->get_double();
  return value->is_int64() ? static_cast<double>(value->get_int64())
                           : static_cast<double>(value->get_uint64());
}

std::int64_t pid_of(const json::object& from) {
  return static_cast<std::int64_t>(count_of(from, "pid").value_or(0));
}

const json::object& object_of(const json::object& from, std::string_view name) {
  static const json::object kNone;
  const json::value* value = member(from, name);
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

// Calls `each` for the objects of a list; anything else in it is skipped.
template <class Each>
void for_objects(const json::object& from, std::string_view name, Each each) {
  const json::value* value = member(from, name);
  if (value == nullptr || !value->is_array()) return;
  for (const json::value& item : value->get_array())
    if (item.is_object()) each(item.get_object());
}

std::vector<std::string> texts_of(const json::object& from, std::string_view name) {
  std::vector<std::string> texts;
  const json::value* value = member(from, name);
  if (value == nullptr || !value->is_array()) return texts;
  for (const json::value& item : value->get_array()) {
    if (item.is_string()) texts.emplace_back(item.get_string().c_str(), item.get_string().size());
    if (item.is_object()) {
      const std::string inner = text_of(item.get_object(), "text");
      texts.push_back(inner.empty() ? text_of(item.get_object(), "name") : inner);
    }
  }
  return texts;
}

MissingReasons missing_of(const json::object& from) {
  MissingReasons reasons;
  for (const auto& [key, value] : object_of(from, "missing"))
    if (value.is_string())
      reasons.emplace_back(std::string(key.data(), key.size()),
                           std::string(value.get_string().c_str(), value.get_string().size()));
  return reasons;
}

void add_missing(MissingReasons& to, const json::object& from) {
  for (auto& row : missing_of(from)) to.push_back(std::move(row));
}

ProcessRow process_of(const json::object& from) {
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

std::vector<ConditionRow> conditions_of(const json::object& from) {
  std::vector<ConditionRow> rows;
  for_objects(object_of(from, "health"), "conditions", [&rows](const json::object& condition) {
    rows.push_back({text_of(condition, "reason"), text_of(condition, "remedy"),
                    number_of(condition, "since_seconds")});
  });
  return rows;
}

GpuRow gpu_of(const json::object& from) {
  GpuRow row;
  row.index = count_of(from, "index").value_or(0);
  row.uuid = text_of(from, "uuid");
  row.name = text_of(from, "name");
  row.pci = text_of(from, "pci");
  const json::object& memory = object_of(from, "memory");
  row.total_bytes = count_of(memory, "total_bytes");
  row.used_bytes = count_of(memory, "used_bytes");
  row.free_bytes = count_of(memory, "free_bytes");
  row.reserved_bytes = count_of(memory, "reserved_bytes");
  row.admissible_bytes = count_of(memory, "admissible_bytes");
  row.utilization = number_of(from, "utilization_ratio");
  row.celsius = number_of(from, "temperature_celsius");
  row.watts = number_of(from, "power_watts");
  if (const json::value* events = member(from, "clock_event_reasons"); events && events->is_array())
    row.clock_events = texts_of(from, "clock_event_reasons");
  row.health = text_of(object_of(from, "health"), "state");
  row.conditions = conditions_of(from);
  for_objects(from, "processes",
              [&](const json::object& process) { row.processes.push_back(process_of(process)); });
  row.missing = missing_of(from);
  add_missing(row.missing, memory);
  return row;
}

LeaseRow lease_of(const json::object& from) {
  LeaseRow row;
  row.id = text_of(from, "id");
  row.model = text_of(from, "model");
  row.state = text_of(from, "state");
  row.granted_at = text_of(from, "granted_at");
  row.gpus = texts_of(from, "gpus");
  row.vram_bytes = count_of(from, "vram_bytes").value_or(0);
  const json::object& holder = object_of(from, "holder");
  if (!holder.empty()) row.pid = pid_of(holder);
  return row;
}

RecordRow record_of(const json::object& from) {
  return {text_of(from, "at"),     text_of(from, "kind"),  text_of(from, "subject"),
          text_of(from, "text"),   texts_of(from, "gpus"), count_of(from, "vram_bytes"),
          truth_of(from, "intact")};
}

GpuDocument gpus_of(const json::object& from) {
  GpuDocument document;
  document.schema = text_of(from, "schema");
  document.source = text_of(from, "source");
  document.sampled_at = text_of(from, "sampled_at");
  document.simulated = truth_of(from, "simulated");
  document.stale = truth_of(from, "stale");
  document.age_seconds = number_of(from, "sampled_age_seconds");
  const json::object& driver = object_of(from, "driver");
  document.driver = {text_of(driver, "version"), text_of(driver, "nvml"), text_of(driver, "state"),
                     text_of(driver, "reason"), text_of(driver, "remedy")};
  for_objects(from, "gpus", [&](const json::object& gpu) { document.gpus.push_back(gpu_of(gpu)); });
  for_objects(from, "not_listed", [&](const json::object& gone) {
    document.not_listed.push_back({text_of(gone, "device"), conditions_of(gone)});
  });
  return document;
}

TopRow top_of(const json::object& from) {
  return {pid_of(from), text_of(from, "name"), number_of(from, "cpu_cores"),
          count_of(from, "resident_bytes").value_or(0)};
}

std::optional<double> pressure_of(const json::object& host, std::string_view of,
                                  std::string_view line) {
  return number_of(object_of(object_of(object_of(host, "pressure"), of), line), "avg10_ratio");
}

HostRow host_of(const json::object& from) {
  HostRow row;
  row.cores = count_of(from, "cores").value_or(0);
  row.cpu = number_of(from, "cpu_ratio");
  const json::object& memory = object_of(from, "memory");
  row.memory_total = count_of(memory, "total_bytes");
  row.memory_available = count_of(memory, "available_bytes");
  row.swap_total = count_of(memory, "swap_total_bytes");
  row.swap_used = count_of(memory, "swap_used_bytes");
  row.cpu_some = pressure_of(from, "cpu", "some");
  row.memory_some = pressure_of(from, "memory", "some");
  row.memory_full = pressure_of(from, "memory", "full");
  row.io_some = pressure_of(from, "io", "some");
  for_objects(from, "disks", [&](const json::object& disk) {
    row.disks.push_back({text_of(disk, "role"), text_of(disk, "path"),
                         count_of(disk, "total_bytes").value_or(0),
                         count_of(disk, "used_bytes").value_or(0), number_of(disk, "used_ratio")});
  });
  for_objects(from, "top_cpu",
              [&](const json::object& top) { row.top_cpu.push_back(top_of(top)); });
  for_objects(from, "top_memory",
              [&](const json::object& top) { row.top_memory.push_back(top_of(top)); });
  row.missing = missing_of(from);
  return row;
}

Failure strange(std::string_view why) {
  return fail(fmt::format(m::kDaemonStrange, ESTIVA_VERSION, why), std::string(m::kSameVersion));
}

// The whole text as one object; whatever is wrong with it becomes a sentence.
Result<json::value> parse(std::string_view text) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return strange(error.message());
  if (!value.is_object()) return strange("no object");
  return value;
}

Result<json::value> parse_schema(std::string_view text, std::string_view schema) {
  auto value = parse(text);
  if (!value) return value;
  const std::string got = text_of(value->get_object(), "schema");
  if (got == schema) return value;
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

std::vector<LeaseRow> leases_of(const json::object& from) {
  std::vector<LeaseRow> rows;
  for_objects(from, "leases", [&](const json::object& lease) { rows.push_back(lease_of(lease)); });
  return rows;
}

GpuShortage shortage_of(const json::object& from) {
  return {text_of(from, "uuid"), text_of(from, "why"), count_of(from, "index"),
          count_of(from, "free_bytes"), count_of(from, "missing_bytes")};
}

}  // namespace

Result<GpuDocument> read_gpu_document(std::string_view text) {
  const auto value = parse_schema(text, "estiva/gpu/1");
  if (!value) return Failure(value.error());
  return gpus_of(value->get_object());
}

Result<StatusDocument> read_status_document(std::string_view text) {
  const auto value = parse_schema(text, "estiva/status/1");
  if (!value) return Failure(value.error());
  const json::object& from = value->get_object();
  StatusDocument document;
  document.gpu = gpus_of(from);
  for_objects(from, "checks", [&](const json::object& check) {
    document.checks.push_back({text_of(check, "name"), text_of(check, "state"),
                               text_of(check, "reason"), text_of(check, "remedy")});
  });
  document.host = host_of(object_of(from, "host"));
  const json::object& engine = object_of(from, "engine");
  document.engine = {text_of(engine, "state"),
                     text_of(engine, "name"),
                     text_of(engine, "version"),
                     text_of(engine, "reason"),
                     text_of(engine, "remedy"),
                     count_of(engine, "containers").value_or(0),
                     count_of(engine, "running").value_or(0)};
  document.leases = leases_of(from);
  return document;
}

Result<std::vector<LeaseRow>> read_leases_document(std::string_view text) {
  const auto value = parse_schema(text, "estiva/leases/1");
  if (!value) return Failure(value.error());
  return leases_of(value->get_object());
}

Result<std::vector<RecordRow>> read_journal_document(std::string_view text) {
  const auto value = parse_schema(text, "estiva/journal/1");
  if (!value) return Failure(value.error());
  std::vector<RecordRow> rows;
  for_objects(value->get_object(), "records",
              [&rows](const json::object& record) { rows.push_back(record_of(record)); });
  return rows;
}

Result<RecordRow> read_record(std::string_view text) {
  const auto value = parse(text);
  if (!value) return Failure(value.error());
  return record_of(value->get_object());
}

Result<Assignment> read_assignment(std::string_view text) {
  const auto value = parse_schema(text, "estiva/assign/1");
  if (!value) return Failure(value.error());
  const json::object& from = value->get_object();
  Assignment assignment;
  assignment.lease = lease_of(object_of(from, "lease"));
  assignment.already_assigned = truth_of(from, "already_assigned");
  assignment.why = text_of(from, "why");
  return assignment;
}

Result<std::int64_t> read_self_pid(std::string_view text) {
  const auto value = parse_schema(text, "estiva/self/1");
  if (!value) return Failure(value.error());
  return pid_of(value->get_object());
}

Result<LoginLinks> read_login_document(std::string_view text) {
  const auto value = parse_schema(text, "estiva/login/1");
  if (!value) return Failure(value.error());
  const json::object& from = value->get_object();
  return LoginLinks{texts_of(from, "urls"), number_of(from, "expires_seconds").value_or(0),
                    count_of(from, "ended").value_or(0)};
}

std::optional<Refusal> read_refusal(std::string_view text) {
  const auto value = parse(text);
  if (!value) return std::nullopt;
  const json::value* found = member(value->get_object(), "refused");
  if (found == nullptr || !found->is_object()) return std::nullopt;
  const json::object& from = found->get_object();
  Refusal refusal;
  refusal.kind = kind_of(text_of(from, "kind"));
  refusal.reason = text_of(from, "reason");
  refusal.remedy = text_of(from, "remedy");
  for_objects(from, "gpus",
              [&](const json::object& gpu) { refusal.gpus.push_back(shortage_of(gpu)); });
  refusal.would_fit_if = texts_of(from, "would_fit_if");
  return refusal;
}

std::optional<Error> read_error(std::string_view text) {
  const auto value = parse(text);
  if (!value) return std::nullopt;
  const json::object& from = object_of(value->get_object(), "error");
  if (from.empty()) return std::nullopt;
  return Error{kind_of(text_of(from, "kind")), text_of(from, "message"), text_of(from, "remedy")};
}

}  // namespace estiva::cli
