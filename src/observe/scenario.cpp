#include "observe/scenario.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>

#include "format/text.h"

namespace estiva::observe {
namespace {

constexpr std::size_t kMostFaults = 60;
// Shorter calls are not worth a sleep: the simulator's own take as long.
constexpr Nanoseconds kShortest{20'000};

// The simulator's card that is most like this one: of its architecture, and with about its memory.
struct Base {
  std::string_view architecture;
  std::uint64_t least_bytes;
  std::string_view card;
};
constexpr std::array<Base, 13> kBases = {{{"Pascal", 0, "gtx1050ti-4g"},
                                          {"Maxwell", 0, "gtx1050ti-4g"},
                                          {"Turing", 0, "t4-16g"},
                                          {"Volta", 0, "t4-16g"},
                                          {"Ampere", 60ULL << 30, "a100-80g"},
                                          {"Ampere", 30ULL << 30, "a100-40g"},
                                          {"Ampere", 16ULL << 30, "rtx3090-24g"},
                                          {"Ampere", 0, "rtx3060-12g"},
                                          {"Ada", 30ULL << 30, "l40s-48g"},
                                          {"Ada", 0, "rtx4090-24g"},
                                          {"Hopper", 100ULL << 30, "h200-141g"},
                                          {"Hopper", 0, "h100-80g"},
                                          {"Blackwell", 0, "h200-141g"}}};

std::string_view base_of(const Gpu& gpu) {
  if (gpu.identity.unified_memory) return "gb10";
  const std::uint64_t total = gpu.sample.memory ? gpu.sample.memory->total.value : 0;
  for (const Base& base : kBases) {
    if (gpu.identity.architecture.starts_with(base.architecture) && total >= base.least_bytes) {
      return base.card;
    }
  }
  return "rtx4090-24g";
}

// A word of the scenario's grammar: quoted, and with nothing in it that could end the quotes.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' || c == '\\' || c < 0x20 || c == 0x7f ? '?' : c;
  return out + "\"";
}

int percent(const Reading<Ratio>& ratio) {
  return ratio ? static_cast<int>(std::lround(std::clamp(ratio->value, 0.0, 1.0) * 100)) : 0;
}

std::string card_line(const Gpu& gpu) {
  const GpuIdentity& identity = gpu.identity;
  std::string line = fmt::format("gpu {} name {}", base_of(gpu), quoted(identity.name));
  if (gpu.sample.memory) {
    line += fmt::format(" memory {}B", gpu.sample.memory->total.value);
    if (gpu.sample.memory->reserved_known) {
      line += fmt::format(" reserved {}B", gpu.sample.memory->reserved.value);
    }
  }
  const auto add = [&line](std::string_view name, double value) {
    line += fmt::format(" {} {}", name, std::lround(value));
  };
  if (identity.power_limit) add("power-limit", identity.power_limit->value);
  if (identity.slowdown_at) add("slowdown", identity.slowdown_at->value);
  if (identity.shutdown_at) add("shutdown", identity.shutdown_at->value);
  if (identity.max_operating) add("max-operating", identity.max_operating->value);
  if (identity.id.uuid.starts_with("GPU-")) line += " uuid " + identity.id.uuid;
  if (const std::string slot = pci_slot(identity.pci_bus_id); !slot.empty()) {
    line += " bus " + slot + ".0";
  }
  return line + "\n";
}

std::string_view type_of(const GpuProcess& process) {
  if (process.mps) return "mps";
  if (process.compute && process.graphics) return "both";
  return process.graphics ? "graphics" : "compute";
}

// The words of one card that follow from one reading; a line each, without its time.
std::vector<std::string> levels(std::size_t i, const GpuSample& sample) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("load {} {} memory {} encoder {} decoder {}", i,
                              percent(sample.utilization), percent(sample.memory_utilization),
                              percent(sample.encoder_utilization),
                              percent(sample.decoder_utilization)));
  if (sample.temperature) {
    lines.push_back(fmt::format("temperature {} {}", i, std::lround(sample.temperature->value)));
  }
  if (sample.power) {
    lines.push_back(fmt::format("power {} {}", i, std::lround(sample.power->value)));
  }
  if (sample.fan) lines.push_back(fmt::format("fan {} {}", i, percent(sample.fan)));
  if (sample.clock_event_reasons) {
    lines.push_back(fmt::format("throttle {} {:#x}", i, *sample.clock_event_reasons));
  }
  if (sample.pcie_generation && sample.pcie_width) {
    lines.push_back(fmt::format("pcie {} generation {} width {}", i, *sample.pcie_generation,
                                *sample.pcie_width));
  }
  return lines;
}

