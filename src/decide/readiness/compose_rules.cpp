#include "decide/readiness/compose_rules.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "base/messages/decide_doctor_apps.h"
#include "decide/readiness/cdi_view.h"
#include "decide/readiness/compose_glance.h"
#include "decide/readiness/gpu_share.h"
#include "decide/readiness/look.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

// The first Compose that hands qualified names on as CDI devices.
constexpr std::string_view kComposeWithCdi = "2.30.0";

struct Placed {
  const ComposeFact* file = nullptr;
  ComposeService service;
};
std::vector<Placed> services_of(const ReadinessFacts& facts) {
  std::vector<Placed> all;
  for (const ComposeFact& compose : facts.compose) {
    if (!compose.text) continue;
    for (ComposeService& service : glance_at_compose(*compose.text)) {
      all.push_back({&compose, std::move(service)});
    }
  }
  return all;
}

// Services that have a container, which says more than the file.
bool has_container(const ReadinessFacts& facts, const Placed& placed) {
  return std::any_of(facts.containers.begin(), facts.containers.end(),
                     [&](const ContainerFact& container) {
                       return container.service == placed.service.name &&
                              container.project == placed.file->project;
                     });
}

Evidence at(const Placed& placed, unsigned line, std::string text) {
  return {Evidence::Source::file, placed.file->path, line, std::move(text)};
}
Evidence at(const ContainerFact& container, std::string text) {
  return {Evidence::Source::engine, container.name, 0, std::move(text)};
}

bool is_podman(const EngineFacts& engine) {
  return engine.kind == EngineKind::podman || engine.cli_is_podman;
}

bool is_plain_gpu(const ComposeGpuRequest& request) {
  return request.driver == "nvidia" || (request.driver.empty() && request.is_gpu);
}
bool asks_as_cdi(const ComposeService& service) {
  return std::any_of(service.devices.begin(), service.devices.end(),
                     [](const ComposeLine& line) { return is_cdi_name(line.text); }) ||
         std::any_of(service.requests.begin(), service.requests.end(),
                     [](const ComposeGpuRequest& one) { return one.driver == "cdi"; });
}

// The number in "nvidia.com/gpu=1" or "1", if the host has a GPU of it; false for UUIDs, "all" and
// MIG.
bool is_numbered(std::string_view device, std::size_t gpus) {
  const auto number =
      format::parse_u64(is_cdi_name(device) ? device.substr(device.find('=') + 1) : device);
  return number && *number < gpus;
}

// What in a container chooses a GPU by its number; empty: nothing.
std::string numbered_in(const ContainerFact& container, const ReadinessFacts& facts) {
  const GpuShare share = share_of(container, facts);
  for (const std::string& device : share.devices) {
    if (is_numbered(device, gpu_count(facts))) return device;
  }
  const auto visible = variable(container.environment, "CUDA_VISIBLE_DEVICES");
  const auto order = variable(container.environment, "CUDA_DEVICE_ORDER");
  const std::size_t count = share.any() ? share.count.value_or(0) : 0;
  if (!visible || count < 2 || order == "PCI_BUS_ID") return {};
  const auto parts = parts_of_list(*visible);
  const bool names_some = !parts.empty() && parts.size() < count &&
                          std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
                            return is_numbered(part, count);
                          });
  return names_some ? fmt::format("CUDA_VISIBLE_DEVICES={}", *visible) : std::string();
}

ComposeLine numbered_in(const ComposeService& service, std::size_t gpus) {
  for (const ComposeLine& line : service.devices) {
    if (is_cdi_name(line.text) && is_numbered(line.text, gpus)) return line;
  }
  for (const ComposeGpuRequest& request : service.requests) {
    for (const std::string& id : request.ids) {
      if (is_numbered(id, gpus)) return {id, request.line};
    }
  }
  return {};
}

// The part of an image's name behind "nvidia/cuda", with its ':'; nullopt: another image.
std::optional<std::string_view> cuda_tag(std::string_view image) {
  for (const std::string_view registry : {"docker.io/", "index.docker.io/"}) {
    if (image.starts_with(registry)) image.remove_prefix(registry.size());
  }
  constexpr std::string_view kName = "nvidia/cuda";
  if (!image.starts_with(kName)) return std::nullopt;
  image.remove_prefix(kName.size());
  const bool is_all = image.empty() || image[0] == ':' || image[0] == '@';
  return is_all ? std::optional(image) : std::nullopt;
}

}  // namespace

std::vector<Hit> find_cdi_as_path(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  if (facts.engine.kind == EngineKind::none || is_podman(facts.engine)) return hits;
  for (const ContainerFact& container : facts.containers) {
    for (const std::string& path : container.device_paths) {
      if (!is_cdi_name(path)) continue;
      hits.push_back({fmt::format(msg::kP1Made, container.name, path),
                      {at(container, path)},
                      {},
                      fmt::format(msg::kP1Foretells, path)});
    }
  }
  const auto& version = facts.engine.compose_version;
  if (!version || version->empty() || compare_versions(*version, kComposeWithCdi) >= 0) return hits;
  for (const Placed& placed : services_of(facts)) {
    for (const ComposeLine& line : placed.service.devices) {
      if (!is_cdi_name(line.text) || has_container(facts, placed)) continue;
      hits.push_back({fmt::format(msg::kP1Title, placed.service.name, line.text, *version),
                      {at(placed, line.line, line.text)},
                      {},
                      fmt::format(msg::kP1Foretells, line.text)});
    }
  }
  return hits;
}

