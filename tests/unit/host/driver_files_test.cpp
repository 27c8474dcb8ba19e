// The driver's files of a host. Whole trees of every distribution are judged in tests/cdi; here is
// what a single rule does.
#include "host/driver_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "unit/format/elf_library.h"
#include "unit/host/temp_dir.h"

namespace estiva::host {
namespace {

using test::elf_bytes;
using test::TempDir;

constexpr const char* kUuid = "GPU-11111111-2222-3333-4444-555555555555";
constexpr const char* kLib = "usr/lib/x86_64-linux-gnu/";

class Tree : public TempDir {
 public:
  void link(const std::string& name, const std::string& target) const {
    const std::filesystem::path file = path() + "/" + name;
    std::filesystem::create_directories(file.parent_path());
    std::filesystem::create_symlink(target, file);
  }
  void library(const std::string& name, const std::string& soname, unsigned machine = 62) const {
    write(name, elf_bytes(soname, machine));
  }
  void gpu(const std::string& bus, unsigned minor, const std::string& uuid) const {
    write("proc/driver/nvidia/gpus/" + bus + "/information",
          "GPU UUID: \t " + uuid + "\nDevice Minor: \t " + std::to_string(minor) + "\n");
  }
  // GPU instance and compute instance exist on the GPU of that minor number.
  void mig(unsigned gpu, unsigned outer, unsigned inner) const {
    const auto base = "proc/driver/nvidia/capabilities/gpu" + std::to_string(gpu) + "/mig/gi" +
                      std::to_string(outer);
    write(base + "/access", "");
    write(base + "/ci" + std::to_string(inner) + "/access", "");
  }
  Root root() const { return Root::open(path()).value(); }
};

Gpu said(const std::string& bus, unsigned index, const std::string& uuid,
         const std::string& instance = {}) {
  Gpu gpu;
  gpu.identity.pci_bus_id = bus;
  gpu.identity.index = index;
  gpu.identity.id = {"nvidia", uuid, instance};
  return gpu;
}

std::vector<std::string> paths(const DriverLibraries& found) {
  std::vector<std::string> out;
  for (const auto& library : found.libraries) out.push_back(library.path);
  return out;
}

TEST(DriverFiles, AnEmptyHostHasNone) {
  const Tree tree;
  EXPECT_EQ(find_driver_files(tree.root()), DriverFiles{});
}

TEST(DriverFiles, OneWholeHost) {
  const Tree tree;
  tree.write("sys/module/nvidia/version", "550.163.01\n");
  tree.gpu("0000:01:00.0", 2, kUuid);
  for (const char* name : {"card1", "renderD128"}) {
    tree.write(std::string("sys/bus/pci/devices/0000:01:00.0/drm/") + name + "/x", "");
    tree.write(std::string("dev/dri/") + name, "");
  }
  tree.write("sys/bus/pci/devices/0000:01:00.0/drm/controlD64/x", "");
  tree.write("sys/bus/pci/devices/0000:01:00.0/drm/card9/x", "");  // without a node
  tree.link("dev/dri/by-path/pci-0000:01:00.0-card", "../card1");
  tree.link("dev/dri/by-path/pci-0000:01:00.0-render", "../renderD7");  // leads nowhere
  const std::string uvm = tree.write("dev/nvidia-uvm", "");
  ASSERT_EQ(::chmod(uvm.c_str(), 0640), 0);
  tree.write("dev/nvidia-fs/nodes", "");
  tree.library(std::string(kLib) + "libcuda.so.550.163.01", "libcuda.so.1");
  tree.link(std::string(kLib) + "libcuda.so.1", "libcuda.so.550.163.01");
  tree.link(std::string(kLib) + "libcuda.so", "libcuda.so.1");
  tree.write("usr/bin/nvidia-smi", "");
  tree.link("bin", "usr/bin");
  tree.write("lib/firmware/nvidia/550.163.01/gsp_ga10x.bin", "");
  tree.write("lib/firmware/nvidia/550.163.01/README", "");
  tree.write("etc/OpenCL/vendors/nvidia.icd", "");
  tree.write("run/nvidia-persistenced/socket", "");

  struct stat info {};
  ASSERT_EQ(::stat(uvm.c_str(), &info), 0);
  const auto node = [&](const char* path, mode_t mode) {
    return DeviceNode{path, 0, 0, mode, info.st_uid, info.st_gid};
  };
  struct stat plain {};
  ASSERT_EQ(::stat((tree.path() + "/dev/dri/card1").c_str(), &plain), 0);
  const mode_t usual = plain.st_mode & 07777;
  DriverFiles files;
  files.module_version = files.library_version = "550.163.01";
  files.versions = {"550.163.01"};
  files.gpus = {{"0000:01:00.0",
                 0,
                 2,
                 kUuid,
                 {"/dev/dri/card1", "/dev/dri/renderD128"},
                 {"/dev/dri/by-path/pci-0000:01:00.0-card"},
                 false,
                 {}}};
  files.nodes = {node("/dev/dri/card1", usual), node("/dev/dri/renderD128", usual),
                 node("/dev/nvidia-uvm", 0640)};
  files.libraries = {
      {"/usr/lib/x86_64-linux-gnu/libcuda.so.550.163.01",
       "libcuda.so.1",
       {"/usr/lib/x86_64-linux-gnu/libcuda.so", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"},
       false,
       62}};
  files.binaries = {"/usr/bin/nvidia-smi"};
  files.firmware = {"/lib/firmware/nvidia/550.163.01/gsp_ga10x.bin"};
  files.configs = {"/etc/OpenCL/vendors/nvidia.icd"};
  files.sockets = {"/run/nvidia-persistenced/socket"};
  EXPECT_EQ(find_driver_files(tree.root()), files);
}

TEST(DriverFiles, OrdinaryFilesStandForNodesOnlyInATree) {
  const Tree tree;
  tree.write("dev/nvidia0", "");
  EXPECT_EQ(find_driver_nodes(tree.root(), {}).size(), 1u);
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a device node";
  ASSERT_EQ(::mknod((tree.path() + "/dev/nvidia1").c_str(), S_IFCHR | 0600, makedev(1, 3)), 0);
  ASSERT_EQ(::mknod((tree.path() + "/dev/nvidia2").c_str(), S_IFIFO | 0600, 0), 0);
  const auto nodes = find_driver_nodes(tree.root(), {});
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[1], (DeviceNode{"/dev/nvidia1", 1, 3, 0600, 0, 0}));
}

TEST(DriverFiles, TheLoadedModulesVersionIsThatOfSysfsThenOfProcfs) {
  const Tree tree;
  tree.write("proc/driver/nvidia/version",
             "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  R\n");
  EXPECT_EQ(read_module_version(tree.root()), "580.159.04");
  tree.write("sys/module/nvidia/version", "580.159.05\n");
  EXPECT_EQ(read_module_version(tree.root()), "580.159.05");
  tree.write("sys/module/nvidia/version", "../..\n");
  EXPECT_EQ(read_module_version(tree.root()), "580.159.04");
}

TEST(DriverLibraries, OfTheModulesVersionIfThereAreAnyElseOfTheLinkersChoice) {
  const Tree tree;
  for (const char* version : {"550.163.01", "570.86.15"}) {
    tree.library(std::string(kLib) + "libcuda.so." + version, "libcuda.so.1");
    tree.library(std::string(kLib) + "libnvidia-ml.so." + version, "libnvidia-ml.so.1");
  }
  tree.link(std::string(kLib) + "libcuda.so.1", "libcuda.so.570.86.15");
  tree.link(std::string(kLib) + "libnvidia-ml.so.1", "libnvidia-ml.so.550.163.01");
  const auto old = find_driver_libraries(tree.root(), "550.163.01");
  EXPECT_EQ(paths(old),
            (std::vector<std::string>{"/usr/lib/x86_64-linux-gnu/libcuda.so.550.163.01",
                                      "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.550.163.01"}));
  EXPECT_EQ(old.library_version, "570.86.15");
  EXPECT_EQ(old.versions, (std::vector<std::string>{"550.163.01", "570.86.15"}));
  EXPECT_TRUE(old.libraries[0].links.empty());  // its name leads to the other version
  EXPECT_EQ(old.libraries[1].links.size(), 1u);
  for (const char* module : {"", "535.183.01"}) {
    EXPECT_EQ(paths(find_driver_libraries(tree.root(), module)),
              (std::vector<std::string>{"/usr/lib/x86_64-linux-gnu/libcuda.so.570.86.15",
                                        "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.570.86.15"}));
  }
}

TEST(DriverLibraries, WhatIsNoLibraryIsLeftOut) {
  const Tree tree;
  tree.library(std::string(kLib) + "libcuda.so.550.163.01", "libcuda.so.1");
  tree.write(std::string(kLib) + "libnvidia-script.so.550.163.01", "INPUT(libcuda.so)");
  tree.write(std::string(kLib) + "libnvidia-empty.so.550.163.01", "");
  tree.write(std::string(kLib) + "libnvidia-folder.so.550.163.01/x", "");
  tree.link(std::string(kLib) + "libnvidia-nowhere.so.550.163.01", "none");
  tree.link(std::string(kLib) + "libnvidia-loop.so.550.163.01", "libnvidia-loop.so.550.163.01");
  ASSERT_EQ(::mkfifo((tree.path() + "/" + kLib + "libnvidia-fifo.so.550.163.01").c_str(), 0600), 0);
  EXPECT_EQ(paths(find_driver_libraries(tree.root(), "550.163.01")).size(),
            1u);  // and does not hang
}

TEST(DriverLibraries, CompanionsHaveVersionsOfTheirOwn) {
  const Tree tree;
  tree.library(std::string(kLib) + "libcuda.so.550.163.01", "libcuda.so.1");
  for (const char* name :
       {"libnvidia-nvvm70.so.4", "libnvidia-egl-wayland.so.1.1.13", "libnvidia-egl-gbm.so.1.1"}) {
    tree.library(std::string(kLib) + name, "");
  }
  for (const char* name : {"libnvidia-egl-wayland.so.1", "libnvidia-egl-other.so.1.1",
                           "libnvidia-container.so.1.17.8"}) {
    tree.library(std::string(kLib) + name, "");
  }
  EXPECT_EQ(paths(find_driver_libraries(tree.root(), "550.163.01")),
            (std::vector<std::string>{"/usr/lib/x86_64-linux-gnu/libcuda.so.550.163.01",
                                      "/usr/lib/x86_64-linux-gnu/libnvidia-egl-gbm.so.1.1",
                                      "/usr/lib/x86_64-linux-gnu/libnvidia-egl-wayland.so.1.1.13",
                                      "/usr/lib/x86_64-linux-gnu/libnvidia-nvvm70.so.4"}));
}

TEST(DriverGpus, OrderIsThatOfTheAddressesUntilTheDriverSaysAnother) {
  const Tree tree;
  tree.gpu("10000:01:00.0", 0, "unknown");
  tree.gpu("2000:81:00.0", 1, "unknown");
  tree.gpu("0000:0a:00.0", 2, kUuid);
  tree.gpu("0000:0b:00.0/../..", 3, kUuid);  // lands elsewhere: no GPU
  const auto seen = [](const std::vector<DriverGpu>& gpus) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& gpu : gpus) out.emplace_back(gpu.bus_id, gpu.uuid);
    return out;
  };
  using Seen = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(seen(find_driver_gpus(tree.root())),
            (Seen{{"0000:0a:00.0", kUuid}, {"2000:81:00.0", ""}, {"10000:01:00.0", ""}}));
  const std::string other = "GPU-99999999-2222-3333-4444-555555555555";
  const std::vector<Gpu> word = {said("00002000:81:00.0", 0, other),
                                 said("00010000:01:00.0", 1, "unknown-1"),
                                 said("00000000:0A:00.0", 2, kUuid)};
  const auto gpus = find_driver_gpus(tree.root(), word);
  EXPECT_EQ(seen(gpus),
            (Seen{{"2000:81:00.0", other}, {"10000:01:00.0", ""}, {"0000:0a:00.0", kUuid}}));
  EXPECT_EQ(gpus[2].index, 2u);
  EXPECT_EQ(gpus[2].minor, 2u);
}

