#include "host/listeners.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "format/tcp_table.h"
#include "format/text.h"
#include "host/folder.h"
#include "host/process.h"

namespace estiva::host {
namespace {

constexpr std::size_t kMostProcesses = 4096, kMostDescriptors = 4096, kLongestCommand = 4096;
constexpr std::size_t kLongestTable = 8 << 20;

// "socket:[4711]" -> 4711; 0: no socket.
std::uint64_t socket_of(const Root& root, const std::string& path) {
  constexpr std::string_view kBefore = "socket:[";
  const auto link = link_at(root, path);
  if (!link || !link->starts_with(kBefore) || !link->ends_with(']')) return 0;
  return format::parse_u64(
             std::string_view(*link).substr(kBefore.size(), link->size() - kBefore.size() - 1))
      .value_or(0);
}

std::vector<std::string> command_of(const Root& root, pid_t pid) {
  std::string text(kLongestCommand, '\0');
  const ssize_t got = read_into(root, fmt::format("/proc/{}/cmdline", pid).c_str(), text);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// Fills in whose sockets they are; what this user may not look into stays unknown.
void find_owners(const Root& root, std::map<std::uint64_t, Listener*>& by_inode) {
  const auto is_number = [](std::string_view name) { return name[0] >= '1' && name[0] <= '9'; };
  const auto processes = entries_at(root, "/proc", kMaxFolderEntries, is_number);
  std::size_t looked_at = 0;
  for (const FolderEntry& process : processes ? *processes : std::vector<FolderEntry>{}) {
    if (++looked_at > kMostProcesses || by_inode.empty()) return;
    const std::string folder = "/proc/" + process.name + "/fd";
    const auto descriptors = entries_at(root, folder, kMostDescriptors);
    for (const FolderEntry& one : descriptors ? *descriptors : std::vector<FolderEntry>{}) {
      const auto found = by_inode.find(socket_of(root, folder + "/" + one.name));
      if (found == by_inode.end()) continue;
      Listener& listener = *found->second;
      by_inode.erase(found);
      listener.pid = static_cast<pid_t>(format::parse_u64(process.name).value_or(0));
      listener.name = name_of(root, listener.pid);
      listener.command = command_of(root, listener.pid);
    }
  }
}

}  // namespace

Result<std::vector<Listener>> read_listeners(const Root& root) {
  const auto v4 = read_file(root, "/proc/net/tcp", kLongestTable);
  if (!v4) return Failure(v4.error());
  std::vector<format::ListeningSocket> sockets = format::parse_listening(*v4);
  // A kernel without IPv6 has no such file.
  if (const auto v6 = read_file(root, "/proc/net/tcp6", kLongestTable))
    for (const format::ListeningSocket& one : format::parse_listening(*v6)) sockets.push_back(one);
  std::ranges::stable_sort(sockets, {}, &format::ListeningSocket::port);
  std::vector<Listener> listeners;
  std::vector<std::uint64_t> inodes;
  for (const format::ListeningSocket& one : sockets) {
    if (!listeners.empty() && listeners.back().port == one.port) {
      listeners.back().is_v6_only_loopback &= one.is_v6_only_loopback;
      continue;
    }
    listeners.push_back({one.port, one.is_v6_only_loopback, 0, {}, {}});
    inodes.push_back(one.inode);
  }
  std::map<std::uint64_t, Listener*> by_inode;
  for (std::size_t i = 0; i < listeners.size(); ++i) by_inode.emplace(inodes[i], &listeners[i]);
  find_owners(root, by_inode);
  return listeners;
}

}  // namespace estiva::host
