// Files, links and device nodes: what is there, and how it becomes something else in one step that
// a crash can't cut in two. Temp + fsync + rename + fsync of the folder.
#pragma once
#include <cstddef>
#include <string>

#include "act/machine.h"
#include "act/paths.h"
#include "act/state.h"

namespace estiva::act {

// What may be kept for the undo of one file: a daemon.json of 50 MB is the largest that was met.
inline constexpr std::size_t kLargestFile = 64u << 20;

struct Found {
  std::string path;  // where it is, links followed where the step follows them
  State state;
  std::string content;  // of a file
  // Which object it was: to see at the last moment that it is still this one.
  dev_t device = 0;
  ino_t inode = 0;
  std::int64_t changed_ns = 0;
};

// What is there; a link is not followed. A folder that is missing on the way means absent.
// Errors: can't be read; refused where a file is larger than kLargestFile.
Result<Found> look_at(const host::Root& root, const std::string& path);

// Reasons why the thing at `path` can't be replaced or removed: read-only file system, immutable or
// append-only (itself or its folder), a folder or a socket. Looks, changes nothing.
Result<void> check_replaceable(const host::Root& root, const Found& found);

struct Becoming {
  const State& wanted;
  const std::string& content;  // of a file
  const std::string& temp;     // name for the temporary file, in the same folder
};
// Makes `found.path` what is wanted, with mode, owner, attributes and, where set, time. Its folder
// must be there. On any error what was there is whole and the temporary file is gone. Refused where
// it is not what was found any more.
Result<void> become(const Machine& machine, const Found& found, const Becoming& becoming);

// Removes a temporary file that a crash left; nothing happens where there is none.
void remove_leftover(const host::Root& root, const std::string& beside, const std::string& temp);

}  // namespace estiva::act
