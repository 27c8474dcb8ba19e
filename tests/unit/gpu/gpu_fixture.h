// What the tests of this room share: a scratch folder, the stub library and its script.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

#include "gpu/backend.h"
#include "gpu/sensor_view.h"

namespace estiva::gpu::testing {

inline const std::string kStub = std::string(ESTIVA_BUILD_DIR) + "/stub/libnvidia-ml.so.1";
inline const std::string kSensor = std::string(ESTIVA_BUILD_DIR) + "/estiva-sensor";

class Scratch {
 public:
  Scratch() {
    std::string name = std::filesystem::temp_directory_path() / "estiva-gpu-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Creates folders as needed; the file appears at once with its whole content.
  void write(const std::string& file, const std::string& text) const {
    const std::filesystem::path whole = std::filesystem::path(path) / file;
    std::filesystem::create_directories(whole.parent_path());
    const std::string temporary = whole.string() + ".new";
    std::ofstream(temporary) << text;
    std::filesystem::rename(temporary, whole);
  }
  std::string path;
};

// The stub reads its script from a file that the test changes. The environment variable is read by
// the stub in this process and inherited by sensors: one test program runs one test at a time.
class StubScript : public Scratch {
 public:
  explicit StubScript(const std::string& text = "gpus 2\n") {
    setenv("STUB_NVML_SCRIPT", (path + "/script").c_str(), 1);
    say(text);
  }
  ~StubScript() { unsetenv("STUB_NVML_SCRIPT"); }
  void say(const std::string& text) const { write("script", text); }

  SensorOptions options() const {
    SensorOptions options;
    options.program = kSensor;
    options.nvml_file = kStub;
    options.root = path;
    return options;
  }
  BackendOptions backend_options() const { return {"nvml", kStub, path, ""}; }
};

// A PCI device as sysfs shows it.
inline void add_pci(const Scratch& root, const std::string& bus_id, const std::string& device_class,
                    const std::string& status = "active", const std::string& control = "on") {
  const std::string folder = "sys/bus/pci/devices/" + bus_id + "/";
  root.write(folder + "vendor", "0x10de\n");
  root.write(folder + "class", device_class + "\n");
  root.write(folder + "power/runtime_status", status + "\n");
  root.write(folder + "power/control", control + "\n");
}

}  // namespace estiva::gpu::testing
