#include "act/run_log.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/files.h"
#include "base/clock.h"
#include "base/messages/act.h"
#include "format/plan_text.h"
#include "format/sha256.h"
#include "format/text.h"
#include "host/files.h"

namespace estiva::act {
namespace {

namespace m = msg::act;

constexpr std::uint64_t kVersion = 1;  // of the records
constexpr std::string_view kTitle = "estiva-journal ";
// A plan holds new contents, each at most kLargestFile, twice that in hexadecimal digits.
constexpr std::size_t kLargestPlan = 512u << 20, kLargestRecords = 64u << 20;

Failure cant_write(const std::string& folder, int error) {
  return fail_errno(fmt::format(m::kJournalWrite, folder), error, std::string(m::kJournalWriteHow));
}

Result<void> sync_folder(const std::string& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return cant_write(folder, errno);
  return {};
}

// The first line of the records: version and when the run began.
std::string title_line(std::int64_t begun_ns) {
  return fmt::format("{}{} {}\n", kTitle, kVersion, begun_ns);
}

Result<void> fill_folder(const std::string& folder, const Plan& plan, const std::string& root,
                         std::int64_t begun_ns) {
  const std::string saved = folder + "/saved";
  if (::mkdir(folder.c_str(), 0700) != 0 || ::mkdir(saved.c_str(), 0700) != 0) {
    return cant_write(folder, errno);
  }
  if (auto written =
          host::write_file_atomic(folder + "/plan.json", format::plan_to_json(plan), 0600);
      !written) {
    return written;
  }
  if (root != "/") {
    if (auto written = host::write_file_atomic(folder + "/root", root, 0600); !written)
      return written;
  }
  return host::write_file_atomic(folder + "/records", title_line(begun_ns), 0600);
}

}  // namespace

bool is_run_id(std::string_view name) {
  return name.size() == 6 && name.find_first_not_of("0123456789") == name.npos;
}

std::string_view to_name(RunPhase phase) {
  switch (phase) {
    case RunPhase::interrupted:
      return "interrupted";
    case RunPhase::applied:
      return "applied";
    case RunPhase::undo_interrupted:
      return "undo_interrupted";
    case RunPhase::partly_undone:
      return "partly_undone";
    case RunPhase::undone:
      return "undone";
  }
  return "interrupted";
}

Result<RunLog> RunLog::make(const std::string& dir, const std::string& id, const Plan& plan,
                            const std::string& root) {
  const std::string fresh = fmt::format("{}/new-{}", dir, id),
                    place = fmt::format("{}/{}", dir, id);
  auto filled = fill_folder(fresh, plan, root, wall_now().ns);
  if (filled && ::rename(fresh.c_str(), place.c_str()) != 0) filled = cant_write(dir, errno);
  if (!filled) {
    std::error_code ignored;
    std::filesystem::remove_all(fresh, ignored);
    return Failure(filled.error());
  }
  if (auto synced = sync_folder(dir); !synced) return Failure(synced.error());
  return load(dir, id);
}

Result<RunLog> RunLog::load(const std::string& dir, const std::string& id) {
  RunLog log;
  log.id_ = id;
  log.folder_ = fmt::format("{}/{}", dir, id);
  const auto text = is_run_id(id) ? host::read_local_file(log.folder_ + "/plan.json", kLargestPlan)
                                  : Failure(Error{ErrorKind::not_found, {}, {}});
  if (!text && text.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, fmt::format(m::kNoRun, format::escape_for_terminal(id)),
                fmt::format(m::kNoRunHow, dir));
  }
  if (!text) return Failure(text.error());
  auto plan = format::plan_from_json(*text);
  if (!plan) return Failure(plan.error());
  if (plan->hash != format::hash_of(*plan)) {
    return fail(fmt::format(m::kPlanUnreadable, log.folder_), std::string(m::kPlanUnreadableHow));
  }
  log.plan_ = std::move(*plan);
  auto root = host::read_local_file(log.folder_ + "/root");
  if (!root && root.error().kind != ErrorKind::not_found) return Failure(root.error());
  log.root_ = root ? std::move(*root) : "/";
  if (auto read = log.read_records(); !read) return Failure(read.error());
  return log;
}

