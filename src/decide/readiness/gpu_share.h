// Which GPUs a container was given, and by which way: as CDI devices, by a request to NVIDIA's
// driver of the engine, or by NVIDIA's runtime and the environment.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/readiness.h"

namespace estiva::decide {

struct GpuShare {
  bool by_cdi = false, by_request = false, by_runtime = false;
  bool all = false;
  std::vector<std::string> devices;  // numbers or UUIDs, as asked for
  std::optional<std::size_t> count;  // nullopt: not known (MIG, or the host's GPUs are not)
  bool any() const { return by_cdi || by_request || by_runtime; }
};
GpuShare share_of(const ContainerFact& container, const ReadinessFacts& facts);

// The GPUs of the host; 0: not known, or none.
std::size_t gpu_count(const ReadinessFacts& facts);
std::vector<std::string> gpu_uuids(const ReadinessFacts& facts);

// The value of a variable of the container; nullopt: it has none.
std::optional<std::string_view> variable(const std::vector<std::string>& environment,
                                         std::string_view name);
// Digits only, at least one.
bool is_number(std::string_view text);
// "a,b": its parts without blanks.
std::vector<std::string_view> parts_of_list(std::string_view text);

}  // namespace estiva::decide
