// One random schedule of a daemon's life, made from a seed: requests in batches, slow loading,
// growth, strangers, deaths, given-again pids, lost GPUs, failed writes, crashes and reboots. The
// referee judges each step. A planted bug shows that the referee can say no.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "property/referee.h"

namespace estiva::property {

enum class Bug : std::uint8_t {
  none,
  skip_charge,          // a grant is answered and not charged
  old_sample,           // grants do not ask for a read of their own
  credit_at_once,       // a release forgets what the process still holds
  guess_the_model,      // a stranger is taken for the model that nobody has bound
  forget_a_lease,       // one durable lease is not restored
  keep_after_reboot,    // leases of an earlier boot live on
  hide_overcommit,      // I8 is not named
  keep_too_much_free,   // a margin nobody asked for
  believe_the_sleeper,  // what a sleeping model gave back is granted before anybody looked
  trust_any_pid,        // a given-again pid passes for the old process
};

struct Outcome {
  std::vector<std::string> violations;
  std::array<std::uint64_t, static_cast<std::size_t>(Rule::kCount)> counts{};
  std::uint64_t grants = 0, refusals = 0, rereads = 0, grown = 0, bound = 0, crashes = 0,
                rolled_back = 0, overcommits_seen = 0, releases_awaited = 0, unlucky_loads = 0,
                shrunk = 0;
};

Outcome run_schedule(std::uint64_t seed, Bug bug = Bug::none);

}  // namespace estiva::property
