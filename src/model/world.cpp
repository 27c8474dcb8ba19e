#include "model/world.h"

#include <algorithm>

namespace estiva {

const GpuXids* xids_of(const World& world, const Gpu& gpu) {
  if (world.xids.empty() || !gpu.identity.id.instance.empty()) return nullptr;
  const std::string slot = pci_slot(gpu.identity.pci_bus_id);
  const auto known = std::find_if(world.xids.begin(), world.xids.end(),
                                  [&slot](const GpuXids& xids) { return xids.slot == slot; });
  return known == world.xids.end() ? nullptr : &*known;
}

const ProcessContainer* whereabouts_of(const World& world, pid_t pid) {
  const auto& places = world.process_containers;
  const auto known =
      std::lower_bound(places.begin(), places.end(), pid,
                       [](const ProcessContainer& one, pid_t wanted) { return one.pid < wanted; });
  return known != places.end() && known->pid == pid ? &*known : nullptr;
}

std::string_view model_of(const World& world, pid_t pid) {
  for (const ProcessModel& known : world.process_models) {
    if (known.pid == pid) return known.model;
  }
  const ProcessContainer* place = whereabouts_of(world, pid);
  if (place == nullptr) return {};
  const Container* container = find_container(world.containers, place->id);
  return container == nullptr ? std::string_view() : container->model;
}

namespace {

// Unknown as soon as one part is.
template <class T>
void add(Reading<T>& sum, const Reading<T>& part) {
  if (!sum) return;
  if (part) {
    sum = T{sum->value + part->value};
  } else {
    sum = part.why();
  }
}

}  // namespace

std::map<std::string_view, ContainerUse> container_uses(const World& world, const Gpu& gpu) {
  std::map<std::string_view, ContainerUse> uses;
  if (!gpu.sample.processes || world.process_containers.empty()) return uses;
  for (const GpuProcess& process : *gpu.sample.processes) {
    const ProcessContainer* place = whereabouts_of(world, process.pid);
    if (place == nullptr) continue;
    ContainerUse& use =
        uses.try_emplace(place->id, ContainerUse{0, Bytes{}, Ratio{}, 0}).first->second;
    ++use.processes;
    use.pid = process.pid;
    add(use.used, process.used);
    add(use.sm_utilization, process.sm_utilization);
  }
  return uses;
}

}  // namespace estiva
