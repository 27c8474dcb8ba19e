#include "decide/readiness/cdi_view.h"

#include <algorithm>
#include <array>

#include "format/compose_services.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The place of a file's folder in the engine's list; -1: not in it.
int rank_of(const CdiFile& file, const std::vector<std::string>& dirs) {
  const std::string folder = same_folder(folder_of(file.path));
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

bool is_too_new(const CdiFile& file, const EngineFacts& engine) {
  const std::string_view newest = newest_spec_version(engine);
  return !newest.empty() && is_newer_version(file.spec.version, newest);
}

// Sorts out a file that makes no devices; false: it makes some.
bool set_aside(const CdiFile& file, const ReadinessFacts& facts, CdiView& view) {
  std::vector<const CdiFile*>* place = nullptr;
  if (is_listed(facts.cdi.unreadable, file.path)) {
    place = &view.unreadable;
  } else if (file.is_ignored) {
    place = &view.ignored;
  } else if (!file.error.empty()) {
    place = &view.broken;
  } else if (is_too_new(file, facts.engine)) {
    place = &view.too_new;
  }
  if (place == nullptr) return false;
  if (is_of_nvidia(file)) place->push_back(&file);
  return true;
}

struct Ranked {
  int rank = -1;
  CdiSeen seen;
};

void add_devices(const CdiFile& file, int rank, std::map<std::string, Ranked>& best,
                 CdiView& view) {
  for (const CdiDevice& device : file.spec.devices) {
    const std::string name = file.spec.kind + "=" + device.name;
    Ranked& now = best[name];
    if (now.rank == rank) {
      auto& files = view.conflicts[name];
      if (files.empty()) files.push_back(now.seen.file);
      files.push_back(&file);
    }
    if (now.rank < rank) now = {rank, {&file, &device}};
  }
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
  for (const format::ComposeService& service : format::read_compose_services(*compose.text)) {
    for (const format::ComposeLine& line : service.devices) {
      add_text(line.text, service.name,
               {Evidence::Source::file, compose.path, line.line, line.text}, asked);
    }
    for (const format::ComposeGpuRequest& request : service.requests) {
      for (const std::string& id : request.ids) {
        add_text(id, service.name, {Evidence::Source::file, compose.path, request.line, id}, asked);
      }
    }
  }
}

std::array<unsigned, 3> numbers_of(std::string_view version) {
  std::array<unsigned, 3> numbers{};
  if (!version.empty() && version[0] == 'v') version.remove_prefix(1);
  for (unsigned& number : numbers) {
    const std::size_t dot = std::min(version.find('.'), version.size());
    number = static_cast<unsigned>(
        std::min<std::uint64_t>(format::parse_u64(version.substr(0, dot)).value_or(0), 99'999));
    version.remove_prefix(std::min(dot + 1, version.size()));
  }
  return numbers;
}

}  // namespace

CdiView view_cdi(const ReadinessFacts& facts) {
  CdiView view;
  view.is_off = facts.engine.cdi_known && facts.engine.cdi_dirs.empty();
  view.dirs = dirs_of(facts);
  std::map<std::string, Ranked> best;
  for (const CdiFile& file : facts.cdi.files) {
    const int rank = rank_of(file, view.dirs);
    if (rank < 0) {
      if (!file.error.empty() || file.is_ignored) continue;
      for (const CdiDevice& device : file.spec.devices) {
        view.elsewhere[file.spec.kind + "=" + device.name].push_back(&file);
      }
    } else if (!set_aside(file, facts, view)) {
      add_devices(file, rank, best, view);
    }
  }
  for (const auto& [name, ranked] : best) {
    // A conflict deletes the device, whatever other directories say (cdi: pkg/cdi/cache.go).
    if (view.conflicts.count(name) != 0) continue;
    view.devices.emplace(name, ranked.seen);
    const auto known = std::find(view.effective.begin(), view.effective.end(), ranked.seen.file);
    if (known == view.effective.end()) view.effective.push_back(ranked.seen.file);
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

std::string_view newest_spec_version(const EngineFacts& engine) {
  if (engine.version.empty()) return {};
  const auto version = numbers_of(engine.version);
  const auto is_before = [&](unsigned major, unsigned minor) {
    return version < std::array<unsigned, 3>{major, minor, 0};
  };
  if (engine.kind == EngineKind::podman) {
    // Podman 4.9 carries the library of 0.6.0; later ones are not looked up here.
    return version[0] == 4 ? "0.6.0" : "";
  }
  if (engine.kind == EngineKind::none || is_before(25, 0)) return {};
  // Source: the library vendored in moby at each tag.
  if (is_before(27, 0)) return "0.6.0";
  if (is_before(27, 1)) return "0.7.0";
  if (is_before(28, 1)) return "0.8.0";
  return is_before(29, 2) ? "1.0.0" : "1.1.0";
}

bool is_newer_version(std::string_view a, std::string_view b) {
  return numbers_of(a) > numbers_of(b);
}

std::vector<const CdiEdits*> edits_of(const CdiSeen& seen) {
  return {&seen.file->spec.edits, &seen.device->edits};
}

}  // namespace estiva::decide
