// /proc/self/mountinfo.
#include "format/mounts.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size) {
  using namespace estiva::format;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto mounts = parse_mountinfo(text);
  if (mounts.size() > kMaxMounts) __builtin_trap();
  (void)mount_of(mounts, "/var/lib/docker");
  return 0;
}
