#include "act/unit_links.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <unistd.h>

#include "act/files.h"
#include "base/messages/act.h"
#include "format/text.h"

namespace estiva::act {
namespace {

constexpr std::size_t kMostLinks = 20'000;  // a full desktop has about 150
constexpr int kDepth = 3;                   // system/x.target.wants/, and one to spare
constexpr std::string_view kUnits = "/etc/systemd/system";

using LinkMap = std::map<std::string, std::string>;  // path -> where it leads

LinkMap map_of(const State& state) {
  LinkMap links;
  for (const UnitLink& link : state.links) links.emplace(link.path, link.leads_to);
  return links;
}

// Empty: there is none.
std::string at(const LinkMap& links, const std::string& path) {
  const auto found = links.find(path);
  return found == links.end() ? std::string() : found->second;
}

// Paths of which the two have different links.
std::vector<std::string> differing(const LinkMap& a, const LinkMap& b) {
  std::vector<std::string> paths;
  for (const auto& [path, leads_to] : a) {
    if (at(b, path) != leads_to) paths.push_back(path);
  }
  for (const auto& [path, leads_to] : b) {
    if (!a.contains(path)) paths.push_back(path);
  }
  return paths;
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

Result<void> read_folder(const host::Root& root, const std::string& path, int depth, bool deep,
                         State& state) {
  const int fd = root.open_at(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) return {};
  if (fd < 0) return fail_errno(fmt::format(msg::act::kReading, path), -fd);
  const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd));
  if (!dir) return fail_errno(fmt::format(msg::act::kReading, path), errno);
  if (deep) state.names.push_back(path);
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name, inner = fmt::format("{}/{}", path, name);
    if (name == "." || name == "..") continue;
    std::string target(PATH_MAX, '\0');
    const ssize_t n = ::readlinkat(fd, name.c_str(), target.data(), target.size());
    if (n >= 0) {
      if (state.links.size() == kMostLinks) return fail_errno(inner, EOVERFLOW);
      state.links.push_back({inner, target.substr(0, static_cast<std::size_t>(n))});
    } else if (deep && depth > 1 && entry->d_type != DT_REG) {
      if (auto read = read_folder(root, inner, depth - 1, deep, state); !read) return read;
    }
  }
  return {};
}

// "estiva.service" of a link: its own name or the unit it leads to; "docker" of "S01docker".
bool concerns(const std::string& path, const std::string& leads_to, std::string_view unit) {
  const auto own = name_of(path), end = name_of(leads_to);
  const auto stem = unit.substr(0, unit.rfind('.'));
  return own == unit || end == unit || (path.starts_with("/etc/rc") && end == stem);
}

Result<void> put_link(const Machine& machine, const std::string& path,
                      const std::string& leads_to) {
  const auto found = look_at(machine.root, path);
  if (!found) return Failure(found.error());
  State wanted;
  if (!leads_to.empty()) {
    wanted.is = State::Is::link;
    wanted.leads_to = leads_to;
    wanted.mode = 0777;
    wanted.uid = ::geteuid(), wanted.gid = ::getegid();
    const auto missing = missing_folders(machine.root, path);
    if (!missing) return Failure(missing.error());
    for (const std::string& folder : *missing) {
      if (auto made = make_folder(machine.root, folder); !made) return made;
    }
  }
  return become(machine, *found, {wanted, {}, ".estiva-link.tmp"});
}

}  // namespace

Result<void> read_unit_links(const host::Root& root, State& state) {
  if (auto read = read_folder(root, std::string(kUnits), kDepth, true, state); !read) return read;
  for (const char level : std::string_view("0123456S")) {
    const auto folder = fmt::format("/etc/rc{}.d", level);
    if (auto read = read_folder(root, folder, 1, false, state); !read) return read;
  }
  const auto by_path = [](const UnitLink& a, const UnitLink& b) { return a.path < b.path; };
  std::sort(state.links.begin(), state.links.end(), by_path);
  std::sort(state.names.begin(), state.names.end());
  return {};
}

State only_of_unit(const State& before, const State& now, std::string_view unit) {
  LinkMap links = map_of(before);
  const LinkMap here = map_of(now);
  for (const std::string& path : differing(links, here)) {
    const std::string was = at(links, path), is = at(here, path);
    if (!concerns(path, is.empty() ? was : is, unit)) continue;
    if (is.empty()) {
      links.erase(path);
    } else {
      links[path] = is;
    }
  }
  State after = now;
  after.links.clear();
  for (const auto& [path, leads_to] : links) after.links.push_back({path, leads_to});
  return after;
}

LinksStand compare_links(const State& before, const State& after, const State& now) {
  const LinkMap was = map_of(before), left = map_of(after), here = map_of(now);
  bool restored = true;
  for (const std::string& path : differing(was, left)) {
    const std::string is = at(here, path);
    if (is == at(was, path)) continue;
    if (is != at(left, path)) return LinksStand::changed;
    restored = false;
  }
  return restored ? LinksStand::as_before : LinksStand::ours;
}

Result<void> restore_links(const Machine& machine, const State& before, const State& after,
                           const State& now) {
  const LinkMap was = map_of(before), left = map_of(after), here = map_of(now);
  for (const std::string& path : differing(was, left)) {
    if (at(here, path) == at(was, path) || at(here, path) != at(left, path)) continue;
    if (auto put = put_link(machine, path, at(was, path)); !put) return put;
  }
  // Deepest first, so that a folder in a folder goes too.
  for (auto folder = after.names.rbegin(); folder != after.names.rend(); ++folder) {
    const auto& old = before.names;
    if (!std::binary_search(old.begin(), old.end(), *folder)) {
      remove_empty_folder(machine.root, *folder);
    }
  }
  for (const std::string& folder : before.names) {
    const auto& kept = after.names;
    if (std::binary_search(kept.begin(), kept.end(), folder)) continue;
    if (auto made = make_folder(machine.root, folder); !made) return made;
  }
  return {};
}

}  // namespace estiva::act