// Counters as they stood at the first reading.
std::vector<std::string> counters(std::size_t i, const Gpu& gpu) {
  std::vector<std::string> lines;
  const GpuSample& sample = gpu.sample;
  const GpuWear& wear = gpu.wear;
  if (sample.pcie_replays && *sample.pcie_replays > 0) {
    lines.push_back(fmt::format("pcie {} replays {}", i, *sample.pcie_replays));
  }
  const std::uint64_t corrected = sample.ecc_corrected.value_or(0),
                      uncorrected = sample.ecc_uncorrected.value_or(0);
  if (corrected + uncorrected > 0) {
    lines.push_back(fmt::format("ecc {} corrected {} uncorrected {}", i, corrected, uncorrected));
  }
  const unsigned cured = wear.remapped_corrected.value_or(0),
                 lost = wear.remapped_uncorrected.value_or(0);
  const bool pending = wear.remap_pending.value_or(0) != 0,
             failed = wear.remap_failed.value_or(0) != 0;
  if (cured + lost > 0 || pending || failed) {
    lines.push_back(fmt::format("remap {} corrected {} uncorrected {}{}{}", i, cured, lost,
                                pending ? " pending" : "", failed ? " failed" : ""));
  }
  return lines;
}

class Scenario {
 public:
  std::string write(const gpu::GpuRecording& recording) {
    const gpu::RecordedReading& first = recording.readings.front();
    begin(first);
    costs(recording.calls);
    for (const gpu::RecordedReading& reading : recording.readings) {
      at_ = reading.at - first.at;
      for (std::size_t card = 0; card < cards_.size(); ++card) {
        const auto gpu =
            std::find_if(reading.gpus.begin(), reading.gpus.end(),
                         [&](const Gpu& one) { return one.identity.id == cards_[card]; });
        if (gpu != reading.gpus.end()) show(card, *gpu);
      }
      say_who_ended(reading);
    }
    return std::move(out_);
  }

 private:
  void begin(const gpu::RecordedReading& first) {
    out_ =
        "# Written by 'estiva record': the GPUs of a recorded machine. Clocks, energy and links\n"
        "# between GPUs follow from the simulator's own card, MIG instances are left out.\n";
    if (!first.driver.version.empty()) out_ += "driver " + first.driver.version + "\n";
    if (first.driver.cuda_version) {
      out_ += fmt::format("cuda {}.{}\n", *first.driver.cuda_version / 1000,
                          *first.driver.cuda_version % 1000 / 10);
    }
    for (const Gpu& gpu : first.gpus) {
      if (!gpu.identity.id.instance.empty()) continue;
      cards_.push_back(gpu.identity.id);
      out_ += card_line(gpu);
    }
    if (cards_.empty()) out_ += "no-gpus\n";
    said_.resize(cards_.size());
    processes_.resize(cards_.size());
    held_.resize(cards_.size());
    for (std::size_t i = 0, card = 0; i < first.gpus.size(); ++i) {
      if (!first.gpus[i].identity.id.instance.empty()) continue;
      for (const std::string& line : counters(card, first.gpus[i])) out_ += line + "\n";
      ++card;
    }
  }

