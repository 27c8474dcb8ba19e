#include "observe/readiness/log.h"

#include <cerrno>
#include <deque>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "format/kernel_log.h"
#include "format/text.h"

namespace estiva::observe {
namespace {

// A record is at most 8 KiB (PRINTK_MESSAGE_MAX and CONSOLE_EXT_LOG_MAX in the kernel's source).
constexpr std::size_t kLongestRecord = 8192;
// A log that is written to faster than it is read does not hold us: the largest that a kernel can
// be built with (CONFIG_LOG_BUF_SHIFT 25) has about this many.
constexpr int kMostReads = 1 << 19;
constexpr std::size_t kLongestFile = 8 << 20;

class LastLines {
 public:
  void add(std::string line) {
    if (lines_.size() == kMostLogLines) lines_.pop_front();
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> take() {
    return {std::make_move_iterator(lines_.begin()), std::make_move_iterator(lines_.end())};
  }

 private:
  std::deque<std::string> lines_;
};

void add_record(const format::KernelRecord& record, LastLines& lines) {
  if (record.facility != 0) return;  // a program can write there too
  lines.add(fmt::format("[{:>5}.{:06}] {}", record.microseconds / 1'000'000,
                        record.microseconds % 1'000'000, record.text));
}

// One read() gives one record; EPIPE says that some were overwritten before we came to them.
Reading<std::vector<std::string>> read_device(const Tree& tree) {
  const int opened = tree.root().open_at("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (opened < 0) return missing_of(-opened);
  const UniqueFd fd(opened);
  LastLines lines;
  char buffer[kLongestRecord];
  for (int i = 0; i < kMostReads; ++i) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n > 0) {
      const auto record = format::parse_kernel_record({buffer, static_cast<std::size_t>(n)});
      if (record) add_record(*record, lines);
    } else if (n == 0 || errno == EAGAIN) {
      break;
    } else if (errno != EPIPE && errno != EINTR && errno != EINVAL) {
      return missing_of(errno);
    }
  }
  return lines.take();
}

bool tells(std::string_view line, std::string_view what) {
  return line.find(what) != line.npos;
}

}  // namespace

std::vector<std::string> parse_kernel_log(std::string_view text) {
  LastLines lines;
  for (std::string_view line; format::next_line(text, line);) {
    if (line.empty()) continue;
    const auto record = line.front() == '[' ? std::nullopt : format::parse_kernel_record(line);
    if (record) {
      add_record(*record, lines);
    } else {
      lines.add(std::string(line));
    }
  }
  return lines.take();
}

Reading<std::vector<std::string>> read_kernel_log(const Tree& tree) {
  if (tree.is_real()) return read_device(tree);
  auto text = tree.text("/kmsg", kLongestFile);
  if (!text && text.why() == Missing::not_supported) {
    text = tree.text("/dev/kmsg.log", kLongestFile);
  }
  if (!text) return text.why();
  return parse_kernel_log(*text);
}

Reading<bool> has_slept(const Reading<std::vector<std::string>>& log,
                        const Reading<std::string>& sleeps) {
  const auto count =
      sleeps ? format::parse_u64(format::trim(*sleeps)) : std::optional<std::uint64_t>();
  if (count && *count == 0) return false;
  if (!log) return log.why();
  bool slept = false, begins = false;
  for (const std::string& line : *log) {
    begins = begins || tells(line, "Linux version ");
    if (tells(line, "NVRM: loading NVIDIA")) {
      slept = false;
      begins = true;
    }
    if (tells(line, "PM: suspend exit") || tells(line, "PM: hibernation: hibernation exit")) {
      slept = true;
    }
  }
  // A log that has lost its beginning, on a machine that has slept before: not to be told.
  if (!slept && !begins && count) return Missing::no_sample;
  return slept;
}

}  // namespace estiva::observe
