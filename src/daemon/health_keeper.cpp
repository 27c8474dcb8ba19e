#include "daemon/health_keeper.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/messages/api.h"
#include "base/messages/decide_health.h"
#include "decide/health/xid_catalogue.h"

namespace estiva::daemon {
namespace {

// Further XIDs of a GPU and number are only counted for so long after one was journalled.
constexpr Nanoseconds kXidQuiet = std::chrono::seconds(60);
// How often what changes is written down at most.
constexpr Nanoseconds kRememberEvery = std::chrono::seconds(5);
// What the kernel log tells of the time before the daemon.
constexpr Nanoseconds kPastXid = std::chrono::seconds(30);

// They are journalled one by one as they come.
bool is_xid(const decide::HealthChange& change) {
  return change.condition.rfind("xid_", 0) == 0;
}

// What is nobody's fault (no GPU, a person's wish, a start) is told as "well".
HealthState state_of(DriverState state) {
  switch (state) {
    case DriverState::ready:
    case DriverState::absent:
    case DriverState::released:
    case DriverState::initialising:
      return HealthState::ok;
    case DriverState::partial:
      return HealthState::degraded;
    default:
      return HealthState::unhealthy;
  }
}

}  // namespace

HealthKeeper::HealthKeeper(Parts parts) : parts_(std::move(parts)), tracker_(parts_.policy) {}

void HealthKeeper::journal(const std::string& subject, std::string text) {
  parts_.store.submit(
      store::Write::event(subject, std::move(text)), [](const Result<store::Durable>& saved) {
        if (saved) return;
        log(LogLevel::warning, "an event was not journalled", {{"error", saved.error().what}});
      });
}

void HealthKeeper::notify(const std::string& key, HealthState state, std::string subject,
                          std::string text, std::string remedy) {
  if (!parts_.notify) return;
  parts_.notify(key, {state, std::move(subject), std::move(text), std::move(remedy), {}, {}});
}

std::string HealthKeeper::name_of(const std::string& device) const {
  const auto known = indexes_.find(device);
  return known == indexes_.end() ? device : fmt::format(msg::kGpuIndexed, known->second);
}

void HealthKeeper::tell_changes() {
  for (const decide::HealthChange& change : decide::health_changes(told_, tracker_.health())) {
    const bool is_over = change.after == HealthState::ok;
    notify(change.device + " " + change.condition, change.after, name_of(change.device),
           change.reason, change.remedy);
    if (is_xid(change) && !is_over) continue;
    std::string text = is_over ? fmt::format(msg::kHealthOver, change.reason)
                               : fmt::format(msg::kHealthNow, to_name(change.after), change.reason);
    log(is_over ? LogLevel::info : LogLevel::warning, "gpu health",
        {{"device", change.device}, {"condition", change.condition}, {"what", text}});
    journal(change.device, std::move(text));
  }
  told_ = tracker_.health();
}

void HealthKeeper::tell_driver(const DriverStatus& driver) {
  if (driver.state == told_driver_ || driver.state == DriverState::initialising) return;
  told_driver_ = driver.state;
  notify("driver", state_of(driver.state), "driver",
         fmt::format(msg::kDriverIs, to_name(driver.state), driver.reason), driver.remedy);
  journal("driver", driver.reason.empty()
                        ? fmt::format(msg::kDriverIs, to_name(driver.state), driver.version)
                        : fmt::format(msg::kDriverIs, to_name(driver.state), driver.reason));
}

void HealthKeeper::observe(const gpu::SensorView& view) {
  tell_driver(view.driver);
  for (const Gpu& gpu : view.gpus) {
    const auto [known, is_new] = indexes_.try_emplace(gpu.identity.id.key(), gpu.identity.index);
    if (!is_new) known->second = gpu.identity.index;
  }
  tracker_.observe(view.driver, view.gpus, view.read_at);
  if (tracker_.health() != told_) tell_changes();
}

// The journal gets the first of each kind a minute: a storm would push everything else out of it.
bool HealthKeeper::take_xid(const XidReport& report) {
  const SteadyTime now = steady_now();
  const std::uint64_t fresh = tracker_.observe_xid(report, now);
  // The log may add whose work it was to an error that is known.
  parts_.changed();
  if (fresh == 0) return false;
  const bool is_past = now - report.at > kPastXid;
  SteadyTime& journalled = xids_journalled_[{report.slot, report.code}];
  if (is_past || (journalled.ns != 0 && now - journalled < kXidQuiet)) return !is_past;
  journalled = now;
  const decide::XidRow* row = decide::find_xid(report.code);
  std::string text =
      fmt::format(msg::kXid, report.code, row == nullptr ? msg::kXidUnknown : row->what);
  if (report.pid != 0) text += fmt::format(msg::kXidProcess, report.process, report.pid);
  log(LogLevel::warning, "gpu error", {{"slot", report.slot}, {"what", text}});
  journal("PCI:" + report.slot, std::move(text));
  tell_changes();
  return true;
}

void HealthKeeper::remember(std::uint64_t kernel_log_read, bool at_once) {
  const std::uint64_t changes = tracker_.changes();
  const SteadyTime now = steady_now();
  const bool due = at_once || now - remembered_at_ >= kRememberEvery;
  if (changes == remembered_ || !due) return;
  remembered_at_ = now;
  remembered_ = changes;
  const auto done = [this](const Result<store::Durable>& saved) {
    if (saved) return;
    remembered_ = 0;  // again, when it is due
    log(LogLevel::warning, "what is known of the GPUs' health was not written down",
        {{"error", saved.error().what}});
  };
  parts_.store.submit(store::Write::note(kGpuNote, gpu_note(tracker_.known_gpus())), done);
  parts_.store.submit(store::Write::note(kXidNote, xid_note(tracker_.xid_memory(), kernel_log_read,
                                                            parts_.boot_id)),
                      done);
}

Result<void> HealthKeeper::forget(const std::string& device) {
  if (!tracker_.forget(device, steady_now())) {
    return fail(ErrorKind::not_found, fmt::format(msg::kNothingToDismiss, device),
                msg::kNothingToDismissRemedy);
  }
  log(LogLevel::notice, "dismissed by a person", {{"device", device}});
  journal(device, std::string(msg::kDismissed));
  tell_changes();
  parts_.changed();
  return {};
}

}  // namespace estiva::daemon
