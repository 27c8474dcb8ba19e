// What containers hold on GPUs, and how many there are. Their names are users' own: with the token
// only.
#include <array>

#include "api/metrics_parts.h"

namespace estiva::api {
namespace {

using format::Exposition;
using format::Labels;
using format::MetricType;
using Rows = std::vector<MetricRow>;

struct Used {
  Labels labels;
  ContainerUse use;
};

Labels labels_of(const World& world, const MetricRow& row, std::string_view id, pid_t pid) {
  const Container* container = find_container(world.containers, id);
  const bool has_name = container != nullptr && !container->name.empty();
  Labels labels = row.own;
  labels.add("container", has_name ? container->name : id.substr(0, 12))
      .add("project", container == nullptr ? "" : container->project)
      .add("service", container == nullptr ? "" : container->service)
      .add("model", model_of(world, pid));
  return labels;
}

// One for each container and GPU that it has a process on.
std::vector<Used> used(const World& world, const Rows& rows) {
  std::vector<Used> all;
  for (const MetricRow& row : rows) {
    for (const auto& [id, use] : container_uses(world, *row.gpu)) {
      all.push_back({labels_of(world, row, id, use.pid), use});
    }
  }
  return all;
}

}  // namespace

void write_container_metrics(Exposition& out, const World& world, const Rows& rows,
                             bool with_names) {
  if (world.containers != nullptr) {
    out.family(MetricType::gauge, "estiva_container_engine_state",
               "1 for how the container engine is.");
    for (int i = 0; i <= static_cast<int>(EngineState::unsupported); ++i) {
      const auto state = static_cast<EngineState>(i);
      out.sample({{"state", to_name(state)}}, state == world.engine.state ? 1U : 0U);
    }
    std::array<std::uint64_t, static_cast<std::size_t>(ContainerState::dead) + 1> counts{};
    for (const Container& container : *world.containers) {
      ++counts[static_cast<std::size_t>(container.state)];
    }
    out.family(MetricType::gauge, "estiva_containers", "Containers by state.");
    for (std::size_t i = 0; i < counts.size(); ++i) {
      out.sample({{"state", to_name(static_cast<ContainerState>(i))}}, counts[i]);
    }
  }
  if (!with_names || world.stale) return;
  const std::vector<Used> containers = used(world, rows);
  out.family(MetricType::gauge, "estiva_container_gpu_memory_used_bytes",
             "VRAM that a container's processes hold.", "bytes");
  for (const Used& one : containers) out.sample(one.labels, one.use.used);
  out.family(MetricType::gauge, "estiva_container_gpu_sm_utilization_ratio",
             "Share of the GPU's time that a container's processes compute.", "ratio");
  for (const Used& one : containers) out.sample(one.labels, one.use.sm_utilization);
  out.family(MetricType::gauge, "estiva_container_gpu_processes",
             "Processes of a container on the GPU.");
  for (const Used& one : containers) out.sample(one.labels, one.use.processes);
}

}  // namespace estiva::api
