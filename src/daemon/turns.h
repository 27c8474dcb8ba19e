// Requests that wait for room, in the order in which they came. One that comes later may be served
// first where it fits and the earlier ones do not, but only for a while: past kPatience an earlier
// one goes first, and nobody behind it is looked at until it has its room or leaves. Loop thread
// only.
#pragma once
#include <chrono>
#include <functional>
#include <list>
#include <memory>

#include "api/backend.h"
#include "decide/placement/request.h"
#include "net/loop.h"

namespace estiva::daemon {

class Turns {
 public:
  // Decides a request now, as it is.
  using Assign = std::function<net::Awaitable<Result<api::AssignAnswer>>(decide::AssignRequest,
                                                                         api::AssignTerms)>;
  // There is no room for this request, whose turn it is. May do something about it; must not wait.
  using NoRoom = std::function<void(const decide::AssignRequest&)>;
  Turns(net::Loop& loop, Assign assign, NoRoom no_room)
      : loop_(loop),
        assign_(std::move(assign)),
        no_room_(std::move(no_room)),
        woken_(loop),
        tried_(loop) {}

  // As api::Backend::assign; with terms.wait a refusal for want of room is given only when that
  // time is over. Errors beside: refused (too many wait; the client hung up).
  net::Awaitable<Result<api::AssignAnswer>> assign(decide::AssignRequest request,
                                                   api::AssignTerms terms);
  // There may be more room than before.
  void look_again();
  std::size_t waiting() const { return line_.size(); }

  static constexpr Nanoseconds kPatience = std::chrono::seconds(5);
  // Each is decided anew after every change of the ledger, which costs some 10 us.
  static constexpr std::size_t kMostWaiting = 256;

 private:
  struct Place;
  using PlacePtr = std::shared_ptr<Place>;
  // Tries all whose turn it is, in order and on one reading, again and again.
  net::Awaitable<void> run();
  net::Awaitable<void> attempt(PlacePtr place);
  bool is_turn_of(const Place& place) const;
  Nanoseconds time_to_nap() const;

  net::Loop& loop_;
  Assign assign_;
  NoRoom no_room_;
  std::list<PlacePtr> line_;
  bool running_ = false;
  bool again_ = false;      // something changed since the last round was begun
  std::size_t trying_ = 0;  // of this round
  net::Notice woken_, tried_;
};

}  // namespace estiva::daemon
