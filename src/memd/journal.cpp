#include "memd/journal.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/messages/memd.h"

namespace estiva::memd {

namespace {

constexpr std::uint32_t kMagic = 0x314a4d45;  // "EMJ1"

// FNV-1a: tells a row that was cut off; nobody forges it, the file is root's.
std::uint32_t sum_of(JournalRow row) {
  row.sum = 0;
  unsigned char bytes[sizeof row];
  std::memcpy(bytes, &row, sizeof row);
  std::uint32_t sum = 2166136261;
  for (const unsigned char byte : bytes) sum = (sum ^ byte) * 16777619;
  return sum;
}

Failure no_journal(const std::string& path, int number) {
  return fail(fmt::format(msg::kMemdNoRun, path, std::strerror(number)));
}

}  // namespace

Result<Journal> Journal::open(const std::string& path) {
  Journal out;
  out.fd_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!out.fd_) return no_journal(path, errno);
  if (flock(out.fd_.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorKind::refused, fmt::format(msg::kMemdBusy, path),
                std::string(msg::kMemdBusyRemedy));
  if (fallocate(out.fd_.get(), 0, 0, sizeof(JournalRows)) != 0) return no_journal(path, errno);
  for (const JournalRow& row : out.read()) out.sequence_ = std::max(out.sequence_, row.sequence);
  return out;
}

JournalRows Journal::read() const noexcept {
  JournalRows rows;
  if (pread(fd_.get(), rows.data(), sizeof rows, 0) != sizeof rows) return {};
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].magic != kMagic || rows[i].sum != sum_of(rows[i]) || rows[i].id != i + 1)
      rows[i] = JournalRow{};
  return rows;
}

bool Journal::note(std::uint32_t id, JournalStep step, const AreaFile& file) noexcept {
  JournalRow row{kMagic,    step,       {},          id,        0,
                 file.size, file.inode, file.device, file.uuid, ++sequence_};
  row.sum = sum_of(row);
  const auto at = static_cast<off_t>((id - 1) * sizeof row);
  return pwrite(fd_.get(), &row, sizeof row, at) == sizeof row;
}

}  // namespace estiva::memd
