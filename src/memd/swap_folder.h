// The folder that holds the swap files: may it, and does the kernel take a swap file there? Found
// out at the start, by a file that is tried out, and not when memory runs short.
#pragma once
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace estiva::memd {

struct SwapFolder {
  UniqueFd fd;
  std::string path;  // as /proc/swaps shows it
};

// Opens it, and makes it where it is missing: on btrfs as a subvolume of its own without copy on
// write, because a subvolume with an active swap file can't be snapshotted. Refused, with the
// reason: a link, a folder that others may change, a file system other than ext4, xfs and btrfs.
Result<SwapFolder> open_folder(const std::string& path);

// Swaps to a small file and back; leaves nothing. Needs root.
Result<void> try_folder(const SwapFolder& folder);

}  // namespace estiva::memd
