#include "engines/ollama_runner.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/format.h>
#include <set>
#include <unistd.h>
#include <vector>

#include "format/proc.h"
#include "format/text.h"
#include "host/process.h"

namespace estiva::engines {
namespace {

constexpr std::size_t kCmdlineSize = 8192, kStatSize = 1024;

std::vector<std::string_view> words_of(std::string_view cmdline) {
  std::vector<std::string_view> words;
  while (!cmdline.empty()) {
    const std::size_t end = std::min(cmdline.find('\0'), cmdline.size());
    words.push_back(cmdline.substr(0, end));
    cmdline.remove_prefix(std::min(end + 1, cmdline.size()));
  }
  return words;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

pid_t parent_of(const host::Root& root, pid_t pid) {
  std::array<char, kStatSize> buffer;
  const ssize_t size = host::read_into(root, fmt::format("/proc/{}/stat", pid).c_str(), buffer);
  if (size <= 0) return 0;
  const auto stat = format::parse_pid_stat({buffer.data(), static_cast<std::size_t>(size)});
  return stat ? stat->parent : 0;
}

// "socket:[INODE]" of each socket that listens on the port. Lines of proc_net_tcp(5): state 0A.
std::set<std::string> listeners(const host::Root& root, std::uint16_t port) {
  std::set<std::string> names;
  const std::string wanted = fmt::format(":{:04X}", port);
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto text = host::read_file(root, table, 16 << 20);
    std::string_view rest = text ? std::string_view(*text) : std::string_view();
    for (std::string_view line; format::next_line(rest, line);) {
      std::array<std::string_view, 10> cells;
      std::size_t count = 0;
      while (count < cells.size() && format::next_word(line, cells[count])) ++count;
      if (count == cells.size() && cells[3] == "0A" && cells[1].ends_with(wanted))
        names.insert(fmt::format("socket:[{}]", cells[9]));
    }
  }
  return names;
}

std::string link_of(const host::Root& root, const std::string& path) {
  char target[128];
  const ssize_t size = ::readlinkat(root.dirfd(), path.c_str(), target, sizeof target);
  return {target, size > 0 ? static_cast<std::size_t>(size) : 0};
}

enum class Server { no, perhaps, yes };  // by rising certainty

// Does it hold one of the sockets? Perhaps: it is called ollama, and its descriptors are another
// user's, or it listens in a network of its own (a container's).
Server is_server(const host::Root& root, pid_t pid, const std::set<std::string>& sockets) {
  const std::string folder = fmt::format("proc/{}/fd", pid);
  const auto names = host::read_folder(root, "/" + folder);
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (sockets.contains(link_of(root, fmt::format("{}/{}", folder, name)))) return Server::yes;
  }
  if (host::name_of(root, pid) != "ollama") return Server::no;
  const std::string network = link_of(root, fmt::format("proc/{}/ns/net", pid));
  const bool can_be_seen = names && network == link_of(root, "proc/self/ns/net");
  return can_be_seen ? Server::no : Server::perhaps;
}

}  // namespace

bool is_ollama_runner(std::string_view cmdline, std::string_view digest) {
  const auto words = words_of(cmdline);
  if (words.empty() || digest.empty()) return false;
  const std::string_view program = base_name(words[0]);
  const bool is_runner = program == "llama-server" || program == "ollama_llama_server" ||
                         (program == "ollama" && words.size() > 1 && words[1] == "runner");
  const auto model = std::find(words.begin(), words.end(), "--model");
  if (!is_runner || model == words.end() || model + 1 == words.end()) return false;
  return base_name(*(model + 1)) == fmt::format("sha256-{}", digest);
}

std::optional<pid_t> find_ollama_runner(const host::Root& root, std::string_view digest,
                                        std::uint16_t port) {
  const auto names = host::read_folder(root, "/proc");
  if (!names || digest.empty()) return std::nullopt;
  std::vector<pid_t> proven, possible;
  std::optional<std::set<std::string>> sockets;
  for (const std::string& name : *names) {
    const auto pid = format::parse_u64(name);
    if (!pid) continue;
    std::array<char, kCmdlineSize> buffer;
    const ssize_t size =
        host::read_into(root, fmt::format("/proc/{}/cmdline", name).c_str(), buffer);
    if (size <= 0 || !is_ollama_runner({buffer.data(), static_cast<std::size_t>(size)}, digest))
      continue;
    if (!sockets) sockets = listeners(root, port);
    const auto runner = static_cast<pid_t>(*pid);
    const Server server = is_server(root, parent_of(root, runner), *sockets);
    if (server == Server::yes) proven.push_back(runner);
    if (server == Server::perhaps) possible.push_back(runner);
  }
  const auto& found = proven.empty() ? possible : proven;
  if (found.size() != 1) return std::nullopt;
  return found[0];
}

}  // namespace estiva::engines
