#include "daemon/whereabouts.h"

#include <algorithm>
#include <fmt/format.h>

#include "format/cgroup.h"
#include "host/process.h"

namespace estiva::daemon {

Whereabouts::Place Whereabouts::look(pid_t pid) const {
  const std::string path = host::cgroup_of(root_, pid);
  Place place;
  place.ids = format::container_ids_of(path);
  if (place.ids.empty()) return place;
  const format::ContainerKind kind = format::container_kind_of(path);
  place.runtime = kind.runtime;
  place.rootless = kind.rootless;
  return place;
}

std::vector<ProcessContainer> Whereabouts::find(const std::vector<decide::ProcessOwner>& processes,
                                                const Containers& known) {
  ++round_;
  std::vector<ProcessContainer> found;
  for (const decide::ProcessOwner& process : processes) {
    const auto [at, is_new] = places_.try_emplace(process.pid);
    Place& place = at->second;
    if (is_new || place.start_ticks != process.start_ticks) {
      place = look(process.pid);
      place.start_ticks = process.start_ticks;
    }
    place.round = round_;
    if (place.ids.empty()) continue;
    const auto id = std::find_if(place.ids.begin(), place.ids.end(), [&known](const auto& one) {
      return find_container(known, one) != nullptr;
    });
    found.push_back({process.pid, id == place.ids.end() ? place.ids.front() : *id, place.runtime,
                     place.rootless});
  }
  std::sort(found.begin(), found.end(),
            [](const ProcessContainer& a, const ProcessContainer& b) { return a.pid < b.pid; });
  std::erase_if(places_, [this](const auto& item) { return item.second.round != round_; });
  return found;
}

void whose_work(XidReport& report, const host::Root& root, const Containers& known) {
  constexpr std::size_t kShortId = 12;
  report.victim = fmt::format("pid {}", report.pid);
  // A number that was given to another process since would blame an innocent.
  if (host::name_of(root, report.pid) != report.process.substr(0, 15)) return;
  const std::vector<std::string> ids = format::container_ids_of(host::cgroup_of(root, report.pid));
  if (ids.empty()) return;
  report.victim = ids.front();
  const Container* container = find_container(known, ids.front());
  report.container = container != nullptr && !container->name.empty()
                         ? container->name
                         : ids.front().substr(0, kShortId);
}

}  // namespace estiva::daemon
