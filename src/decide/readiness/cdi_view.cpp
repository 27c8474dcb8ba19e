#include "decide/readiness/cdi_view.h"

#include <algorithm>

#include "decide/cdi/effective.h"
#include "decide/readiness/compose_glance.h"
#include "format/cdi_rules.h"
#include "format/path.h"

namespace estiva::decide {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The place of a file's folder in the engine's list; -1: not in it.
int rank_of(const CdiFile& file, const std::vector<std::string>& dirs) {
  const std::string folder = same_folder(format::folder_of(file.path));
  const auto place = std::find(dirs.rbegin(), dirs.rend(), folder);
  return static_cast<int>(dirs.rend() - place) - 1;
}

bool is_listed(const std::vector<std::string>& paths, const std::string& path) {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

std::vector<std::string> dirs_of(const ReadinessFacts& facts) {
  std::vector<std::string> dirs;
  const auto& from = facts.engine.cdi_dirs.empty() ? facts.cdi.dirs : facts.engine.cdi_dirs;
  for (const std::string& dir : from) dirs.push_back(same_folder(dir));
  return dirs;
}

// The list of a file that makes no devices; nullptr: it makes some.
std::vector<const CdiFile*>* place_of(const CdiFile& file, const ReadinessFacts& facts,
                                      CdiView& view) {
  if (is_listed(facts.cdi.unreadable, file.path)) return &view.unreadable;
  const auto why = why_unused(file, view.newest);
  if (!why) return nullptr;
  switch (*why) {
    case CdiUnusedFile::Why::ignored:
      return &view.ignored;
    case CdiUnusedFile::Why::invalid:
      return &view.broken;
    case CdiUnusedFile::Why::too_new:
      return &view.too_new;
  }
  return nullptr;
}

void add_elsewhere(const CdiFile& file, CdiView& view) {
  if (why_unused(file, {})) return;
  for (const CdiDevice& device : file.spec.devices) {
    view.elsewhere[file.spec.kind + "=" + device.name].push_back(&file);
  }
}

struct Ranked {
  unsigned rank = 0;
  const CdiFile* file = nullptr;
};

// Those of the engine's directories, by rising priority.
std::vector<Ranked> ranked_files(const ReadinessFacts& facts, CdiView& view) {
  std::vector<Ranked> ranked;
  for (const CdiFile& file : facts.cdi.files) {
    const int rank = rank_of(file, view.dirs);
    if (rank < 0) {
      add_elsewhere(file, view);
    } else {
      ranked.push_back({static_cast<unsigned>(rank), &file});
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
  return ranked;
}

// What a file says of one of its devices, by its full name. It has it.
const CdiDevice& device_in(const CdiFile& file, std::string_view name) {
  const std::string_view own = name.substr(file.spec.kind.size() + 1);
  return *std::find_if(file.spec.devices.begin(), file.spec.devices.end(),
                       [&](const CdiDevice& device) { return device.name == own; });
}

void add_text(const std::string& name, std::string who, Evidence evidence,
              std::vector<CdiAsked>& asked) {
  if (is_cdi_name(name)) asked.push_back({name, std::move(who), std::move(evidence)});
}

Evidence of_container(const ContainerFact& container, std::string text) {
  return {Evidence::Source::engine, container.name, 0, std::move(text)};
}

void add_container(const ContainerFact& container, std::vector<CdiAsked>& asked) {
  for (const DeviceRequest& request : container.requests) {
    if (request.driver != "cdi") continue;
    for (const std::string& id : request.ids) {
      add_text(id, container.name, of_container(container, id), asked);
    }
  }
  for (const std::string& path : container.device_paths) {
    add_text(path, container.name, of_container(container, path), asked);
  }
}

void add_compose(const ComposeFact& compose, std::vector<CdiAsked>& asked) {
  if (!compose.text) return;
  for (const ComposeService& service : glance_at_compose(*compose.text)) {
    for (const ComposeLine& line : service.devices) {
      add_text(line.text, service.name,
               {Evidence::Source::file, compose.path, line.line, line.text}, asked);
    }
    for (const ComposeGpuRequest& request : service.requests) {
      for (const std::string& id : request.ids) {
        add_text(id, service.name, {Evidence::Source::file, compose.path, request.line, id}, asked);
      }
    }
  }
}

}  // namespace

CdiView view_cdi(const ReadinessFacts& facts) {
  CdiView view;
  view.is_off = facts.engine.cdi_known && facts.engine.cdi_dirs.empty();
  view.dirs = dirs_of(facts);
  view.newest = format::newest_version_of_engine(facts.engine.kind, facts.engine.version);
  CdiClaims claims;
  for (const auto& [rank, file] : ranked_files(facts, view)) {
    std::vector<const CdiFile*>* const place = place_of(*file, facts, view);
    if (place == nullptr) {
      add_claims(*file, rank, claims);
    } else if (is_of_nvidia(*file)) {
      place->push_back(file);
    }
  }
  for (const auto& [name, claim] : claims) {
    if (!claim.conflicting.empty()) {
      view.conflicts.emplace(name, claim.conflicting);
      continue;
    }
    view.devices.emplace(name, CdiSeen{claim.holder, &device_in(*claim.holder, name)});
    const auto known = std::find(view.effective.begin(), view.effective.end(), claim.holder);
    if (known == view.effective.end()) view.effective.push_back(claim.holder);
  }
  return view;
}

std::vector<CdiAsked> asked_for(const ReadinessFacts& facts) {
  std::vector<CdiAsked> asked;
  for (const ContainerFact& container : facts.containers) add_container(container, asked);
  for (const ComposeFact& compose : facts.compose) add_compose(compose, asked);
  return asked;
}

bool is_cdi_name(std::string_view text) {
  const std::size_t slash = text.find('/'), equals = text.find('=');
  if (slash == std::string_view::npos || equals == std::string_view::npos) return false;
  const std::string_view vendor = text.substr(0, slash);
  return slash > 0 && slash + 1 < equals && equals + 1 < text.size() && contains(vendor, ".") &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '.' || c == '-' || c == '_' || c == '/' || c == '=' || c == ':';
         });
}

bool is_of_nvidia(const CdiFile& file) {
  for (const std::string_view word : {"nvidia", "estiva"}) {
    const bool is_named = contains(file.spec.kind, word) || contains(file.path, word);
    if (is_named || (file.spec.kind.empty() && contains(file.text, word))) return true;
  }
  return false;
}

std::string same_folder(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path.substr(0, 9) == "/var/run/" || path == "/var/run") path.remove_prefix(4);
  return std::string(path);
}

std::vector<const CdiEdits*> edits_of(const CdiSeen& seen) {
  return {&seen.file->spec.edits, &seen.device->edits};
}

}  // namespace estiva::decide
