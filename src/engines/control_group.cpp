#include "engines/control_group.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <memory>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "format/cgroup.h"
#include "format/text.h"

namespace estiva::engines {
namespace {

// Groups that an engine makes below its own (a container inside, systemd-run). More are not looked
// at: the tree would be no engine's.
constexpr int kMostBelow = 256;
constexpr int kDeepest = 8;
// Every group of ours is called so.
constexpr std::string_view kNames = "model-";

// Where the v2 tree is: alone, or beside v1 ("hybrid").
std::optional<std::string> mount_point() {
  for (const char* place : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    struct statfs info {};
    if (::statfs(place, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC) return place;
  }
  return std::nullopt;
}

std::optional<std::string> own_group(const host::Root& root) {
  const auto text = host::read_file(root, "/proc/self/cgroup", 64 << 10);
  if (!text) return std::nullopt;
  for (const auto& line : format::parse_cgroup_memberships(*text)) {
    if (line.hierarchy == 0 && line.controllers.empty()) return line.path;
  }
  return std::nullopt;
}

bool write_at(int folder, const char* file, std::string_view text) {
  const UniqueFd fd(::openat(folder, file, O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

void read_pids(int folder, std::vector<pid_t>& pids) {
  const UniqueFd fd(::openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC));
  const auto text = fd ? host::read_open_file(fd, "cgroup.procs") : Result<std::string>(fail(""));
  if (!text) return;
  std::string_view rest = *text, line;
  while (format::next_line(rest, line)) {
    // 0: of a process namespace that we don't see.
    const auto pid = format::parse_u64(line);
    if (pid && *pid > 0 && *pid <= INT32_MAX) pids.push_back(static_cast<pid_t>(*pid));
  }
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

std::vector<std::string> groups_below(int folder) {
  std::vector<std::string> names;
  UniqueFd copy(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, CloseFolder> list(copy ? ::fdopendir(copy.get()) : nullptr);
  if (!list) return names;
  copy.release();  // the list's now
  while (const dirent* entry = ::readdir(list.get())) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    names.emplace_back(entry->d_name);
    if (names.size() >= kMostBelow) break;
  }
  return names;
}

void visit(int folder, int depth, std::vector<pid_t>& pids) {
  read_pids(folder, pids);
  if (depth == 0) return;
  for (const std::string& name : groups_below(folder)) {
    const UniqueFd fd(
        ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd) visit(fd.get(), depth - 1, pids);
  }
}

void remove_below(int folder, int depth) {
  if (depth == 0) return;
  for (const std::string& name : groups_below(folder)) {
    const UniqueFd fd(
        ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd) remove_below(fd.get(), depth - 1);
    ::unlinkat(folder, name.c_str(), AT_REMOVEDIR);
  }
}

// The kernel refuses to remove a group that has members, so only empty ones go.
void remove_empty_ones(const std::string& parent) {
  const UniqueFd fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return;
  for (const std::string& name : groups_below(fd.get())) {
    if (name.starts_with(kNames)) ::unlinkat(fd.get(), name.c_str(), AT_REMOVEDIR);
  }
}

}  // namespace

std::optional<ControlGroup> make_control_group(const host::Root& root, std::string_view name) {
  const auto mount = root.is_real() ? mount_point() : std::nullopt;
  const auto own = mount ? own_group(root) : std::nullopt;
  if (!own || own->find("..") != own->npos) return std::nullopt;
  // At the top of the tree there is no group of ours: one for all engines then.
  std::string parent = *own == "/" ? *mount + "/estiva" : *mount + *own;
  if (*own == "/" && ::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) return std::nullopt;
  remove_empty_ones(parent);
  ControlGroup group{fmt::format("{}/{}{}", parent, kNames, name), 0};
  if (::mkdir(group.folder.c_str(), 0755) != 0) return std::nullopt;
  struct stat info {};
  if (::stat(group.folder.c_str(), &info) != 0) return std::nullopt;
  group.inode = info.st_ino;
  return group;
}

std::string group_name(std::string_view model, std::string_view mark) {
  std::string name;
  for (const char c : model.substr(0, 64)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += plain || c == '-' || c == '_' ? c : '_';
  }
  return fmt::format("{}-{}", name, mark.substr(0, 8));
}

UniqueFd open_control_group(const ControlGroup& group) {
  UniqueFd fd(::open(group.folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || info.st_ino != group.inode) return {};
  return fd;
}

bool put_into(const ControlGroup& group, pid_t pid) {
  const UniqueFd fd = open_control_group(group);
  return fd && write_at(fd.get(), "cgroup.procs", std::to_string(pid));
}

std::optional<std::vector<pid_t>> members_of(const ControlGroup& group) {
  const UniqueFd fd = open_control_group(group);
  if (!fd) return std::nullopt;
  std::vector<pid_t> pids;
  visit(fd.get(), kDeepest, pids);
  return pids;
}

bool kill_members(const ControlGroup& group) {
  const UniqueFd fd = open_control_group(group);
  return fd && write_at(fd.get(), "cgroup.kill", "1");
}

bool let_kill(const ControlGroup& group, uid_t user) {
  const UniqueFd fd = open_control_group(group);
  return fd && ::fchownat(fd.get(), "cgroup.kill", user, static_cast<gid_t>(-1), 0) == 0;
}

bool may_kill(const ControlGroup& group, uid_t user) {
  const UniqueFd fd = open_control_group(group);
  struct statfs tree {};
  struct stat file {};
  return fd && ::fstatfs(fd.get(), &tree) == 0 && tree.f_type == CGROUP2_SUPER_MAGIC &&
         ::fstatat(fd.get(), "cgroup.kill", &file, AT_SYMLINK_NOFOLLOW) == 0 && file.st_uid == user;
}

bool remove_control_group(const ControlGroup& group) {
  const UniqueFd fd = open_control_group(group);
  if (!fd) return true;
  remove_below(fd.get(), kDeepest);
  return ::rmdir(group.folder.c_str()) == 0;
}

}  // namespace estiva::engines
