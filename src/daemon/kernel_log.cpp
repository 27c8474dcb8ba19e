#include "daemon/kernel_log.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/log.h"
#include "base/messages/daemon.h"
#include "format/kernel_log.h"
#include "format/text.h"
#include "host/machine.h"

namespace estiva::daemon {
namespace {

constexpr const char* kDevice = "/dev/kmsg";
constexpr const char* kPlainFile = "/dev/kmsg.log";
// A record is at most 8 KiB (PRINTK_MESSAGE_MAX and CONSOLE_EXT_LOG_MAX in the kernel's source).
constexpr std::size_t kBuffer = 16384;
// Taken at a time, so that a log that fills fast can't hold the loop.
constexpr int kMostRecords = 512;
constexpr std::size_t kMostOfAFile = 1 << 20;

}  // namespace

KernelLog::KernelLog(net::Loop& loop, const host::Root& root, std::string file, Heard heard)
    : loop_(loop),
      root_(root),
      file_(std::move(file)),
      heard_(std::move(heard)),
      buffer_(kBuffer, '\0') {}

Result<void> KernelLog::open() {
  if (is_plain()) return {};  // poll() opens it when it is there
  const int fd = root_.open_at(kDevice, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return fail_errno("read " + std::string(kDevice), -fd, msg::kNoKernelLogRemedy);
  fd_ = UniqueFd(fd);
  waiting_ = loop_.on_readable(fd_.get(), [this] { read_records(); });
  return {};
}

void KernelLog::read_records() {
  read_some();
  tell();
}

// One read() gives one record; EPIPE says that some were overwritten before we came to them.
void KernelLog::read_some() {
  for (int i = 0; i < kMostRecords; ++i) {
    const ssize_t n = ::read(fd_.get(), buffer_.data(), buffer_.size());
    if (n > 0) {
      take(std::string_view(buffer_).substr(0, static_cast<std::size_t>(n)));
      continue;
    }
    if (n < 0 && (errno == EPIPE || errno == EINTR || errno == EINVAL)) continue;
    is_catching_up_ = false;
    if (n < 0 && errno == EAGAIN) return;
    log(LogLevel::warning, "the kernel log can't be read any more", {{"error", errno}});
    // Posted, so that the watch is not destroyed from inside its own call.
    return loop_.post([this] { waiting_.reset(); });
  }
}

void KernelLog::poll() {
  if (!is_plain()) return;
  if (fd_.get() < 0) {
    constexpr int kHow = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
    const int fd = file_.empty() ? root_.open_at(kPlainFile, kHow) : ::open(file_.c_str(), kHow);
    if (fd < 0) return;
    fd_ = UniqueFd(fd);
  }
  is_catching_up_ = false;  // its times are those of another machine
  std::size_t taken = 0;
  ssize_t n = 0;
  while (taken < kMostOfAFile && (n = ::read(fd_.get(), buffer_.data(), buffer_.size())) > 0) {
    taken += static_cast<std::size_t>(n);
    rest_.append(buffer_, 0, static_cast<std::size_t>(n));
    std::size_t from = 0;
    for (std::size_t end = 0; (end = rest_.find('\n', from)) != std::string::npos; from = end + 1) {
      take(std::string_view(rest_).substr(from, end - from));
    }
    rest_.erase(0, from);
    if (rest_.size() > kBuffer) rest_.clear();  // a line without end
  }
  tell();
}

void KernelLog::take(std::string_view text) {
  const auto record = format::parse_kernel_record(text);
  if (!record) return;
  if (!is_plain()) {
    if (is_catching_up_ && read_to_ != 0 && record->sequence <= read_to_) return;
    read_to_ = record->sequence;
  }
  if (record->facility != 0) return;  // a program can write there too
  auto report = format::parse_xid_line(record->text);
  if (!report) return;
  report->at = is_catching_up_ ? host::time_of_printk(record->microseconds) : steady_now();
  if (!taken_.empty()) {
    XidReport& last = taken_.back();
    report->count = last.count;
    const SteadyTime at = std::exchange(report->at, last.at);
    if (last == *report) {
      ++last.count;
      last.at = at;
      return;
    }
    report->count = 1;
    report->at = at;
  }
  taken_.push_back(std::move(*report));
}

void KernelLog::tell() {
  for (const XidReport& report : std::exchange(taken_, {})) heard_(report);
}

}  // namespace estiva::daemon
