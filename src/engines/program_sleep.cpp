// ProgramLife's sleep: weights to RAM and back, by the program's own means.
#include <fmt/format.h>

#include "base/messages/engines.h"
#include "engines/last_words.h"
#include "engines/program_life.h"

namespace estiva::engines {
namespace {

// Who has no RAM for the weights of one that sleeps says so: host_memory = 0.
unsigned level_of(const ModelSpec& spec) {
  return spec.host_memory == Bytes{0} ? 2 : 1;
}

}  // namespace

net::Awaitable<Result<void>> ProgramLife::sleep() {
  const auto self = shared_from_this();
  if (kind_.sleep == nullptr || !spec_.may_sleep) {
    co_return fail(ErrorKind::refused, fmt::format(msg::kCannotSleep, spec_.name),
                   fmt::format(msg::kCannotSleepHow, spec_.name));
  }
  if (auto alive = check_alive(); !alive) co_return alive;
  const unsigned level = level_of(spec_);
  const auto slept = co_await kind_.sleep(upstream_, spec_, level);
  if (!slept) {
    // Its answer may have been lost, and it sleeps all the same.
    const auto sleeps = co_await kind_.is_sleeping(upstream_);
    if (!sleeps || !*sleeps) co_return slept;
  }
  record_.sleep_level = level;
  co_await keep();
  co_return Result<void>();
}

// One that does not wake up whole would answer nonsense, or hold bytes that nobody gave it: it is
// ended.
net::Awaitable<Result<Running>> ProgramLife::wake() {
  const auto self = shared_from_this();
  if (auto alive = check_alive(); !alive) co_return Failure(alive.error());
  if (record_.sleep_level == 0) co_return running();
  is_busy_ = true;  // its end meanwhile is told here
  auto woken = co_await kind_.wake(upstream_, spec_, record_.sleep_level);
  if (!woken) {
    Result<Running> failed = Failure(not_awake(woken.error()));
    failed = co_await settle(std::move(failed));
    co_return failed;
  }
  record_.sleep_level = 0;
  co_await keep();
  auto outcome = check_alive() ? Result<Running>(running()) : Failure(ended_early());
  outcome = co_await settle(std::move(outcome));
  co_return outcome;
}

Error ProgramLife::not_awake(const Error& why) const {
  const bool no_memory = says_out_of_memory(log_.tail(kLogLines)) || says_out_of_memory({why.what});
  return {no_memory ? ErrorKind::no_room : why.kind,
          fmt::format(msg::kNotAwake, spec_.name, why.what),
          fmt::format(msg::kEngineLogHow, log_.path())};
}

// After an adoption: it may have gone to sleep, or woken, and the daemon died before it was kept.
net::Awaitable<void> ProgramLife::ask_sleep() {
  if (kind_.is_sleeping == nullptr || !spec_.may_sleep) co_return;
  const auto sleeps = co_await kind_.is_sleeping(upstream_);
  if (!sleeps) co_return;
  if (!*sleeps) record_.sleep_level = 0;
  if (*sleeps && record_.sleep_level == 0) record_.sleep_level = level_of(spec_);
}

}  // namespace estiva::engines