Result<void> RunLog::read_records() {
  const std::string path = folder_ + "/records";
  const auto text = host::read_local_file(path, kLargestRecords);
  if (!text) return Failure(text.error());
  std::size_t number = 0;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = text->find('\n', at);
    if (end == text->npos) break;  // torn off
    const std::string_view line = std::string_view(*text).substr(at, end - at);
    if (++number == 1) {
      std::string_view rest = line, word;
      const bool ours = format::next_word(rest, word) && word == format::trim(kTitle);
      const auto version =
          format::next_word(rest, word) ? format::parse_u64(word) : std::optional<std::uint64_t>();
      if (ours && version && *version > kVersion) {
        return fail(fmt::format(m::kJournalNewer, path, *version, kVersion),
                    std::string(m::kJournalNewerHow));
      }
      begun_ns_ = format::parse_i64(format::trim(rest)).value_or(0);
      if (!ours || !version) break;
    } else if (auto record = record_from_line(line); record && record->step < plan_.steps.size()) {
      records_.push_back(std::move(*record));
    } else {
      break;
    }
    at = end + 1;
    size_ = static_cast<std::int64_t>(at);
  }
  // Only the last line can be torn: one more after it, or no title, is damage.
  const std::size_t torn_end = text->find('\n', static_cast<std::size_t>(size_));
  const bool damaged = size_ == 0 || (torn_end != text->npos && torn_end + 1 < text->size());
  if (!damaged) return {};
  return fail(fmt::format(m::kJournalDamaged, path, number), std::string(m::kJournalDamagedHow));
}

RunPhase RunLog::phase() const {
  bool begun = false, finished = false, undoing = false, stopped = false;
  for (const Record& record : records_) {
    if (record.kind == RecordKind::intent) begun = true;
    if (record.kind == RecordKind::finished) finished = true;
    if (record.kind == RecordKind::undo_begun) undoing = true, stopped = false;
    if (record.kind == RecordKind::undo_finished) stopped = true;
  }
  if (!begun && !finished) return RunPhase::undone;  // it stopped before its first step
  if (!undoing && finished) return RunPhase::applied;
  if (!undoing) return standing() == 0 ? RunPhase::undone : RunPhase::interrupted;
  if (!stopped) return RunPhase::undo_interrupted;
  return standing() == 0 ? RunPhase::undone : RunPhase::partly_undone;
}

std::vector<StepLog> RunLog::steps() const {
  std::vector<StepLog> steps(plan_.steps.size());
  for (const Record& record : records_) {
    StepLog& step = steps[record.step];
    if (record.kind == RecordKind::intent) step = StepLog{record, {}, {}, {}};
    if (record.kind == RecordKind::done) step.done = record;
    if (record.kind == RecordKind::failed) step.failure = record.text;
    if (record.kind == RecordKind::undone) step.undone = record;
  }
  return steps;
}

std::size_t RunLog::standing() const {
  const auto all = steps();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [](const StepLog& step) { return step.intent && !step.undone; }));
}

Result<void> RunLog::open_records() {
  if (fd_) return {};
  const std::string path = folder_ + "/records";
  fd_ = UniqueFd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd_ || ::ftruncate(fd_.get(), size_) != 0) {
    const int error = errno;
    fd_.reset();
    return cant_write(folder_, error);
  }
  return {};
}

Result<void> RunLog::append(Record record) {
  if (auto opened = open_records(); !opened) return opened;
  if (boundary_) boundary_();
  record.at_ns = wall_now().ns;
  const std::string line = record_to_line(record);
  std::size_t put = 0;
  while (put < line.size()) {
    const ssize_t n = ::pwrite(fd_.get(), line.data() + put, line.size() - put,
                               size_ + static_cast<std::int64_t>(put));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    put += static_cast<std::size_t>(n);
  }
  if (put < line.size() || ::fsync(fd_.get()) != 0) {
    const int error = errno;
    if (::ftruncate(fd_.get(), size_) != 0) fd_.reset();  // the next one tries it again
    return cant_write(folder_, error);
  }
  size_ += static_cast<std::int64_t>(line.size());
  records_.push_back(std::move(record));
  if (boundary_) boundary_();
  return {};
}

Result<void> RunLog::save(const std::string& name, std::string_view bytes) {
  if (boundary_) boundary_();
  auto saved = host::write_file_atomic(fmt::format("{}/saved/{}", folder_, name), bytes, 0600);
  if (!saved) {
    saved.error().remedy = m::kJournalWriteHow;
    return Failure(saved.error().in(fmt::format(m::kJournalWrite, folder_)));
  }
  return {};
}

Result<std::string> RunLog::saved(const std::string& name, const std::string& sha256,
                                  const std::string& path) const {
  auto bytes = host::read_local_file(fmt::format("{}/saved/{}", folder_, name), kLargestFile);
  if (bytes && format::sha256_hex(*bytes) == sha256) return bytes;
  return fail(fmt::format(m::kSavedDamaged, id_, format::escape_for_terminal(path)),
              std::string(m::kSavedDamagedHow));
}

}  // namespace estiva::act
