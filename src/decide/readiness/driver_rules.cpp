// Doctor's table of the driver and the kernel. Reference: the failure catalogue, D1 to D22.
#include "base/messages/decide_doctor_driver.h"
#include "decide/readiness/finders.h"

namespace estiva::decide {
namespace {

constexpr auto kError = Severity::error, kWarning = Severity::warning;
constexpr auto kDoes = Fix::automatic, kAsks = Fix::asks, kGuide = Fix::guide;

constexpr Rule kRules[] = {
    make_rule("D1", kError, msg::kD1, kGuide, find_driver_missing),
    make_rule("D2", kError, msg::kD2, kDoes, find_module_not_loaded),
    make_rule("D3", kError, msg::kD3, kAsks, find_version_mismatch),
    make_rule("D4", kError, msg::kD4, kDoes, find_coming_mismatch),
    make_rule("D5", kError, msg::kD5, kGuide, find_secure_boot_refusal),
    make_rule("D6", kError, msg::kD6, kAsks, find_kernel_without_module),
    make_rule("D7", kError, msg::kD7, kAsks, find_other_driver),
    make_rule("D8", kError, msg::kD8, kGuide, find_passed_through),
    make_rule("D9", kError, msg::kD9, kGuide, find_failed_start),
    make_rule("D10", kError, msg::kD10, kGuide, find_off_the_bus),
    make_rule("D11", kError, msg::kD11, kDoes, find_missing_nodes),
    make_rule("D12", kWarning, msg::kD12, kDoes, find_missing_modeset),
    make_rule("D13", kError, msg::kD13, kDoes, find_wrong_numbers),
    make_rule("D14", kWarning, msg::kD14, kDoes, find_group_only_nodes),
    make_rule("D15", kError, msg::kD15, kAsks, find_lost_by_sleep),
    make_rule("D16", kWarning, msg::kD16, kDoes, find_no_persistence),
    make_rule("D17", kError, msg::kD17, kAsks, find_fabric_down),
    make_rule("D18", kError, msg::kD18, kAsks, find_hmm_failure),
    make_rule("D19", kError, msg::kD19, kDoes, find_strict_overcommit),
    make_rule("D20", kError, msg::kD20, kDoes, find_compute_mode),
    make_rule("D21", kError, msg::kD21, kDoes, find_dead_mps),
    make_rule("D22", kWarning, msg::kD22, kGuide, find_slowed_down),
};

}  // namespace

std::span<const Rule> driver_rules() {
  return kRules;
}

}  // namespace estiva::decide
