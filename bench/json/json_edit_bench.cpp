// How long the lossless JSON editor takes, and how much memory, on one core:
//   usual    a daemon.json of 1 kB through the whole policy (read, five changes, checked again)
//   again    the same file when nothing is left to change
//   large    50 MB of objects: read; one value set; checked again
//   names    50 MB that is one object with as many names as fit: the worst for finding names twice
// Times are CPU: nothing here waits.
// Usage: bench_json_edit [--rounds N] [--handicap 1ms] [--check]
// --handicap puts a busy wait into the measured path and must show; --check exits 1 where the usual
// file takes more than 1 ms or a large one more than 5 s.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "decide/setup/daemon_json.h"
#include "format/json_edit.h"

namespace estiva::decide {
namespace {

constexpr std::size_t kLarge = 50'000'000;
struct Options {
  int rounds = 1000;
  double handicap = 0;  // ms
  bool check = false;
};

constexpr double kUsualTarget = 1.0, kLargeTarget = 5'000.0;  // ms

// The most memory that was resident since the start or the last reset, in MB.
double peak_mb(bool reset) {
  double kilobytes = 0;
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") status >> kilobytes;
  }
  if (reset) std::ofstream("/proc/self/clear_refs") << "5";
  return kilobytes / 1024;
}

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void busy_wait(double ms) {
  const double end = cpu_ms() + ms;
  while (ms > 0 && cpu_ms() < end) {
  }
}

double load_average() {
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  return load;
}

// Prints and returns the median of `rounds` times, in ms.
double measure(const std::string& name, const Options& options, int rounds,
               const std::function<void()>& once) {
  std::vector<double> times;
  peak_mb(true);
  const double before = peak_mb(false);
  for (int i = 0; i < rounds; ++i) {
    const double begin = cpu_ms();
    once();
    busy_wait(options.handicap);
    times.push_back(cpu_ms() - begin);
  }
  const double more = peak_mb(false) - before;
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  fmt::print("{:<14} n={} median={:.3f}ms p99={:.3f}ms more_memory={:.1f}MB\n", name, rounds,
             median, times[times.size() * 99 / 100], more);
  return median;
}

std::string usual_file() {
  std::string text =
      "{\n    \"debug\": false,\n    \"features\": {\n        \"buildkit\": true\n    },\n";
  text += "    \"registry-mirrors\": [\n";
  for (int i = 0; i < 12; ++i)
    text += fmt::format("        \"https://mirror-{}.example.org\"{}\n", i, i < 11 ? "," : "");
  text += "    ],\n    \"default-ulimits\": {\n";
  text += "        \"nofile\": {\"Name\": \"nofile\", \"Hard\": 65536, \"Soft\": 65536}\n    },\n";
  text += "    \"storage-driver\": \"overlay2\",\n    \"data-root\": \"/var/lib/docker\",\n";
  return text + "    \"live-restore\": true,\n    \"max-concurrent-downloads\": 6\n}\n";
}

std::string large_file() {
  std::string text = "{\n";
  for (int i = 0; text.size() < kLarge - 200; ++i)
    text += fmt::format(
        "    \"runtime-{:07}\": {{\n        \"path\": \"/usr/bin/runtime-{}\",\n"
        "        \"args\": [\"--root\", 12345678901234567890, true, null]\n    }},\n",
        i, i);
  return text + "    \"end\": 1\n}\n";
}

std::string many_names() {
  std::string text = "{";
  for (int i = 0; text.size() < kLarge - 20; ++i) text += fmt::format("\"{:x}\":0,", i);
  return text + "\"end\":1}";
}

void must(bool good) {
  if (good) return;
  fmt::print(stderr, "the editor did not do what is measured\n");
  std::exit(1);
}

double measure_large(const std::string& name, const Options& options, const std::string& text) {
  const int rounds = std::max(3, options.rounds / 100);
  const double read = measure(name + " read", options, rounds,
                              [&] { must(format::JsonEdit::parse(text, "f").has_value()); });
  return std::max(read, measure(name + " edited", options, rounds, [&] {
                    auto doc = format::JsonEdit::parse(text, "f");
                    must(doc && doc->set({"end"}, "2") && doc->set({"features", "cdi"}, "true"));
                    must(doc->finish().has_value());
                  }));
}

int run(const Options& options) {
  DaemonJsonInput input;
  input.text = usual_file();
  input.engine_version = "27.5.1";
  input.wish.nvidia_runtime = "/usr/bin/nvidia-container-runtime";
  fmt::print("json_edit: usual file {} bytes, load={:.2f} build={} handicap={}ms\n",
             input.text->size(), load_average(), ESTIVA_BUILD_TYPE, options.handicap);
  const double usual = measure("usual", options, options.rounds, [&] {
    const auto plan = plan_daemon_json(input);
    must(plan && plan->changes.size() == 6);
  });
  input.text = plan_daemon_json(input)->text;
  measure("again", options, options.rounds, [&] {
    const auto plan = plan_daemon_json(input);
    must(plan && plan->changes.empty());
  });
  double large = measure_large("large", options, large_file());
  large = std::max(large, measure_large("names", options, many_names()));
  if (!options.check || (usual <= kUsualTarget && large <= kLargeTarget)) return 0;
  fmt::print(stderr, "usual {:.2f} ms (goal {:.0f}), large {:.0f} ms (goal {:.0f})\n", usual,
             kUsualTarget, large, kLargeTarget);
  return 1;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--check") {
      options.check = true;
    } else if (word == "--rounds" && i + 1 < argc) {
      options.rounds = std::max(1, std::atoi(argv[++i]));
    } else if (word == "--handicap" && i + 1 < argc) {
      const std::string wait = argv[++i];
      options.handicap = std::strtod(wait.c_str(), nullptr) * (wait.ends_with("us") ? 1e-3 : 1);
    } else {
      fmt::print(stderr, "usage: bench_json_edit [--rounds N] [--handicap 1ms] [--check]\n");
      std::exit(2);
    }
  }
  return options;
}

}  // namespace
}  // namespace estiva::decide

int main(int argc, char** argv) {
  return estiva::decide::run(estiva::decide::parse(argc, argv));
}
