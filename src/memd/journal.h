// What estiva-memd was about to do with each of its swap files: a small file on /run, written
// before each step. After a reboot it is gone, and so is every active area. It is an aid, not the
// truth: the truth is the folder and what the kernel swaps to.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "decide/memory/law.h"
#include "memd/area_files.h"

namespace estiva::memd {

enum class JournalStep : std::uint8_t { none, intent, made, active, retiring };

struct JournalRow {
  std::uint32_t magic = 0;
  JournalStep step = JournalStep::none;
  std::uint8_t reserved[3] = {};
  std::uint32_t id = 0;
  std::uint32_t sum = 0;  // of the rest; a row that was cut off does not count
  std::uint64_t size = 0, inode = 0, device = 0;
  Uuid uuid{};
  std::uint64_t sequence = 0;
};
static_assert(sizeof(JournalRow) == 64);
using JournalRows = std::array<JournalRow, decide::memory::kMostAreas>;

// One owner at a time: the file is locked, and the lock ends with the process.
class Journal {
 public:
  // Makes the file at its full size, so that no later write can fail for lack of room. Refused
  // where another process has it.
  static Result<Journal> open(const std::string& path);

  // The rows as they are in the file; one that can't be right is empty.
  JournalRows read() const noexcept;
  // The row of area `file`, 1 to kMostAreas. False where it could not be written: then the step
  // that it announces must not be done.
  bool note(std::uint32_t id, JournalStep step, const AreaFile& file) noexcept;

 private:
  UniqueFd fd_;
  std::uint64_t sequence_ = 0;
};

}  // namespace estiva::memd
