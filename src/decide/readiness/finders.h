// The functions behind the rows of driver_rules.cpp and engine_rules.cpp: each looks at the facts
// and says what it found. What is not known finds nothing.
#pragma once
#include "decide/readiness/look.h"

namespace estiva::decide {

// driver_kernel.cpp: PCI, modules, versions.
Hits find_driver_missing(const ReadinessFacts& facts);         // D1
Hits find_module_not_loaded(const ReadinessFacts& facts);      // D2
Hits find_version_mismatch(const ReadinessFacts& facts);       // D3
Hits find_coming_mismatch(const ReadinessFacts& facts);        // D4
Hits find_secure_boot_refusal(const ReadinessFacts& facts);    // D5
Hits find_kernel_without_module(const ReadinessFacts& facts);  // D6
Hits find_other_driver(const ReadinessFacts& facts);           // D7
Hits find_passed_through(const ReadinessFacts& facts);         // D8
Hits find_failed_start(const ReadinessFacts& facts);           // D9
Hits find_off_the_bus(const ReadinessFacts& facts);            // D10
// driver_nodes.cpp: what stands in /dev.
Hits find_missing_nodes(const ReadinessFacts& facts);     // D11
Hits find_missing_modeset(const ReadinessFacts& facts);   // D12
Hits find_wrong_numbers(const ReadinessFacts& facts);     // D13
Hits find_group_only_nodes(const ReadinessFacts& facts);  // D14
// What the numbers of one of NVIDIA's nodes have to be, and the driver of /proc/devices that says
// so. Nothing: it is none of them, or no such driver is loaded.
struct NodeNumbers {
  unsigned major = 0, minor = 0;
  std::string_view driver;
};
std::optional<NodeNumbers> right_numbers(const ReadinessFacts& facts, std::string_view path);
// driver_state.cpp: what the driver and CUDA say.
Hits find_lost_by_sleep(const ReadinessFacts& facts);      // D15
Hits find_no_persistence(const ReadinessFacts& facts);     // D16
Hits find_fabric_down(const ReadinessFacts& facts);        // D17
Hits find_hmm_failure(const ReadinessFacts& facts);        // D18
Hits find_strict_overcommit(const ReadinessFacts& facts);  // D19
Hits find_compute_mode(const ReadinessFacts& facts);       // D20
Hits find_dead_mps(const ReadinessFacts& facts);           // D21
Hits find_slowed_down(const ReadinessFacts& facts);        // D22

// engine_docker.cpp: the engine and how it was started.
Hits find_no_gpu_driver(const ReadinessFacts& facts);        // K1
Hits find_toolkit_after_start(const ReadinessFacts& facts);  // K2
Hits find_cdi_off(const ReadinessFacts& facts);              // K3
Hits find_restart_loses_cdi(const ReadinessFacts& facts);    // K4
Hits find_boot_race(const ReadinessFacts& facts);            // K5
Hits find_unit_cycle(const ReadinessFacts& facts);           // K6
Hits find_snap_docker(const ReadinessFacts& facts);          // K12
Hits find_docker_desktop(const ReadinessFacts& facts);       // K13
Hits find_podman_as_docker(const ReadinessFacts& facts);     // K14
Hits find_silent_fallback(const ReadinessFacts& facts);      // K32
// engine_config.cpp: daemon.json.
Hits find_broken_daemon_json(const ReadinessFacts& facts);  // K7
Hits find_flag_and_file(const ReadinessFacts& facts);       // K8
Hits find_unknown_runtime(const ReadinessFacts& facts);     // K9
Hits find_lost_features(const ReadinessFacts& facts);       // K10
Hits find_runtime_not_found(const ReadinessFacts& facts);   // K11
// engine_toolkit.cpp: NVIDIA's toolkit and its surroundings.
Hits find_rootless_cgroups(const ReadinessFacts& facts);  // K15
Hits find_no_cgroups(const ReadinessFacts& facts);        // K16
Hits find_lost_at_reload(const ReadinessFacts& facts);    // K17
Hits find_old_bpf(const ReadinessFacts& facts);           // K18
Hits find_ldconfig_missing(const ReadinessFacts& facts);  // K19
Hits find_ldconfig_failed(const ReadinessFacts& facts);   // K20
Hits find_pivot_root(const ReadinessFacts& facts);        // K21
Hits find_tegra_flag(const ReadinessFacts& facts);        // K28
Hits find_wsl_without_gpu(const ReadinessFacts& facts);   // K29
Hits find_lxc_without_gpu(const ReadinessFacts& facts);   // K30
Hits find_selinux(const ReadinessFacts& facts);           // K31
// engine_image.cpp: whether an image and this machine go together.
Hits find_unmet_requirement(const ReadinessFacts& facts);  // K22
Hits find_driver_too_old(const ReadinessFacts& facts);     // K23
Hits find_second_libcuda(const ReadinessFacts& facts);     // K24
Hits find_forward_compat(const ReadinessFacts& facts);     // K25
Hits find_no_kernel_image(const ReadinessFacts& facts);    // K26
Hits find_driver_in_image(const ReadinessFacts& facts);    // K27

}  // namespace estiva::decide
