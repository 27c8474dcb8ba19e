#include "decide/readiness/compose_rules.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "base/messages/decide_doctor_apps.h"
#include "decide/readiness/cdi_view.h"
#include "decide/readiness/compose_mend.h"
#include "decide/readiness/gpu_share.h"
#include "decide/readiness/look.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

using format::ComposeGpuRequest;
using format::ComposeLine;
using format::ComposeService;

struct Placed {
  const ComposeFact* file = nullptr;
  ComposeService service;
};
std::vector<Placed> services_of(const ReadinessFacts& facts) {
  std::vector<Placed> all;
  for (const ComposeFact& compose : facts.compose) {
    if (!compose.text) continue;
    for (ComposeService& service : format::read_compose_services(*compose.text)) {
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

// Whether estiva rewrites the service's lines: where it does not, a person has to, and is told why.
void say_who_mends(const ReadinessFacts& facts, const Placed& placed, std::string_view remedy,
                   Hit& hit) {
  const ComposeMend mend = mend_compose(facts, *placed.file);
  const auto is_it = [&](const auto& one) { return one.service == placed.service.name; };
  if (std::ranges::any_of(mend.changes, is_it)) return;
  hit.fix = Fix::guide;
  const auto refused = std::ranges::find_if(mend.refusals, is_it);
  if (refused == mend.refusals.end()) return;
  hit.remedy = fmt::format(msg::kComposeByHand, remedy, placed.file->path, refused->why);
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

// A bare number says nothing in a sentence.
std::string in_words(const std::string& what) {
  return is_number(what) ? fmt::format(msg::kP9Number, what) : what;
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

// Where its Compose file has it so too, the file is what is to be mended.
void add_file_of(const ReadinessFacts& facts, const ContainerFact& container, Hit& hit) {
  for (const Placed& placed : services_of(facts)) {
    const auto& files = container.compose_files;
    if (placed.service.name != container.service ||
        std::ranges::find(files, placed.file->path) == files.end() ||
        !asks_as_cdi(placed.service)) {
      continue;
    }
    hit.fix.reset();
    say_who_mends(facts, placed, msg::kP3Text.remedy, hit);
    hit.evidence.push_back(at(placed, placed.service.line, placed.service.name));
    return;
  }
}

bool sets_both(const ComposeService& service) {
  return std::ranges::any_of(
      service.requests, [](const ComposeGpuRequest& one) { return one.has_count && one.has_ids; });
}

// The first line that asks so, and its words.
Evidence old_way_at(const Placed& placed) {
  const auto& requests = placed.service.requests;
  const auto found = std::ranges::find_if(requests, format::is_legacy);
  if (found == requests.end()) {
    return at(placed, placed.service.runtime_line, std::string(msg::kP14Runtime));
  }
  return at(placed, found->line,
            std::string(found->is_by_gpus ? msg::kP14Gpus : msg::kP14Reservation));
}

// What to write where estiva does not: the devices that are asked for, for a person to paste.
std::string paste_of(const ComposeService& service) {
  constexpr std::size_t kMostGpus = 64;
  std::vector<std::string> names;
  const auto add = [&](std::string_view device) {
    names.push_back(fmt::format("nvidia.com/gpu={}", device));
  };
  for (const ComposeGpuRequest& one : service.requests) {
    if (!format::is_legacy(one)) continue;
    const auto count = format::parse_u64(one.count);
    const bool is_all =
        !one.has_ids && (one.count.empty() || one.count == "all" || one.count == "-1");
    if (is_all)
      add("all");
    else if (!one.has_ids && (!count || *count == 0 || *count > kMostGpus))
      return {};  // a variable, or nothing that Compose would take
    for (const std::string& id : one.ids) {
      if (id.find('$') != id.npos) return {};
      add(id);
    }
    for (std::size_t i = 0; !one.has_ids && !is_all && i < *count; ++i) add(std::to_string(i));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::optional<Hit> old_way_of(const Placed& placed, const ComposeMend& mend) {
  const std::string& name = placed.service.name;
  const auto is_it = [&](const auto& one) { return one.service == name; };
  const auto change = std::ranges::find_if(mend.changes, is_it);
  if (change != mend.changes.end()) {
    return Hit{fmt::format(msg::kP14Title, name, fmt::join(change->devices, ", ")),
               {old_way_at(placed)},
               {},
               {}};
  }
  const auto refused = std::ranges::find_if(mend.refusals, is_it);
  if (refused == mend.refusals.end()) return std::nullopt;
  Hit hit{fmt::format(msg::kP14Refused, name), {old_way_at(placed)}, {}, {}};
  hit.fix = Fix::guide;
  const std::string paste = paste_of(placed.service);
  const std::string remedy =
      paste.empty() ? std::string(msg::kP14ByHand) : fmt::format(msg::kP14Paste, paste);
  hit.remedy = fmt::format(msg::kComposeByHand, remedy, placed.file->path, refused->why);
  return hit;
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
      say_who_mends(facts, placed, msg::kP2Text.remedy, hits.back());
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
                    {},
                    {},
                    Fix::guide});
    add_file_of(facts, container, hits.back());
  }
  for (const Placed& placed : services_of(facts)) {
    const auto& requests = placed.service.requests;
    const auto plain = std::find_if(requests.begin(), requests.end(), format::is_legacy);
    const bool is_twice = asks_as_cdi(placed.service) && plain != requests.end();
    if (!is_twice || has_container(facts, placed)) continue;
    hits.push_back({fmt::format(msg::kP3Title, placed.service.name),
                    {at(placed, placed.service.line, placed.service.name),
                     at(placed, plain->line, "driver: nvidia")},
                    {},
                    {}});
    say_who_mends(facts, placed, msg::kP3Text.remedy, hits.back());
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
      say_who_mends(facts, placed, msg::kP4Text.remedy, hits.back());
    }
  }
  return hits;
}

// Services that P3 and P4 have spoken of are left to them.
std::vector<Hit> find_old_way(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  if (!serves_cdi_by_compose(facts)) return hits;
  for (const ComposeFact& file : facts.compose) {
    const ComposeMend mend = mend_compose(facts, file);
    if (mend.changes.empty() && mend.refusals.empty()) continue;
    for (ComposeService& service : format::read_compose_services(*file.text)) {
      const Placed placed{&file, std::move(service)};
      if (asks_as_cdi(placed.service) || sets_both(placed.service)) continue;
      if (auto hit = old_way_of(placed, mend)) hits.push_back(std::move(*hit));
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
    hits.push_back({fmt::format(msg::kP9Title, container.name, in_words(what)),
                    {at(container, what)},
                    {},
                    {}});
  }
  for (const Placed& placed : services_of(facts)) {
    const ComposeLine line = numbered_in(placed.service, gpu_count(facts));
    if (line.line == 0 || has_container(facts, placed)) continue;
    hits.push_back({fmt::format(msg::kP9Title, placed.service.name, in_words(line.text)),
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