std::vector<Hit> find_cdi_on_podman(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  if (!is_podman(facts.engine)) return hits;
  for (const Placed& placed : services_of(facts)) {
    for (const ComposeGpuRequest& request : placed.service.requests) {
      if (request.driver != "cdi") continue;
      hits.push_back({fmt::format(msg::kP2Title, placed.service.name),
                      {at(placed, request.driver_line, "driver: cdi")},
                      {},
                      {}});
    }
  }
  return hits;
}

std::vector<Hit> find_asked_twice(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  for (const ContainerFact& container : facts.containers) {
    const GpuShare share = share_of(container, facts);
    if (!share.by_cdi || !share.by_request) continue;
    hits.push_back({fmt::format(msg::kP3Title, container.name),
                    {at(container, fmt::format("{}", fmt::join(share.devices, ", ")))},
                    {},
                    {}});
  }
  for (const Placed& placed : services_of(facts)) {
    const auto& requests = placed.service.requests;
    const auto plain = std::find_if(requests.begin(), requests.end(), is_plain_gpu);
    const bool is_twice = asks_as_cdi(placed.service) && plain != requests.end();
    if (!is_twice || has_container(facts, placed)) continue;
    hits.push_back({fmt::format(msg::kP3Title, placed.service.name),
                    {at(placed, placed.service.line, placed.service.name),
                     at(placed, plain->line, "driver: nvidia")},
                    {},
                    {}});
  }
  return hits;
}

std::vector<Hit> find_count_and_ids(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  for (const Placed& placed : services_of(facts)) {
    for (const ComposeGpuRequest& request : placed.service.requests) {
      if (!request.has_count || !request.has_ids) continue;
      hits.push_back({fmt::format(msg::kP4Title, placed.service.name),
                      {at(placed, request.line, "count, device_ids")},
                      {},
                      {}});
    }
  }
  return hits;
}

std::vector<Hit> find_numbered_gpus(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  if (gpu_count(facts) < 2) return hits;
  for (const ContainerFact& container : facts.containers) {
    const std::string what = numbered_in(container, facts);
    if (what.empty()) continue;
    hits.push_back(
        {fmt::format(msg::kP9Title, container.name, what), {at(container, what)}, {}, {}});
  }
  for (const Placed& placed : services_of(facts)) {
    const ComposeLine line = numbered_in(placed.service, gpu_count(facts));
    if (line.line == 0 || has_container(facts, placed)) continue;
    hits.push_back({fmt::format(msg::kP9Title, placed.service.name, line.text),
                    {at(placed, line.line, line.text)},
                    {},
                    {}});
  }
  return hits;
}

bool is_withdrawn_cuda_image(std::string_view image) {
  const auto found = cuda_tag(image);
  if (!found || (!found->empty() && found->front() == '@')) return false;
  const std::string_view tag = found->empty() ? "latest" : found->substr(1);
  const std::string_view version = tag.substr(0, tag.find('-'));
  // Tags that exist have a version of three parts and name a system: "12.8.1-base-ubuntu24.04".
  if (std::count(version.begin(), version.end(), '.') != 2) return true;
  constexpr std::array<std::string_view, 9> kSystems = {
      "-ubuntu20.04", "-ubuntu22.04", "-ubuntu24.04", "-ubuntu26.04", "-ubi8",
      "-ubi9",        "-ubi10",       "-rockylinux",  "-opensuse"};
  const bool has_system = std::any_of(
      kSystems.begin(), kSystems.end(),
      [&](std::string_view system) { return tag.find(system) != std::string_view::npos; });
  const auto major = format::parse_u64(version.substr(0, version.find('.')));
  return !has_system || !major || *major < 11;
}

std::vector<Hit> find_withdrawn_images(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  for (const ContainerFact& container : facts.containers) {
    if (!is_withdrawn_cuda_image(container.image)) continue;
    hits.push_back({fmt::format(msg::kP13Title, container.name, container.image),
                    {at(container, container.image)},
                    {},
                    {}});
  }
  for (const Placed& placed : services_of(facts)) {
    const ComposeService& service = placed.service;
    const bool is_meant = is_withdrawn_cuda_image(service.image) &&
                          service.image.find('$') == std::string::npos &&
                          !has_container(facts, placed);
    if (!is_meant) continue;
    hits.push_back({fmt::format(msg::kP13Title, service.name, service.image),
                    {at(placed, service.image_line, service.image)},
                    {},
                    {}});
  }
  return hits;
}

}  // namespace estiva::decide
