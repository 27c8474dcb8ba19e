#include "observe/readiness/pci.h"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>

#include "format/text.h"

namespace estiva::observe {
namespace {

constexpr const char* kDevices = "/sys/bus/pci/devices";
constexpr unsigned kNvidia = 0x10de, kDisplay = 0x03, kNvswitch = 0x0680;

// "0x10de"; 0 where it is none.
unsigned hex_of(std::string_view text) {
  unsigned number = 0;
  if (!text.starts_with("0x")) return 0;
  std::from_chars(text.data() + 2, text.data() + text.size(), number, 16);
  return number;
}

std::string last_part(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

// A device that is gone from the bus reads as ones.
bool config_answers(const Tree& tree, const std::string& folder) {
  char first[4];
  const std::string path = folder + "/config";
  if (host::read_into(tree.root(), path.c_str(), first) != sizeof first) return true;
  return !std::all_of(std::begin(first), std::end(first), [](char c) { return c == '\xff'; });
}

// "card1-eDP-1" is connector eDP-1 of card1.
std::vector<std::string> screens_of(const Tree& tree, const std::string& folder) {
  std::vector<std::string> screens;
  for (const std::string& card : tree.names(folder + "/drm")) {
    if (!card.starts_with("card")) continue;
    const std::string place = fmt::format("{}/drm/{}", folder, card);
    for (const std::string& name : tree.names(place)) {
      if (!name.starts_with(card + "-")) continue;
      if (tree.line(fmt::format("{}/{}/status", place, name)) != "connected") continue;
      screens.push_back(name.substr(card.size() + 1));
    }
  }
  return screens;
}

Reading<bool> flag_of(const Tree& tree, const std::string& path) {
  const auto text = tree.text(path, 64);
  if (!text) return text.why();
  return format::trim(*text) == "1";
}

}  // namespace

std::vector<PciFact> read_pci(const Tree& tree) {
  std::vector<PciFact> found;
  for (const std::string& bus_id : tree.names(kDevices)) {
    const std::string folder = std::string(kDevices) + "/" + bus_id;
    const unsigned device_class = hex_of(tree.line(folder + "/class"));
    const unsigned vendor = hex_of(tree.line(folder + "/vendor"));
    const bool is_display = device_class >> 16 == kDisplay;
    const bool is_switch = vendor == kNvidia && device_class >> 8 == kNvswitch;
    if (!is_display && !is_switch) continue;
    if (found.size() == kMostDevices) break;
    PciFact fact;
    fact.bus_id = bus_id;
    fact.vendor = vendor;
    fact.device = hex_of(tree.line(folder + "/device"));
    fact.pci_class = device_class;
    fact.driver = last_part(tree.link(folder + "/driver").value_or(""));
    fact.boot_vga = flag_of(tree, folder + "/boot_vga");
    fact.power_control = tree.line(folder + "/power/control");
    fact.power_state = tree.line(folder + "/power/runtime_status");
    // Reading it would wake the card (pci_config_pm_runtime_get in drivers/pci/pci-sysfs.c).
    if (fact.power_state != "suspended") fact.answers = config_answers(tree, folder);
    fact.connectors = screens_of(tree, folder);
    found.push_back(std::move(fact));
  }
  return found;
}

bool has_nvswitch(const std::vector<PciFact>& pci) {
  return std::any_of(pci.begin(), pci.end(), [](const PciFact& fact) {
    return fact.vendor == kNvidia && fact.pci_class >> 8 == kNvswitch;
  });
}

}  // namespace estiva::observe
