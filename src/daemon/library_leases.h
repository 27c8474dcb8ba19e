// The leases of programs that share the GPU by themselves (api/library.h): who can be asked for its
// bytes, who was asked, who has yielded, and who has fallen silent. What is durable is the
// keeper's; this knows only what programs say, and they say it again after a restart. Loop thread
// only.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "api/backend.h"
#include "api/library.h"
#include "daemon/keeper.h"
#include "daemon/residents.h"
#include "decide/placement/make_room.h"

namespace estiva::daemon {

class LibraryLeases final : public api::Library {
 public:
  struct Parts {
    net::Loop& loop;
    Keeper& keeper;
    // Assigns, waiting its turn.
    std::function<net::Awaitable<Result<api::AssignAnswer>>(decide::AssignRequest,
                                                            api::AssignTerms)>
        assign;
    // A lease of this model is asked for its bytes by somebody else, never by make_room(). May be
    // empty: none is.
    std::function<bool(const std::string& model)> is_managed;
    std::function<void()> yielded_or_idle;  // somebody who waits may have room now
    // A program that can be asked has its bytes, has them no more, computes, or is done.
    std::function<void(const std::string& model, Residents::LeaseMove move)> moved = {};
  };
  explicit LibraryLeases(Parts parts);

  void enrol(const Lease& lease, api::LibraryTerms terms) override;
  void beat(const Lease& lease) override;
  Result<void> use(const Lease& lease, bool busy) override;
  net::Awaitable<Result<Lease>> yielded(Lease lease, std::vector<Bytes> kept) override;
  net::Awaitable<Result<api::AssignAnswer>> resume(Lease lease, std::optional<Bytes> each,
                                                   bool busy, api::AssignTerms terms) override;
  Result<std::optional<api::LibraryEvent>> event_after(const std::string& lease_id,
                                                       std::uint64_t seen) override;
  net::Notice& told() override { return told_; }
  net::Awaitable<api::Revoked> revoke(std::string lease_id, std::string reason,
                                      Nanoseconds limit) override;
  void offer(const std::string& lease_id, std::string reason) override;

  // Asks as many as are needed for this request to fit, those that were used longest ago first and
  // the busy ones last; nobody where that would not do, which is false. `others` leave for it, too,
  // at somebody else's word. One such round at a time: true while one is under way.
  bool make_room(const decide::AssignRequest& request, std::vector<decide::Yielder> others = {});
  // The program of the model's lease, while it has its bytes and can be asked for them.
  std::optional<Holder> program_of(const std::string& model) const;
  // Asks the model's lease; true: it has given its bytes back, or is no more.
  net::Awaitable<bool> ask_model(std::string model);
  // The ledger changed: forgets leases that are gone.
  void ledger_changed();

  // What a lease that is asked by make_room() is given to move its bytes.
  static constexpr Nanoseconds kTimeToYield = std::chrono::seconds(30);
  // It keeps its bytes at least so long after it got them, or two programs would do nothing but
  // move theirs in and out.
  static constexpr Nanoseconds kShortestStay = std::chrono::milliseconds(500);
  // Heartbeats are looked at so often; one may be missed by that much.
  static constexpr Nanoseconds kSweep = std::chrono::milliseconds(250);

 private:
  enum class Stand : std::uint8_t { in, asked, out };
  struct Held {
    Lease lease;  // as large as it was at its largest
    api::LibraryTerms terms;
    Stand stand = Stand::in;
    bool busy = false;
    bool wanted = false;  // a revocation waits for it
    Nanoseconds silent{0};
    SteadyTime got_at, used_at;
    api::LibraryEvent event;
  };

  Held& know(const Lease& lease);
  void told_move(const Held& held, Residents::LeaseMove move) const;
  const Held* held_by(const std::string& model) const;
  bool is_live(const std::string& lease_id) const;
  void tell(Held& held, api::LibraryEvent::Kind kind, std::string reason = {},
            SteadyTime deadline = {});
  void ask(Held& held, const std::string& reason, SteadyTime deadline);
  net::Awaitable<api::Revoked> outcome(std::string lease_id, SteadyTime deadline,
                                       std::string reason);
  net::Awaitable<void> ask_one(std::string id, std::string reason);
  void sweep();
  net::Awaitable<void> lose(std::string model, std::string lease_id);

  Parts parts_;
  net::Notice told_;
  std::map<std::string, Held> held_;  // by lease id; bounded by the ledger's leases
  std::shared_ptr<void> sweeper_;     // while somebody has promised a heartbeat
  SteadyTime swept_at_;
  std::size_t being_asked_ = 0;  // by make_room()
};

}  // namespace estiva::daemon
