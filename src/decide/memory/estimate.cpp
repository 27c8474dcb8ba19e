// What is believed of the machine: how fast memory fills, what the device takes, how late the loop
// is, how long nothing has moved.
#include <algorithm>

#include "decide/memory/law_parts.h"

namespace estiva::decide::memory {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSlope = 20'000'000;   // the shortest span whose slope is believed
constexpr std::int64_t kJump = 10 * kSecond;  // a gap that says more of the clock than of us
constexpr double kDecay = 2e9;                // ns, of the rates
constexpr double kHour = 3.6e12, kTenMinutes = 6e11, kFiveSeconds = 5e9;
constexpr double kSlowestDevice = 20e6;      // bytes a second
constexpr std::uint64_t kQuiet = 64 * kMiB;  // rises less than this break no calm
constexpr std::uint64_t kQuietStallUs = 200'000;

double slope(std::uint64_t before, std::uint64_t now, std::int64_t span_ns) {
  const double change = static_cast<double>(now) - static_cast<double>(before);
  return change / static_cast<double>(span_ns) * 1e9;
}

// Nearer to `now` by the share of `span_ns` in the time constant.
double eased(double before, double now, double span_ns, double constant_ns) {
  return before + (now - before) * span_ns / (span_ns + constant_ns);
}

// Up at once, down slowly: growth that paused will most likely go on.
double tracked(double before, double seen, std::int64_t span_ns) {
  if (seen >= before) return seen;
  return eased(before, std::max(seen, 0.0), static_cast<double>(span_ns), kDecay);
}

std::uint64_t locked_of(const MemorySample& sample) {
  return std::max(sample.mlocked, sample.unevictable);
}

void begin_calm(LawState& state, const MemorySample& now) {
  state.calm_since_ns = now.at_ns;
  state.calm_level = demand_of(now);
  state.calm_stall_us = now.psi_some_us;
}

// What was learned of the device and of the past stays; rates and times start again.
void restart(LawState& state, const LawSettings& settings, const MemorySample& now) {
  if (!state.started) {
    state.write_out = std::max(settings.write_out, kSlowestDevice);
    state.calm_wanted_ns = settings.calm_ns;
  }
  state.started = true;
  state.rate = state.locked_rate = state.stalled = state.fully_stalled = 0;
  state.file_refaults = state.anon_refaults = 0;
  state.prepare_asked = false;
  state.retry_ns = now.at_ns;
  state.last = state.anchor = now;
  for (std::int64_t* when : {&state.grown_ns, &state.retired_ns, &state.asked_ns, &state.braked_ns})
    *when = std::min(*when, now.at_ns);
  begin_calm(state, now);
}

// The device's limit shows while it is written to and waited for; a faster moment always counts.
void learn_device(LawState& state, const MemorySample& now, std::int64_t span_ns) {
  const double out = slope(state.anchor.swapped_out, now.swapped_out, span_ns);
  const double waited = slope(state.anchor.psi_io_some_us, now.psi_io_some_us, span_ns) / 1e6;
  if (out > state.write_out)
    state.write_out += (out - state.write_out) / 2;
  else if (out > 0 && now.has_psi && waited > 0.3)
    state.write_out = eased(state.write_out, out, static_cast<double>(span_ns), kFiveSeconds);
  state.write_out = std::max(state.write_out, kSlowestDevice);
}

void learn_rates(LawState& state, const MemorySample& now) {
  const std::int64_t span = now.at_ns - state.anchor.at_ns;
  if (span < kSlope) return;
  const double seen = slope(demand_of(state.anchor), demand_of(now), span);
  state.rate = tracked(state.rate, seen, span);
  state.locked_rate =
      tracked(state.locked_rate, slope(locked_of(state.anchor), locked_of(now), span), span);
  state.fastest = std::max(eased(state.fastest, 0, static_cast<double>(span), kHour), seen);
  if (now.has_vmstat) learn_device(state, now, span);
  state.anchor = now;
}

void learn_stalls(LawState& state, const MemorySample& now, std::int64_t span_ns) {
  if (!now.has_psi) return;
  const double span = static_cast<double>(span_ns);
  const double some = slope(state.last.psi_some_us, now.psi_some_us, span_ns) / 1e6;
  const double full = slope(state.last.psi_full_us, now.psi_full_us, span_ns) / 1e6;
  state.stalled = eased(state.stalled, std::clamp(some, 0.0, 1.0), span, 1e9);
  state.fully_stalled = eased(state.fully_stalled, std::clamp(full, 0.0, 1.0), span, 1e9);
}

void learn_refaults(LawState& state, const MemorySample& now, std::int64_t span_ns) {
  if (!now.has_vmstat) return;
  const double span = static_cast<double>(span_ns);
  const double files = slope(state.last.refault_file, now.refault_file, span_ns);
  const double anon = slope(state.last.refault_anon, now.refault_anon, span_ns);
  state.file_refaults = eased(state.file_refaults, std::max(files, 0.0), span, 1e9);
  state.anon_refaults = eased(state.anon_refaults, std::max(anon, 0.0), span, 1e9);
}

void learn_lateness(LawState& state, std::int64_t span_ns) {
  const std::int64_t late = std::max<std::int64_t>(span_ns - state.sleep_ns, 0);
  const double kept =
      eased(static_cast<double>(state.late_ns), 0, static_cast<double>(span_ns), kTenMinutes);
  state.late_ns =
      std::clamp(std::max(late, static_cast<std::int64_t>(kept)), std::int64_t{0}, kSecond);
}

// Calm ends when demand rises by more than noise, or when anyone waits for memory.
void watch_calm(LawState& state, const MemorySample& now) {
  const std::uint64_t demand = demand_of(now);
  state.calm_level = std::min(state.calm_level, demand);
  const std::uint64_t noise = std::max(kQuiet, now.available / 8);
  const auto seconds = static_cast<std::uint64_t>((now.at_ns - state.calm_since_ns) / kSecond);
  const std::uint64_t stall = less(now.psi_some_us, state.calm_stall_us);
  if (demand > state.calm_level + noise || stall > kQuietStallUs + seconds * 1000)
    begin_calm(state, now);
}

}  // namespace

std::uint64_t demand_of(const MemorySample& sample) noexcept {
  const std::uint64_t used = less(less(sample.swap_total, sample.swap_free), sample.swap_cached);
  return less(sample.total, sample.available) + used;
}

std::uint64_t swappable_of(const MemorySample& sample) noexcept {
  return less(sample.anon + sample.shmem, locked_of(sample));
}

bool is_locked_growth(const LawState& state) noexcept {
  return state.locked_rate > 1e6 && state.locked_rate > state.rate / 2;
}

bool is_file_thrash(const LawState& state) noexcept {
  constexpr double kPages = 1000;  // a second: 4 MB of files that had just been dropped
  return state.fully_stalled > 0.05 && state.file_refaults > kPages &&
         state.file_refaults > 4 * state.anon_refaults;
}

void take_in(LawState& state, const LawSettings& settings, const MemorySample& now) noexcept {
  const std::int64_t span = now.at_ns - state.last.at_ns;
  if (!state.started || span < 0 || span > kJump) return restart(state, settings, now);
  if (span == 0) return;
  learn_lateness(state, span);
  learn_stalls(state, now, span);
  learn_refaults(state, now, span);
  learn_rates(state, now);
  watch_calm(state, now);
  state.last = now;
}

}  // namespace estiva::decide::memory
