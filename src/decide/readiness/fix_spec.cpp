// CDI specs that doctor makes, or makes anew. What the old one gave containers beside compute is
// given by the new one too; what can't be is said in the plan.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_fixes.h"
#include "base/messages/decide_plans.h"
#include "decide/cdi/driver_mounts.h"
#include "decide/cdi/generate.h"
#include "decide/readiness/cdi_view.h"
#include "decide/readiness/fix_parts.h"
#include "decide/readiness/look.h"
#include "format/cdi_rules.h"
#include "format/path.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kSharedSpec = "/var/run/cdi/nvidia.yaml";
constexpr std::string_view kVendorKind = "nvidia.com/gpu";
constexpr std::string_view kOwnKind = "estiva.dev/gpu";
constexpr std::string_view kWithGroups = "0.7.0";  // additionalGids came with it
constexpr std::size_t kMostLost = 5;               // names in a plan's sentence

// Nodes for a group only take a field of CDI 0.7.0, which Docker before 27 can't read.
bool can_read_groups(const ReadinessFacts& facts) {
  const auto newest = format::newest_version_of_engine(facts.engine.kind, facts.engine.version);
  return newest.empty() || !format::is_newer_version(kWithGroups, newest);
}

bool has_group_nodes(const ReadinessFacts& facts) {
  return std::ranges::any_of(facts.driver.files.nodes, [](const DeviceNode& node) {
    return node.path.starts_with("/dev/nvidia") && node.gid != 0 && (node.mode & 06) != 06;
  });
}

// Of a spec: the paths on the host that it names.
std::vector<std::string> host_paths(const CdiSpec& spec) {
  std::vector<std::string> paths;
  const auto add = [&](const CdiEdits& part) {
    for (const CdiNode& node : part.nodes) paths.push_back(format::host_path_of(node));
    for (const CdiMount& mount : part.mounts) paths.push_back(mount.host_path);
  };
  add(spec.edits);
  for (const CdiDevice& device : spec.devices) add(device.edits);
  return paths;
}

bool has_hooks(const CdiSpec& spec) {
  return !spec.edits.hooks.empty() || std::ranges::any_of(spec.devices, [](const CdiDevice& one) {
    return !one.edits.hooks.empty();
  });
}

// What a spec gives beside compute and utility.
CdiCapabilities given_by(const CdiSpec& spec) {
  CdiCapabilities given;
  for (const std::string& path : host_paths(spec)) {
    if (path.starts_with("/dev/dri/")) given.graphics = true;
    const auto name = format::name_of(path);
    if (name.find(".so") == name.npos) continue;
    const Capability capability = capability_of(name);
    given.graphics |= capability == Capability::graphics;
    given.video |= capability == Capability::video;
    given.display |= capability == Capability::display;
    given.compat32 |= path.find("/i386-linux-gnu/") != path.npos || path.starts_with("/usr/lib32/");
  }
  return given;
}

std::vector<std::string> words_of(const CdiCapabilities& given) {
  std::vector<std::string> words;
  if (given.graphics) words.emplace_back("graphics");
  if (given.video) words.emplace_back("video");
  if (given.display) words.emplace_back("display");
  if (given.compat32) words.emplace_back("compat32");
  return words;
}

// The new spec has each of the driver's files under other names and perhaps from another folder, so
// they are told apart by the file's name. What is gone from the host nobody loses.
std::vector<std::string> lost_by(const ReadinessFacts& facts, const CdiSpec& old,
                                 const CdiSpec& made) {
  const auto kept = host_paths(made);
  std::vector<std::string> lost;
  for (const std::string& path : host_paths(old)) {
    const auto host = facts.cdi.hosts.find(path);
    if (host == facts.cdi.hosts.end() || !host->second.exists) continue;
    const bool is_kept = std::ranges::any_of(kept, [&](const std::string& one) {
      return format::name_of(one) == format::name_of(path);
    });
    const bool is_told = std::ranges::find(lost, path) != lost.end();
    if (!is_kept && !is_told) lost.push_back(path);
  }
  if (lost.size() <= kMostLost) return lost;
  const std::size_t more = lost.size() - kMostLost + 1;
  lost.resize(kMostLost - 1);
  lost.push_back(fmt::format(msg::kFixSpecMore, more));
  return lost;
}

