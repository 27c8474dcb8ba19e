// D1 to D22: one change on several healthy machines finds exactly what is declared; the smallest
// change that is none finds nothing.
#include "unit/decide/readiness_cases.h"

namespace estiva::decide {
namespace {

using namespace bases;
using Facts = ReadinessFacts;

const std::vector<Base> kHosts = {kDebian, kUbuntu, kRhel, kArch};

void say(Facts& facts, const std::string& line) {
  std::vector<std::string> log = *facts.kernel.log;
  log.push_back(line);
  facts.kernel.log = log;
}

// The driver lists no GPU.
void hide(Facts& facts) {
  facts.driver.gpus.clear();
  facts.driver.cuda_init = 100;
}

KernelFact next_of(const Facts& facts, const std::string& release) {
  KernelFact next = facts.kernel.kernels.back();
  next.release = release;
  next.is_running = false;
  return next;
}

void add_next(Facts& facts, const std::function<void(KernelFact&)>& change) {
  const std::string flavour = facts.release.id == "arch"     ? "6.12.9-arch1-1"
                              : facts.release.id == "rhel"   ? "5.14.0-570.1.1.el9_6.x86_64"
                              : facts.release.id == "ubuntu" ? "6.8.0-51-generic"
                                                             : "6.1.0-31-amd64";
  KernelFact next = next_of(facts, flavour);
  change(next);
  facts.kernel.kernels.push_back(next);
}

DeviceNode& node(Facts& facts, const std::string& path) {
  facts.driver.odd_nodes.clear();
  for (DeviceNode& one : facts.driver.files.nodes) {
    if (one.path == path) return one;
  }
  return facts.driver.files.nodes.front();
}

void drop_node(Facts& facts, const std::string& path) {
  facts.driver.odd_nodes.clear();
  std::erase_if(facts.driver.files.nodes, [&](const DeviceNode& one) { return one.path == path; });
}

void drop_uvm(Facts& facts) {
  facts.kernel.majors.erase("nvidia-uvm");
  std::erase_if(facts.kernel.modules,
                [](const ModuleFact& one) { return one.name == "nvidia_uvm"; });
  drop_node(facts, "/dev/nvidia-uvm");
  drop_node(facts, "/dev/nvidia-uvm-tools");
  facts.driver.missing_nodes = {"/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"};
  facts.driver.cuda_init = 999;
}

void forget_persistence(Facts& facts) {
  facts.driver.persistence_running = false;
  facts.driver.gpus[0].wear.persistence_mode = 0U;
  for (PciFact& one : facts.kernel.pci) one.connectors.clear();
}

Change unloaded(const std::function<void(Facts&)>& change) {
  return [=](Facts& facts) {
    unload(facts);
    change(facts);
  };
}

std::vector<Case> kernel_cases() {
  return {
      {"D1", "no library of the driver", kHosts,
       [](Facts& f) {
         f.driver.files.libraries.clear();
         f.driver.files.library_version.clear();
       }},
      {"D1", "only 32-bit libraries", kHosts,
       [](Facts& f) {
         for (DriverLibrary& one : f.driver.files.libraries) one.is_32bit = true;
       }},
      {"D2", "the module is not loaded", kHosts, unload},
      {"D2", "the module is blacklisted", kHosts, unloaded([](Facts& f) {
         f.kernel.modprobe_lines.push_back({"/etc/modprobe.d/off.conf", 3, "blacklist nvidia"});
       })},
      {"D3", "other libraries than the module", kHosts,
       [](Facts& f) {
         f.driver.files.library_version = "590.44.01";
         hide(f);
       }},
      {"D4", "another module on the disk", kHosts,
       [](Facts& f) { f.kernel.kernels[0].nvidia_version = std::string("590.44.01"); }},
      {"D4", "the next kernel has another module", kHosts,
       [](Facts& f) {
         add_next(f, [](KernelFact& k) { k.nvidia_version = std::string("590.44.01"); });
       }},
      {"D5",
       "Secure Boot, and the module has no signature",
       kHosts,
       unloaded([](Facts& f) {
         f.kernel.secure_boot = true;
         f.kernel.kernels[0].is_signed = false;
       }),
       Severity::error,
       {},
       {"D2"}},
      {"D5",
       "Secure Boot, and the log says that the key is not known",
       kHosts,
       unloaded([](Facts& f) {
         f.kernel.secure_boot = true;
         say(f, "Loading of module with unavailable key is rejected");
       }),
       Severity::error,
       {},
       {"D2"}},
      {"D5", "the next kernel's module has no signature", kHosts,
       [](Facts& f) {
         f.kernel.secure_boot = true;
         add_next(f, [](KernelFact& k) { k.is_signed = false; });
       }},
      {"D6", "no module for the running kernel", kHosts,
       unloaded([](Facts& f) { f.kernel.kernels[0].has_nvidia = false; })},
      {"D6", "no module for the next kernel", kHosts,
       [](Facts& f) { add_next(f, [](KernelFact& k) { k.has_nvidia = false; }); }},
      {"D6", "the running kernel's folder is gone", kHosts,
       [](Facts& f) {
         f.kernel.kernels[0].is_running = false;
         drop_uvm(f);
       }},
      {"D7", "nouveau has the card", kHosts,
       unloaded([](Facts& f) { f.kernel.pci.back().driver = "nouveau"; })},
      {"D8", "the only card is bound to vfio-pci", kHosts,
       unloaded([](Facts& f) { f.kernel.pci.back().driver = "vfio-pci"; })},
      {"D9", "the driver could not start the card", kHosts,
       [](Facts& f) {
         hide(f);
         say(f, "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x62:0x65:1792)");
       }},
      {"D9", "a Blackwell card and the closed module", kHosts,
       [](Facts& f) {
         hide(f);
         f.kernel.is_open_module = false;
         f.kernel.pci.back().device = 0x2b85;
       }},
      {"D9", "a Pascal card and the open module", kHosts,
       [](Facts& f) {
         hide(f);
         f.kernel.is_open_module = true;
         f.kernel.pci.back().device = 0x1c8c;
       }},
      {"D10", "Xid 79", kHosts,
       [](Facts& f) {
         hide(f);
         say(f,
             "NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen "
             "off the bus.");
       }},
      {"D10", "the device reads 0xff", kHosts,
       [](Facts& f) { f.kernel.pci.back().answers = false; }},
      {"D10", "NVML says that it is lost", kHosts,
       [](Facts& f) { f.driver.gpus[0].sample.state = GpuState::lost; }},
  };
}

std::vector<Case> node_cases() {
  return {
      {"D11", "nvidia_uvm is not loaded", kHosts, drop_uvm},
      {"D11", "the node of the card is missing", kHosts,
       [](Facts& f) {
         drop_node(f, "/dev/nvidia0");
         f.driver.missing_nodes = {"/dev/nvidia0"};
       }},
      {"D12", "the spec lacks the modeset node", kHosts,
       [](Facts& f) {
         std::erase_if(f.cdi.files[0].spec.edits.nodes,
                       [](const CdiNode& one) { return one.path == "/dev/nvidia-modeset"; });
       },
       Severity::warning},
      {"D13", "another major of nvidia-uvm", kHosts,
       [](Facts& f) { node(f, "/dev/nvidia-uvm").major = 239; }},
      {"D13", "another minor of the card", kHosts,
       [](Facts& f) { node(f, "/dev/nvidia0").minor = 1; }},
      {"D14", "a node for a group only", kHosts,
       [](Facts& f) {
         node(f, "/dev/nvidiactl").mode = 0660;
         node(f, "/dev/nvidiactl").gid = 44;
       },
       Severity::warning},
  };
}

std::vector<Case> state_cases() {
  return {
      {"D15", "slept, and memory is not kept", kHosts,
       [](Facts& f) {
         f.kernel.slept_since_module = true;
         f.kernel.nvidia_params["PreserveVideoMemoryAllocations"] = "0";
       },
       Severity::warning},
      {"D15", "slept, and CUDA does not start", kHosts,
       [](Facts& f) {
         f.kernel.slept_since_module = true;
         f.driver.cuda_init = 999;
       }},
      {"D15", "slept, and the unit is off", kHosts,
       [](Facts& f) {
         f.kernel.slept_since_module = true;
         f.units.push_back(make_unit("nvidia-suspend.service", "[Unit]\n", false));
       },
       Severity::warning},
      {"D16", "nothing keeps the driver awake", kHosts, forget_persistence, Severity::warning},
      {"D17", "NVSwitch and no fabric manager", kHosts,
       [](Facts& f) { f.driver.has_nvswitch = true; }},
      {"D17", "a fabric manager of another version", kHosts,
       [](Facts& f) {
         f.driver.has_nvswitch = f.driver.fabric_manager_running = true;
         f.driver.fabric_manager_version = std::string("535.10.01");
       }},
      {"D17", "cuInit says not ready", kHosts, [](Facts& f) { f.driver.cuda_init = 802; }},
      {"D18", "HMM can't reserve", kHosts,
       [](Facts& f) {
         f.driver.cuda_init = 999;
         say(f, "nvidia-uvm: uvm_pmm_gpu.c:3355 request_free_mem_region() err -34");
       }},
      {"D19", "strict overcommit, and it has failed", kHosts,
       [](Facts& f) {
         f.kernel.overcommit_memory = 2U;
         say(f, "__vm_enough_memory: pid: 812, comm: nvc:[driver], not enough memory");
       }},
      {"D19", "strict overcommit", kHosts, [](Facts& f) { f.kernel.overcommit_memory = 2U; },
       Severity::warning},
      {"D20", "prohibited", kHosts, [](Facts& f) { f.driver.compute_mode = 2U; }},
      {"D20", "exclusive", kHosts, [](Facts& f) { f.driver.compute_mode = 3U; }, Severity::warning},
      {"D21", "MPS is dead and in the spec", kHosts,
       [](Facts& f) {
         f.driver.mps_folder = true;
         f.cdi.files[0].spec.edits.mounts.push_back({"/tmp/nvidia-mps", "/tmp/nvidia-mps", "", {}});
       }},
      {"D22", "as hot as its limit", kHosts,
       [](Facts& f) { f.driver.gpus[0].sample.temperature = Celsius{98}; }, Severity::warning},
      {"D22", "power brake", kHosts,
       [](Facts& f) { f.driver.gpus[0].sample.clock_event_reasons = std::uint64_t{0x80}; },
       Severity::warning},
  };
}

TEST(ReadinessDriver, OneChangeFindsExactlyItsSignature) {
  expect_cases(kernel_cases());
  expect_cases(node_cases());
  expect_cases(state_cases());
}

TEST(ReadinessDriver, TheNextKernelAndTheLog) {
  expect_near_misses({
      {"D1",
       "a GPU of another maker",
       {kDebian},
       [](Facts& f) {
         unload(f);
         f.driver.files.libraries.clear();
         f.kernel.pci.back().vendor = 0x1002;
       }},
      {"D1",
       "NVIDIA's audio function alone",
       {kDebian},
       [](Facts& f) {
         unload(f);
         f.driver.files.libraries.clear();
         f.kernel.pci.back().pci_class = 0x040300;
       }},
      {"D3",
       "in WSL nothing is compared",
       {kWsl},
       [](Facts& f) { f.driver.files.library_version = "1.1"; }},
      {"D4", "another module for an older kernel", kHosts,
       [](Facts& f) {
         KernelFact old = next_of(f, "4.1.0-1");
         old.nvidia_version = std::string("390.10");
         f.kernel.kernels.insert(f.kernel.kernels.begin(), old);
       }},
      {"D4", "the next kernel's module is not known", kHosts,
       [](Facts& f) { add_next(f, [](KernelFact& k) { k.nvidia_version = Missing::failed; }); }},
      {"D4", "the next kernel of another flavour", kHosts,
       [](Facts& f) {
         KernelFact other = next_of(f, "9.9.9-9-realtime");
         other.has_nvidia = false;
         f.kernel.kernels.push_back(other);
       }},
      {"D5",
       "no Secure Boot",
       kHosts,
       unloaded([](Facts& f) {
         f.kernel.secure_boot = false;
         f.kernel.kernels[0].is_signed = false;
       }),
       {"D2"}},
      {"D5",
       "a signature, and no word of the kernel",
       kHosts,
       unloaded([](Facts& f) { f.kernel.secure_boot = true; }),
       {"D2"}},
      {"D5", "Secure Boot takes unsigned modules here", kHosts,
       [](Facts& f) {
         f.kernel.secure_boot = true;
         f.kernel.kernels[0].is_signed = false;
         add_next(f, [](KernelFact& k) { k.is_signed = false; });
       }},
      {"D6", "the folder of a removed kernel", kHosts,
       [](Facts& f) {
         add_next(f, [](KernelFact& k) {
           k.has_nvidia = false;
           k.is_bootable = false;
         });
       }},
      {"D6",
       "akmods builds it at boot",
       {kDebian, kRhel, kArch},
       [](Facts& f) {
         add_next(f, [](KernelFact& k) { k.has_nvidia = false; });
         f.driver.packages["akmod-nvidia"] = "1";
       }},
      {"D6", "the folder is gone, and all is loaded", kHosts,
       [](Facts& f) { f.kernel.kernels[0].is_running = false; }},
  });
}

TEST(ReadinessDriver, ACardThatWorksIsNotBlamedForItsLog) {
  expect_near_misses({
      {"D7",
       "nouveau, and NVIDIA's driver is not there",
       {kDebian, kArch},
       unloaded([](Facts& f) {
         f.kernel.pci.back().driver = "nouveau";
         f.driver.files.libraries.clear();
         f.kernel.kernels[0].has_nvidia = false;
       }),
       {"D1"}},
      {"D9", "it failed once and works now", kHosts,
       [](Facts& f) { say(f, "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x62)"); }},
      {"D9", "another card failed", kHosts,
       [](Facts& f) {
         hide(f);
         say(f, "NVRM: GPU 0000:41:00.0: RmInitAdapter failed! (0x62)");
       }},
      {"D9",
       "Turing and the open module",
       {kUbuntu, kArch},
       [](Facts& f) {
         hide(f);
         f.kernel.pci.back().device = 0x1e00;
       }},
      {"D9",
       "Pascal and the last branch that knows it",
       {kUbuntu, kArch},
       [](Facts& f) {
         hide(f);
         f.kernel.is_open_module = false;
         f.kernel.pci.back().device = 0x1c8c;
       }},
      {"D10", "Xid 79 long ago, and it is listed", kHosts,
       [](Facts& f) { say(f, "NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus."); }},
      {"D10", "another Xid", kHosts,
       [](Facts& f) {
         hide(f);
         say(f, "NVRM: Xid (PCI:0000:01:00): 31, pid=1, name=python, Ch 00000008");
       }},
      {"D10", "Xid 79 of another slot", kHosts,
       [](Facts& f) {
         hide(f);
         say(f, "NVRM: Xid (PCI:0000:41:00): 79, GPU has fallen off the bus.");
       }},
      {"D10", "it sleeps", kHosts,
       [](Facts& f) {
         f.kernel.pci.back().answers = false;
         f.kernel.pci.back().power_state = "suspended";
       }},
      {"D11", "only the tools' node is missing", kHosts,
       [](Facts& f) {
         f.driver.missing_nodes = {"/dev/nvidia-uvm-tools", "/dev/nvidia-modeset"};
       }},
      {"D12", "a spec for compute alone", kHosts,
       [](Facts& f) {
         CdiEdits& edits = f.cdi.files[0].spec.edits;
         std::erase_if(edits.nodes,
                       [](const CdiNode& one) { return one.path == "/dev/nvidia-modeset"; });
         std::erase_if(edits.mounts, [](const CdiMount& one) {
           return one.host_path.find("libEGL_nvidia") != std::string::npos;
         });
       }},
      {"D13", "a node whose driver is not loaded", kHosts,
       [](Facts& f) {
         f.driver.files.nodes.push_back({"/dev/nvidia-caps/nvidia-cap1", 7, 1, 0400, 0, 0});
       }},
  });
}

TEST(ReadinessDriver, WhatIsSetOnPurposeIsNotBlamed) {
  expect_near_misses({
      {"D14", "the spec gives the group", kHosts,
       [](Facts& f) {
         node(f, "/dev/nvidiactl").mode = 0660;
         node(f, "/dev/nvidiactl").gid = 44;
         f.cdi.files[0].spec.edits.additional_gids = {44};
       }},
      {"D14",
       "no engine",
       {{"docker_absent", docker_absent}},
       [](Facts& f) { node(f, "/dev/nvidiactl").mode = 0660; }},
      {"D15", "it never slept", kHosts,
       [](Facts& f) { f.kernel.nvidia_params["PreserveVideoMemoryAllocations"] = "0"; }},
      {"D15", "the kernel tells the driver", kHosts,
       [](Facts& f) {
         f.kernel.slept_since_module = true;
         f.kernel.nvidia_params["PreserveVideoMemoryAllocations"] = "0";
         f.kernel.nvidia_params["UseKernelSuspendNotifiers"] = "1";
       }},
      {"D15", "another error of cuInit", kHosts,
       [](Facts& f) {
         f.kernel.slept_since_module = true;
         f.driver.cuda_init = 804;
       }},
      {"D16", "a screen is on the card", kHosts,
       [](Facts& f) {
         forget_persistence(f);
         f.kernel.pci.back().connectors = {"DP-1"};
       }},
      {"D16", "the card may sleep", kHosts,
       [](Facts& f) {
         forget_persistence(f);
         f.kernel.pci.back().power_control = "auto";
       }},
      {"D16", "nobody uses it", kHosts,
       [](Facts& f) {
         forget_persistence(f);
         f.containers.clear();
       }},
      {"D17", "the fabric is up", kHosts,
       [](Facts& f) {
         f.driver.has_nvswitch = true;
         f.driver.gpus[0].wear.fabric_state = 3U;
       }},
      {"D18", "HMM failed once, and CUDA starts", kHosts,
       [](Facts& f) { say(f, "nvidia-uvm: uvm_pmm_gpu.c request_free_mem_region() err -34"); }},
      {"D19", "nobody uses NVIDIA's helper", kHosts,
       [](Facts& f) {
         f.kernel.overcommit_memory = 2U;
         f.toolkit.programs.erase("nvidia-container-cli");
       }},
      {"D19", "overcommit 1", kHosts, [](Facts& f) { f.kernel.overcommit_memory = 1U; }},
      {"D20", "exclusive, for MPS", kHosts,
       [](Facts& f) {
         f.driver.compute_mode = 3U;
         f.driver.mps_running = true;
       }},
      {"D21", "the folder is there and nobody mounts it", kHosts,
       [](Facts& f) { f.driver.mps_folder = true; }},
      {"D21", "the daemon runs", kHosts,
       [](Facts& f) {
         f.driver.mps_folder = f.driver.mps_running = true;
         f.cdi.files[0].spec.edits.mounts.push_back({"/tmp/nvidia-mps", "/tmp/nvidia-mps", "", {}});
       }},
      {"D22", "a degree below its limit", kHosts,
       [](Facts& f) { f.driver.gpus[0].sample.temperature = Celsius{97}; }},
      {"D22", "a power cap", kHosts,
       [](Facts& f) { f.driver.gpus[0].sample.clock_event_reasons = std::uint64_t{0x4}; }},
  });
}

TEST(ReadinessDriver, WhatIsOnlyWorthKnowing) {
  Facts facts = ubuntu_host();
  facts.driver.held_packages.clear();
  EXPECT_EQ(finding(facts, "D4").severity, Severity::info);
  EXPECT_EQ(finding(facts, "D4").title,
            "automatic upgrades may replace the running driver 580.95.05: nvidia-driver-580-open "
            "is not held");
  EXPECT_EQ(finding(facts, "D4").remedy.text,
            "Hold the packages and upgrade when a restart suits you: sudo apt-mark hold "
            "nvidia-driver-580-open");
  facts.driver.upgrades_itself = false;
  EXPECT_EQ(ids_of(facts), Ids{});

  facts = docker_absent();
  drop_uvm(facts);
  EXPECT_EQ(finding(facts, "D11").severity, Severity::info) << told(facts);

  facts = debian_host();
  PciFact second = facts.kernel.pci[0];
  second.bus_id = "0000:02:00.0";
  second.driver = "vfio-pci";
  facts.kernel.pci.push_back(second);
  EXPECT_EQ(finding(facts, "D8").severity, Severity::info);
  EXPECT_EQ(finding(facts, "D8").title,
            "the GPU at 0000:02:00.0 is bound to vfio-pci: no container of this machine can use "
            "it");
}

TEST(ReadinessDriver, NamesWhatIsOnThisMachine) {
  Facts facts = rhel_host();
  facts.driver.files.library_version = "580.95.05";
  const Finding found = finding(facts, "D3");
  EXPECT_EQ(found.title,
            "the loaded kernel module is 570.148.08 and the driver's libraries are 580.95.05: "
            "nothing that starts now can use the GPU");
  EXPECT_EQ(found.foretells, "Failed to initialize NVML: Driver/library version mismatch");
  const std::vector<Evidence> evidence = {
      {Evidence::Source::host, "/proc/driver/nvidia/version", 0, "the loaded module is 570.148.08"},
      {Evidence::Source::host, "driver libraries", 0, "libcuda and libnvidia-ml are 580.95.05"}};
  EXPECT_EQ(found.evidence, evidence);
  EXPECT_EQ(found.remedy.fix, Fix::asks);

  facts = arch_host();
  unload(facts);
  facts.kernel.modprobe_lines.push_back({"/etc/modprobe.d/off.conf", 3, "blacklist nvidia"});
  const Finding off = finding(facts, "D2");
  EXPECT_EQ(off.title,
            "the driver's module is not loaded: /etc/modprobe.d/off.conf line 3 forbids it");
  ASSERT_FALSE(off.evidence.empty());
  EXPECT_EQ(off.evidence[0],
            (Evidence{Evidence::Source::file, "/etc/modprobe.d/off.conf", 3, "blacklist nvidia"}));
}

TEST(ReadinessDriver, NamesTheCommandOfTheDistribution) {
  const std::map<std::string, std::string> commands = {{"debian", "apt install"},
                                                       {"ubuntu", "ubuntu-drivers"},
                                                       {"rhel", "dnf install"},
                                                       {"arch", "pacman -S"}};
  for (const Base& base : kHosts) {
    Facts facts = base.make();
    facts.driver.files.libraries.clear();
    EXPECT_NE(finding(facts, "D1").remedy.text.find(commands.at(base.name)), std::string::npos)
        << finding(facts, "D1").remedy.text;
  }
}

TEST(ReadinessDriver, TheKernelsCommandLineForbidsTheModule) {
  const std::map<std::string, bool> lines = {{"quiet module_blacklist=nvidia", true},
                                             {"modprobe.blacklist=nouveau,nvidia quiet", true},
                                             {"modprobe.blacklist=nvidiafb", false},
                                             {"nvidia-drm.modeset=1", false}};
  for (const auto& [line, forbids] : lines) {
    Facts facts = debian_host();
    unload(facts);
    facts.kernel.command_line = line;
    const std::string title = finding(facts, "D2").title;
    EXPECT_EQ(title.find("command line forbids it") != std::string::npos, forbids) << line;
  }
}

}  // namespace
}  // namespace estiva::decide
