// Scenarios that need no file.
#include <array>

#include "sim/core/scenario.h"

namespace estiva::sim {
namespace {

constexpr std::string_view kLaptop = R"(scenario "laptop-4gb"
driver 550.163.01
cuda 12.4
gpu gtx1050ti-4g may-sleep
process 2101 gpu 0 vram 412MiB type graphics name "/usr/lib/xorg/Xorg" sm 3
process 3120 gpu 0 vram 1350MiB name "ollama runner" sm 38
load 0 41 memory 22 sway 12 every 20s
at 30s load 0 93 memory 55 sway 5 every 10s
at 60s load 0 7 memory 3
repeat 90s
)";

constexpr std::string_view kWorkstation = R"(scenario "workstation-2"
driver 550.163.01
cuda 12.4
gpu rtx4090-24g
gpu rtx3060-12g
process 2240 gpu 1 vram 640MiB type graphics name "/usr/lib/xorg/Xorg" sm 2
process 5310 gpu 0 vram 9216MiB name "llama-server" sm 55
process 5388 gpu 1 vram 2304MiB name "python3 embed.py" sm 20
load 0 58 memory 44 sway 20 every 25s
load 1 24 memory 12 sway 10 every 15s
at 40s load 0 97 memory 70 sway 3 every 10s
at 80s load 0 12 memory 6 sway 4 every 12s
repeat 120s
)";

constexpr std::string_view kServer = R"(scenario "server-8"
driver 550.163.01
cuda 12.4
gpu h100-80g times 8
process 11001 gpu 0 vram 52GiB name "vllm" sm 81
process 11002 gpu 1 vram 52GiB name "vllm" sm 79
process 11003 gpu 2 vram 18GiB name "python3 train.py" sm 96
process 11003 gpu 3 vram 18GiB name "python3 train.py" sm 97
process 11004 gpu 4 vram 7GiB name "tei" sm 12
load 0 81 memory 63 sway 12 every 20s
load 1 79 memory 61 sway 12 every 22s
load 2 96 memory 48 sway 3 every 8s
load 3 97 memory 48 sway 3 every 8s
load 4 12 memory 5 sway 8 every 30s
)";

constexpr std::string_view kUnified = R"(scenario "unified-gb10"
driver 580.95.05
cuda 13.0
gpu gb10
process 4410 gpu 0 vram 36GiB name "llama-server" sm 66
load 0 66 memory 0 sway 10 every 20s
)";

constexpr std::string_view kMig = R"(scenario "mig-a100"
driver 550.163.01
cuda 12.4
gpu a100-80g
mig 0 1g.10gb 2g.20gb 3g.40gb
process 7001 gpu 0 vram 6GiB instance 0 name "tei"
process 7002 gpu 0 vram 14GiB instance 1 name "vllm"
)";

constexpr std::string_view kNoGpus = R"(scenario "no-gpus"
no-gpus
)";

struct Entry {
  std::string_view name, text;
};
constexpr std::array<Entry, 6> kBuiltin = {{{"laptop-4gb", kLaptop},
                                            {"workstation-2", kWorkstation},
                                            {"server-8", kServer},
                                            {"unified-gb10", kUnified},
                                            {"mig-a100", kMig},
                                            {"no-gpus", kNoGpus}}};

}  // namespace

std::string_view builtin_scenario(std::string_view name) {
  for (const Entry& entry : kBuiltin) {
    if (entry.name == name) return entry.text;
  }
  return {};
}

std::vector<std::string_view> builtin_names() {
  std::vector<std::string_view> names;
  for (const Entry& entry : kBuiltin) names.push_back(entry.name);
  return names;
}

}  // namespace estiva::sim
