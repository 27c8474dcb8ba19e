// Free space. A file system on a network can hang for ever in statvfs: these calls block, belong to
// the worker thread, and touch nothing but the paths they are given.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "host/files.h"
#include "model/host.h"

namespace estiva::host {

// One path: its size and room, and the file system's type from mountinfo where known. used_ratio
// as df prints it: used / (used + available to ordinary users).
Result<Disk> read_disk(const Root& root, const std::string& role, const std::string& path);

// The disks of "/" ("root"), of Docker's folder ("docker") and of model folders ("models"). Paths
// that do not exist or can't be read are left out; `trouble` (if not null) gets a sentence each.
// On network file systems only mounts the user named are touched.
std::vector<Disk> read_disks(const Root& root, const std::string& docker_root,
                             const std::vector<std::string>& model_folders,
                             std::vector<std::string>* trouble = nullptr);

std::vector<SwapArea> read_swap_areas(const Root& root);

}  // namespace estiva::host
