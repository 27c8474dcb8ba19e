// The keys of the gateway: made, revoked and kept; what each used, as the gateway tells it, written
// down now and then, so that no request waits for a disk. Loop thread only; a thread of its own
// writes the file.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/gateway_protocol.h"
#include "api/keys.h"
#include "daemon/inbox.h"
#include "daemon/key_file.h"
#include "daemon/worker.h"

namespace estiva::store {
class Store;
}

namespace estiva::daemon {

class KeyKeeper {
 public:
  struct Parts {
    net::Loop& loop;
    store::Store& store;
    std::string path;               // of the file
    std::function<void()> changed;  // the keys: the gateway is to be told
  };
  explicit KeyKeeper(Parts parts);
  ~KeyKeeper();
  KeyKeeper(const KeyKeeper&) = delete;
  KeyKeeper& operator=(const KeyKeeper&) = delete;

  // Reads the file: at the start. Errors: as load_keys().
  Result<void> load(const std::map<std::string, std::string>& notes);
  bool empty() const { return records_.empty(); }
  std::vector<api::GatewayKey> for_gateway() const;
  std::vector<api::KeyStatus> status() const;
  void take(const api::UseOfKey& use);
  // Writes down what was used and is not yet; at the end, too.
  void remember();

  // As api::Keys says.
  net::Awaitable<Result<std::string>> create(api::KeySpec spec);
  net::Awaitable<Result<void>> revoke(std::string name);

 private:
  struct Saving;
  net::Awaitable<void> wait_turn();
  net::Awaitable<Result<void>> save(const std::vector<KeyRecord>& records);
  void end_turn();
  const KeyRecord* find(std::string_view name) const;
  Result<void> check_new(const api::KeySpec& spec) const;
  void journal(const std::string& name, std::string what);

  Parts parts_;
  std::vector<KeyRecord> records_;  // by name
  std::map<std::string, KeyUse, std::less<>> uses_;
  std::set<std::string> unwritten_;  // names of uses
  std::shared_ptr<void> writer_;
  bool is_saving_ = false;
  net::Notice saved_;
  std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<Worker> worker_;  // from the first change on
};

}  // namespace estiva::daemon
