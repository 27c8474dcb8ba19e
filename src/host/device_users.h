// Which processes have device nodes open: who holds a GPU awake, or its module loaded.
#pragma once
#include <span>
#include <string_view>

#include "host/files.h"
#include "model/readiness.h"

namespace estiva::host {

// Every process that has a node open whose path begins with one of `prefixes` ("/dev/nvidia").
// Reads /proc/PID/fd, which only root may do for the processes of others: those are counted as
// hidden. One pass over all descriptors of the machine: for doctor and its kin, not for each
// second.
DeviceUsers find_device_users(const Root& root, std::span<const std::string_view> prefixes);

}  // namespace estiva::host