  // A call takes as long as it took on the slowest card, on average.
  void costs(const std::vector<gpu::CallCost>& calls) {
    std::map<std::string, Nanoseconds> longest;
    for (const gpu::CallCost& call : calls) {
      if (call.count == 0) continue;
      const Nanoseconds mean = call.total / static_cast<std::int64_t>(call.count);
      longest[call.call] = std::max(longest[call.call], mean);
    }
    std::size_t n = 0;
    for (const auto& [call, took] : longest) {
      if (took < kShortest || n++ >= kMostFaults) continue;
      out_ += fmt::format("fault {} latency {}us\n", call,
                          std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    }
  }

  void say(const std::string& line) {
    if (at_ > Nanoseconds(0)) {
      out_ += fmt::format("at {}ms ",
                          std::chrono::duration_cast<std::chrono::milliseconds>(at_).count());
    }
    out_ += line + "\n";
  }

  void show(std::size_t card, const Gpu& gpu) {
    if (gpu.sample.state != GpuState::ok) return;
    for (const std::string& line : levels(card, gpu.sample)) {
      // The same as before needs no word.
      std::string& before = said_[card][line.substr(0, line.find(' '))];
      if (before != line) say(line);
      before = line;
    }
    const std::vector<GpuProcess> listed = gpu.sample.processes.value_or(std::vector<GpuProcess>());
    std::uint64_t held = held_[card];
    if (gpu.sample.memory) held = beyond(gpu.sample.memory->used, listed);
    // Room is given back before it is taken.
    if (held < held_[card]) hold(card, held);
    if (gpu.sample.processes) show_processes(card, listed);
    if (held > held_[card]) hold(card, held);
  }

  void show_processes(std::size_t card, const std::vector<GpuProcess>& listed) {
    std::map<pid_t, std::uint64_t> now;
    for (const GpuProcess& process : listed) {
      const std::uint64_t bytes = process.used.value_or({}).value;
      now[process.pid] = bytes;
      const auto before = processes_[card].find(process.pid);
      if (before == processes_[card].end()) {
        say(fmt::format("process {} gpu {} vram {}B name {} type {} sm {}", process.pid, card,
                        bytes, quoted(process.name), type_of(process),
                        percent(process.sm_utilization)));
      } else if (bytes > before->second) {
        say(fmt::format("alloc {} {} {}B", process.pid, card, bytes - before->second));
      } else if (bytes < before->second) {
        say(fmt::format("free {} {} {}B", process.pid, card, before->second - bytes));
      }
    }
    for (const auto& [pid, bytes] : processes_[card]) {
      if (!now.contains(pid)) say(fmt::format("free {} {}", pid, card));
    }
    processes_[card] = std::move(now);
  }

  // What is in use beyond what the listed processes hold.
  static std::uint64_t beyond(Bytes used, const std::vector<GpuProcess>& listed) {
    for (const GpuProcess& process : listed) used -= process.used.value_or({});
    return used.value;
  }

  void hold(std::size_t card, std::uint64_t held) {
    say(fmt::format("hold {} {}B", card, held));
    held_[card] = held;
  }

  void say_who_ended(const gpu::RecordedReading& reading) {
    std::set<pid_t> now;
    for (const Gpu& gpu : reading.gpus) {
      if (!gpu.sample.processes) return;  // not known
      for (const GpuProcess& process : *gpu.sample.processes) now.insert(process.pid);
    }
    for (const pid_t pid : lived_) {
      if (!now.contains(pid)) say(fmt::format("exit {}", pid));
    }
    lived_ = std::move(now);
  }

  std::string out_;
  Nanoseconds at_{0};
  std::vector<DeviceId> cards_;
  std::vector<std::map<std::string, std::string>> said_;   // word -> the line as it was
  std::vector<std::map<pid_t, std::uint64_t>> processes_;  // pid -> bytes
  std::vector<std::uint64_t> held_;
  std::set<pid_t> lived_;
};

}  // namespace

std::string scenario_of(const gpu::GpuRecording& recording) {
  return Scenario().write(recording);
}

}  // namespace estiva::observe