TEST(DriverGpus, AMigDevicesNodesAreKnownOrNamed) {
  const Tree tree;
  tree.gpu("0000:01:00.0", 0, kUuid);
  tree.mig(0, 1, 0);
  tree.write("proc/driver/nvidia-caps/mig-minors",
             "config 1\ngpu0/gi1/access 12\ngpu0/gi1/ci0/access 13\ngpu0/gi2/access "
             "21\ngpu0/gi2/ci3/access 25\n"
             "gpu1/gi1/access 147\ngpu1/gi1/ci0/access 148\n");
  const auto cap = [](int n) { return "/dev/nvidia-caps/nvidia-cap" + std::to_string(n); };
  const auto migs = [&](const std::vector<Gpu>& word) {
    return find_driver_gpus(tree.root(), word).at(0).migs;
  };
  using Migs = std::vector<DriverMig>;
  EXPECT_EQ(migs({}), (Migs{{"", "0:0", {cap(12), cap(13)}}}));

  std::vector<Gpu> one = {said("00000000:01:00.0", 4, kUuid),
                          said("00000000:01:00.0", 4, kUuid, "MIG-a")};
  EXPECT_EQ(migs(one), (Migs{{"MIG-a", "4:0", {cap(12), cap(13)}}}));

  tree.mig(0, 2, 3);
  EXPECT_EQ(migs({}), Migs{});
  EXPECT_EQ(migs(one), (Migs{{"MIG-a", "4:0", {}}}));  // one of two: which?
  one[1].identity.gpu_instance = 2;
  EXPECT_EQ(migs(one), (Migs{{"MIG-a", "4:0", {}}}));
  one[1].identity.compute_instance = 3;
  EXPECT_EQ(migs(one), (Migs{{"MIG-a", "4:0", {cap(21), cap(25)}}}));
  one[1].identity.compute_instance = 4;
  EXPECT_EQ(migs(one), (Migs{{"MIG-a", "4:0", {}}}));  // the file has no such instance

  const std::vector<Gpu> old = {said("00000000:01:00.0", 0, kUuid, "MIG-GPU-x/2/3")};
  EXPECT_EQ(migs(old), (Migs{{"MIG-GPU-x/2/3", "0:0", {cap(21), cap(25)}}}));
  for (const char* odd : {"MIG-GPU-x/64/3", "MIG-GPU-x/2/64", "MIG-GPU-x/2/", "MIG/2", "/2/3x"}) {
    const std::vector<Gpu> word = {said("00000000:01:00.0", 0, kUuid, odd)};
    EXPECT_TRUE(migs(word).at(0).caps.empty()) << odd;
  }
}

