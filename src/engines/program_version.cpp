#include "engines/program_version.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "format/text.h"
#include "host/spawn.h"

namespace estiva::engines {
namespace {

constexpr Nanoseconds kPatience = std::chrono::seconds(5);
constexpr std::size_t kMostOutput = 64 << 10;
constexpr std::size_t kLongestVersion = 64;

// Killed and reaped however it goes.
struct Child {
  pid_t pid = 0;
  UniqueFd pidfd;
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid <= 0) return;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
};

std::string read_start(int file) {
  std::string text(kMostOutput, '\0');
  const ssize_t got = ::pread(file, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

// The word behind "version:" or "version", the first one in what it prints.
std::string version_in(std::string_view text) {
  std::string_view line;
  while (format::next_line(text, line)) {
    for (std::string_view word; format::next_word(line, word);) {
      if (word != "version:" && word != "version") continue;
      if (!format::next_word(line, word)) break;
      return format::escape_for_terminal(word.substr(0, kLongestVersion));
    }
  }
  return {};
}

}  // namespace

net::Awaitable<std::string> ask_version(net::Loop& loop, std::string program,
                                        std::vector<std::string> words) {
  const UniqueFd output(::memfd_create("version", MFD_CLOEXEC));
  Child child;
  host::Spawn what;
  what.words = std::move(words);
  what.words.insert(what.words.begin(), std::move(program));
  what.handed = {{-1, STDIN_FILENO}, {output.get(), STDOUT_FILENO}, {output.get(), STDERR_FILENO}};
  if (!output || host::spawn(what, child.pid) != 0) co_return std::string();
  child.pidfd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.pidfd) co_return std::string();
  net::Notice ended(loop);
  const auto watch = loop.on_readable(child.pidfd.get(), [&ended] { ended.notify_all(); });
  co_await ended.wait(kPatience);
  co_return version_in(read_start(output.get()));
}

}  // namespace estiva::engines
