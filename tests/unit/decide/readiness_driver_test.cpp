// D1 to D22: one change on several healthy machines finds exactly what is declared.
#include "unit/decide/readiness_driver_changes.h"

namespace estiva::decide {
namespace {

using namespace driver_changes;

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
  EXPECT_EQ(off.remedy.fix, Fix::guide) << "somebody wanted it so";
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
