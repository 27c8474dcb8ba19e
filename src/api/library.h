// Leases of programs that share the GPU by themselves: such a lease can be asked for its bytes,
// gives them back, gets them again, and is lost when its program falls silent. docs/leases.md tells
// it to those who use it.
//
//   granted -> (asked for its bytes) -> yielded -> (resume) -> granted
//
// Whether bytes are free is never the program's word: the ledger looks at the GPU.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "model/lease.h"
#include "net/loop.h"

namespace estiva::api {

struct AssignAnswer;
struct AssignTerms;

// What its program said when it asked for the lease.
struct LibraryTerms {
  bool revocable = false;                // it can give its bytes back when it is asked
  std::optional<Nanoseconds> heartbeat;  // it is lost after so long without a word; absent: never
  bool any() const { return revocable || heartbeat; }
};

// What a lease's program is told. Only the last one counts: each takes the place of the one before.
struct LibraryEvent {
  enum class Kind : std::uint8_t {
    granted_bytes,  // it may use `bytes` of each share; also: what was asked is not wanted any more
    revoke,         // it is asked to move its bytes off the GPU and to say so, until `deadline`
    resume,         // it yielded, and may ask for its bytes again
  };
  Kind kind = Kind::granted_bytes;
  std::uint64_t number = 0;  // grows by one with each event of the lease, from 1
  std::vector<Bytes> bytes;
  std::string reason;
  SteadyTime deadline;
};
std::string_view to_name(LibraryEvent::Kind kind);  // "granted_bytes", "revoke", "resume"

// How a revocation ended.
enum class Revoked : std::uint8_t {
  yielded,   // it said that its bytes left; the ledger sees whether that is so
  released,  // the lease is no more
  refused,   // it can't be asked, it stayed busy, or the time was over
};
std::string_view to_name(Revoked how);

// The daemon implements it on its loop; tests implement it with values. Loop thread only. A lease
// that was granted by an earlier daemon is known from its program's next heartbeat on, which
// repeats the terms.
class Library {
 public:
  virtual ~Library() = default;

  virtual void enrol(const Lease& lease, LibraryTerms terms) = 0;
  // Its program lives.
  virtual void beat(const Lease& lease) = 0;
  // Its program is in the middle of a computation, or is not any more. Errors: refused, where it
  // was asked for its bytes or has yielded them: they have to come back first.
  virtual Result<void> use(const Lease& lease, bool busy) = 0;
  // Its bytes were moved; it keeps `kept` of each share at most. Durable when it returns. Errors:
  // not_found, failed (the store).
  virtual net::Awaitable<Result<Lease>> yielded(Lease lease, std::vector<Bytes> kept) = 0;
  // It wants its bytes again: `each` of each share, absent: as many as it had. Waits its turn as
  // the terms say. `busy`: it uses them at once, so nobody may ask for them in between. Errors:
  // usage, where nobody knows how many it had; as Backend::assign.
  virtual net::Awaitable<Result<AssignAnswer>> resume(Lease lease, std::optional<Bytes> each,
                                                      bool busy, AssignTerms terms) = 0;
  // The lease's newest event after number `seen`; nothing: none yet. Errors: not_found: it is gone.
  virtual Result<std::optional<LibraryEvent>> event_after(const std::string& lease_id,
                                                          std::uint64_t seen) = 0;
  // Notified at each event of any lease, and when one is gone.
  virtual net::Notice& told() = 0;

  // Asks the lease for its bytes and waits for what comes of it, at most `limit`. One that is busy
  // is asked as soon as it is not.
  virtual net::Awaitable<Revoked> revoke(std::string lease_id, std::string reason,
                                         Nanoseconds limit) = 0;
  // Tells a lease that yielded that there may be room for it again.
  virtual void offer(const std::string& lease_id, std::string reason) = 0;
};

}  // namespace estiva::api
