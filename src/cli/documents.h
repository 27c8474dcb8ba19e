// The documents of the API as plain values, so that the printers never see JSON. What is unknown is
// nullopt, and its reason stands in `missing` under the same name.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "cli/model_document.h"

namespace estiva::cli {

using MissingReasons = std::vector<std::pair<std::string, std::string>>;  // "power_watts" -> why

struct ProcessRow {
  std::int64_t pid = 0;
  std::optional<std::uint64_t> used_bytes;
  std::string name, container, project, service, model;
  std::optional<double> sm;  // share of the GPU's multiprocessors
  MissingReasons missing;
};

struct ConditionRow {
  std::string reason, remedy;
  std::optional<double> since_seconds;
};

// What the driver does not list (any more), and what is known of it.
struct NotListedRow {
  std::string device;
  std::vector<ConditionRow> conditions;
};

struct GpuRow {
  std::uint64_t index = 0;
  std::string uuid, name, pci;
  std::optional<std::uint64_t> total_bytes, used_bytes, free_bytes, reserved_bytes,
      admissible_bytes;
  std::optional<double> utilization, celsius, watts;
  std::optional<std::vector<std::string>> clock_events;  // "sw_power_cap"; the gravest first
  std::string health;
  std::vector<ConditionRow> conditions;
  std::vector<ProcessRow> processes;
  MissingReasons missing;
};

struct DriverRow {
  std::string version, nvml, state, reason, remedy;
};

struct GpuDocument {
  std::string schema, source, sampled_at;
  bool simulated = false;
  bool stale = false;
  std::optional<double> age_seconds;
  DriverRow driver;
  std::vector<GpuRow> gpus;
  std::vector<NotListedRow> not_listed;
};

struct LeaseRow {
  std::string id, model, state, granted_at;
  std::vector<std::string> gpus;
  std::uint64_t vram_bytes = 0;
  std::optional<std::int64_t> pid;  // the holder's; none: lives until it is released by name
};

struct CheckRow {
  std::string name, state, reason, remedy;
};

struct DiskRow {
  std::string role, path;
  std::uint64_t total_bytes = 0, used_bytes = 0;
  std::optional<double> used_ratio;
};

struct TopRow {
  std::int64_t pid = 0;
  std::string name;
  std::optional<double> cpu;  // of one core
  std::uint64_t resident_bytes = 0;
};

struct HostRow {
  std::uint64_t cores = 0;
  std::optional<double> cpu;
  std::optional<std::uint64_t> memory_total, memory_available, swap_total, swap_used;
  // Shares of the last ten seconds in which something waited, and in which all did.
  std::optional<double> cpu_some, memory_some, memory_full, io_some;
  std::vector<DiskRow> disks;
  std::vector<TopRow> top_cpu, top_memory;
  MissingReasons missing;
};

struct EngineRow {
  std::string state, name, version, reason, remedy;  // all empty: nobody asks one
  std::uint64_t containers = 0, running = 0;
};

struct RecordRow {
  std::string at, kind, subject, text;
  std::vector<std::string> gpus;
  std::optional<std::uint64_t> vram_bytes;
  bool is_intact = true;
};

struct StatusDocument {
  GpuDocument gpu;  // simulated, source, driver, gpus and so on
  std::vector<CheckRow> checks;
  HostRow host;
  EngineRow engine;
  std::vector<LeaseRow> leases;
  std::vector<ModelRow> models;  // that are loaded for requests; none without a daemon
  bool on_battery = false;
};

struct GpuShortage {
  std::string uuid, why;
  std::optional<std::uint64_t> index, free_bytes, missing_bytes;
};

struct Refusal {
  ErrorKind kind = ErrorKind::no_room;
  std::string reason, remedy;
  std::vector<GpuShortage> gpus;
  std::vector<std::string> would_fit_if;
};

// What lets a browser in.
struct LoginLinks {
  std::vector<std::string> urls;
  double expires_seconds = 0;
  std::uint64_t ended = 0;  // sessions, where that was asked for
};

struct Assignment {
  LeaseRow lease;
  bool already_assigned = false;
  std::string why;  // this GPU; empty when the daemon does not say
};

// Each fails when the text is no such document: `failed`, with a remedy that says to bring daemon
// and command line to the same version. Bounded: 64 levels, whatever size the client let through.
Result<GpuDocument> read_gpu_document(std::string_view json);
Result<StatusDocument> read_status_document(std::string_view json);
Result<std::vector<LeaseRow>> read_leases_document(std::string_view json);
Result<std::vector<RecordRow>> read_journal_document(std::string_view json);
Result<RecordRow> read_record(std::string_view json);
Result<LoginLinks> read_login_document(std::string_view json);
Result<Assignment> read_assignment(std::string_view json);
// Which number the daemon knows us by.
Result<std::int64_t> read_self_pid(std::string_view json);
// nullopt: the text is not a refusal.
std::optional<Refusal> read_refusal(std::string_view json);
// nullopt: the text is not an error document.
std::optional<Error> read_error(std::string_view json);

}  // namespace estiva::cli
