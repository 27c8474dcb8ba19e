#include "daemon/event_log.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/journal_json.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "daemon/inbox.h"
#include "daemon/worker.h"
#include "format/text.h"

namespace estiva::daemon {
namespace {

constexpr std::size_t kPage = 500;
// Of what happened while the disk hung, the newest so many are written.
constexpr std::size_t kMostAtOnce = 10'000;

// FILE.2 becomes FILE.3 and so on; the oldest is let go.
Result<void> shift(const format::EventSettings& settings) {
  const auto name = [&](unsigned number) {
    return number == 0 ? settings.file : fmt::format("{}.{}", settings.file, number);
  };
  if (settings.keep == 0) {
    if (::unlink(settings.file.c_str()) != 0) return fail_errno("cut " + settings.file, errno);
    return {};
  }
  for (unsigned number = settings.keep; number > 0; --number) {
    if (::rename(name(number - 1).c_str(), name(number).c_str()) != 0 && errno != ENOENT) {
      return fail_errno("rename " + name(number - 1), errno);
    }
  }
  return {};
}

Result<UniqueFd> open_log(const std::string& file) {
  UniqueFd fd(::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd) return fail_errno("open " + file, errno);
  return fd;
}

}  // namespace

std::string event_line(const store::JournalRecord& record) {
  std::string line = fmt::format("{} {} {}", to_rfc3339(record.wall), api::record_name(record.kind),
                                 record.subject);
  const std::string_view text = api::record_text(record);
  if (!text.empty()) line += fmt::format(": {}", text);
  return format::escape_for_terminal(line) + "\n";
}

Result<void> append_events(const format::EventSettings& settings, const std::string& lines) {
  auto fd = open_log(settings.file);
  if (!fd) return Failure(fd.error());
  struct stat info {};
  if (::fstat(fd->get(), &info) != 0) return fail_errno("look at " + settings.file, errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > 0 && size + lines.size() > settings.max_size.value) {
    if (auto done = shift(settings); !done) return done;
    fd = open_log(settings.file);
    if (!fd) return Failure(fd.error());
    info.st_size = 0;
  }
  for (std::size_t at = 0; at < lines.size();) {
    const ssize_t n = ::write(fd->get(), lines.data() + at, lines.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int why = errno;
      // Half of it would be written twice when it is tried again.
      if (::ftruncate(fd->get(), info.st_size) != 0)
        return fail_errno("cut " + settings.file, errno);
      return fail_errno("write " + settings.file, why);
    }
    at += static_cast<std::size_t>(n);
  }
  return {};
}

struct EventLog::State : std::enable_shared_from_this<EventLog::State> {
  State(net::Loop& loop, store::Store& s, format::EventSettings given)
      : store(s), settings(std::move(given)), inbox(std::make_shared<Inbox>(&loop)) {
    if (settings.file.empty()) return;
    worker = std::make_unique<Worker>();
    const auto& notes = store.opened().notes;
    const auto note = notes.find(kEventLogNote);
    const auto position = note == notes.end() ? std::nullopt : format::parse_u64(note->second);
    if (!position) return;
    written = *position;
    begun = true;
  }

  void pump() {
    if (settings.file.empty()) return;
    again = true;
    if (!is_busy) read(UINT64_MAX);
  }

  // From the newest back to what was written, page by page.
  void read(std::uint64_t before) {
    is_busy = true;
    again = false;
    store::JournalQuery query;
    query.before = before;
    query.limit = kPage;
    store.read_journal(
        query, [weak = weak_from_this()](const Result<std::vector<store::JournalRecord>>& page) {
          if (const auto self = weak.lock()) self->take(page);
        });
  }

  void take(const Result<std::vector<store::JournalRecord>>& page) {
    bool is_last = !page || page->empty();
    if (page) {
      for (const store::JournalRecord& record : *page) {
        newest = std::max(newest, record.position);
        is_last = !begun || record.position <= written || found.size() >= kMostAtOnce;
        if (is_last) break;
        found.push_back(event_line(record));
      }
    }
    if (!is_last) return read(page->back().position);
    if (!begun) note_written(newest);
    begun = true;
    write();
  }

  void write() {
    std::string lines;
    for (auto line = found.rbegin(); line != found.rend(); ++line) lines += *line;
    found.clear();
    if (lines.empty()) {
      is_busy = false;
      if (again) read(UINT64_MAX);
      return;
    }
    const bool taken = worker->try_run([settings = settings, lines = std::move(lines),
                                        inbox = inbox, weak = weak_from_this(), position = newest] {
      auto result = append_events(settings, lines);
      inbox->post([weak, position, result = std::move(result)] {
        if (const auto self = weak.lock()) self->written_to(position, result);
      });
    });
    if (!taken) is_busy = false;
  }

  void written_to(std::uint64_t position, const Result<void>& result) {
    is_busy = false;
    if (result) {
      note_written(position);
      is_failing = false;
    } else if (!is_failing) {
      is_failing = true;  // said once; what was not written is tried again with the next record
      log(LogLevel::warning, "the event log can't be written", {{"error", result.error().what}});
    }
    if (again) read(UINT64_MAX);
  }

  void note_written(std::uint64_t position) {
    written = position;
    store.submit(store::Write::note(kEventLogNote, fmt::format("{}", position)),
                 [](const Result<store::Durable>&) {});
  }

  store::Store& store;
  format::EventSettings settings;
  std::shared_ptr<Inbox> inbox;
  std::unique_ptr<Worker> worker;  // null: no file is set
  std::vector<std::string> found;  // the newest first
  std::uint64_t written = 0, newest = 0;
  bool begun = false, is_busy = false, again = false, is_failing = false;
};

EventLog::EventLog(net::Loop& loop, store::Store& store, format::EventSettings settings)
    : state_(std::make_shared<State>(loop, store, std::move(settings))) {}

EventLog::~EventLog() {
  state_->inbox->close();
}

void EventLog::pump() {
  state_->pump();
}

}  // namespace estiva::daemon
