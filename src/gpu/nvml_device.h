// One device behind an NVML handle: asks, remembers what it does not have, and stops asking a GPU
// that is lost. Blocking; only in the sensor process.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/nvml_library.h"
#include "model/gpu.h"

namespace estiva::gpu::nvml {

// One row a question that can be unsupported on its own: the key of the negative cache.
enum class Metric : std::uint8_t {
  memory_v2,
  memory_v1,
  utilization,
  temperature_v,
  temperature,
  power,
  clock_reasons,
  sm_clock,
  memory_clock,
  performance_state,
  memory_temperature,
  energy,
  compute,
  graphics,
  mps,
  processes_utilization,
  process_samples,
  encoder,
  decoder,
  fan,
  pcie_generation,
  pcie_width,
  power_limit,
  ecc_corrected,
  ecc_uncorrected,
  pcie_replays,
  mig_mode,
  ecc_lifetime,
  remapped_rows,
  retired_pages,
  retired_pending,
  recovery_action,
  persistence_mode,
  link_state,
  link_errors,
  fabric,
  count,
};

// What each question cost; only kept for a recording.
struct AskCost {
  std::int16_t code = 0;
  std::uint64_t count = 0;
  Nanoseconds total{0}, longest{0};
};
using AskCosts = std::array<AskCost, static_cast<std::size_t>(Metric::count)>;
// "nvmlDeviceGetPowerUsage": the function that answers it.
std::string_view function_of(Metric metric);

struct Device {
  Handle handle = nullptr;
  std::string sysfs_bus_id;
  bool was_on_pci = false;   // the kernel listed it once
  bool may_sleep = false;    // ask its power state before each read
  bool is_instance = false;  // a MIG device
  int lost = 0;              // kGpuIsLost or kResetRequired: no call until it is probed again
  std::array<std::int16_t, static_cast<std::size_t>(Metric::count)> refused{};  // code; 0: ask
  std::uint64_t last_process_sample = 0;  // microseconds, driver's clock
  std::shared_ptr<AskCosts> costs;        // null: nobody wants to know
};

// Why a metric is missing, from the code the driver gave for it.
Missing missing_of(int code);
// The driver as a whole is gone (unloaded, upgraded, not initialised): no device can be read.
bool ends_session(int code);

// One sweep's view of the library: `session_error` is the first code that ends the session.
class Asker {
 public:
  explicit Asker(const Functions& functions) : f(functions) {}
  const Functions& f;
  int session_error = 0;

  // Calls `function(handle, arguments...)` unless the device is lost or refused this metric before.
  template <class Function, class... Arguments>
  int ask(Device& device, Metric metric, Function function, Arguments... arguments) {
    if (session_error != 0) return session_error;
    if (device.lost != 0) return device.lost;
    std::int16_t& refused = device.refused[static_cast<std::size_t>(metric)];
    if (refused != 0) return refused;
    const SteadyTime from = device.costs ? steady_now() : SteadyTime{};
    const int code =
        function == nullptr ? kFunctionNotFound : function(device.handle, arguments...);
    if (device.costs && function != nullptr) add_cost(device, metric, code, steady_now() - from);
    if (code != kSuccess) note(device, refused, code);
    return code;
  }

 private:
  void note(Device& device, std::int16_t& refused, int code);
  static void add_cost(Device& device, Metric metric, int code, Nanoseconds took);
};

// A value, or why the driver did not give it.
template <class T>
Reading<T> reading(int code, T value) {
  return code == kSuccess ? Reading<T>(value) : Reading<T>(missing_of(code));
}
// What a function with one number as its answer says.
Reading<unsigned> read_number(Asker& asker, Device& device, Metric metric,
                              int (*function)(Handle, U32*));

// Reads what never changes while the driver is loaded. False where the GPU did not even say who it
// is (its UUID and PCI address).
bool read_identity(Asker& asker, Device& device, GpuIdentity& identity);
// Another GPU answers at this one's index now. Attaches to the GPU: not while one may sleep.
bool has_moved(Asker& asker, const GpuIdentity& identity);
// MIG is on: the GPU is cut into instances.
bool has_mig(Asker& asker, Device& device);
void read_memory(Asker& asker, Device& device, Gpu& gpu, const std::string& root);
void read_fast(Asker& asker, Device& device, GpuSample& sample);
void read_energy(Asker& asker, Device& device, GpuSample& sample);
void read_steady(Asker& asker, Device& device, Gpu& gpu);
void read_slow(Asker& asker, Device& device, GpuSample& sample);
void read_wear(Asker& asker, Device& device, GpuWear& wear);
// Every reading of the sample and of the wear becomes `why`.
void blank(Gpu& gpu, Missing why);

}  // namespace estiva::gpu::nvml
