// What the GPUs of a machine answered, reading by reading, and what each question cost: a JSON file
// that a person can look through, and that later versions can read. MACHINE/gpus.json:
// {"schema":"estiva/recorded-gpus/1","readings":[{"at_ns":..,"driver":{..},"gpus":[..]}],
//  "calls":[{"call":"nvmlDeviceGetPowerUsage","device":0,"count":..,"total_ns":..}]}
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/error.h"
#include "gpu/backend.h"

namespace estiva::gpu {

inline constexpr const char* kRecordingFile = "gpus.json";
inline constexpr std::size_t kMaxRecording = 64U << 20;  // bytes of the file
inline constexpr std::size_t kMaxRecorded = 4096;        // readings

struct RecordedReading {
  SteadyTime at;  // when it was asked for, on that machine's clock
  DriverStatus driver;
  std::vector<Gpu> gpus;
  friend bool operator==(const RecordedReading&, const RecordedReading&) = default;
};

struct GpuRecording {
  std::vector<RecordedReading> readings;  // at least one, in order
  std::vector<CallCost> calls;
  friend bool operator==(const GpuRecording&, const GpuRecording&) = default;
};

// Every process that was on a GPU in any of the readings.
std::set<pid_t> processes_in(const GpuRecording& recording);

std::string format_recording(const GpuRecording& recording);
// Errors: it is cut off, or no recording; the sentence says where.
Result<GpuRecording> parse_recording(std::string_view text);
// The same of the file in a folder; the sentence names it.
Result<GpuRecording> read_recording(const std::string& machine);

}  // namespace estiva::gpu
