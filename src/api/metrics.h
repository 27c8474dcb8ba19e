// /metrics: the World as Prometheus reads it. Pure: a value in, text out; never asks the driver.
//
// Families of our own in base units, and beside them the names that existing dashboards ask for:
// DCGM_FI_* as NVIDIA's dcgm-exporter writes them (dashboard 12239) and nvidia_smi_* as
// utkuozdemir/nvidia_gpu_exporter does (14574, 25547). What is unknown, or older than two
// intervals, is absent and never zero. Series are bounded: per GPU, per lease, per disk; never per
// process.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "api/residents.h"
#include "format/exposition.h"
#include "model/world.h"

namespace estiva::api {

struct MetricsOptions {
  format::Exposition::Form form = format::Exposition::Form::text;
  // Names that users gave (models, paths): not for whoever asks without the token.
  bool with_names = true;
  std::string hostname;  // for DCGM's label; may be empty
};

// `models` are those that are loaded for requests.
std::string metrics_text(const World& world, const std::vector<ModelStatus>& models,
                         const MetricsOptions& options);

// The form for an Accept header: OpenMetrics where it is named, else the text form.
format::Exposition::Form form_for(std::string_view accept);

}  // namespace estiva::api
