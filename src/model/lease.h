// A lease is a promise of VRAM: so many bytes on these devices, all granted or none.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "model/gpu.h"

namespace estiva {

struct Share {
  DeviceId device;
  Bytes bytes;  // declared
  friend bool operator==(const Share&, const Share&) = default;
};

// The process a lease lives and dies with. pid + start_ticks (+ boot id) can't be mistaken for
// another process that was given the same pid later.
struct Holder {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string boot_id;
  friend bool operator==(const Holder&, const Holder&) = default;
};

enum class LeaseState : std::uint8_t {
  reserved,   // granted; nothing of it seen on the GPU yet
  active,     // its processes hold memory on the GPU
  releasing,  // released or holder dead; bytes stay charged until the GPU shows them gone
};

struct Lease {
  std::string id;     // "l-000000000001": unique in this database for ever
  std::string model;  // the name it was asked under; at most one live lease a name
  std::vector<Share> shares;
  LeaseState state = LeaseState::reserved;
  std::optional<Holder> holder;  // absent: lives until it is released by name
  WallTime granted_at;
  std::string node_id;
  std::uint64_t boot_epoch = 0;  // leases of an earlier boot are void
  std::uint64_t sequence = 0;    // of the ledger change that made or last changed it
  friend bool operator==(const Lease&, const Lease&) = default;
};

std::string_view to_name(LeaseState state);

}  // namespace estiva
