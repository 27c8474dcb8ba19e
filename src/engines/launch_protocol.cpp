#include "engines/launch_protocol.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

#include "format/json_fields.h"

namespace estiva::engines {

// Found by format/json_fields.h in the namespace of their arguments.
template <class Access>
void fields(Access& field, LaunchRequest& request) {
  field("model", request.model);
  field("mark", request.mark);
  field("user", request.user);
  field.list("words", request.words);
  field.list("environment", request.environment);
  field("directory", request.directory);
  field("port", request.port);
  field("is_end", request.is_end);
  field("group", request.group);
  field("group_inode", request.group_inode);
}

template <class Access>
void fields(Access& field, LaunchAnswer& answer) {
  field("pid", answer.pid);
  field("start_ticks", answer.start_ticks);
  field("group", answer.group);
  field("group_inode", answer.group_inode);
  field("kind", answer.kind);
  field("error", answer.error);
  field("remedy", answer.remedy);
  field("has_ended", answer.has_ended);
  field("status", answer.status);
}

namespace {

constexpr std::size_t kMostHanded = 2;

template <class T>
std::string write(T value) {
  std::string out;
  format::JsonWriter json(out);
  format::write_fields(json, value);
  return out;
}

template <class T>
Result<T> read(std::string_view text) {
  const auto tree = format::JsonTree::parse(text);
  if (!tree) return Failure(tree.error());
  T value;
  if (auto problem = format::read_fields(tree->root(), value); !problem.empty())
    return fail(std::move(problem));
  return value;
}

// Room for the descriptors, aligned as the kernel wants it.
union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(kMostHanded * sizeof(int))];
};

std::vector<UniqueFd> descriptors_of(msghdr& message) {
  std::vector<UniqueFd> out;
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(one) + i * sizeof fd, sizeof fd);
      out.emplace_back(fd);
    }
  }
  return out;
}

}  // namespace

std::string to_text(const LaunchRequest& request) {
  return write(request);
}

std::string to_text(const LaunchAnswer& answer) {
  return write(answer);
}

Result<LaunchRequest> parse_launch_request(std::string_view text) {
  return read<LaunchRequest>(text);
}

Result<LaunchAnswer> parse_launch_answer(std::string_view text) {
  return read<LaunchAnswer>(text);
}

int send_packet(const UniqueFd& to, std::string_view text, const std::vector<int>& handed) {
  if (text.size() > kMostLaunchPacket || handed.size() > kMostHanded) return E2BIG;
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control{};
  if (!handed.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(handed.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(handed.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), handed.data(), handed.size() * sizeof(int));
  }
  const ssize_t sent = ::sendmsg(to.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? errno : 0;
}

std::optional<Packet> receive_packet(const UniqueFd& from) {
  Packet packet;
  packet.text.resize(kMostLaunchPacket);
  iovec part{packet.text.data(), packet.text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control{};
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  const ssize_t got = ::recvmsg(from.get(), &message, MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  packet.text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (got > 0) packet.handed = descriptors_of(message);
  return packet;
}

}  // namespace estiva::engines
