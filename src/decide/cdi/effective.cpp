#include "decide/cdi/effective.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_cdi.h"
#include "format/cdi_rules.h"

namespace estiva::decide {
namespace {

void add_once(std::vector<const CdiFile*>& files, const CdiFile* file) {
  if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
}

void claim(CdiClaim& claim, const CdiFile& file, unsigned priority) {
  if (claim.holder == nullptr) {
    claim.holder = &file;
    claim.priority = priority;
  } else if (priority > claim.priority) {
    claim.others.push_back(claim.holder);
    claim.holder = &file;
    claim.priority = priority;
  } else {
    add_once(claim.conflicting, claim.holder);
    add_once(claim.conflicting, &file);
    claim.others.push_back(&file);
  }
}

std::vector<std::string> paths_of(const std::vector<const CdiFile*>& files) {
  std::vector<std::string> paths;
  for (const CdiFile* file : files) paths.push_back(file->path);
  return paths;
}

CdiEffectiveDevice result_of(const std::string& name, CdiClaim claim) {
  CdiEffectiveDevice device;
  device.name = name;
  device.conflicting = paths_of(claim.conflicting);
  if (claim.conflicting.empty()) {
    device.winner = claim.holder->path;
  } else {
    claim.others.push_back(claim.holder);
    std::erase_if(claim.others, [&](const CdiFile* file) {
      return std::find(claim.conflicting.begin(), claim.conflicting.end(), file) !=
             claim.conflicting.end();
    });
  }
  device.shadowed = paths_of(claim.others);
  return device;
}

CdiUnusedFile unused(const CdiFile& file, CdiUnusedFile::Why why, std::string_view newest) {
  using Why = CdiUnusedFile::Why;
  switch (why) {
    case Why::ignored:
      return {file.path, why, std::string(msg::kCdiIgnored), 0};
    case Why::invalid:
      return {file.path, why, file.error, file.error_line};
    case Why::too_new:
      return {file.path, why, fmt::format(msg::kCdiTooNew, file.spec.version, newest), 0};
  }
  return {};
}

}  // namespace

CdiEffective effective_devices(std::span<const CdiFile> files, std::string_view newest) {
  std::vector<const CdiFile*> ordered;
  for (const CdiFile& file : files) ordered.push_back(&file);
  std::stable_sort(ordered.begin(), ordered.end(), [](const CdiFile* a, const CdiFile* b) {
    return std::tie(a->priority, a->path) < std::tie(b->priority, b->path);
  });
  CdiEffective result;
  CdiClaims claims;
  for (const CdiFile* file : ordered) {
    if (const auto why = why_unused(*file, newest)) {
      result.unused.push_back(unused(*file, *why, newest));
    } else {
      add_claims(*file, file->priority, claims);
    }
  }
  for (auto& [name, claim] : claims) result.devices.push_back(result_of(name, std::move(claim)));
  return result;
}

const CdiEffectiveDevice* find_device(const CdiEffective& effective, std::string_view name) {
  const auto found = std::lower_bound(effective.devices.begin(), effective.devices.end(), name,
                                      [](const CdiEffectiveDevice& device,
                                         std::string_view wanted) { return device.name < wanted; });
  return found == effective.devices.end() || found->name != name ? nullptr : &*found;
}

void add_claims(const CdiFile& file, unsigned priority, CdiClaims& claims) {
  for (const CdiDevice& device : file.spec.devices) {
    claim(claims[file.spec.kind + "=" + device.name], file, priority);
  }
}

std::optional<CdiUnusedFile::Why> why_unused(const CdiFile& file, std::string_view newest) {
  using Why = CdiUnusedFile::Why;
  if (file.is_ignored) return Why::ignored;
  if (!file.error.empty()) return Why::invalid;
  if (format::is_newer_version(file.spec.version, newest)) return Why::too_new;
  return std::nullopt;
}

std::string_view to_name(CdiUnusedFile::Why why) {
  switch (why) {
    case CdiUnusedFile::Why::ignored:
      return "ignored";
    case CdiUnusedFile::Why::invalid:
      return "invalid";
    case CdiUnusedFile::Why::too_new:
      return "too_new";
  }
  return "";
}

}  // namespace estiva::decide
