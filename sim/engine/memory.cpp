#include "sim/engine/memory.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace estiva::sim {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// One line to the machine's control socket, and its answer.
std::string ask_machine(const std::string& dir, const std::string& line) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = dir + "/control";
  std::string answer;
  if (fd >= 0 && path.size() < sizeof address.sun_path) {
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const std::string sent = line + "\n";
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
        ::write(fd, sent.data(), sent.size()) == static_cast<ssize_t>(sent.size())) {
      char buffer[65536];
      // The answer's last line is "ok", "out-of-memory" or "error: ...".
      for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;) {
        answer.append(buffer, static_cast<std::size_t>(n));
        if (answer.ends_with("ok\n") || answer.ends_with("out-of-memory\n") ||
            answer.find("error: ") != std::string::npos) {
          break;
        }
      }
    }
  }
  if (fd >= 0) ::close(fd);
  return answer;
}

class Simulated final : public GpuMemory {
 public:
  explicit Simulated(std::string dir) : dir_(std::move(dir)) {}

  std::string take(std::uint64_t bytes) override {
    const std::string pid = std::to_string(::getpid());
    const std::string answer =
        ask_machine(dir_, "alloc " + pid + " " + card() + " " + std::to_string(bytes) + "B");
    if (answer.ends_with("ok\n")) return {};
    if (answer.ends_with("out-of-memory\n")) {
      return "CUDA out of memory. Tried to allocate " + std::to_string(bytes >> 20) + " MiB";
    }
    return answer.empty() ? "the simulated machine does not answer" : answer;
  }
  void give_back() override { (void)ask_machine(dir_, "exit " + std::to_string(::getpid())); }

 private:
  // The number of the card whose UUID is visible; as in the driver, the first one without a wish.
  std::string card() const {
    const std::string visible = variable("CUDA_VISIBLE_DEVICES");
    const std::string first = visible.substr(0, visible.find(','));
    if (first.empty()) return "0";
    if (first.find_first_not_of("0123456789") == std::string::npos) return first;
    const std::string state = ask_machine(dir_, "state");
    const std::size_t at = state.find(first);
    if (at == std::string::npos) return "0";
    const std::size_t line = state.rfind('\n', at) + 1;  // npos + 1 is 0: the first line
    const std::size_t number = state.find_first_of("0123456789", line);
    return state.substr(number, state.find_first_not_of("0123456789", number) - number);
  }

  std::string dir_;
};

// The CUDA driver's names and values: cuda.h, CUDA 12.
using CuResult = int;
constexpr CuResult kOutOfMemory = 2;

class Driver final : public GpuMemory {
 public:
  static std::unique_ptr<GpuMemory> open(std::string& why) {
    void* library = ::dlopen("libcuda.so.1", RTLD_NOW);
    if (library == nullptr) {
      why = "no simulated machine (ESTIVA_SIM_DIR) and no libcuda.so.1";
      return nullptr;
    }
    auto driver = std::make_unique<Driver>();
    if (!driver->start(library)) {
      why = "the CUDA driver can't be used";
      return nullptr;
    }
    return driver;
  }
  std::string take(std::uint64_t bytes) override {
    unsigned long long at = 0;
    const CuResult result = alloc_(&at, bytes);
    if (result == kOutOfMemory) return "CUDA out of memory";
    if (result != 0) return "cuMemAlloc: error " + std::to_string(result);
    blocks_.push_back(at);
    return {};
  }
  void give_back() override {
    for (const unsigned long long block : blocks_) free_(block);
    blocks_.clear();
  }

 private:
  bool start(void* library) {
    const auto init = reinterpret_cast<CuResult (*)(unsigned)>(::dlsym(library, "cuInit"));
    const auto get = reinterpret_cast<CuResult (*)(int*, int)>(::dlsym(library, "cuDeviceGet"));
    const auto create =
        reinterpret_cast<CuResult (*)(void**, unsigned, int)>(::dlsym(library, "cuCtxCreate_v2"));
    alloc_ = reinterpret_cast<decltype(alloc_)>(::dlsym(library, "cuMemAlloc_v2"));
    free_ = reinterpret_cast<decltype(free_)>(::dlsym(library, "cuMemFree_v2"));
    int device = 0;
    void* context = nullptr;
    return init != nullptr && get != nullptr && create != nullptr && alloc_ != nullptr &&
           free_ != nullptr && init(0) == 0 && get(&device, 0) == 0 &&
           create(&context, 0, device) == 0;
  }

  CuResult (*alloc_)(unsigned long long*, std::size_t) = nullptr;
  CuResult (*free_)(unsigned long long) = nullptr;
  std::vector<unsigned long long> blocks_;
};

}  // namespace

std::unique_ptr<GpuMemory> open_memory(std::string& why) {
  if (const std::string dir = variable("ESTIVA_SIM_DIR"); !dir.empty()) {
    return std::make_unique<Simulated>(dir);
  }
  return Driver::open(why);
}

}  // namespace estiva::sim
