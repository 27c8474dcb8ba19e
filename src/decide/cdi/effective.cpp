#include "decide/cdi/effective.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/messages/decide_cdi.h"
#include "format/cdi_rules.h"

namespace estiva::decide {
namespace {

// What the files that were looked at so far say of one device.
struct Claim {
  const CdiFile* holder = nullptr;
  std::vector<const CdiFile*> others;       // that do not hold it
  std::vector<const CdiFile*> conflicting;  // of one directory, the holder of then among them
};

void add_once(std::vector<const CdiFile*>& files, const CdiFile* file) {
  if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
}

void claim(Claim& claim, const CdiFile& file) {
  if (claim.holder == nullptr) {
    claim.holder = &file;
  } else if (file.priority > claim.holder->priority) {
    claim.others.push_back(claim.holder);
    claim.holder = &file;
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

CdiEffectiveDevice result_of(const std::string& name, Claim claim) {
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

CdiUnusedFile unused(const CdiFile& file, CdiUnusedFile::Why why, std::string text) {
  const unsigned line = why == CdiUnusedFile::Why::invalid ? file.error_line : 0;
  return {file.path, why, std::move(text), line};
}

}  // namespace

CdiEffective effective_devices(std::span<const CdiFile> files, std::string_view newest) {
  std::vector<const CdiFile*> ordered;
  for (const CdiFile& file : files) ordered.push_back(&file);
  std::stable_sort(ordered.begin(), ordered.end(), [](const CdiFile* a, const CdiFile* b) {
    return std::tie(a->priority, a->path) < std::tie(b->priority, b->path);
  });
  CdiEffective result;
  std::map<std::string, Claim> claims;
  for (const CdiFile* file : ordered) {
    using Why = CdiUnusedFile::Why;
    if (file->is_ignored) {
      result.unused.push_back(unused(*file, Why::ignored, msg::kCdiIgnored));
    } else if (!file->error.empty()) {
      result.unused.push_back(unused(*file, Why::invalid, file->error));
    } else if (format::is_newer_version(file->spec.version, newest)) {
      result.unused.push_back(
          unused(*file, Why::too_new, fmt::format(msg::kCdiTooNew, file->spec.version, newest)));
    } else {
      for (const CdiDevice& device : file->spec.devices) {
        claim(claims[file->spec.kind + "=" + device.name], *file);
      }
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
