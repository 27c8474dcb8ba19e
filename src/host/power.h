// Where the machine's power comes from.
#pragma once
#include "host/files.h"

namespace estiva::host {

// True where a battery of the machine discharges. False for a desktop, and where it can't be told.
// Reads /sys/class/power_supply (kernel: Documentation/ABI/testing/sysfs-class-power). A few reads.
bool is_on_battery(const Root& root);

}  // namespace estiva::host
