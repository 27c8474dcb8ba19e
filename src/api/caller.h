// Who asks over the lease socket, by the kernel's word, and what is theirs. The daemon implements
// Callers on its loop; tests implement it with values.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/error.h"
#include "model/container.h"
#include "model/lease.h"
#include "net/peer.h"

namespace estiva::api {

struct Caller {
  Holder process;          // as this machine numbers it
  uid_t uid = 0;           // as this machine numbers it: root of a rootless container is not root
  std::string group;       // the control group of its container; empty: in none
  ProcessContainer place;  // an empty id: in no container
  // What the engine says of the container; absent where it does not know it, or where an ordinary
  // user could have made a control group of that name.
  std::optional<Container> container;
};

enum class Relation : std::uint8_t {
  stranger,
  same_user,  // both outside containers and of one user: not the caller's, and counts to its limit
  own,        // held in the caller's container; outside of one, by it, an ancestor or a descendant
};

class Callers {
 public:
  virtual ~Callers() = default;

  // Errors: denied, where it ended meanwhile or lives where it can't be seen.
  virtual Result<Caller> recognise(const net::Peer& peer) = 0;
  // How the holder of each lease stands to the caller. `leases` are all there are.
  virtual std::vector<Relation> relations(const Caller& caller, std::span<const Lease> leases) = 0;
  // The first process of the caller's container, with which the container ends. Errors: refused,
  // where the caller is in none, or does not descend from it (`docker exec`).
  virtual Result<Holder> main_process(const Caller& caller) = 0;
};

}  // namespace estiva::api
