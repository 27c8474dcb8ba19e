// All that the machine knows of one model, and the questions that can be answered from that alone.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decide/residency/residency.h"

namespace estiva::decide::residency {

// A request that waits. It is served when its model opens.
struct Waiter {
  Ticket ticket = 0;
  bool wants_load = false;
  SteadyTime arrived;
  SteadyTime key;    // its place among all: arrival, less what its priority is worth
  SteadyTime bound;  // served or answered by then
};

// Bytes on one GPU.
struct Held {
  std::string device;  // DeviceId::key()
  Bytes bytes;
};

enum class LeavesFor : std::uint8_t {
  nothing,
  room,  // for other models
  ttl,
  policy,  // always-unload
  person,
  pause,
  removed,        // from the configuration
  overcommitted,  // I8
  failure,        // its load failed or its engine died
};

struct Entry {
  ModelSpec spec;
  std::optional<ModelSpec> next_spec;  // in force from the next load on
  bool removed = false;                // forgotten as soon as it is absent
  std::optional<ResidencyPolicy> policy_set;
  std::optional<bool> pin_set;
  Learned learned;
  Bytes raised;  // after it ran out of memory: at least so much on each GPU

  Residency state = Residency::absent;
  SteadyTime since;
  bool open = false;
  std::vector<Waiter> queue;    // in order of arrival
  SteadyTime first_bound;       // the earliest of the queue's; meaningless while that is empty
  bool preload_wanted = false;  // asked for by the configuration, and not tried yet
  unsigned starts = 0;
  std::string why;  // of the last failure

  // On the way in.
  std::vector<Held> claim;      // where it will be; in force while it waits for room or reserves
  std::uint64_t committed = 0;  // others leave for it: it keeps its turn; the order of that
  std::vector<Entry*> victims;  // who leaves for it, or will
  SteadyTime victims_by;        // the latest time at which they begin to leave
  bool waking = false;
  Residency asleep_as = Residency::sleeping;  // what it wakes from, and is again if that fails
  bool cancelled = false;                     // nobody wants what is being reserved or loaded
  std::optional<SteadyTime> others_until;     // programs were asked for room; waits until then
  unsigned not_reserved = 0;                  // refusals of the ledger in a row
  SteadyTime look_again;                      // not to be planned before
  std::vector<std::string> alone_on;  // it ran out of memory there and is tried once more alone
  unsigned failures = 0;              // in a row
  SteadyTime retry_at;                // state failed: until then

  // Resident.
  SteadyTime opened_at;
  bool expects_requests = false;  // opened for requests that were not reported yet
  bool opened_for_requests = false;
  bool has_served = false;  // since it was opened
  std::uint32_t in_flight = 0;
  std::uint64_t began = 0;
  std::optional<SteadyTime> last_used, last_begun;
  std::optional<double> gap;     // seconds from an end to the next beginning, averaged
  std::optional<double> period;  // seconds between two beginnings, averaged

  // On the way out.
  LeavesFor leaves_for = LeavesFor::nothing;
  bool is_closed = false;  // the gateway has answered Close
  SteadyTime cut_at;       // draining: then Cut, and a little later it leaves anyway
  bool is_cut = false;
  SteadyTime ram_wait_until;  // drained, and waits for RAM to sleep in until then
  Leaving how = Leaving::stop;
  bool was_asleep = false;  // unloading: a sleeper that is being stopped
  bool no_sleep = false;    // its last sleep failed
  Residency after_release = Residency::absent;
  std::vector<Held> held;  // what it gives back
};

// Shorter, and a model could be closed before the gateway has handed over the requests for which it
// was opened.
inline constexpr Nanoseconds kLeastQuantum = std::chrono::seconds(1);
// Moving averages weigh the newest sample so much.
inline constexpr double kNewestSample = 0.3;
// A load that nobody measured: so long, and its bytes at this rate (a cold SATA disk or better).
inline constexpr Nanoseconds kGuessedStart = std::chrono::seconds(3);
inline constexpr double kGuessedRate = 500e6;  // bytes a second
// What may be missing between two reports and a decision; added to each worst case.
inline constexpr Nanoseconds kJitter = std::chrono::seconds(1);
// Memory that was given back is seen to be free after 0.5 to 1.5 s, and is waited for up to 5, as
// Ollama does.
inline constexpr Nanoseconds kSeenFree = std::chrono::milliseconds(1500);
inline constexpr Nanoseconds kReleaseLag = std::chrono::seconds(5);
// A drained model waits so long for the RAM of sleepers that are stopped for it; then it is stopped
// itself, because somebody waits for its room.
inline constexpr Nanoseconds kWaitForRam = std::chrono::seconds(2);
// What a program that shares the GPU is given to move its bytes, and a little.
inline constexpr Nanoseconds kWaitForOthers = std::chrono::seconds(35);
// After Cut, until it leaves although requests are still counted.
inline constexpr Nanoseconds kCutGrace = std::chrono::seconds(1);

// By measurement; for what was never measured a guess from its size.
enum class Pace : std::uint8_t {
  expected,
  likely,        // twice that, and requests end in time
  likely_worst,  // twice that, and requests are cut at the end of the drain
  worst,         // twice what was measured; the limits of the configuration where nothing was
};

ResidencyPolicy policy_of(const Entry& entry);
bool is_pinned(const Entry& entry);
bool uses_gpus(const Entry& entry);
// Of each GPU; nothing where nobody knows.
std::optional<Bytes> need_of(const Entry& entry);
// RAM that it takes while it sleeps.
Bytes sleep_size(const Entry& entry);

bool is_asleep(const Entry& entry);   // sleeping or checkpointed
bool is_coming(const Entry& entry);   // reserving or loading
bool is_leaving(const Entry& entry);  // draining or unloading
// It leaves whatever others decide: not one that drains for others and may be opened again.
bool leaves_for_sure(const Entry& entry);
bool is_idle(const Entry& entry);  // resident, and no request is under way or expected
// Somebody wants it in: a request, a person, the configuration.
bool is_wanted(const Entry& entry);
// Somebody waits for it, or asked for it to be there: a load of it is not cancelled.
bool must_load(const Entry& entry);

Nanoseconds load_time(const Entry& entry, Pace pace);    // a wake where it sleeps
Nanoseconds unload_time(const Entry& entry, Pace pace);  // until its bytes are seen free
// Unload and load again.
Nanoseconds swap_time(const Entry& entry);
// How long it may go on while others wait for its room.
Nanoseconds quantum_of(const Entry& entry);
// Of a resident model: from when on it may be closed for others.
SteadyTime quantum_end(const Entry& entry);
SteadyTime may_leave_at(const Entry& entry, const ResidencySettings& settings, SteadyTime now);
// From Close until nothing is under way.
Nanoseconds drain_time(const Entry& entry, Pace pace);
// From now until its bytes are free for others, if it is told to go as soon as that is allowed.
Nanoseconds way_out(const Entry& entry, Pace pace, SteadyTime now);
// The probability that it is asked for within the horizon.
double reuse(const Entry& entry, SteadyTime now);
// Seconds lost by its leaving.
double eviction_cost(const Entry& entry, const ResidencySettings& settings, SteadyTime now);

}  // namespace estiva::decide::residency
