// The loop: read, decide, do, tell, wait. One thread; after the start nothing here allocates, and
// no call waits for anybody but the kernel. What the law decides about swap is done here; the
// levers of others (unload, brake) are told to who listens.
#pragma once
#include <array>
#include <csignal>
#include <string>

#include "memd/areas.h"
#include "memd/protocol.h"
#include "memd/retirer.h"
#include "memd/sampler.h"
#include "memd/server.h"
#include "memd/triggers.h"

namespace estiva::memd {

struct LoopParts {
  int folder = -1;
  Journal& journal;
  Sampler& sampler;
  Retirer& retirer;
  Server& server;
  Triggers& triggers;
  decide::memory::LawSettings settings;
  bool is_locked = false;
};

class Loop {
 public:
  explicit Loop(const LoopParts& parts);
  // Until `stop` is set by a signal. Active areas stay: the next start adopts them.
  void run(const volatile std::sig_atomic_t& stop) noexcept;
  // Gives back all that may go, then ends; true where nothing of ours is left.
  bool give_back(const volatile std::sig_atomic_t& stop) noexcept;

 private:
  void tick() noexcept;
  void carry_out(const decide::memory::Action& action) noexcept;
  AreaFault prepare(std::uint64_t size) noexcept;
  AreaFault activate(std::uint32_t id) noexcept;
  AreaFault retire(std::uint32_t id, std::int64_t deadline_ns) noexcept;
  bool may_retire(const decide::memory::SwapArea& area) noexcept;
  void wait() noexcept;
  void take_retired() noexcept;
  void serve(const Request& request) noexcept;
  std::uint32_t expand(std::uint32_t mib) noexcept;
  void set_policy(const PolicyRow& row) noexcept;
  void send_ticks(const Request& request) noexcept;
  void keep_tick() noexcept;
  EventRow event(EventKind kind, std::uint32_t area, std::uint64_t size,
                 const AreaFault& fault = {}) const noexcept;
  void tell(const EventRow& row) noexcept;
  StatusRow status() const noexcept;

  LoopParts parts_;
  Areas areas_;
  decide::memory::LawSettings first_settings_;
  decide::memory::LawState state_;
  decide::memory::MemorySample sample_;
  decide::memory::Decision decision_;
  std::int64_t noticed_ns_ = -1;  // that swap is needed; -1: it is not
  std::uint32_t retiring_ = 0;
  std::uint64_t allocations_ = 0;
  StatusRow counts_;
  static constexpr std::size_t kTicks = 4096;
  std::array<TickRow, kTicks> ticks_{};
};

// What the law says of one reading, as a status; for `--once` too.
StatusRow make_status(const decide::memory::MemorySample& sample,
                      const decide::memory::Decision& decision,
                      const decide::memory::LawSettings& settings,
                      const decide::memory::SwapAreas& areas) noexcept;

// Of a clock that does not jump, and counts while the machine sleeps.
std::int64_t now_ns() noexcept;

}  // namespace estiva::memd
