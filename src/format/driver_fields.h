// The members of a driver's state as JSON (format/json_fields.h). Here, because both recordings of
// GPUs and records of decisions hold one: two lists of one type would be one function defined
// twice.
#pragma once
#include "format/json_fields.h"
#include "model/gpu.h"

namespace estiva {

template <class Io>
void fields(Io& io, DriverStatus& driver) {
  io.named("state", driver.state, DriverState::failed);
  io("version", driver.version);
  io("nvml_version", driver.nvml_version);
  io("installed_version", driver.installed_version);
  io("cuda_version", driver.cuda_version);
  io("reason", driver.reason);
  io("remedy", driver.remedy);
}

}  // namespace estiva
