#include "daemon/turns.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/messages/api.h"

namespace estiva::daemon {
namespace {

using namespace std::chrono_literals;

// Memory that the driver frees late changes nothing that anybody is told of.
constexpr Nanoseconds kLongestNap = 1s;

bool is_no_room(const Result<api::AssignAnswer>& answer) {
  return answer && answer->refusal && answer->refusal->kind == ErrorKind::no_room;
}

}  // namespace

struct Turns::Place {
  Place(net::Loop& loop, decide::AssignRequest wanted, api::AssignTerms kept_to)
      : request(std::move(wanted)),
        terms(std::move(kept_to)),
        since(steady_now()),
        until(since + terms.wait),
        changed(loop) {}
  decide::AssignRequest request;
  api::AssignTerms terms;
  SteadyTime since, until;
  std::optional<Result<api::AssignAnswer>> answer;
  bool has_left = false;  // its client hung up
  bool is_tried = false;  // just now: it can't leave before that is answered
  net::Notice changed;
};

net::Awaitable<Result<api::AssignAnswer>> Turns::assign(decide::AssignRequest request,
                                                        api::AssignTerms terms) {
  if (terms.wait <= Nanoseconds::zero()) {
    co_return co_await assign_(std::move(request), std::move(terms));
  }
  if (line_.size() >= kMostWaiting) {
    co_return fail(ErrorKind::refused, fmt::format(msg::kTooManyWaiting, line_.size()),
                   msg::kTryLater);
  }
  const auto me = std::make_shared<Place>(loop_, std::move(request), std::move(terms));
  const auto mine = line_.insert(line_.end(), me);
  if (me->terms.on_gone) {
    me->terms.on_gone([place = std::weak_ptr<Place>(me)] {
      const auto here = place.lock();
      if (!here) return;
      here->has_left = true;
      here->changed.notify_all();
    });
  }
  look_again();
  if (!running_) {
    running_ = true;
    loop_.spawn(run());
  }
  while (!me->answer && (!me->has_left || me->is_tried)) (void)co_await me->changed.wait();
  line_.erase(mine);
  look_again();  // it may have stood in somebody's way
  if (!me->answer) co_return fail(ErrorKind::refused, msg::kHungUp, {});
  co_return std::move(*me->answer);
}

net::Awaitable<void> Turns::run() {
  while (!line_.empty()) {
    again_ = false;
    const std::vector<PlacePtr> round(line_.begin(), line_.end());
    // One time for all: or a reading begun between two of them would be too old for the later one,
    // which would then be decided after the first was refused, and pass it.
    const SteadyTime now = steady_now();
    for (const PlacePtr& place : round) {
      if (place->answer || place->has_left || !is_turn_of(*place)) continue;
      place->request.requested_at = now;
      place->is_tried = true;
      ++trying_;
      loop_.spawn(attempt(place));
    }
    while (trying_ > 0) (void)co_await tried_.wait();
    if (!again_) (void)co_await woken_.wait(time_to_nap());
  }
  running_ = false;
}

net::Awaitable<void> Turns::attempt(PlacePtr place) {
  const bool is_last = steady_now() >= place->until;
  auto answer = co_await assign_(place->request, place->terms);
  place->is_tried = false;
  if (is_last || !is_no_room(answer)) {
    place->answer = std::move(answer);
  } else if (no_room_ && !place->has_left) {
    no_room_(place->request);
  }
  place->changed.notify_all();
  if (--trying_ == 0) tried_.notify_all();
}

// Nobody before it has waited too long; or it is its last chance.
bool Turns::is_turn_of(const Place& place) const {
  const SteadyTime now = steady_now();
  if (now >= place.until) return true;
  for (const PlacePtr& other : line_) {
    if (other.get() == &place) return true;
    const bool waits = !other->has_left && !other->answer;
    if (waits && now - other->since > kPatience) return false;
  }
  return true;
}

// To the end of somebody's patience, at most kLongestNap.
Nanoseconds Turns::time_to_nap() const {
  const SteadyTime now = steady_now();
  Nanoseconds nap = kLongestNap;
  for (const PlacePtr& place : line_) {
    if (!place->answer && !place->has_left) nap = std::min(nap, place->until - now);
  }
  return std::max(nap, Nanoseconds(1ms));
}

void Turns::look_again() {
  again_ = true;
  woken_.notify_all();
}

}  // namespace estiva::daemon
