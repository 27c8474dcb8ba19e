// Recognises the clients of the lease socket. What procfs says of a number is believed only while
// the pidfd of the connection shows that the number is still the client's. Loop thread only.
#pragma once
#include <functional>
#include <map>
#include <string>

#include "api/caller.h"
#include "host/files.h"

namespace estiva::daemon {

class CallerBook final : public api::Callers {
 public:
  struct Engine {
    Containers containers;
    std::string address;  // of the engine that told of them
  };
  CallerBook(const host::Root& root, std::string boot_id, std::function<Engine()> engine)
      : root_(root), boot_id_(std::move(boot_id)), engine_(std::move(engine)) {}

  Result<api::Caller> recognise(const net::Peer& peer) override;
  std::vector<api::Relation> relations(const api::Caller& caller,
                                       std::span<const Lease> leases) override;
  Result<Holder> main_process(const api::Caller& caller) override;
  // One name for all connections of a container, or of a user outside of containers.
  std::string client_of(const net::Peer& peer) const;

 private:
  // Where a holder is; it stays there, and is known beyond its end.
  struct Standing {
    Holder holder;
    std::string group;
    std::optional<unsigned> uid;
    std::uint64_t round = 0;
  };
  const Standing& standing_of(const Lease& lease);
  void name_container(const std::string& path, api::Caller& caller) const;
  bool descends(const Holder& process, const Holder& ancestor) const;

  const host::Root& root_;
  std::string boot_id_;
  std::function<Engine()> engine_;
  std::map<std::string, Standing> standings_;  // by lease id
  std::uint64_t round_ = 0;
};

}  // namespace estiva::daemon
