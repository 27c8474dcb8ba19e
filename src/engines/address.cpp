#include "engines/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/messages/engines.h"
#include "base/unique_fd.h"
#include "format/text.h"
#include "host/folder.h"
#include "net/socket.h"

namespace estiva::engines {
namespace {

// Registered ports end where the kernel's own begin (ip_local_port_range is 32768 to 60999), and
// few services live above 21000.
constexpr std::uint16_t kFirstPort = 21'000, kLastPort = 32'767;
constexpr std::size_t kMostTable = 32 << 20;       // of /proc/net/tcp, 150 bytes a socket
constexpr std::size_t kMostDescriptors = 1 << 16;  // of one process

constexpr std::string_view kHttp = "http://", kHttps = "https://", kUnix = "unix:";

// FNV-1a: the same on every machine and in every build.
std::uint32_t hash_of(std::string_view name) {
  std::uint32_t hash = 2'166'136'261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619u;
  return hash;
}

bool has_port(std::string_view address) {
  const auto colon = address.rfind(':');
  return colon != address.npos && colon + 1 < address.size() &&
         address.find(']', colon) == address.npos;
}

// The inodes of sockets that listen on the port, as the process `pid` sees its network. Each table
// costs some 2 ms: the kernel goes through all that it has room for.
std::vector<std::string> listening(const host::Root& root, pid_t pid, std::uint16_t port,
                                   std::string_view table) {
  std::vector<std::string> inodes;
  const auto text = host::read_file(root, fmt::format("/proc/{}/net/{}", pid, table), kMostTable);
  if (!text) return inodes;
  const std::string wanted = fmt::format(":{:04X}", port);
  std::string_view rest = *text, line;
  while (format::next_line(rest, line)) {
    // "0: 0100007F:1E14 00000000:0000 0A tx:rx tr:when retrnsmt uid timeout inode ..."
    std::vector<std::string_view> words;
    for (std::string_view word; words.size() < 10 && format::next_word(line, word);)
      words.push_back(word);
    if (words.size() < 10 || words[3] != "0A" || !words[1].ends_with(wanted)) continue;
    inodes.push_back(fmt::format("socket:[{}]", words[9]));
  }
  return inodes;
}

// nullopt: its descriptors can't be read.
std::optional<bool> holds_any(const host::Root& root, pid_t pid,
                              const std::vector<std::string>& sockets) {
  const auto folder = fmt::format("/proc/{}/fd", pid);
  const auto entries = host::entries_at(root, folder, kMostDescriptors);
  if (!entries) return std::nullopt;
  return std::any_of(entries->begin(), entries->end(), [&](const host::FolderEntry& entry) {
    const auto target = host::link_at(root, folder + "/" + entry.name);
    return target && std::find(sockets.begin(), sockets.end(), *target) != sockets.end();
  });
}

}  // namespace

std::string with_port(std::string_view text, std::uint16_t port) {
  std::string out;
  for (std::size_t at = 0;;) {
    const auto found = text.find(kPortPlace, at);
    out += text.substr(at, found - at);
    if (found == text.npos) return out;
    out += std::to_string(port);
    at = found + kPortPlace.size();
  }
}

Result<Url> parse_url(std::string_view text) {
  if (text.starts_with(kHttps)) {
    return fail(ErrorKind::usage, fmt::format(msg::kUrlWithTls, text),
                std::string(msg::kUrlWithTlsHow));
  }
  std::string_view rest = text.starts_with(kHttp) ? text.substr(kHttp.size()) : text;
  Url url;
  std::string address(rest);
  if (!rest.starts_with(kUnix)) {
    const auto slash = std::min(rest.find('/'), rest.size());
    address = rest.substr(0, slash);
    url.path = rest.substr(slash);
    if (text.starts_with(kHttp) && !has_port(address)) address += ":80";
  }
  auto endpoint = net::parse_endpoint(address);
  const bool has_no_port =
      endpoint && endpoint->kind == net::Endpoint::Kind::tcp && endpoint->port == 0;
  if (!endpoint || has_no_port) {
    return fail(ErrorKind::usage, fmt::format(msg::kBadUrl, format::escape_for_terminal(text)),
                std::string(msg::kBadUrlHow));
  }
  url.endpoint = std::move(*endpoint);
  return url;
}

Result<std::uint16_t> choose_port(std::string_view name,
                                  const std::function<bool(std::uint16_t)>& is_free) {
  constexpr std::uint32_t kPorts = kLastPort - kFirstPort + 1;
  const std::uint32_t first = hash_of(name);
  for (std::uint32_t i = 0; i < kPorts; ++i) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + (first + i) % kPorts);
    if (is_free(port)) return port;
  }
  return fail(fmt::format(msg::kNoFreePort, kFirstPort, kLastPort),
              std::string(msg::kNoFreePortHow));
}

bool is_port_free(std::uint16_t port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  return fd && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool accepts(const net::Endpoint& endpoint) {
  constexpr int kMostMilliseconds = 5;
  const auto fd = net::start_connect(endpoint);
  if (!fd) return false;
  pollfd wait{fd->get(), POLLOUT, 0};
  return ::poll(&wait, 1, kMostMilliseconds) == 1 &&
         net::connect_result(fd->get(), endpoint).has_value();
}

std::optional<bool> is_listener(const host::Root& root, const std::vector<Member>& members,
                                std::uint16_t port) {
  if (members.empty()) return std::nullopt;
  bool is_known = false;
  for (const std::string_view table : {"tcp", "tcp6"}) {
    const auto sockets = listening(root, members.front().pid, port, table);
    for (const Member& member : members) {
      const auto holds = sockets.empty() ? std::nullopt : holds_any(root, member.pid, sockets);
      if (holds == true) return true;
      is_known |= holds.has_value();
    }
  }
  if (!is_known) return std::nullopt;
  return false;
}

}  // namespace estiva::engines
