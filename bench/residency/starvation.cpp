// The probe that starves the second model elsewhere, on the seed's 4 GB card in simulation: clients
// of XTTS that overlap all the time, and one request for F5. Each pattern draws how many clients
// there are, how long their requests take and how long they pause. Prints the longest wait, its
// bound and how many were served after theirs, and beside that what happens where nothing bounds
// the wait (a quantum of an hour). Usage: bench_starvation [--patterns N] [--check]      --check
// exits 1 where one was late or not served.
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <string>

#include "residency/machine_room.h"

namespace estiva::residency_test {
namespace {

constexpr Nanoseconds kTrial = seconds(120);

struct Sum {
  std::uint64_t patterns = 0, served = 0, late = 0, served_meanwhile = 0;
  Nanoseconds longest{0}, bound_of_longest{0};
};

double as_seconds(Nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

MachineRoom card(Nanoseconds quantum) {
  ModelSpec f5 = model("f5", gib(2)), xtts = model("xtts", mib(3500));
  xtts.quantum = quantum;
  f5.wait_limit = hours(2);
  return MachineRoom({gib(4)}, {f5, xtts});
}

void one_pattern(std::uint64_t seed, Nanoseconds quantum, Sum& sum) {
  Rng rng(seed);
  MachineRoom room = card(quantum);
  const std::uint64_t clients = 2 + rng.below(6);
  const Nanoseconds most = rng.between(milliseconds(500), seconds(20));
  const Nanoseconds pause = rng.between(milliseconds(0), milliseconds(300));
  std::function<void(Nanoseconds)> next = [&](Nanoseconds takes) {
    room.ask("xtts", takes);
    room.after(takes + pause, [&] { next(rng.between(milliseconds(100), most)); });
  };
  for (std::uint64_t i = 0; i < clients; ++i)
    room.after(rng.between(milliseconds(0), seconds(3)),
               [&] { next(rng.between(milliseconds(100), most)); });
  room.run_for(rng.between(seconds(3), seconds(40)));
  const Ticket second = room.ask("f5");
  const Ticket before = room.tickets();
  room.run_for(kTrial);
  const Request& request = room.request(second);
  ++sum.patterns;
  for (Ticket ticket = before + 1; ticket <= room.tickets(); ++ticket)
    sum.served_meanwhile += !request.began && room.request(ticket).ended;
  if (!request.began) return;
  ++sum.served;
  sum.late += *request.began > request.bound;
  const Nanoseconds waited = *request.began - request.arrived;
  if (waited <= sum.longest) return;
  sum.longest = waited;
  sum.bound_of_longest = request.bound - request.arrived;
}

int run(std::uint64_t patterns, bool check) {
  Sum ours, unbounded;
  for (std::uint64_t seed = 1; seed <= patterns; ++seed) {
    one_pattern(seed, seconds(10), ours);
    one_pattern(seed, hours(1), unbounded);
  }
  fmt::print("starvation patterns={} served={} late={} longest_wait={:.2f}s its_bound={:.2f}s\n",
             ours.patterns, ours.served, ours.late, as_seconds(ours.longest),
             as_seconds(ours.bound_of_longest));
  fmt::print("without_a_quantum patterns={} served_in_{:.0f}s={} others_served_meanwhile={}\n",
             unbounded.patterns, as_seconds(kTrial), unbounded.served, unbounded.served_meanwhile);
  const bool good = ours.late == 0 && ours.served == ours.patterns;
  if (!good) fmt::print(stderr, "a request was late or was not served\n");
  return check && !good ? 1 : 0;
}

}  // namespace
}  // namespace estiva::residency_test

int main(int argc, char** argv) {
  std::uint64_t patterns = 1000;
  bool check = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--check")
      check = true;
    else if (word == "--patterns" && i + 1 < argc)
      patterns = std::max(1UL, std::strtoul(argv[++i], nullptr, 10));
    else {
      fmt::print(stderr, "usage: bench_starvation [--patterns N] [--check]\n");
      return 2;
    }
  }
  return estiva::residency_test::run(patterns, check);
}
