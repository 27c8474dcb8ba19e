// Alternates requests between models and watches what becomes of the GPU: the numbers behind
// `estiva stress`. The machine is asked through two functions, so that tests can stand in for it.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/model_document.h"

namespace estiva::cli {

struct StressedModel {
  std::uint64_t requests = 0, errors = 0, ooms = 0;
  std::vector<double> swaps;  // seconds of requests that had to load the model
  std::string first_error;
};

struct StressReport {
  std::map<std::string, StressedModel> models;
  double seconds = 0;
  std::uint64_t vram_before = 0, vram_peak = 0, vram_after = 0;  // used on all GPUs, bytes
  bool has_returned = false;                                     // to what was used before
  bool is_clean() const;
};

struct StressMachine {
  // One request to a model; the error says what was answered.
  std::function<Result<void>(const std::string& model)> request;
  std::function<Result<ModelsDocument>()> models;
  std::function<Result<std::uint64_t>()> used_vram;
  std::function<Result<void>(const std::string& model)> unload;
  std::function<bool()> is_over;  // the time is up, or a person stopped it
};

// Unloads the models, asks each in turn until it is over, and unloads them again. VRAM has returned
// when a hundredth of the GPU's total more than before is not in use any more, within `patience`.
// Errors: the daemon is gone.
Result<StressReport> stress(const std::vector<std::string>& models, const StressMachine& machine,
                            std::chrono::milliseconds patience = std::chrono::seconds(10));

std::string stress_page(const StressReport& report);
// {"schema":"estiva/stress/1",..}
std::string stress_json(const StressReport& report);

}  // namespace estiva::cli
