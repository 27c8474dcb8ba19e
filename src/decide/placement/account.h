// The account of one GPU: what it has, what is in use, what was promised and is not yet visible.
// The sums are kept up to date at each change, so that a decision costs a few additions a GPU.
//
// * C, capacity: total - reserved
// * U, used: what the device says is in use, by anybody
// * M, measured: of U, what the processes of leases hold
// * F, foreign: U - sum M
// * charge of a lease on this GPU: max(declared, M) + context allowance until it has a context
// * R, remainder: sum max(0, charge - M): promised, and not yet visible in U
// * A, admissible: C - (sum M + F) - R - margin
//
// Where the driver hides what each process holds (MIG, WSL, some vGPU), sum M is unknown and
// A = C - max(U, sum charge + last known F) - margin.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "decide/placement/request.h"
#include "model/gpu.h"

namespace estiva::decide {

// A process that holds memory on a GPU and belongs to no lease there.
struct ForeignProcess {
  pid_t pid = 0;
  Reading<Bytes> used;
  std::string name;
};

enum class Usable : std::uint8_t {
  yes,
  not_seen,  // in a lease, and not among the GPUs the driver shows now
  lost,
  reset_required,
  asleep,
  failed,
  split,      // MIG is on: its instances can be asked for, the whole can't
  no_memory,  // the driver does not say how much memory it has
};

// At most this many of the largest foreign processes are remembered for explanations.
inline constexpr std::size_t kForeignKept = 8;
// At most this many foreign peaks are held within PlacementPolicy::foreign_window.
inline constexpr std::size_t kPeaksKept = 32;

struct GpuAccount;
// True where new shares may be granted: it can be read, and its health allows it.
bool takes_more(const GpuAccount& account);

struct ForeignPeak {
  SteadyTime at;
  Bytes bytes;
};

struct Credit {
  SteadyTime at;
  Bytes bytes;
};

struct GpuAccount {
  DeviceId id;
  unsigned index = 0;
  std::string name;
  Usable usable = Usable::not_seen;
  std::string unfit;  // why nothing more may be placed here, although it can be read; empty: it may
  Reading<Ratio> utilization;
  Bytes capacity;           // C
  Bytes used;               // U
  bool list_known = false;  // the driver said which processes are on it; false before a read
  bool exact = true;        // sum M is known
  Bytes measured;           // sum M
  Bytes charges;            // sum of charges
  Bytes remainder;          // R
  Bytes foreign;            // F now; where `exact` is false, the last known
  Bytes foreign_held;       // F at its high-water mark over the window
  Bytes desktop;            // of F, what processes that draw on a screen hold now
  Bytes desktop_held;       // the most of that in its window, and the reserve; part of foreign_held
  // A unified-memory GPU has the machine's RAM and no memory of its own. Several on one machine
  // share it: `elsewhere` is what the others promised of it and nobody can see yet.
  bool unified = false;
  Bytes elsewhere;
  bool overcommitted = false;  // I8: observed use and promises together are more than C
  // Given back after the last read was begun. None of it is granted again before a read begun later
  // than it was given back: until then nobody has looked whether those bytes are really free.
  Bytes credit_pending;                   // the sum of `credits`
  std::vector<Credit> credits;            // oldest first
  std::vector<ForeignProcess> strangers;  // largest first
  std::vector<ForeignPeak> peaks, desktop_peaks;
};

// A, as if `freed` bytes of what is in use or promised were gone; nothing where the GPU is not
// usable. O(1).
Bytes admissible(const GpuAccount& account, const PlacementPolicy& policy, Bytes freed = {});
// Notes that `bytes` were given back.
void add_credit(GpuAccount& account, Bytes bytes, SteadyTime at);
// Forgets what was given back up to `begun_at`, when a read was begun that has now come.
void settle_credits(GpuAccount& account, SteadyTime begun_at);
// What is in use or promised, as I1 counts it, without margin and window. O(1).
Bytes committed(const GpuAccount& account);
// Tells the unified-memory accounts what the others hold back of the RAM they share; to be called
// when one of them changed. O(accounts).
void share_unified_memory(std::vector<GpuAccount>& accounts);
// Takes in the foreign memory of a read: F now, and F held over the policy's window.
void note_foreign(GpuAccount& account, Bytes foreign, SteadyTime at, Nanoseconds window);

// Takes in what of that is held by processes that draw: a window that is closed for a moment, or a
// game that is started anew, finds its memory again. After note_foreign().
void note_desktop(GpuAccount& account, SteadyTime at, const PlacementPolicy& policy);

}  // namespace estiva::decide
