// A SQLite VFS over the default one whose writes fail when a test says so: a full disk, an
// input/output error, a write that stops half way. The faults are those of the whole process.
#pragma once

namespace estiva::store {

enum class Fault { none, full, io_error, short_write, hang };

inline constexpr char kFaultVfs[] = "estiva-fault";

// Registers the VFS once.
void install_fault_vfs();
// From now on the nth write (1 = the next) and all after it fail like this; `hang` waits until
// another fault (or none) is set.
void set_fault(Fault fault, int nth_write = 1);
// Writes that went to the VFS since set_fault.
int writes_seen();

}  // namespace estiva::store
