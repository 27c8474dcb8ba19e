// Writing the fake host tree. Small files, rewritten by rename so that no reader sees half of one.
#include "sim/host/tree.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <unistd.h>

#include "sim/core/engine.h"

namespace estiva::sim {
namespace {

namespace fs = std::filesystem;

class Writer {
 public:
  explicit Writer(std::string root) : root_(std::move(root)) {}

  void file(const std::string& path, const std::string& text) {
    const fs::path whole = root_ + path;
    std::ifstream old(whole);
    std::stringstream have;
    have << old.rdbuf();
    if (old && have.str() == text) return;
    std::error_code error;
    fs::create_directories(whole.parent_path(), error);
    const fs::path fresh = whole.string() + ".new";
    std::ofstream out(fresh);
    out << text;
    out.close();
    if (!out.good()) failed_ = "writing " + whole.string();
    fs::rename(fresh, whole, error);
    if (error) failed_ = "writing " + whole.string() + ": " + error.message();
  }
  void remove(const std::string& path) {
    std::error_code error;
    fs::remove_all(root_ + path, error);
  }
  const std::string& failed() const { return failed_; }

 private:
  std::string root_, failed_;
};

std::string hex(unsigned value, int digits) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%0*x\n", digits, value);
  return text;
}

void write_pci(Writer& out, const Gpu& gpu) {
  const std::string dir = "/sys/bus/pci/devices/" + sysfs_bus_id(gpu);
  if (!gpu.present) return out.remove(dir);
  out.file(dir + "/vendor", hex(gpu.card.device_id & 0xffff, 4));
  out.file(dir + "/device", hex(gpu.card.device_id >> 16, 4));
  out.file(dir + "/subsystem_vendor", hex(gpu.card.subsystem_id & 0xffff, 4));
  out.file(dir + "/subsystem_device", hex(gpu.card.subsystem_id >> 16, 4));
  out.file(dir + "/class", gpu.card.datacentre ? "0x030200\n" : "0x030000\n");
  out.file(dir + "/numa_node", std::to_string(gpu.numa_node) + "\n");
  out.file(dir + "/power/control", gpu.may_sleep ? "auto\n" : "on\n");
  out.file(dir + "/power/runtime_status", gpu.asleep ? "suspended\n" : "active\n");
  out.file(dir + "/power_state", gpu.asleep ? "D3cold\n" : "D0\n");
}

void write_driver(Writer& out, const State& state) {
  if (!state.driver_loaded) {
    out.remove("/sys/module/nvidia");
    out.remove("/proc/driver/nvidia");
    out.file("/proc/modules", "ext4 1044480 1 - Live 0x0000000000000000\n");
    return;
  }
  const std::string version = state.driver_version;
  out.file("/sys/module/nvidia/version", version + "\n");
  out.file("/sys/module/nvidia/initstate", "live\n");
  out.file("/proc/modules",
           "nvidia_uvm 1798144 0 - Live 0x0000000000000000 (PO)\n"
           "nvidia 54394880 1 nvidia_uvm, Live 0x0000000000000000 (PO)\n");
  out.file("/proc/driver/nvidia/version",
           "NVRM version: NVIDIA UNIX x86_64 Kernel Module  " + version +
               "  Sat Nov  1 00:00:00 UTC 2025\nGCC version:  gcc version 12.2.0\n");
}

void write_proc_gpu(Writer& out, const State& state, const Gpu& gpu) {
  const std::string dir = "/proc/driver/nvidia/gpus/" + sysfs_bus_id(gpu);
  const std::string node = "/dev/nvidia" + std::to_string(gpu.minor);
  if (!gpu.present || !state.driver_loaded) {
    out.remove(node);
    return out.remove(dir);
  }
  out.file(dir + "/information", std::string("Model: \t\t ") + gpu.card.name + "\nGPU UUID: \t " +
                                     gpu.uuid + "\nVideo BIOS: \t " + gpu.card.vbios +
                                     "\nBus Type: \t PCIe\nBus Location: \t " + sysfs_bus_id(gpu) +
                                     "\nDevice Minor: \t " + std::to_string(gpu.minor) + "\n");
  out.file(dir + "/power", std::string("Runtime D3 status:          ") +
                               (gpu.may_sleep ? "Enabled (fine-grained)" : "Disabled by default") +
                               "\nVideo Memory:               " + (gpu.asleep ? "Off" : "Active") +
                               "\n");
  out.file(node, "");
}

}  // namespace

std::string write_tree(const std::string& dir, const State& state) {
  Writer out(dir);
  write_driver(out, state);
  for (unsigned i = 0; i < state.gpu_count; ++i) {
    write_pci(out, state.gpus[i]);
    write_proc_gpu(out, state, state.gpus[i]);
  }
  if (state.driver_loaded)
    out.file("/dev/nvidiactl", "");
  else
    out.remove("/dev/nvidiactl");
  return out.failed();
}

std::string xid_line(const Gpu& gpu, unsigned code) {
  std::string where = sysfs_bus_id(gpu);
  where.resize(where.size() - 2);  // without the function number
  const std::string head = "NVRM: Xid (PCI:" + where + "): " + std::to_string(code);
  if (code == 79) return head + ", pid='<unknown>', name=<unknown>, GPU has fallen off the bus.";
  return head + ", pid='<unknown>', name=<unknown>, simulated event";
}

void write_kernel_log(const std::string& file, const State& state, std::uint64_t& seen) {
  if (state.xid_sequence == seen) return;
  if (state.xid_sequence > seen + kMaxXids) seen = state.xid_sequence - kMaxXids;
  std::error_code error;
  fs::create_directories(fs::path(file).parent_path(), error);
  std::ofstream log(file, std::ios::app);
  for (; seen < state.xid_sequence; ++seen) {
    const XidRecord& record = state.xids[seen % kMaxXids];
    log << "3," << record.sequence << "," << record.at_ns / 1000 << ",-;"
        << xid_line(state.gpus[record.gpu], record.code) << "\n";
  }
}

}  // namespace estiva::sim
