#include "observe/readiness/cdi.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/messages/observe.h"
#include "format/cdi_rules.h"
#include "observe/readiness/nodes.h"

namespace estiva::observe {
namespace {

bool has_spec_ending(std::string_view name) {
  return name.ends_with(".json") || name.ends_with(".yaml");
}

// What people put there and engines don't look at: ".yml" above all.
bool looks_like_spec(std::string_view name) {
  return has_spec_ending(name) || name.ends_with(".yml") || name.ends_with(".yaml.bak") ||
         name.ends_with(".JSON") || name.ends_with(".YAML");
}

CdiFile read_spec(const Tree& tree, const std::string& path, unsigned priority,
                  const ParseCdi& parse) {
  CdiFile file;
  const auto text = tree.text(path, kLongestSpec);
  if (text && parse) file = parse(path, priority, *text);
  if (text && !parse) file.text = *text;
  if (!text) file.error = fmt::format(msg::kNotSampled, path, to_name(text.why()));
  file.path = path;
  file.priority = priority;
  file.is_ignored = !has_spec_ending(path);
  file.modified_at = tree.modified_at(path);
  return file;
}

}  // namespace

bool may_read(const Tree& tree, const std::string& path, const EngineUser& user) {
  if (user.uid == 0) return true;
  const auto has = [&](const std::string& place, mode_t right) {
    const auto info = tree.status(place);
    if (!info) return true;  // that it is not there is another's matter
    if (info->st_uid == user.uid) return (info->st_mode & right << 6) != 0;
    const bool is_in_group =
        std::find(user.gids.begin(), user.gids.end(), info->st_gid) != user.gids.end();
    return (info->st_mode & (is_in_group ? right << 3 : right)) != 0;
  };
  for (std::size_t slash = path.find('/', 1); slash != path.npos;
       slash = path.find('/', slash + 1)) {
    if (!has(path.substr(0, slash), S_IXOTH)) return false;
  }
  return has(path, S_IROTH);
}

CdiFacts read_cdi(const Tree& tree, std::vector<std::string> dirs, const EngineUser& user,
                  const ParseCdi& parse) {
  CdiFacts facts;
  facts.dirs = dirs;
  // Behind the engine's own: a spec that stands where it is not read.
  for (const char* usual : {"/etc/cdi", "/var/run/cdi", "/run/cdi"}) dirs.emplace_back(usual);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < dirs.size(); ++i) {
    const std::string real = tree.resolved(dirs[i]);
    if (real.empty() || !seen.insert(real).second) continue;
    const unsigned priority = i < facts.dirs.size() ? static_cast<unsigned>(i) : 0;
    for (const std::string& name : tree.names(dirs[i])) {
      if (!looks_like_spec(name) || facts.files.size() == kMostSpecs) continue;
      facts.files.push_back(read_spec(tree, dirs[i] + "/" + name, priority, parse));
    }
  }
  for (const CdiFile& file : facts.files) {
    if (!may_read(tree, file.path, user)) facts.unreadable.push_back(file.path);
    if (!file.error.empty()) continue;
    for (const std::string& path : format::host_paths_of(file.spec)) {
      if (facts.hosts.size() == kMostSpecPaths) break;
      facts.hosts.emplace(path, read_host_path(tree, path));
    }
  }
  return facts;
}

}  // namespace estiva::observe
