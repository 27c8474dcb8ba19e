// Everything of the daemon that serves models to requests: the residents, the gateway's socket and
// its process. Loop thread only.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "api/keys.h"
#include "api/residents.h"
#include "base/error.h"
#include "daemon/options.h"
#include "daemon/residents.h"
#include "host/files.h"
#include "model/host.h"
#include "net/loop.h"

namespace estiva::store {
class Store;
}

namespace estiva::daemon {

class Keeper;
class LibraryLeases;

// Executes the gateway in place of this program, with what the settings say of it. Returns where
// they say that it is off, or an error.
Result<void> become_gateway(const DaemonOptions& options);

class ModelService {
 public:
  struct Parts {
    net::Loop& loop;
    store::Store& store;
    Keeper& keeper;
    const host::Root& root;
    std::string boot_id;
    const DaemonOptions& options;
    LibraryLeases& library;
  };
  explicit ModelService(Parts parts);
  ~ModelService();

  // Errors: the gateway's socket can't be made.
  Result<void> start();
  api::Residents& residents();
  api::Keys& keys();
  void look_at_ledger();
  // As Residents.
  bool manages(const std::string& model) const;
  bool want(const decide::AssignRequest& request);
  void lease_moved(const std::string& model, Residents::LeaseMove move);
  void take_host(const Reading<HostMemory>& memory);
  // The gateway is ended; the models too where the options say so, else they go on.
  net::Awaitable<void> stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estiva::daemon
