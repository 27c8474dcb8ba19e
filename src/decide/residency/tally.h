// What models did since the daemon started, counted from what the residency machine was told and
// what it wanted: loads, ends, failures, and how long each phase of a swap took. For /metrics.
//
// Pure; no clock of its own. Not thread-safe; one owner.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "decide/residency/residency.h"

namespace estiva::decide {

// In the order in which a swap goes through them.
enum class SwapPhase : std::uint8_t {
  drain,    // from Close until nothing is under way
  unload,   // until its engine has ended, or sleeps
  release,  // until the GPU shows its bytes free
  load,     // of the model that comes
};
inline constexpr std::size_t kSwapPhases = 4;
std::string_view to_name(SwapPhase phase);

struct PhaseSum {
  std::uint64_t count = 0;  // phases that were gone through to their end
  Nanoseconds time{0};      // all of them together
};

struct ModelTally {
  std::uint64_t starts = 0, wakes = 0;  // loads that succeeded, the second of a sleeping model
  std::uint64_t stops = 0, sleeps = 0;  // ways out that ended
  std::uint64_t out_of_memory = 0;      // loads that found too little GPU memory
  std::uint64_t failures = 0;           // loads that failed for another reason
  std::uint64_t deaths = 0;             // engines that ended by themselves
  std::uint64_t mispredictions = 0;     // loads that took more than they had asked for
  std::array<PhaseSum, kSwapPhases> phases;
};

class ResidencyTally {
 public:
  void take(const residency::Event& event, SteadyTime now);
  void take(const residency::Effect& effect, SteadyTime now);
  // Its engine has ended or sleeps; that its bytes are free is still to be seen.
  void engine_left(const std::string& model, SteadyTime now);
  // What one GPU shows of it beside what its lease asked for there. Counted once a load, and not
  // while it sleeps: what stays then was not asked for.
  void measured(const std::string& model, Bytes wanted, Bytes found);
  void forget(const std::string& model) { models_.erase(model); }

  // Zeros where nothing was counted.
  ModelTally of(const std::string& model) const;

 private:
  struct Counting {
    ModelTally tally;
    std::optional<SwapPhase> phase;  // under way
    SteadyTime since;
    bool wakes = false;       // its load
    bool may_exceed = false;  // loads or is loaded, and took no more than it asked for
  };

  void begin(Counting& counting, SwapPhase phase, SteadyTime now);
  void end(Counting& counting, SwapPhase phase, SteadyTime now);
  void on(const residency::Loaded& event, SteadyTime now);
  void on(const residency::LoadFailed& event, SteadyTime now);
  void on(const residency::Released& event, SteadyTime now);
  void on(const residency::Died& event, SteadyTime now);
  void on(const residency::Load& effect, SteadyTime now);
  void on(const residency::Open& effect, SteadyTime now);
  void on(const residency::Close& effect, SteadyTime now);
  void on(const residency::Leave& effect, SteadyTime now);
  template <class Other>
  void on(const Other&, SteadyTime) {}

  std::map<std::string, Counting, std::less<>> models_;
};

}  // namespace estiva::decide
