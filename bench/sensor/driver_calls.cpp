// bench_driver_calls: what each question to the driver costs on this machine, and whether its
// library can be loaded and unloaded for ever. For a real driver: the simulator answers in
// nanoseconds.
//   bench_driver_calls [--nvml FILE] [--n 200] [--reloads 100]
// One line a function: the code it gave, n, median and p99 of the wall time, and the CPU's median.
// Without a library or a GPU it says so and ends with 1.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gpu/nvml_library.h"

namespace {

using namespace estiva::gpu::nvml;

struct Arguments {
  std::string nvml;
  int n = 200;
  int reloads = 100;
};

double clock_us(clockid_t clock) {
  timespec ts{};
  clock_gettime(clock, &ts);
  return static_cast<double>(ts.tv_sec) * 1e6 + static_cast<double>(ts.tv_nsec) / 1e3;
}

double at(std::vector<double>& us, double share) {
  std::sort(us.begin(), us.end());
  const auto index = static_cast<std::size_t>(static_cast<double>(us.size()) * share);
  return us[std::min(us.size() - 1, index)];
}

void measure(const Arguments& arguments, const char* name, const std::function<int()>& call) {
  std::vector<double> wall;
  std::vector<double> cpu;
  int code = 0;
  for (int i = 0; i < arguments.n; ++i) {
    const double from = clock_us(CLOCK_MONOTONIC);
    const double cpu_from = clock_us(CLOCK_THREAD_CPUTIME_ID);
    code = call();
    cpu.push_back(clock_us(CLOCK_THREAD_CPUTIME_ID) - cpu_from);
    wall.push_back(clock_us(CLOCK_MONOTONIC) - from);
  }
  fmt::print("{:<34} code={:<3} n={:<5} median={:10.2f} us  p99={:10.2f} us  cpu={:10.2f} us\n",
             name, code, wall.size(), at(wall, 0.5), at(wall, 0.99), at(cpu, 0.5));
}

// One row a question that the sensor asks; a function the library lacks is said, not left out.
#define ESTIVA_ASK(member, ...)                          \
  if (f.member == nullptr)                               \
    fmt::print("{:<34} not in this library\n", #member); \
  else                                                   \
    measure(arguments, #member, [&] { return f.member(handle, __VA_ARGS__); })

void ask_everything(const Arguments& arguments, const Functions& f, Handle handle) {
  char text[96];
  U32 a = 0;
  U32 b = 0;
  U64 wide = 0;
  int major = 0;
  int minor = 0;
  PciInfo pci{};
  MemoryV1 memory{};
  MemoryV2 memory2{};
  memory2.version = version_word<MemoryV2>(2);
  Utilization busy{};
  TemperatureV1 heat{version_word<TemperatureV1>(1), 0, 0};
  FieldValue fields[2]{};
  fields[0].field = kFieldMemoryTemperature;
  fields[1].field = kFieldEnergy;
  std::vector<ProcessInfo> processes(256);
  std::vector<ProcessUtilizationRow> rows(256);
  std::vector<ProcessSample> samples(256);
  ProcessesUtilization all{};
  ESTIVA_ASK(uuid, text, sizeof text);
  ESTIVA_ASK(name, text, sizeof text);
  ESTIVA_ASK(pci_info, &pci);
  ESTIVA_ASK(compute_capability, &major, &minor);
  ESTIVA_ASK(threshold, kSlowdown, &a);
  ESTIVA_ASK(power_constraints, &a, &b);
  ESTIVA_ASK(power_limit, &a);
  ESTIVA_ASK(memory_v2, &memory2);
  ESTIVA_ASK(memory_v1, &memory);
  ESTIVA_ASK(utilization, &busy);
  ESTIVA_ASK(temperature_v, &heat);
  ESTIVA_ASK(temperature, 0, &a);
  ESTIVA_ASK(power, &a);
  ESTIVA_ASK(clock_reasons, &wide);
  ESTIVA_ASK(clock, kClockSm, &a);
  ESTIVA_ASK(performance_state, &a);
  if (f.field_values != nullptr) {
    measure(arguments, "field_values: memory temperature",
            [&] { return f.field_values(handle, 1, fields); });
    measure(arguments, "field_values: energy",
            [&] { return f.field_values(handle, 1, fields + 1); });
  }
  ESTIVA_ASK(field_values, 2, fields);
  ESTIVA_ASK(compute_processes, &(a = 256), processes.data());
  ESTIVA_ASK(graphics_processes, &(a = 256), processes.data());
  ESTIVA_ASK(mps_processes, &(a = 256), processes.data());
  ESTIVA_ASK(processes_utilization,
             &(all = {version_word<ProcessesUtilization>(1), 256, 0, rows.data()}));
  ESTIVA_ASK(process_samples, samples.data(), &(a = 256), 0);
  ESTIVA_ASK(encoder, &a, &b);
  ESTIVA_ASK(decoder, &a, &b);
  ESTIVA_ASK(fan, &a);
  ESTIVA_ASK(pcie_generation, &a);
  ESTIVA_ASK(pcie_width, &a);
  ESTIVA_ASK(ecc_total, 0, 0, &wide);
  ESTIVA_ASK(pcie_replays, &a);
  ESTIVA_ASK(mig_mode, &a, &b);
  fmt::print("memory v2: total {} used {} free {} reserved {}, used+free+reserved-total {}\n",
             memory2.total, memory2.used, memory2.free, memory2.reserved,
             static_cast<long long>(memory2.used + memory2.free + memory2.reserved) -
                 static_cast<long long>(memory2.total));
  fmt::print("memory v1: total {} used {} free {}\n", memory.total, memory.used, memory.free);
}

std::size_t entries_of(const char* folder) {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++n;
  return n;
}

// What a descriptor is open on, for those above `known`.
void print_new_descriptors(std::size_t known) {
  std::map<std::string, int> targets;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::atoi(entry.path().filename().c_str()) < static_cast<int>(known)) continue;
    ++targets[std::filesystem::read_symlink(entry.path(), gone).string()];
  }
  for (const auto& [target, count] : targets) fmt::print("  {} x {}\n", count, target);
}

std::size_t lines_of(const char* file) {
  std::ifstream in(file);
  std::size_t n = 0;
  for (std::string line; std::getline(in, line);) ++n;
  return n;
}

std::size_t resident_kib() {
  std::ifstream in("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  in >> size >> resident;
  return resident * 4;
}

int initialise(const Functions& f) {
  return f.init != nullptr ? f.init() : f.init_with_flags(0);
}

// The whole cycle that a driver upgrade costs; descriptors, mappings and memory must not grow.
bool reload(const Arguments& arguments) {
  std::vector<double> wall;
  for (int i = 0; i < arguments.reloads; ++i) {
    const double from = clock_us(CLOCK_MONOTONIC);
    Library library;
    if (!library.open(arguments.nvml)) return false;
    const int code = initialise(library.call());
    U32 count = 0;
    Handle handle = nullptr;
    if (code == kSuccess) {
      library.call().device_count(&count);
      library.call().handle_by_index(0, &handle);
    }
    library.call().shutdown();
    library.close();
    wall.push_back(clock_us(CLOCK_MONOTONIC) - from);
    if (i == 0 || i + 1 == arguments.reloads || i + 1 == arguments.reloads / 2) {
      fmt::print("reload {:<4} code={} gpus={} descriptors={} mappings={} resident={} KiB\n", i + 1,
                 code, count, entries_of("/proc/self/fd"), lines_of("/proc/self/maps"),
                 resident_kib());
    }
  }
  print_new_descriptors(8);
  fmt::print("{:<34} n={:<5} median={:10.2f} us  p99={:10.2f} us\n", "load, init, shutdown, unload",
             wall.size(), at(wall, 0.5), at(wall, 0.99));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--nvml") arguments.nvml = argv[i + 1];
    if (flag == "--n") arguments.n = std::max(1, std::atoi(argv[i + 1]));
    if (flag == "--reloads") arguments.reloads = std::max(1, std::atoi(argv[i + 1]));
  }
  Library library;
  if (auto opened = library.open(arguments.nvml); !opened) {
    fmt::print(stderr, "{}\n", opened.error().what);
    return 1;
  }
  U32 count = 0;
  const double from = clock_us(CLOCK_MONOTONIC);
  const int code = initialise(library.call());
  fmt::print("init: code {} after {:.0f} us, library {}\n", code, clock_us(CLOCK_MONOTONIC) - from,
             library.resolved_path());
  if (code != kSuccess || library.call().device_count(&count) != kSuccess || count == 0) {
    fmt::print(stderr, "no GPU answers here\n");
    return 1;
  }
  for (U32 i = 0; i < count; ++i) {
    Handle handle = nullptr;
    const double asked = clock_us(CLOCK_MONOTONIC);
    if (library.call().handle_by_index(i, &handle) != kSuccess) continue;
    fmt::print("GPU {}: handle after {:.0f} us\n", i, clock_us(CLOCK_MONOTONIC) - asked);
    ask_everything(arguments, library.call(), handle);
  }
  library.call().shutdown();
  library.close();
  return reload(arguments) ? 0 : 1;
}
