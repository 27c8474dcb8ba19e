#include <functional>
#include <gtest/gtest.h>

#include "decide/cdi/check.h"
#include "decide/cdi/gpu_names.h"
#include "format/cdi_rules.h"

namespace estiva::decide {
namespace {

constexpr const char* kLib = "/usr/lib/x86_64-linux-gnu/libcuda.so.550.163.01";
constexpr const char* kHook = "/usr/bin/nvidia-cdi-hook";

CdiNode node(const std::string& path) {
  return {path, "", "", "", {}, {}, {}, {}, {}};
}

CdiNode frozen(const std::string& path, std::int64_t major, std::int64_t minor) {
  return {path, "", "c", "", major, minor, {}, {}, {}};
}

CdiMount mount(const std::string& path) {
  return {path, path, "", {"ro", "rbind"}};
}

// A machine with two GPUs and a spec that fits it.
struct Scene {
  CdiSpec spec;
  std::map<std::string, HostPath> paths;
  DriverFiles driver;
  std::string newest = "1.1.0";

  Scene() {
    spec.version = "0.5.0";
    spec.kind = "nvidia.com/gpu";
    for (const unsigned i : {0u, 1u}) {
      const std::string n = std::to_string(i);
      driver.gpus.push_back({"0000:0" + n + ":00.0", i, i, "GPU-" + n, {}, {}, false, {}});
      add_device(n, "/dev/nvidia" + n);
      paths["/dev/nvidia" + n] = device(195, i);
    }
    spec.edits.nodes = {node("/dev/nvidiactl"), node("/dev/nvidia-uvm")};
    spec.edits.mounts = {mount(kLib)};
    paths["/dev/nvidiactl"] = device(195, 255);
    paths["/dev/nvidia-uvm"] = device(511, 0);
    paths[kLib] = file();
    driver.module_version = "550.163.01";
  }
  void add_device(const std::string& name, const std::string& path) {
    CdiDevice made;
    made.name = name;
    made.edits.nodes = {node(path)};
    spec.devices.push_back(made);
  }
  static HostPath device(unsigned major, unsigned minor) {
    return {true, false, true, false, major, minor};
  }
  static HostPath file() { return {true, false, false, false, 0, 0}; }
  static HostPath program() { return {true, true, false, false, 0, 0}; }
  static HostPath socket() { return {true, false, false, true, 0, 0}; }
  std::vector<CdiProblem> check() const { return check_cdi(spec, {paths, driver, newest}); }
};

using Change = std::function<void(Scene&)>;

// The one problem after a change; all of them in its text where there is not one.
CdiProblem after(const Change& change) {
  Scene scene;
  change(scene);
  const auto problems = scene.check();
  if (problems.size() == 1) return problems[0];
  CdiProblem none;
  for (const CdiProblem& one : problems) none.text += one.id + ": " + one.text + "\n";
  return none;
}

bool is_fine(const Change& change) {
  Scene scene;
  change(scene);
  return scene.check().empty();
}

TEST(CdiCheck, ASpecThatFitsItsHostHasNoProblem) {
  EXPECT_EQ(Scene().check(), std::vector<CdiProblem>{});
}

TEST(CdiCheck, TheVersionMustBeWithinTheEngines) {
  EXPECT_EQ(after([](Scene& s) { s.newest = "0.4.0"; }),
            (CdiProblem{"C4", Severity::error, "", "cdiVersion", "",
                        "its version is 0.5.0, and the engine reads 0.4.0 at most, so it leaves "
                        "the whole file aside"}));
  EXPECT_TRUE(is_fine([](Scene& s) { s.newest = "0.5.0"; }));
  EXPECT_TRUE(is_fine([](Scene& s) { s.newest = ""; }));
}

TEST(CdiCheck, NodesMustBeThere) {
  EXPECT_EQ(after([](Scene& s) { s.paths["/dev/nvidia1"] = {}; }),
            (CdiProblem{"C12", Severity::error, "1", "devices[1].containerEdits.deviceNodes[0]",
                        "/dev/nvidia1", "the device node /dev/nvidia1 is not on this machine"}));
  EXPECT_EQ(
      after([](Scene& s) { s.paths["/dev/nvidia-uvm"] = {}; }),
      (CdiProblem{"D11", Severity::error, "", "containerEdits.deviceNodes[1]", "/dev/nvidia-uvm",
                  "the device node /dev/nvidia-uvm is not on this machine, and CUDA can't start "
                  "without it"}));
  // What was not looked at is not judged.
  EXPECT_TRUE(is_fine([](Scene& s) { s.paths.clear(); }));
  // The path on the host counts, not the one inside.
  EXPECT_EQ(after([](Scene& s) {
              s.spec.edits.nodes.push_back({"/dev/a", "/dev/b", "", "", {}, {}, {}, {}, {}});
              s.paths["/dev/b"] = {};
            }).path,
            "/dev/b");
}

TEST(CdiCheck, NodesMustBeDevicesWithADriver) {
  EXPECT_EQ(
      after([](Scene& s) { s.paths["/dev/nvidiactl"] = Scene::file(); }),
      (CdiProblem{"D13", Severity::error, "", "containerEdits.deviceNodes[0]", "/dev/nvidiactl",
                  "/dev/nvidiactl stands where a device node should be, and is none"}));
  EXPECT_EQ(after([](Scene& s) { s.paths["/dev/nvidiactl"] = Scene::device(0, 255); }).text,
            "the device node /dev/nvidiactl has no driver: its numbers are 0:255");
  EXPECT_TRUE(is_fine([](Scene& s) {
    s.spec.edits.nodes.push_back({"/run/pipe", "", "p", "", {}, {}, {}, {}, {}});
    s.paths["/run/pipe"] = Scene::file();
  }));
}

TEST(CdiCheck, FrozenNumbersMustBeTheHosts) {
  const auto uvm = [](std::int64_t major, std::int64_t minor) {
    return [=](Scene& s) { s.spec.edits.nodes[1] = frozen("/dev/nvidia-uvm", major, minor); };
  };
  EXPECT_TRUE(is_fine(uvm(511, 0)));
  EXPECT_EQ(after(uvm(239, 0)), (CdiProblem{"C9", Severity::error, "",
                                            "containerEdits.deviceNodes[1]", "/dev/nvidia-uvm",
                                            "the spec says that /dev/nvidia-uvm is 239:0, and on "
                                            "this machine it is 511:0; containers get "
                                            "the wrong device"}));
  EXPECT_EQ(after(uvm(511, 1)).id, "C9");
  EXPECT_EQ(after(uvm(512, 0)).id, "C9");
  // A major of 0 is none, whatever the minor.
  EXPECT_TRUE(is_fine(uvm(0, 7)));
  // Without a minor it is 0.
  EXPECT_TRUE(is_fine([](Scene& s) { s.spec.edits.nodes[1].major = 511; }));
  EXPECT_EQ(after([](Scene& s) { s.spec.edits.nodes[0].major = 195; }).id, "C9");
}

TEST(CdiCheck, MountsMustBeThereAndOfTheLoadedDriver) {
  EXPECT_EQ(after([](Scene& s) { s.paths[kLib] = {}; }),
            (CdiProblem{"C8", Severity::error, "", "containerEdits.mounts[0]", kLib,
                        std::string(kLib) + ", which the spec mounts, is not on this machine"}));
  EXPECT_EQ(
      after([](Scene& s) { s.driver.module_version = "570.86.10"; }),
      (CdiProblem{
          "C8", Severity::error, "", "containerEdits.mounts[0]", kLib,
          std::string(kLib) +
              " is of driver version 550.163.01, and the loaded kernel module is 570.86.10"}));
  EXPECT_EQ(after([](Scene& s) {
              s.driver.module_version = "570.86.10";
              s.paths[kLib] = {};
            }).text,
            std::string(kLib) +
                ", which the spec mounts, is not on this machine: it is of driver version "
                "550.163.01, and "
                "the loaded kernel module is 570.86.10");
  EXPECT_TRUE(is_fine([](Scene& s) { s.driver.module_version = ""; }));
}

TEST(CdiCheck, OnlyTheDriversOwnFilesHaveItsVersion) {
  const auto with = [](const std::string& path) {
    return [path](Scene& s) {
      s.spec.edits.mounts.push_back(mount(path));
      s.paths[path] = Scene::file();
    };
  };
  for (const char* fine :
       {"/usr/lib/libnvidia-egl-gbm.so.1.1.0", "/usr/lib/libcuda.so.1", "/usr/lib/libcuda.so",
        "/usr/lib/libx.so.550", "/usr/lib/libx.so.550.a", "/usr/lib/libnvidia-ml.so.550.163.01",
        "/lib/firmware/nvidia/550.163.01/gsp_ga10x.bin", "/lib/firmware/nvidia/ga102/x.bin",
        "/opt/550.54.14/tool", "/usr/bin/nvidia-smi"}) {
    EXPECT_TRUE(is_fine(with(fine))) << fine;
  }
  for (const char* wrong :
       {"/usr/lib/libnvidia-ml.so.550.54.14", "/usr/lib/libnvidia-ml.so.550.163",
        "/usr/lib/libnvidia-ml.so.550.163.010", "/lib/firmware/nvidia/550.54.14/gsp_ga10x.bin"}) {
    EXPECT_EQ(after(with(wrong)).id, "C8") << wrong;
  }
}

TEST(CdiCheck, SocketsMustBeThereNow) {
  const auto with = [](const std::string& path, HostPath host) {
    return [=](Scene& s) {
      s.spec.edits.mounts.push_back(mount(path));
      s.paths[path] = host;
    };
  };
  const std::string socket = "/run/nvidia-persistenced/socket";
  EXPECT_EQ(
      after(with(socket, {})),
      (CdiProblem{"C13", Severity::error, "", "containerEdits.mounts[1]", socket,
                  "the socket /run/nvidia-persistenced/socket, which the spec mounts, is gone"}));
  EXPECT_EQ(after(with(socket, Scene::file())).id, "C13");
  EXPECT_TRUE(is_fine(with(socket, Scene::socket())));
  EXPECT_EQ(after(with("/tmp/nvidia-mps", {})).id, "C13");
  EXPECT_TRUE(is_fine(with("/tmp/nvidia-mps", Scene::file())));
  EXPECT_EQ(after(with("/run/a.sock", {})).id, "C13");
}

TEST(CdiCheck, WhatHasNoSourceOnTheHostIsNotLookedFor) {
  Scene scene;
  scene.spec.edits.mounts = {{"tmpfs", "/a", "tmpfs", {}},
                             {"/b", "/b", "tmpfs", {}},
                             {"/c", "/c", "bind", {}},
                             {"/d", "/d", "none", {}},
                             {"/e", "/e", "", {}}};
  scene.spec.devices.resize(1);
  scene.spec.devices[0].edits.hooks = {{"prestart", kHook, {}, {}, {}},
                                       {"poststop", kHook, {}, {}, {}}};
  scene.spec.edits.nodes = {{"/dev/x", "/dev/y", "", "", {}, {}, {}, {}, {}}};
  EXPECT_EQ(format::host_paths_of(scene.spec),
            (std::vector<std::string>{"/c", "/d", "/dev/nvidia0", "/dev/y", "/e", kHook}));
  EXPECT_EQ(format::host_paths_of({}), std::vector<std::string>{});
}

TEST(CdiCheck, HooksMustBeExecutable) {
  const auto with = [](HostPath host, std::vector<std::string> args) {
    return [=](Scene& s) {
      s.spec.devices[0].edits.hooks = {{"createContainer", kHook, args, {}, {}}};
      s.paths[kHook] = host;
    };
  };
  EXPECT_TRUE(is_fine(with(Scene::program(), {"nvidia-cdi-hook", "update-ldcache"})));
  EXPECT_EQ(after(with({}, {})),
            (CdiProblem{"C10", Severity::error, "0", "devices[0].containerEdits.hooks[0]", kHook,
                        "the hook /usr/bin/nvidia-cdi-hook is not on this machine"}));
  EXPECT_EQ(after(with(Scene::file(), {})).text,
            "the hook /usr/bin/nvidia-cdi-hook can't be executed");
  const CdiProblem chmod =
      after(with(Scene::program(), {"nvidia-ctk", "hook", "chmod", "--mode", "755"}));
  EXPECT_EQ(chmod.id, "C15");
  EXPECT_EQ(chmod.severity, Severity::warning);
}

TEST(CdiCheck, AComputeDeviceNeedsLibcudaAndItsNodes) {
  EXPECT_EQ(after([](Scene& s) { s.spec.edits.mounts.clear(); }),
            (CdiProblem{"C11", Severity::error, "", "containerEdits", "",
                        "no libcuda.so is mounted, so CUDA can't be used"}));
  EXPECT_EQ(after([](Scene& s) { s.spec.edits.nodes.pop_back(); }),
            (CdiProblem{"C11", Severity::error, "", "containerEdits", "",
                        "the spec does not give /dev/nvidia-uvm, so CUDA can't start"}));
  EXPECT_EQ(after([](Scene& s) { s.spec.edits.nodes.erase(s.spec.edits.nodes.begin()); }).text,
            "the spec does not give /dev/nvidiactl, so CUDA can't start");
  // One device may have what the other lacks.
  EXPECT_EQ(after([](Scene& s) {
              s.spec.devices[0].edits.mounts = s.spec.edits.mounts;
              s.spec.edits.mounts.clear();
            }),
            (CdiProblem{"C11", Severity::error, "1", "devices[1].containerEdits", "",
                        "the device '1': no libcuda.so is mounted, so CUDA can't be used"}));
  // The name inside the container counts.
  EXPECT_TRUE(is_fine([](Scene& s) { s.spec.edits.mounts[0].container_path = "/x/libcuda.so.1"; }));
  EXPECT_EQ(after([](Scene& s) { s.spec.edits.mounts[0].container_path = "/x/libcudart.so"; }).id,
            "C11");
}

TEST(CdiCheck, OtherDevicesNeedNothing) {
  EXPECT_TRUE(is_fine([](Scene& s) {
    s.spec.devices.resize(1);
    s.spec.devices[0].name = "none";
    s.spec.devices[0].edits = {};
    s.spec.devices[0].edits.env = {"A=b"};
    s.spec.edits = {};
  }));
  // Windows' driver has one node.
  EXPECT_TRUE(is_fine([](Scene& s) {
    s.spec.devices.clear();
    s.add_device("all", "/dev/dxg");
    s.spec.edits.nodes.clear();
    s.paths["/dev/dxg"] = Scene::device(10, 63);
  }));
  EXPECT_EQ(after([](Scene& s) {
              s.spec.devices.clear();
              s.add_device("all", "/dev/dxg");
              s.spec.edits = {};
            }).id,
            "C11");
}

TEST(CdiCheck, GraphicsNeedModeset) {
  const Change graphics = [](Scene& s) {
    s.spec.edits.mounts.push_back(mount("/usr/lib/libEGL_nvidia.so.550.163.01"));
    s.driver.nodes = {{"/dev/nvidia-modeset", 195, 254, 0666, 0, 0}};
  };
  const CdiProblem problem = after(graphics);
  EXPECT_EQ(problem.id, "D12");
  EXPECT_EQ(problem.severity, Severity::warning);
  EXPECT_TRUE(is_fine([&](Scene& s) {
    graphics(s);
    s.spec.devices[0].edits.nodes.push_back(node("/dev/nvidia-modeset"));
  }));
  EXPECT_TRUE(is_fine([&](Scene& s) {
    graphics(s);
    s.driver.nodes.clear();
  }));
  EXPECT_TRUE(is_fine([&](Scene& s) {
    graphics(s);
    s.spec.edits.mounts.pop_back();
  }));
}

TEST(CdiCheck, ADeviceMustGiveTheGpuThatItNames) {
  EXPECT_EQ(
      after([](Scene& s) { s.spec.devices[0].edits.nodes = {node("/dev/nvidia1")}; }),
      (CdiProblem{
          "C12", Severity::error, "0", "devices[0].containerEdits.deviceNodes", "/dev/nvidia1",
          "the device '0' is /dev/nvidia0 on this machine, and the spec gives it /dev/nvidia1"}));
  // The minor number counts, not the index.
  EXPECT_TRUE(is_fine([](Scene& s) {
    s.driver.gpus[0].minor = 1, s.driver.gpus[1].minor = 0;
    std::swap(s.spec.devices[0].edits, s.spec.devices[1].edits);
  }));
  EXPECT_TRUE(
      is_fine([](Scene& s) { s.spec.devices[0].edits.nodes.push_back(node("/dev/nvidia1")); }));
  EXPECT_TRUE(is_fine([](Scene& s) { s.spec.devices[0].edits.nodes = {node("/dev/dri/card0")}; }));
  EXPECT_TRUE(is_fine([](Scene& s) {
    s.spec.kind = "nvidia.com/gds";
    s.spec.devices[0].edits.nodes = {node("/dev/nvidia1")};
  }));
}

std::string fault(const std::string& name,
                  const std::function<void(std::vector<DriverGpu>&)>& change = {}) {
  std::vector<DriverGpu> gpus = Scene().driver.gpus;
  gpus[1].migs = {{"MIG-a", "1:0", {}}};
  if (change) change(gpus);
  return judge_gpu_name(name, gpus).fault;
}

TEST(CdiCheck, NamesMustBeOfGpusThatAreThere) {
  for (const char* fine : {"0", "1", "gpu1", "GPU-0", "GPU-1", "MIG-a", "1:0", "mig1:0", "all",
                           "none", "", "gpu", "0:", ":0", "a:b", "gpux"}) {
    EXPECT_EQ(fault(fine), "") << fine;
  }
  EXPECT_EQ(fault("2"), "no GPU of this machine has the index of the device '2'");
  EXPECT_EQ(fault("gpu2"), "no GPU of this machine has the index of the device 'gpu2'");
  EXPECT_EQ(fault("GPU-2"), "no GPU of this machine is called 'GPU-2'");
  EXPECT_EQ(fault("MIG-b"), "no MIG instance of this machine is called 'MIG-b'");
  EXPECT_EQ(fault("1:1"), "no MIG instance of this machine is called '1:1'");
  EXPECT_EQ(fault("mig0:0"), "no MIG instance of this machine is called 'mig0:0'");

  const auto in_mig = [](std::vector<DriverGpu>& gpus) { gpus[1].mig_enabled = true; };
  EXPECT_EQ(fault("1", in_mig),
            "the device '1' is a GPU in MIG mode, which can only be used through its instances");
  EXPECT_EQ(fault("GPU-1", in_mig).substr(0, 22), "the device 'GPU-1' is ");
  EXPECT_EQ(fault("0", in_mig), "");
  EXPECT_EQ(fault("1:0", in_mig), "");

  // Not all UUIDs are known, or no GPU at all.
  EXPECT_EQ(fault("GPU-2", [](std::vector<DriverGpu>& gpus) { gpus[0].uuid.clear(); }), "");
  EXPECT_EQ(fault("2", [](std::vector<DriverGpu>& gpus) { gpus.clear(); }), "");
}

TEST(CdiCheck, AStaleNameIsAProblemOfItsDevice) {
  const CdiProblem problem = after([](Scene& s) { s.spec.devices[1].name = "GPU-gone"; });
  EXPECT_EQ(problem, (CdiProblem{"C7", Severity::error, "GPU-gone", "devices[1].name", "",
                                 "no GPU of this machine is called 'GPU-gone'"}));
}

TEST(CdiCheck, AGpuNodeIsKnownByItsNumber) {
  EXPECT_EQ(gpu_minor_of("/dev/nvidia0"), 0u);
  EXPECT_EQ(gpu_minor_of("/dev/nvidia15"), 15u);
  EXPECT_EQ(gpu_minor_of("/dev/nvidia1048575"), 1048575u);
  for (const char* other : {"/dev/nvidia", "/dev/nvidiactl", "/dev/nvidia-uvm",
                            "/dev/nvidia1048576", "/dev/nvidia0a", "nvidia0"}) {
    EXPECT_EQ(gpu_minor_of(other), std::nullopt) << other;
  }
}

TEST(CdiCheck, ProblemsStandInTheOrderOfTheMembers) {
  Scene scene;
  scene.newest = "0.4.0";
  scene.spec.edits.mounts.clear();
  scene.paths["/dev/nvidia0"] = scene.paths["/dev/nvidia1"] = scene.paths["/dev/nvidiactl"] = {};
  scene.spec.devices[1].name = "7";
  std::string ids;
  for (const CdiProblem& one : scene.check()) ids += one.id + one.device + " ";
  EXPECT_EQ(ids, "C4 C11 C120 C77 C127 C12 ");
}

}  // namespace
}  // namespace estiva::decide
