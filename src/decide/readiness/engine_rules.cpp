// Doctor's table of the container engine, NVIDIA's toolkit and images. Reference: the failure
// catalogue, K1 to K32.
#include "base/messages/decide_doctor_engine.h"
#include "base/messages/decide_doctor_image.h"
#include "decide/readiness/finders.h"

namespace estiva::decide {
namespace {

constexpr auto kError = Severity::error, kWarning = Severity::warning;
constexpr auto kDoes = Fix::automatic, kAsks = Fix::asks, kGuide = Fix::guide;

constexpr Rule kRules[] = {
    make_rule("K1", kError, msg::kK1, kAsks, find_no_gpu_driver),
    make_rule("K2", kError, msg::kK2, kAsks, find_toolkit_after_start),
    make_rule("K3", kError, msg::kK3, kAsks, find_cdi_off),
    make_rule("K4", kError, msg::kK4, kDoes, find_restart_loses_cdi),
    make_rule("K5", kError, msg::kK5, kDoes, find_boot_race),
    make_rule("K6", kError, msg::kK6, kDoes, find_unit_cycle),
    make_rule("K7", kError, msg::kK7, kDoes, find_broken_daemon_json),
    make_rule("K8", kError, msg::kK8, kDoes, find_flag_and_file),
    make_rule("K9", kError, msg::kK9, kDoes, find_unknown_runtime),
    make_rule("K10", kWarning, msg::kK10, kDoes, find_lost_features),
    make_rule("K11", kError, msg::kK11, kDoes, find_runtime_not_found),
    make_rule("K12", kError, msg::kK12, kGuide, find_snap_docker),
    make_rule("K13", kError, msg::kK13, kGuide, find_docker_desktop),
    make_rule("K14", kWarning, msg::kK14, kGuide, find_podman_as_docker),
    make_rule("K15", kError, msg::kK15, kDoes, find_rootless_cgroups),
    make_rule("K16", kError, msg::kK16, kDoes, find_no_cgroups),
    make_rule("K17", kError, msg::kK17, kDoes, find_lost_at_reload),
    make_rule("K18", kError, msg::kK18, kGuide, find_old_bpf),
    make_rule("K19", kError, msg::kK19, kDoes, find_ldconfig_missing),
    make_rule("K20", kError, msg::kK20, kAsks, find_ldconfig_failed),
    make_rule("K21", kError, msg::kK21, kDoes, find_pivot_root),
    make_rule("K22", kError, msg::kK22, kGuide, find_unmet_requirement),
    make_rule("K23", kError, msg::kK23, kGuide, find_driver_too_old),
    make_rule("K24", kError, msg::kK24, kGuide, find_second_libcuda),
    make_rule("K25", kError, msg::kK25, kDoes, find_forward_compat),
    make_rule("K26", kError, msg::kK26, kGuide, find_no_kernel_image),
    make_rule("K27", kError, msg::kK27, kGuide, find_driver_in_image),
    make_rule("K28", kError, msg::kK28, kDoes, find_tegra_flag),
    make_rule("K29", kError, msg::kK29, kGuide, find_wsl_without_gpu),
    make_rule("K30", kError, msg::kK30, kGuide, find_lxc_without_gpu),
    make_rule("K31", kError, msg::kK31, kDoes, find_selinux),
    make_rule("K32", kWarning, msg::kK32, kGuide, find_silent_fallback),
};

}  // namespace

std::span<const Rule> engine_rules() {
  return kRules;
}

}  // namespace estiva::decide
