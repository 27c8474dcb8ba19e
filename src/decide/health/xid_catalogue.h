// What each XID means and what NVIDIA says is to be done: a table, each row with its source.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace estiva::decide {

// The immediate action of NVIDIA's XID catalogue, by its own name in the comment.
enum class XidAction : std::uint8_t {
  ignore,             // IGNORE
  watch_rate,         // IGNORE, but often is a sign: 92
  restart_app,        // RESTART_APP
  follow_the_other,   // WORKFLOW_XID_45
  follow_the_driver,  // XID_154: the driver's recovery action is the verdict
  contact,            // CONTACT_SUPPORT; also what has no row
  update_driver,      // UPDATE_SWFW
  check_uvm,          // CHECK_UVM
  restart_vm,         // RESTART_VM
  check_links,        // WORKFLOW_NVLINK_ERR, WORKFLOW_NVLINK5_ERR
  check_power,        // CHECK_MECHANICALS
  reset,              // RESET_GPU
  reset_for_ecc,      // WORKFLOW_XID_48
  reboot,             // RESTART_BM
  replace,            // none in the catalogue: reduced memory, PCIe timeouts that are fatal
};

enum class XidOrigin : std::uint8_t {
  nvidia,  // docs.nvidia.com/deploy/xid-errors, the catalogue of October 2025, "immediate action"
  estiva,  // the catalogue has the code and no action: our own judgement
};

struct XidRow {
  unsigned code;
  XidAction action;
  XidOrigin origin;
  std::string_view what;  // completes "XID 79: "
};

// In the order of their codes. Codes that the catalogue marks as unused have no row.
std::span<const XidRow> xid_catalogue();
// Null where the catalogue has no row.
const XidRow* find_xid(unsigned code);

}  // namespace estiva::decide
