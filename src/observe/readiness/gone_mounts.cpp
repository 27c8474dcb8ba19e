#include "observe/readiness/gone_mounts.h"

#include "format/mounts.h"

namespace estiva::observe {
namespace {

constexpr std::size_t kLongestMounts = 4 << 20;  // of one container
constexpr std::size_t kMostGone = 64;            // that are kept of it
// show_mountinfo of the kernel's fs/proc_namespace.c ends the name of what was removed so.
constexpr std::string_view kRemoved = "//deleted";

}  // namespace

void find_gone_mounts(const Tree& tree, std::vector<ContainerFact>& containers) {
  for (ContainerFact& container : containers) {
    if (container.pid <= 0) continue;
    const auto text =
        tree.text("/proc/" + std::to_string(container.pid) + "/mountinfo", kLongestMounts);
    if (!text) continue;
    for (const format::Mount& mount : format::parse_mountinfo(*text)) {
      if (!mount.root.ends_with(kRemoved) || container.gone_mounts.size() == kMostGone) continue;
      container.gone_mounts.push_back(mount.root.substr(0, mount.root.size() - kRemoved.size()));
    }
  }
}

}  // namespace estiva::observe
