// Control group files.
#include "format/cgroup.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size) {
  using namespace estiva::format;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = parse_cgroup_memberships(text);
  (void)cgroup_path_for(lines, "memory");
  const auto id = container_id_of(text);
  if (id && id->size() != 64) __builtin_trap();
  (void)parse_cgroup_memory_stat(text);
  (void)parse_cgroup_amount(text);
  (void)parse_cgroup_cpu(text);
  return 0;
}
