#include "daemon/owners.h"

#include <array>
#include <fmt/format.h>

#include "format/proc.h"

namespace estiva::daemon {
namespace {

// A process tree deeper than this is cut; real ones have a dozen generations.
constexpr int kMostGenerations = 64;

}  // namespace

std::optional<Owners::Seen> Owners::look_at(pid_t pid) const {
  std::array<char, 64> path{};
  fmt::format_to_n(path.data(), path.size() - 1, "/proc/{}/stat", pid);
  std::array<char, 1024> buffer;
  const ssize_t size = host::read_into(root_, path.data(), buffer);
  if (size <= 0) return std::nullopt;
  const auto stat = format::parse_pid_stat({buffer.data(), static_cast<std::size_t>(size)});
  if (!stat) return std::nullopt;
  return Seen{stat->start_ticks, stat->parent};
}

std::string Owners::lease_of(pid_t pid, Seen seen) const {
  for (int generation = 0; generation < kMostGenerations && pid > 1; ++generation) {
    const auto holder = holders_.find(pid);
    if (holder != holders_.end() && holder->second.start_ticks == seen.start_ticks) {
      return holder->second.lease;
    }
    pid = seen.parent;
    const auto parent = look_at(pid);
    // A parent that started later than its child is another process with a reused number.
    if (!parent || parent->start_ticks > seen.start_ticks) return {};
    seen = *parent;
  }
  return {};
}

std::vector<decide::ProcessOwner> Owners::find(const std::vector<Gpu>& gpus,
                                               std::span<const Lease> leases, Look look,
                                               SteadyTime now) {
  // Of two leases with one holder the older one has the process: what it holds may be what the
  // older one's model still has, and the newer one's promise stays whole.
  std::map<pid_t, LeaseHolder> holders;
  for (const Lease& lease : leases) {
    if (!lease.holder) continue;
    holders.try_emplace(lease.holder->pid, LeaseHolder{lease.holder->start_ticks, lease.id});
  }
  // Whose descendant a process is can only change when there are other holders: it loses ancestors
  // as they end, but wins none.
  const bool changed = holders != holders_;
  const bool all =
      look == Look::every_one || changed || !looked_at_all_ || now - *looked_at_all_ >= kTrustedFor;
  if (all) looked_at_all_ = now;
  holders_ = std::move(holders);
  ++round_;
  std::vector<decide::ProcessOwner> owners;
  for (const Gpu& gpu : gpus) {
    if (!gpu.sample.processes) continue;
    for (const GpuProcess& process : *gpu.sample.processes) {
      Known& known = known_[process.pid];
      if (known.round == round_) continue;  // on another GPU as well
      if (all || known.round == 0) {
        const auto seen = look_at(process.pid);
        known.shown = seen.has_value();
        const bool other = seen && known.start_ticks != seen->start_ticks;
        if (other || (seen && changed && known.lease.empty())) {
          known = {seen->start_ticks, lease_of(process.pid, *seen), 0, true};
        }
      }
      known.round = round_;
      if (known.shown) owners.push_back({process.pid, known.start_ticks, known.lease});
    }
  }
  std::erase_if(known_, [this](const auto& item) { return item.second.round != round_; });
  return owners;
}

}  // namespace estiva::daemon
