// What becomes of each file in the folder when estiva-memd starts, after whatever ended it before.
#pragma once
#include <cstdint>

#include "memd/journal.h"

namespace estiva::memd {

enum class Recovery : std::uint8_t {
  nothing,  // there is no such file
  adopt,    // the kernel swaps to it: it is an active area of ours
  reuse,    // whole, not active: the prepared file
  remove,   // cut off, or one prepared file too many
  leave,    // not ours: never touched, and its id stays unused
};

// Of one file. `row` is the journal's; where it names another file than the one that is there
// (inode or UUID), the file is not ours. `has_prepared`: a file to reuse was found already.
Recovery recover_area(const AreaFile& file, const JournalRow& row, bool has_prepared) noexcept;

}  // namespace estiva::memd
