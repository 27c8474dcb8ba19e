#include "engines/engine_log.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/messages/host.h"
#include "format/text.h"
#include "host/files.h"

namespace estiva::engines {
namespace {

constexpr std::uint64_t kMostTail = 64 << 10;
constexpr std::size_t kLongestLine = 2'000;

// A model's name as a file's: what is no letter, digit, dash, dot or underscore becomes %XX.
std::string file_name(std::string_view model) {
  std::string out;
  for (const char c : model) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out + ".log";
}

std::uint64_t size_of(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::string read_at(int fd, std::uint64_t from, std::uint64_t most) {
  std::string text(most, '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), static_cast<off_t>(from));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace

// Asks the kernel for one word about the next writing, and looks at the file a little later: an
// idle engine costs nothing, and a flood no more than a look each kLogPause.
struct EngineLog::Watch : std::enable_shared_from_this<EngineLog::Watch> {
  Watch(net::Loop& of, std::string file, std::function<void()> call)
      : loop(of), path(std::move(file)), look(std::move(call)) {}

  void arm() {
    if (!events) events = UniqueFd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    const bool armed =
        events && ::inotify_add_watch(events.get(), path.c_str(), IN_MODIFY | IN_ONESHOT) >= 0;
    if (!armed) {  // the user's inotify instances are used up
      look_later(std::chrono::seconds(1));
    } else if (!readable) {
      readable = loop.on_readable(events.get(), [this] { written(); });
    }
  }
  void written() {
    char buffer[1024];
    while (::read(events.get(), buffer, sizeof buffer) > 0) {
    }
    if (!is_waiting) look_later(kLogPause);
  }
  void look_later(Nanoseconds pause) {
    is_waiting = true;
    loop.spawn(
        [](std::weak_ptr<Watch> weak, net::Loop& of, Nanoseconds time) -> net::Awaitable<void> {
          co_await of.sleep(time);
          const auto self = weak.lock();
          if (!self) co_return;
          self->is_waiting = false;
          self->arm();  // before the look: what is written meanwhile is told
          self->look();
        }(weak_from_this(), loop, pause));
  }

  net::Loop& loop;
  const std::string path;
  const std::function<void()> look;
  UniqueFd events;
  std::shared_ptr<void> readable;
  bool is_waiting = false;
};

EngineLog::EngineLog(net::Loop& loop, const std::string& state_dir, std::string_view model)
    : loop_(loop), path_(fmt::format("{}/engines/{}", state_dir, file_name(model))) {}
EngineLog::~EngineLog() = default;

Result<UniqueFd> EngineLog::open() {
  constexpr mode_t kFolderMode = 0750, kMode = 0640;
  const auto folder = path_.substr(0, path_.rfind('/'));
  if (auto made = host::ensure_dir(folder, kFolderMode); !made) return Failure(made.error());
  UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!fd)
    return fail_errno(fmt::format(msg::kWriting, path_), errno, std::string(msg::kWritingHow));
  from_ = size_of(fd.get());
  return fd;
}

void EngineLog::watch() {
  // The one of an earlier run serves: to close an inotify descriptor takes the kernel 7 ms.
  if (!watch_) watch_ = std::make_shared<Watch>(loop_, path_, [this] { shorten(); });
  watch_->arm();
  shorten();
}

// The newest part goes to the front, then the rest is cut off. The engine appends, so it goes on
// behind what is kept; what it prints between the copy and the cut is lost.
void EngineLog::shorten() {
  const UniqueFd fd(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  const std::uint64_t size = fd ? size_of(fd.get()) : 0;
  if (size <= kMostLog) return;
  const std::string kept = read_at(fd.get(), size - kKeptLog, kKeptLog);
  const ssize_t put = ::pwrite(fd.get(), kept.data(), kept.size(), 0);
  const off_t length = put > 0 ? put : 0;
  if (::ftruncate(fd.get(), length) == 0) from_ = 0;
}

std::vector<std::string> EngineLog::tail(std::size_t lines) const {
  const UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return {};
  const std::uint64_t size = size_of(fd.get());
  const std::uint64_t first = std::max(from_, size - std::min(size, kMostTail));
  if (first >= size) return {};
  const std::string text = read_at(fd.get(), first, size - first);
  std::string_view rest = text, line;
  std::vector<std::string> out;
  if (first > from_) format::next_line(rest, line);  // the rest of a line that begins before
  while (format::next_line(rest, line)) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.push_back(format::escape_for_terminal(line.substr(0, kLongestLine)));
  }
  if (out.size() > lines) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(lines));
  return out;
}

}  // namespace estiva::engines
