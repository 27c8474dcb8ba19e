#include "memd/group_rooms.h"

#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "memd/text_file.h"

namespace estiva::memd {

using decide::memory::GroupRoom;
using decide::memory::kNoLimit;

namespace {

constexpr int kMostDepth = 24;
constexpr std::uint32_t kTooMany = kMostGroups + 1;

struct Walk {
  GroupRoom* rooms;
  std::uint32_t count = 0;
};

struct Dirent {  // of getdents64; opendir would allocate
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[1];
};

std::string_view text_of(int group, const char* name, char (&into)[4096]) {
  const UniqueFd file(openat(group, name, O_RDONLY | O_CLOEXEC));
  const ssize_t n = file ? read(file.get(), into, sizeof into) : 0;
  return {into, n > 0 ? static_cast<std::size_t>(n) : 0};
}

GroupRoom read_room(int group, std::int32_t parent) {
  char text[4096];
  GroupRoom room;
  room.parent = parent;
  const std::string_view current = text_of(group, "memory.current", text);
  const bool is_v2 = !current.empty();
  room.current = number_of(current);
  if (!is_v2) room.current = number_of(text_of(group, "memory.usage_in_bytes", text));
  room.limit =
      number_of(text_of(group, is_v2 ? "memory.max" : "memory.limit_in_bytes", text), kNoLimit);
  if (room.limit >= 1ULL << 62) room.limit = kNoLimit;  // v1's way to say none
  if (is_v2)
    room.swapped = number_of(text_of(group, "memory.swap.current", text));
  else
    room.swapped = number_after(text_of(group, "memory.stat", text), "total_swap ");
  return room;
}

bool walk_group(Walk& walk, int group, std::int32_t parent, int depth);

// NOLINTNEXTLINE(misc-no-recursion): as deep as kMostDepth
bool walk_children(Walk& walk, int group, std::int32_t self, int depth) {
  alignas(Dirent) char buffer[2048];
  while (true) {
    const long n = syscall(SYS_getdents64, group, buffer, sizeof buffer);
    if (n <= 0) return n == 0;
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const Dirent*>(buffer + at);
      at += entry->size;
      if (entry->type != DT_DIR || entry->name[0] == '.') continue;
      const UniqueFd child(
          openat(group, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      // One that ended in between is no owner of anything.
      if (child && !walk_group(walk, child.get(), self, depth + 1)) return false;
    }
  }
}

// NOLINTNEXTLINE(misc-no-recursion)
bool walk_group(Walk& walk, int group, std::int32_t parent, int depth) {
  if (walk.count == kMostGroups || depth > kMostDepth) return false;
  const auto self = static_cast<std::int32_t>(walk.count);
  walk.rooms[walk.count++] = read_room(group, parent);
  return walk_children(walk, group, self, depth);
}

}  // namespace

std::uint32_t read_group_rooms(const char* root, GroupRoom* rooms) noexcept {
  if (root == nullptr) return 0;  // no groups: only the machine as a whole counts
  const UniqueFd top(open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Walk walk{rooms};
  if (!top || !walk_group(walk, top.get(), -1, 0)) return kTooMany;
  return walk.count;
}

const char* find_group_root() noexcept {
  for (const char* root : {"/sys/fs/cgroup/memory", "/sys/fs/cgroup"}) {
    char path[64] = {};
    std::strcat(std::strcpy(path, root), "/memory.stat");
    if (access(path, R_OK) == 0) return root;
  }
  return access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0 ? "/sys/fs/cgroup" : nullptr;
}

}  // namespace estiva::memd