TEST(DriverGpus, MigModeWithoutInstances) {
  const Tree tree;
  tree.gpu("0000:01:00.0", 0, kUuid);
  std::vector<Gpu> word = {said("00000000:01:00.0", 0, kUuid)};
  EXPECT_FALSE(find_driver_gpus(tree.root(), word).at(0).mig_enabled);
  word[0].identity.mig_enabled = true;
  EXPECT_TRUE(find_driver_gpus(tree.root(), word).at(0).mig_enabled);
}

TEST(DriverFiles, FirmwareIsWhereTheKernelWouldFindIt) {
  const Tree tree;
  const auto put = [&](const std::string& folder) {
    tree.write(folder + "/nvidia/550.1/gsp_tu10x.bin", "");
  };
  const auto found = [&] {
    const auto all = find_driver_firmware(tree.root(), "550.1");
    return all.empty() ? std::string() : all[0].substr(0, all[0].find("/nvidia/"));
  };
  tree.write("proc/sys/kernel/osrelease", "6.1.0\n");
  EXPECT_EQ(found(), "");
  for (const char* folder : {"lib/firmware", "lib/firmware/6.1.0", "lib/firmware/updates",
                             "lib/firmware/updates/6.1.0"}) {
    put(folder);
    EXPECT_EQ(found(), std::string("/") + folder);
  }
  tree.write("sys/module/firmware_class/parameters/path", "/opt/fw\n");
  EXPECT_EQ(found(), "/lib/firmware/updates/6.1.0");
  put("opt/fw");
  EXPECT_EQ(found(), "/opt/fw");
  EXPECT_TRUE(find_driver_firmware(tree.root(), "").empty());
}

TEST(DriverFiles, AConfigCountsWhereItIsFoundFirst) {
  const Tree tree;
  for (const char* share : {"etc", "usr/share"}) {
    tree.write(std::string(share) + "/vulkan/icd.d/nvidia_icd.json", "");
    tree.write(std::string(share) + "/vulkan/icd.d/intel_icd.json", "");
  }
  tree.write("usr/share/nvidia/nvoptix.bin", "");
  tree.write("usr/share/nvidia/nvidia-application-profiles-550.1-rc", "");
  tree.write("usr/share/nvidia/nvidia-settings.txt", "");
  tree.link("etc/OpenCL/vendors/nvidia.icd", "none");
  EXPECT_EQ(find_driver_configs(tree.root()),
            (std::vector<std::string>{"/etc/vulkan/icd.d/nvidia_icd.json",
                                      "/usr/share/nvidia/nvidia-application-profiles-550.1-rc",
                                      "/usr/share/nvidia/nvoptix.bin"}));
}

}  // namespace
}  // namespace estiva::host
