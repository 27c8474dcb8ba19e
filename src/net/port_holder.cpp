// Who holds a TCP port, as far as /proc tells this user: /proc/net/tcp names the socket's inode,
// and some process has a descriptor "socket:[inode]".
#include <cstdlib>
#include <dirent.h>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <unistd.h>

#include "base/messages/net.h"
#include "net/socket.h"

namespace estiva::net {
namespace {

constexpr int kMaxProcesses = 4096;

// Lines look like "  0: 0100007F:1E14 00000000:0000 0A ... INODE ...": state 0A is LISTEN.
std::string listening_inode(const char* table, std::uint16_t port) {
  std::ifstream file(table);
  const std::string wanted = fmt::format(":{:04X}", port);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    char local[80], state[8];
    unsigned long inode = 0;
    if (std::sscanf(line.c_str(), " %*d: %79s %*s %7s %*s %*s %*s %*s %*s %lu", local, state,
                    &inode) == 3 &&
        std::string_view(state) == "0A" && std::string_view(local).ends_with(wanted))
      return fmt::format("socket:[{}]", inode);
  }
  return {};
}

bool has_descriptor(const std::string& pid, const std::string& socket_name) {
  const std::string folder = "/proc/" + pid + "/fd";
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return false;
  bool found = false;
  while (const dirent* entry = readdir(dir)) {
    char target[64];
    const ssize_t size = readlink((folder + "/" + entry->d_name).c_str(), target, sizeof target);
    if (size > 0 && std::string_view(target, static_cast<std::size_t>(size)) == socket_name) {
      found = true;
      break;
    }
  }
  closedir(dir);
  return found;
}

std::string describe(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/comm");
  std::string name;
  std::getline(file, name);
  return fmt::format(fmt::runtime(msg::kNetPortHolder), pid, name);
}

}  // namespace

std::string port_holder(std::uint16_t port) {
  std::string socket_name = listening_inode("/proc/net/tcp", port);
  if (socket_name.empty()) socket_name = listening_inode("/proc/net/tcp6", port);
  if (socket_name.empty()) return {};
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return {};
  std::string answer;
  int seen = 0;
  while (const dirent* entry = readdir(proc)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    if (++seen > kMaxProcesses) break;
    if (!has_descriptor(entry->d_name, socket_name)) continue;
    answer = describe(entry->d_name);
    break;
  }
  closedir(proc);
  return answer;
}

}  // namespace estiva::net
