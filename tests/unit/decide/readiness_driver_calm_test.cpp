// The smallest changes that are none of D1 to D22: nothing may be found.
#include "unit/decide/readiness_driver_changes.h"

namespace estiva::decide {
namespace {

using namespace driver_changes;

TEST(ReadinessDriver, KernelsAndModulesThatGoWell) {
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
      {"D15", "whether it slept is not known", kHosts,
       [](Facts& f) {
         f.kernel.slept_since_module = Missing::not_permitted;
         f.kernel.nvidia_params["PreserveVideoMemoryAllocations"] = "0";
       }},
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

}  // namespace
}  // namespace estiva::decide
