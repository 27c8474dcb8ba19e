// Which model is in GPU memory, and who waits for which: a state machine with events in and effects
// out, under a clock that is told to it. It moves no byte itself; the daemon carries the effects
// out and reports what came of them. docs/residency.md has the rules and the proofs of the bounds.
//
//   absent -> reserving -> loading -> resident -> draining -> unloading -> absent
//                 \            \                     \-> sleeping -> reserving (wakes)
//                  \-> absent   \-> failed -> absent (after a pause that doubles)
//
// The bytes are the ledger's: a model is charged from `reserving` on, and credited on evidence only
// (the daemon tells `released` when the ledger has dropped the lease). What would fit is asked of
// the ledger itself, as it is given to each step.
//
// Pure: the same events and the same ledger give the same effects. Not thread-safe; one owner.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "decide/placement/ledger.h"
#include "model/model_spec.h"

namespace estiva::decide {

// One place in the queue of a model. Unique while the machine lives; given by the daemon.
using Ticket = std::uint64_t;

enum class Residency : std::uint8_t {
  absent,
  reserving,  // the ledger was asked for its bytes
  loading,    // or waking
  resident,
  draining,  // admits nobody; requests under way end
  sleeping,  // its weights are in RAM; its lease is down to what stays on the GPU
  checkpointed,
  unloading,  // stopped, or going to sleep; its bytes are not yet seen free
  failed,
};
std::string_view to_name(Residency state);

// How a model leaves the GPU.
enum class Leaving : std::uint8_t { stop, sleep, checkpoint };
std::string_view to_name(Leaving how);

namespace residency {

// ---- events -----------------------------------------------------------------------------------
// A request for a model that does not admit at the moment (or, with `wants_load`, a person's wish).
struct Arrived {
  Ticket ticket = 0;
  std::string model;
  int priority = 0;         // beside the model's
  bool wants_load = false;  // no request: answered as soon as the model is resident
};
struct Left {  // the client hung up, or went another way
  Ticket ticket = 0;
};
// What the gateway reports of a model: requests under way, and how many began and ended since the
// last report. Absolute; sent at changes, at most every few milliseconds.
struct Busy {
  std::string model;
  std::uint32_t in_flight = 0;
  std::uint64_t began = 0;
};
// After Close: nothing is admitted any more; `in_flight` only falls from here. Only of the newest
// Close: answers to older ones are dropped by their generation.
struct Closed {
  std::string model;
  std::uint32_t in_flight = 0;
};
struct Reserved {  // the ledger granted what Reserve asked for
  std::string model;
};
struct NotReserved {  // `no_room`: another plan may help; else nothing will, for now
  std::string model;
  bool no_room = true;
  std::string why;
};
struct Loaded {
  std::string model;
};
struct LoadFailed {
  std::string model;
  bool out_of_memory = false;
  bool is_cancelled = false;  // after Cancel
  std::string why;
};
// After Unload: it is asleep and its bytes were seen to fall, or its lease is gone from the ledger.
struct Released {
  std::string model;
  bool asleep = false;
};
// Sleep did not work; it is still resident, and the daemon was not able to put it to sleep.
struct SleepFailed {
  std::string model;
  std::string why;
};
// Its engine ended by itself. The lease is released by the daemon; `Released` follows. Not while it
// loads: that is a LoadFailed.
struct Died {
  std::string model;
  std::string why;
};
// Found alive after a restart of the daemon: it has its lease, and maybe requests.
struct Adopted {
  std::string model;
  bool asleep = false;
  std::uint32_t in_flight = 0;
};
// After AskOthers: nobody gives room, or nobody who would be enough.
struct NobodyYields {
  std::string model;
};
struct Overcommitted {  // I8: a device holds more than it should; idle models leave it
  std::string device;   // DeviceId::key()
  bool over = false;    // it is past
};
// What is known of a model beyond its words; from the store, the engine and measurements. Replaces
// what was told before; a Configured that changes how the model is loaded forgets it.
struct Learned {
  std::string model;
  std::optional<Bytes> need;  // of each GPU; replaces what was declared where it is larger
  std::optional<Nanoseconds> load, unload, wake, sleep;  // measured medians
  bool can_sleep = false, can_checkpoint = false;
};
// ---- a person's words ----
struct Unload {
  std::string model;
};
struct Pin {
  std::string model;
  bool pinned = true;
};
struct SetPolicy {
  std::string model;
  ResidencyPolicy policy = ResidencyPolicy::swap;
};
struct Pause {  // of one device, or all (empty); everything leaves it, nothing comes
  std::string device;
  std::optional<SteadyTime> until;
};
struct Resume {
  std::string device;
};
struct Configured {  // a new set of models; what is gone is drained and forgotten
  std::vector<ModelSpec> models;
};
struct HostBudget {  // RAM that sleeping models may take together; less than before: some are
                     // stopped
  Bytes bytes;
};
struct DefaultTtl {  // in place of the settings'; a laptop has another one on battery
  Nanoseconds ttl{0};
};
struct Tick {};  // the time that next_at() named has come, or the ledger changed

using Event =
    std::variant<Arrived, Left, Busy, Closed, Reserved, NotReserved, Loaded, LoadFailed, Released,
                 SleepFailed, Died, Adopted, Overcommitted, Learned, Unload, Pin, SetPolicy, Pause,
                 Resume, Configured, HostBudget, DefaultTtl, NobodyYields, Tick>;

// ---- effects, to be carried out in order
// ---------------------------------------------------------
struct Reserve {  // ask the ledger for these; answer Reserved or NotReserved
  std::string model;
  std::vector<ShareWanted> shares;
};
struct Load {  // start or wake the engine; answer Loaded or LoadFailed
  std::string model;
  bool wake = false;
};
struct Cancel {  // nobody wants the load any more; answer LoadFailed (cancelled), or Loaded if too
                 // late
  std::string model;
};
struct Open {  // the gateway may admit requests, those that wait first
  std::string model;
};
struct Close {  // the gateway admits no more; answer Closed
  std::string model;
};
struct Cut {  // the drain's deadline is past: requests under way are answered with this
  std::string model;
  std::string why;
};
struct Leave {  // answer Released, or SleepFailed
  std::string model;
  Leaving how = Leaving::stop;
};
// What Reserve was granted is not needed, or its load failed: release the lease; answer Released.
struct Forgo {
  std::string model;
};
// A ticket ends without being served by its model. (When its model opens, its ticket is served and
// forgotten.)
struct Refuse {
  Ticket ticket = 0;
  ErrorKind kind = ErrorKind::refused;  // refused, timed_out, failed, not_found, no_room
  std::string why, remedy;
  std::optional<Nanoseconds> retry_after;
};
struct Done {  // a wish for a load is fulfilled
  Ticket ticket = 0;
};
// All that may leave for it is not enough: programs that share the GPU by themselves may have room
// to give. Answer NobodyYields, or nothing: the ledger shows what they gave. Asked once for all
// that wait.
struct AskOthers {
  std::string model;
  std::vector<ShareWanted> shares;
};
// Something that people should know: an eviction and its reason, a failure, a guard.
struct Told {
  std::string model;
  std::string what;  // a sentence
};

using Effect = std::variant<Reserve, Load, Cancel, Open, Close, Cut, Leave, Forgo, Refuse, Done,
                            AskOthers, Told>;

}  // namespace residency

struct ResidencySettings {
  // An idle model that is asked again soon is spared while others wait, at most so long after its
  // last request (times its measured swap, see docs/residency.md).
  Nanoseconds longest_anticipation = std::chrono::seconds(2);
  Nanoseconds priority_step = std::chrono::seconds(10);
  Nanoseconds default_ttl{0};  // for `swap` models without their own; 0: never
  Nanoseconds first_pause = std::chrono::seconds(1);  // after a failed load, doubled each time
  Nanoseconds longest_pause = std::chrono::minutes(2);
  Bytes host_budget;  // see HostBudget
};

// Where one model stands, for status, `models --json`, explain and metrics.
struct ResidencyView {
  const ModelSpec* spec = nullptr;
  Residency state = Residency::absent;
  bool open = false;                               // admits
  bool pinned = false;                             // as it is in force now
  ResidencyPolicy policy = ResidencyPolicy::swap;  // in force now
  SteadyTime since;                                // of the state
  std::uint32_t in_flight = 0;
  std::size_t waiting = 0;
  std::optional<SteadyTime> oldest_wait;
  std::optional<SteadyTime> last_used;
  std::optional<Nanoseconds> ttl;       // in force now; none: an idle one stays
  std::optional<SteadyTime> leaves_at;  // where nobody asks for it until then
  Bytes need;                           // of each GPU
  unsigned starts = 0;                  // loads that succeeded, wakes included
  std::string why;                      // a sentence: what it waits for or why it failed
};

// What a ticket waits for, and until when: `explain`, and the headers of the answer.
struct TicketView {
  Ticket ticket = 0;
  std::string model;
  SteadyTime arrived;
  SteadyTime bound;         // served or answered by then
  Nanoseconds expected{0};  // from now, by what was measured
  std::size_t place = 0;    // 1: the next of its model's queue
  std::string why;          // a sentence: which bytes are held by whom, and until when
};

// What I1 to I8 say of it is checked by tests/property/residency against a referee of its own.
class ResidencyMachine {
 public:
  ResidencyMachine(ResidencySettings settings, std::vector<ModelSpec> models);
  ~ResidencyMachine();
  ResidencyMachine(ResidencyMachine&&) noexcept;
  ResidencyMachine& operator=(ResidencyMachine&&) noexcept;

  // What has to be done now. `ledger` is as it is now.
  std::vector<residency::Effect> step(const residency::Event& event, SteadyTime now,
                                      const Ledger& ledger);
  // When a Tick is due; nothing: only at the next event.
  std::optional<SteadyTime> next_at() const;

  // RAM that those who sleep take, or are about to.
  Bytes sleeping_bytes() const;

  std::vector<ResidencyView> models() const;  // by name
  std::optional<ResidencyView> find(std::string_view model) const;
  std::optional<TicketView> explain(Ticket ticket, SteadyTime now, const Ledger& ledger) const;
  std::vector<TicketView> waiting(SteadyTime now,
                                  const Ledger& ledger) const;  // in order of service

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estiva::decide
