#include "memd/recover.h"

namespace estiva::memd {

namespace {

// An intent is written before the file exists, and knows no inode yet.
bool is_another(const AreaFile& file, const JournalRow& row) {
  if (row.step == JournalStep::none || row.step == JournalStep::intent) return false;
  return row.inode != file.inode || row.device != file.device || row.uuid != file.uuid;
}

}  // namespace

Recovery recover_area(const AreaFile& file, const JournalRow& row, bool has_prepared) noexcept {
  if (file.kind == FileKind::absent) return Recovery::nothing;
  if (file.kind == FileKind::foreign || is_another(file, row)) return Recovery::leave;
  if (file.is_active) return Recovery::adopt;
  if (file.kind == FileKind::cut_off || has_prepared) return Recovery::remove;
  return Recovery::reuse;
}

}  // namespace estiva::memd
