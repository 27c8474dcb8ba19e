#include "host/power.h"

#include "format/text.h"

namespace estiva::host {
namespace {

constexpr char kSupplies[] = "/sys/class/power_supply";

std::string line_of(const Root& root, const std::string& path) {
  const auto text = read_file(root, path, 4096);
  return text ? std::string(format::trim(*text)) : std::string();
}

}  // namespace

bool is_on_battery(const Root& root) {
  const auto supplies = read_folder(root, kSupplies);
  if (!supplies) return false;
  for (const std::string& name : *supplies) {
    const std::string folder = std::string(kSupplies) + "/" + name;
    // A mouse or a headset has a battery too; its scope says that it is not the machine's.
    const bool is_ours = line_of(root, folder + "/type") == "Battery" &&
                         line_of(root, folder + "/scope") != "Device";
    if (is_ours && line_of(root, folder + "/status") == "Discharging") return true;
  }
  return false;
}

}  // namespace estiva::host
