// Our swap files in their folder: made, swapped to, let go and removed, one system call after the
// other. Nothing here allocates. A file is opened by its name below the folder's descriptor and
// never through a link; it must be a regular file of root's, mode 0600, with one name.
#pragma once
#include <cstdint>

#include "memd/swap_header.h"

namespace estiva::memd {

// What failed, and with which errno. EPERM of swapon also means: the kernel takes no more areas.
enum class AreaStep : std::uint8_t {
  none,
  disk_floor,
  open,
  allocate,
  header,
  swapon,
  swapoff,
  remove
};
struct AreaFault {
  AreaStep step = AreaStep::none;
  int error = 0;
  explicit operator bool() const { return step != AreaStep::none; }
};
const char* step_name(AreaStep step) noexcept;

enum class FileKind : std::uint8_t {
  absent,
  ours,     // whole and with our header
  cut_off,  // ours, not whole
  foreign,  // has the name of ours and is not: never touched
};
struct AreaFile {
  FileKind kind = FileKind::absent;
  bool is_active = false;  // the kernel swaps to it
  std::uint64_t size = 0, inode = 0, device = 0;
  Uuid uuid{};
};

// "area-3.swap"; id 0 is the trial file.
struct AreaName {
  char text[24];
};
AreaName area_name(std::uint32_t id) noexcept;

AreaFile look_at_area(int folder, std::uint32_t id) noexcept;

// A file of `size` bytes, all allocated, with a header. Not made where less than `floor` bytes
// would stay free on the disk. What was begun and failed is removed again.
AreaFault make_area(int folder, std::uint32_t id, std::uint64_t size, std::uint64_t floor) noexcept;
AreaFault activate_area(int folder, std::uint32_t id) noexcept;
// May take minutes, and can be ended by a signal: for a child with a deadline.
AreaFault deactivate_area(int folder, std::uint32_t id) noexcept;
// Only of ours, and only where the kernel does not use it (EBUSY).
AreaFault remove_area(int folder, std::uint32_t id) noexcept;

}  // namespace estiva::memd