// `old`: what stands there now; null: nothing, or nothing that can be read.
Step make_spec(const ReadinessFacts& facts, std::string path, std::string_view kind,
               const CdiSpec* old) {
  Step step = make_step(StepKind::run_generator, path, fmt::format(msg::kFixSpec, path),
                        fmt::format(msg::kFixSpecEffect, path, kind), msg::kUndoFile);
  step.content = kind;
  CdiOptions options;
  if (has_group_nodes(facts) && can_read_groups(facts)) options.newest_version = kWithGroups;
  if (options.newest_version == kWithGroups) step.content += fmt::format(" {}", kWithGroups);
  if (old == nullptr) return step;
  options.capabilities = given_by(*old);
  if (const auto words = words_of(options.capabilities); !words.empty())
    step.content += fmt::format(" {}", fmt::join(words, ","));
  if (has_hooks(*old)) step.effect = fmt::format(msg::kFixSpecHooks, step.effect);
  const auto made = generate_cdi(facts.driver.files, options);
  const auto lost = made ? lost_by(facts, *old, *made) : std::vector<std::string>();
  if (!lost.empty()) step.effect = fmt::format(msg::kFixSpecLost, step.effect, joined(lost));
  return step;
}

const CdiFile* file_of(const Fixing& fix) {
  for (const Evidence& one : fix.finding.evidence) {
    const auto& files = fix.facts.cdi.files;
    const auto found = std::ranges::find(files, one.path, &CdiFile::path);
    if (found != files.end()) return &*found;
  }
  return nullptr;
}

// Where the driver is not up, that is mended first, and the specification when doctor looks again.
bool can_make_spec(const ReadinessFacts& facts) {
  return generate_cdi(facts.driver.files, {}).has_value();
}

}  // namespace

std::vector<std::string> capabilities_given_by(const CdiSpec& spec) {
  return words_of(given_by(spec));
}

std::vector<std::string> capabilities_to_be_had(const ReadinessFacts& facts) {
  CdiOptions options;
  options.capabilities = {true, true, true, true};
  const auto spec = generate_cdi(facts.driver.files, options);
  return spec ? capabilities_given_by(*spec) : std::vector<std::string>();
}

// The specification that the finding is about, in its own place. Only NVIDIA's GPUs and ours: what
// another vendor's or another class's file says is not ours to make.
Steps renew_spec(const Fixing& fix) {
  const CdiFile* file = file_of(fix);
  if (file == nullptr) return {};
  if (!can_make_spec(fix.facts)) return {};
  const bool is_readable = file->error.empty();
  const std::string& kind = file->spec.kind;
  if (is_readable && kind != kVendorKind && kind != kOwnKind) return {};
  const bool is_named_so = file->path.find("nvidia") != std::string::npos ||
                           file->path.find("estiva") != std::string::npos;
  if (!is_readable && (!is_named_so || file->is_ignored)) return {};
  if (is_readable) return {make_spec(fix.facts, file->path, kind, &file->spec)};
  const bool is_ours = file->path.find("estiva") != std::string::npos;
  return {make_spec(fix.facts, file->path, is_ours ? kOwnKind : kVendorKind, nullptr)};
}

// By the spec, which then gives containers the nodes' group. The nodes stay as they are: somebody
// may have meant to keep the machine's other users out. Where they are root's group's no spec
// helps.
Steps give_group(const Fixing& fix) {
  const bool helps = has_group_nodes(fix.facts) && can_read_groups(fix.facts);
  return helps ? renew_spec(fix) : Steps{};
}

// Into the folder that counts most among those that the engine reads.
Steps make_missing_spec(const Fixing& fix) {
  if (!can_make_spec(fix.facts)) return {};
  const auto& dirs = fix.facts.cdi.dirs;
  std::string path(kSharedSpec);
  if (!dirs.empty()) path = fmt::format("{}/nvidia.yaml", dirs.back());
  const auto& files = fix.facts.cdi.files;
  const auto old = std::ranges::find_if(
      files, [&](const CdiFile& one) { return same_folder(one.path) == same_folder(path); });
  const bool is_readable = old != files.end() && old->error.empty();
  return {make_spec(fix.facts, std::move(path), kVendorKind, is_readable ? &old->spec : nullptr)};
}

}  // namespace estiva::decide
