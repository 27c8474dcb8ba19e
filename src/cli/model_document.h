// The document of `models` as plain values, so that the printers never see JSON.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace estiva::format {
class JsonNode;
}

namespace estiva::cli {

struct ModelRow {
  std::string name, engine, state, reason, policy, policy_from, policy_configured, pinned_from,
      lease, ttl_from;
  std::vector<std::string> gpus, keeps_awake;
  bool pinned = false, open = false;
  std::optional<std::int64_t> pid;
  std::uint64_t starts = 0, ooms = 0, in_flight = 0, waiting = 0;
  std::optional<std::uint64_t> declared, learned;
  std::uint64_t need = 0, measured = 0, charged = 0;
  std::optional<double> load_seconds, state_seconds, idle_seconds, bound_seconds, ttl_seconds,
      leaves_in_seconds;
};

struct WaitRow {
  std::uint64_t ticket = 0, place = 0;
  std::string model, reason;
  double waited = 0, expected = 0, bound = 0;  // seconds
};

struct PauseRow {
  std::string gpu;  // empty: all
  std::optional<double> left;
};

struct ModelsDocument {
  bool simulated = false;
  std::string gateway;
  std::vector<ModelRow> models;
  std::vector<WaitRow> waiting;
  std::vector<PauseRow> pauses;
};

// One element of "models", here and in the document of `status`.
ModelRow read_model_row(const format::JsonNode& from);

// Errors: failed, where it is no document of ours.
Result<ModelsDocument> read_models(std::string_view text);

// The UUID in a gpu document that "0", a UUID or the beginning of one means. Errors: not_found.
Result<std::string> find_gpu(std::string_view gpu_document, std::string_view name);

// "1.5 s", "2 min": as people say a time. Negative ones are 0.
std::string time_cell(double seconds);

}  // namespace estiva::cli
