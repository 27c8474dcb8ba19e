// The small files of a machine that go into a recording: an allow-list of paths, and for each what
// of its text is kept.
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/error.h"
#include "host/files.h"
#include "observe/redact.h"

namespace estiva::observe {

struct RecordedFile {
  std::string path;  // below the folder: "proc/meminfo"
  std::uint64_t bytes = 0;
};

// What record_tree() copies, a line each, for a person who wants to know beforehand.
std::vector<std::string> tree_contents(bool names_kept);

// Copies them below `dir`, which exists. Of /proc/PID those of `pids`, of what started them, and of
// process 1. A file that is not there is left out in silence, one that can't be read is noted in
// `left_out`. Errors: nothing could be written (a full disk).
Result<std::vector<RecordedFile>> record_tree(const host::Root& root, const std::string& dir,
                                              const std::set<pid_t>& pids, Redactor& redactor,
                                              std::vector<std::string>& left_out);

}  // namespace estiva::observe
