#include "decide/residency/host_ram.h"

#include <algorithm>

namespace estiva::decide {

Bytes sleepers_budget(const HostMemory& memory, Bytes taken) {
  const Bytes reserve = std::max(Bytes{memory.total.value / 20}, Bytes{1ULL << 30});
  if (memory.available >= reserve) return Bytes{(memory.available + taken).value / 2};
  const Bytes missing = reserve - memory.available;
  return taken > missing ? taken - missing : Bytes{};
}

}  // namespace estiva::decide
