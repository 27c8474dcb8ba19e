#include "memd/once.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "memd/loop.h"
#include "memd/status_text.h"
#include "memd/swap_folder.h"

namespace estiva::memd {

namespace {

constexpr useconds_t kBetween = 20'000;  // two readings make a rate
constexpr timeval kPatience{2, 0};

std::optional<StatusRow> ask_the_running(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return std::nullopt;
  Header question;
  question.kind = Kind::ask;
  if (send(fd.get(), &question, sizeof question, MSG_NOSIGNAL) < 0) return std::nullopt;
  struct {
    Header header;
    StatusRow row;
  } answer;
  while (true) {
    const ssize_t n = recv(fd.get(), &answer, sizeof answer, 0);
    if (n <= 0) return std::nullopt;
    if (n == sizeof answer && answer.header.kind == Kind::status) return answer.row;
  }
}

// One that is active and listed by another path: nobody knows what is in it, so it counts as full.
std::uint64_t used_of(const AreaFile& file, const SwapTable& swaps, std::uint32_t id) {
  if (swaps.is_listed[id - 1]) return swaps.used[id - 1];
  return file.is_active ? file.size : 0;
}

decide::memory::SwapAreas areas_in(int folder, const SwapTable& swaps) {
  decide::memory::SwapAreas rows{};
  for (std::uint32_t id = 1; id <= rows.size(); ++id) {
    const AreaFile file = look_at_area(folder, id);
    if (file.kind != FileKind::ours) continue;
    rows[id - 1] = {
        id,
        file.is_active ? decide::memory::AreaState::active : decide::memory::AreaState::prepared,
        file.size, used_of(file, swaps, id), 0};
  }
  return rows;
}

// For a JSON string: a path may hold anything.
std::string plain(std::string text) {
  for (char& sign : text)
    if (sign == '"' || sign == '\\' || static_cast<unsigned char>(sign) < ' ') sign = '?';
  return text;
}

std::string printed(const StatusRow& row, const std::string& folder, const std::string& why) {
  char text[8192];
  return {text, format_status(row, plain(folder).c_str(), plain(why).c_str(), text, sizeof text)};
}

// The folder without making it, and why it can't be used.
Result<SwapFolder> look_at_folder(const Options& options) {
  if (access(options.folder.c_str(), F_OK) == 0) return open_folder(options.folder);
  return SwapFolder{UniqueFd(), options.folder};
}

}  // namespace

Result<std::string> read_once(const Options& options) {
  if (const auto running = ask_the_running(options.run_folder + "/memd.sock"))
    return printed(*running, options.folder, "");
  auto folder = look_at_folder(options);
  auto law = options.law;
  std::string why;
  if (!folder) {
    law.blocked = decide::memory::Blocked::file_system;
    why = folder.error().sentence();
    folder = SwapFolder{UniqueFd(), options.folder};
  }
  if (geteuid() != 0) law.blocked = decide::memory::Blocked::not_root;
  Sampler sampler;
  const auto opened = sampler.open({options.meminfo, options.group, folder->path});
  if (!opened) return Failure(opened.error());
  decide::memory::LawState state;
  sampler.read(now_ns(), folder->fd.get());
  auto sample = sampler.read(now_ns(), folder->fd.get());
  const auto areas = areas_in(folder->fd.get(), sampler.swaps());
  decide_tick(state, law, sample, areas);
  usleep(kBetween);
  sample = sampler.read(now_ns(), folder->fd.get());
  const auto decision = decide_tick(state, law, sample, areas);
  StatusRow row = make_status(sample, decision, law, areas);
  row.removed = sampler.swaps().removed;
  return printed(row, folder->path, why);
}

}  // namespace estiva::memd
