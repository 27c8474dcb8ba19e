// bench/sensor: what reading GPUs costs. Three figures, each with n, median and p99:
//   sweep   CPU of one sweep of every tier and of the 1 Hz tiers: in all, inside the library, ours.
//           Both ends in one process and one thread, over a real SEQPACKET socket pair.
//   once    wall time of read_once(): start the sensor, read, end it (`estiva gpu`, no daemon).
//   hang    a driver call hangs: what a reader waits, and when the state says so.
// The library is the hand-written stub, or the simulator with --nvml FILE (then only the totals).
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <sys/socket.h>
#include <unistd.h>

#include "gpu/read_once.h"
#include "gpu/sensor_client.h"
#include "gpu/sensor_server.h"

namespace {

using namespace estiva::gpu;
using estiva::steady_now;
using std::chrono::milliseconds;

struct Arguments {
  int n = 2000;
  milliseconds handicap{0};
  std::string nvml = ESTIVA_BUILD_DIR "/stub/libnvidia-ml.so.1";
  std::string sensor = ESTIVA_BUILD_DIR "/estiva-sensor";
  std::string root = "/";
};

double cpu_us() {
  timespec ts{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return static_cast<double>(ts.tv_sec) * 1e6 + static_cast<double>(ts.tv_nsec) / 1e3;
}
double wall_us() {
  return static_cast<double>(steady_now().ns) / 1e3;
}
void busy_wait(milliseconds time) {
  const double end = cpu_us() + static_cast<double>(time.count()) * 1e3;
  while (time.count() > 0 && cpu_us() < end) continue;
}

void print(const char* what, std::vector<double> us) {
  std::sort(us.begin(), us.end());
  const std::size_t n = us.size();
  fmt::print("{:<44} n={:<6} median={:9.1f} us  p99={:9.1f} us\n", what, n, us[n / 2],
             us[std::min(n - 1, n * 99 / 100)]);
}

// Time spent inside the stub so far, in microseconds; 0 for a library that does not count.
double inside_us(const std::string& nvml) {
  void* library = dlopen(nvml.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return 0;
  unsigned long long counters[2] = {};
  auto* read =
      reinterpret_cast<void (*)(unsigned long long*)>(dlsym(library, "stub_nvml_counters"));
  if (read != nullptr) read(counters);
  dlclose(library);
  return static_cast<double>(counters[1]) / 1e3;
}

void sweep(const Arguments& arguments, Tiers tiers, const std::string& what) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) std::exit(1);
  Assembler assembler;
  std::byte buffer[kMaxMessage];
  SensorServer server(make_backend({"nvml", arguments.nvml, arguments.root, ""}),
                      [&](Outbox& outbox) {
                        for (std::size_t i = 0; i < outbox.size(); ++i) {
                          const auto m = outbox.message(i);
                          if (send(pair[0], m.data(), m.size(), 0) < 0) std::exit(1);
                          const ssize_t got = recv(pair[1], buffer, sizeof buffer, 0);
                          if (got < 0) std::exit(1);
                          assembler.take(std::span(buffer, static_cast<std::size_t>(got)));
                        }
                        outbox.clear();
                      });
  std::vector<double> total, inside, ours;
  for (int i = 0; i < arguments.n + 20; ++i) {
    const double inside_before = inside_us(arguments.nvml);
    const double before = cpu_us();
    busy_wait(arguments.handicap);
    server.handle({Kind::read, static_cast<std::uint64_t>(i + 1), tiers}, steady_now());
    auto view = std::make_shared<SensorView>();
    view->driver = assembler.driver();
    view->gpus = assembler.gpus();
    const double all = cpu_us() - before;
    const double in_library = inside_us(arguments.nvml) - inside_before;
    if (i < 20) continue;  // opening, first names, caches
    total.push_back(all);
    inside.push_back(in_library);
    ours.push_back(all - in_library);
  }
  const estiva::Gpu& first = assembler.gpus().at(0);
  fmt::print("{}: {} GPUs, {} processes on the first\n", what, assembler.gpus().size(),
             first.sample.processes ? first.sample.processes->size() : 0);
  print("  total CPU", total);
  print("  inside the library", inside);
  print("  ours", ours);
  close(pair[0]);
  close(pair[1]);
}

SensorOptions options_of(const Arguments& arguments) {
  SensorOptions options;
  options.program = arguments.sensor;
  options.nvml_file = arguments.nvml;
  options.root = arguments.root;
  return options;
}

void once(const Arguments& arguments) {
  std::vector<double> wall;
  for (int i = 0; i < std::min(arguments.n, 200); ++i) {
    const double before = wall_us();
    busy_wait(arguments.handicap);
    const auto view = read_once(options_of(arguments), Tiers::all(), std::chrono::seconds(10));
    if (!view || view->gpus.empty()) std::exit(1);
    wall.push_back(wall_us() - before);
  }
  print("read_once: start, read, end (wall)", wall);
}

// A reader asks for the current view every millisecond on the loop that supervises the sensor.
void hang(const Arguments& arguments) {
  const std::string folder = std::filesystem::temp_directory_path() / "estiva-bench-XXXXXX";
  std::string path = folder;
  if (mkdtemp(path.data()) == nullptr) std::exit(1);
  const std::string script = path + "/script";
  const std::string healthy = "gpus 8\nprocesses 5\n";
  const auto say = [&](const std::string& text) {
    std::ofstream(script + ".new") << text;
    std::filesystem::rename(script + ".new", script);
  };
  setenv("STUB_NVML_SCRIPT", script.c_str(), 1);
  std::vector<double> reader, reported;
  for (int round = 0; round < 10; ++round) {
    say(healthy);
    boost::asio::io_context loop;
    Sensor sensor(loop.get_executor(), options_of(arguments));
    sensor.start([](SensorViewPtr) {});
    const auto run_until = [&](const std::function<bool()>& is_so, std::vector<double>* cost) {
      const double limit = wall_us() + 30e6;
      while (!is_so() && wall_us() < limit) {
        loop.run_for(milliseconds(1));
        const double before = wall_us();
        busy_wait(arguments.handicap);
        loop.poll();
        const SensorViewPtr view = sensor.current();
        if (cost != nullptr && view->sequence > 0) cost->push_back(wall_us() - before);
      }
    };
    run_until([&] { return !sensor.current()->gpus.empty(); }, nullptr);
    say(healthy + "hang nvmlDeviceGetUtilizationRates\n");
    const double since = wall_us();
    run_until([&] { return sensor.current()->driver.state == estiva::DriverState::unresponsive; },
              &reader);
    reported.push_back(wall_us() - since);
  }
  unsetenv("STUB_NVML_SCRIPT");
  std::filesystem::remove_all(path);
  print("hang: a reader's wait meanwhile (wall)", reader);
  print("hang: reported after (interval 1 s, wall)", reported);
}

}  // namespace

int main(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = words[i];
    if (name == "--n")
      arguments.n = std::max(1, std::atoi(words[i + 1]));
    else if (name == "--handicap")
      arguments.handicap = milliseconds(std::atoi(words[i + 1]));
    else if (name == "--nvml")
      arguments.nvml = words[i + 1];
    else if (name == "--root")
      arguments.root = words[i + 1];
    else
      return fmt::print(stderr, "unknown option {}\n", name), 2;
  }
  double load[3] = {};
  getloadavg(load, 3);
  fmt::print("bench/sensor  build={}  load={:.2f}  handicap={} ms  library={}\n", ESTIVA_BUILD_TYPE,
             load[0], arguments.handicap.count(),
             std::filesystem::path(arguments.nvml).filename().string());
  setenv("STUB_NVML_GPUS", "8", 1);
  setenv("STUB_NVML_PROCESSES", "5", 1);
  sweep(arguments, Tier::memory | Tier::fast, "sweep, 1 Hz tiers");
  sweep(arguments, Tier::memory | Tier::fast | Tiers(Tier::processes), "sweep, 1 Hz and processes");
  sweep(arguments, Tiers::all(), "sweep, every tier");
  once(arguments);
  hang(arguments);
  return 0;
}
