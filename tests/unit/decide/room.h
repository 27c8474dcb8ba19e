// A machine in a few words, for the tables of this folder.
#pragma once
#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <utility>
#include <vector>

#include "decide/placement/decide.h"
#include "decide/placement/explain.h"
#include "decide/placement/ledger.h"

namespace estiva::decide {

inline std::string key(unsigned index) {
  return fmt::format("GPU-{:04x}", index + 0xa0);
}

// Builds readings step by step and keeps a clock that only moves when it is told to.
class Room {
 public:
  explicit Room(std::size_t gpus, Bytes each = gib(4), PlacementPolicy policy = {})
      : ledger(policy, "node-1", 7) {
    readings.driver.state = DriverState::ready;
    for (unsigned i = 0; i < gpus; ++i) {
      Gpu& gpu = readings.gpus.emplace_back();
      gpu.identity.id.uuid = key(i);
      gpu.identity.index = i;
      gpu.sample.utilization = Ratio{0};
      gpu.sample.processes = std::vector<GpuProcess>{};
      set_memory(i, each, {});
    }
  }

  void set_memory(std::size_t i, Bytes total, Bytes used, Bytes reserved = {}) {
    readings.gpus[i].sample.memory =
        GpuMemory{total, used, total - used - reserved, reserved, true};
  }
  void set_used(std::size_t i, Bytes used) {
    const GpuMemory memory = *readings.gpus[i].sample.memory;
    set_memory(i, memory.total, used, memory.reserved);
  }

  // A process with `used` on GPU `i`, which the device counts too.
  void process(std::size_t i, pid_t pid, Bytes used, std::string lease = {},
               std::uint64_t start = 1) {
    auto list = *readings.gpus[i].sample.processes;
    GpuProcess row;
    row.pid = pid;
    row.used = used;
    row.name = "python";
    list.push_back(row);
    readings.gpus[i].sample.processes = list;
    set_used(i, readings.gpus[i].sample.memory->used + used);
    readings.owners.push_back({pid, start, std::move(lease)});
  }
  void no_processes(std::size_t i, Bytes used = {}) {
    readings.gpus[i].sample.processes = std::vector<GpuProcess>{};
    readings.owners.clear();
    set_used(i, used);
  }
  void hide_processes(std::size_t i) { readings.gpus[i].sample.processes = Missing::not_supported; }

  std::vector<LedgerChange> read() {
    readings.begun_at = {++now};
    return ledger.observe(readings);
  }

  AssignRequest request(std::string model, Bytes bytes, std::string gpu = "auto") {
    AssignRequest r;
    r.model = std::move(model);
    r.shares = {{std::move(gpu), bytes}};
    r.requested_at = {++now};
    return r;
  }

  // Decides on a read of its own.
  Decision decide(const AssignRequest& r) {
    read();
    return decide_assign(ledger, r);
  }
  Decision ask(std::string model, Bytes bytes, std::string gpu = "auto") {
    return decide(request(std::move(model), bytes, std::move(gpu)));
  }
  // Must be granted.
  Lease grant(std::string model, Bytes bytes, std::string gpu = "auto", pid_t pid = 0) {
    AssignRequest r = request(std::move(model), bytes, std::move(gpu));
    if (pid) r.holder = Holder{pid, 1, "boot"};
    const Decision d = decide(r);
    if (d.verdict != Verdict::granted) return {};
    return ledger.apply(d).lease;
  }
  Explanation explain(const AssignRequest& r) { return explain_refusal(ledger, r, decide(r)); }

  Bytes free_on(std::size_t i) const { return admissible(account(i), ledger.policy()); }
  const GpuAccount& account(std::size_t i) const {
    return *std::find_if(
        ledger.accounts().begin(), ledger.accounts().end(), [&](const GpuAccount& a) {
          return a.id.uuid == key(static_cast<unsigned>(i)) && a.id.instance.empty();
        });
  }

  Readings readings;
  Ledger ledger;
  std::int64_t now = 0;
};

inline std::string where(const Decision& d) {
  std::string text;
  for (const Share& share : d.lease.shares) text += (text.empty() ? "" : " ") + share.device.key();
  return text;
}

}  // namespace estiva::decide
