// What the routes need of the daemon: the World as it is, and the two verbs that change the
// ledger. The daemon implements it on its loop; tests implement it with values. Loop thread only.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/caller.h"
#include "api/library.h"
#include "base/error.h"
#include "decide/placement/explain.h"
#include "decide/placement/request.h"
#include "model/world.h"
#include "net/loop.h"
#include "store/store.h"

namespace estiva::api {

// How an assign ended when nothing broke: a lease, or a refusal with its words.
struct AssignAnswer {
  Lease lease;
  bool already_assigned = false;
  std::string why;  // why this GPU, a sentence without its full stop
  std::optional<decide::Explanation> refusal;
};

// What a request must keep to beside placement.
struct AssignTerms {
  bool only_new = false;  // a model that has a lease already is refused, and its lease stays
  // What the words of a refusal may name.
  decide::Names names = decide::Names::all;
  // Asked with all leases when it is decided, so that nothing can come in between; absent: yes.
  std::function<Result<void>(const std::vector<Lease>&)> admits;
  // Waits so long for room instead of being refused for want of it.
  Nanoseconds wait{0};
  // Where it waits: given what to call when the client goes away; then it waits no longer.
  std::function<void(std::function<void()>)> on_gone;
};

class Keys;
class Residents;

class Backend {
 public:
  virtual ~Backend() = default;

  // The newest there is. Never waits, never null.
  virtual WorldPtr world() const = 0;
  // The one that changed() last told of: what a stream shows, at most 20 different ones a second.
  virtual WorldPtr published() const = 0;
  // Notified each time a new World was published.
  virtual net::Notice& changed() = 0;
  // True once the daemon is about to end: streams should finish.
  virtual bool is_ending() const = 0;
  // Grants or refuses after a reading that began after the call; durable when it returns. Errors:
  // refused (too many waiting, driver gone), timed_out, failed (the store), and what the terms
  // say.
  virtual net::Awaitable<Result<AssignAnswer>> assign(decide::AssignRequest request,
                                                      AssignTerms terms) = 0;
  // Ends the live lease of this name; durable when it returns. The lease as it is then: gone, or
  // `releasing` while its processes still hold memory. With an `id` only if it is that lease: a
  // name may belong to somebody else by now. Errors: not_found, failed (the store).
  virtual net::Awaitable<Result<Lease>> release(std::string model, std::string id) = 0;
  // The newest records of the journal before a position, newest first. Errors: failed (the store).
  virtual net::Awaitable<Result<std::vector<store::JournalRecord>>> journal(
      store::JournalQuery query) = 0;
  // Notified after records were written.
  virtual net::Notice& journalled() = 0;
  // Sends a notification now. Errors: refused (nobody is to be told), or why it did not arrive.
  virtual net::Awaitable<Result<void>> test_notification() = 0;
  // A person says that what is wrong with a device is over: a GPU that is gone for good is
  // forgotten, and what XIDs said is ended. Errors: not_found (nothing is wrong that can be).
  virtual Result<void> dismiss(const std::string& device) = 0;
  // The identity of a live process, to bind a lease to. Errors: usage (no such process).
  virtual Result<Holder> identify(pid_t pid) = 0;
  // Who the clients of the lease socket are.
  virtual Callers& callers() = 0;
  // The models that are loaded for requests; null where there is nothing that loads them.
  virtual Residents* residents() { return nullptr; }
  // Who may use them from elsewhere; null where there are no models.
  virtual Keys* keys() { return nullptr; }
  // Leases whose programs give their bytes back when they are asked.
  virtual Library& library() = 0;
  // Where the API listens on TCP, "127.0.0.1:7700"; none: it does not.
  virtual std::vector<std::string> tcp_addresses() const = 0;
};

// {"schema":"estiva/assign/1","lease":{..}} or {"refused":{..}}
std::string assign_json(const AssignAnswer& answer, bool simulated);
// {"schema":"estiva/release/1","released":{..}}
std::string release_json(const Lease& lease, bool simulated);

}  // namespace estiva::api
