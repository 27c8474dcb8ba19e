#include "decide/health/xid_book.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_health.h"
#include "decide/health/xid_catalogue.h"

namespace estiva::decide {
namespace {

using namespace std::chrono_literals;

// A clean-up (45) follows the error that caused it within moments.
constexpr Nanoseconds kNear = 10s;
// The driver's own verdict is asked again this long after the error at the earliest.
constexpr Nanoseconds kVerdictDelay = 5s;
// Corrected errors are a sign when the driver says "many" again within the time they are shown.
constexpr std::uint64_t kOften = 2;

constexpr std::size_t kMostVictims = 64;

// What ends it: time, the driver's word that nothing has to be done, or only a reset.
enum class Ends { by_itself, by_the_drivers_word, by_a_reset };

struct Meaning {
  HealthState state = HealthState::ok;
  bool blocks = false;
  Ends ends = Ends::by_itself;
  std::string_view remedy;
};

Meaning meaning_of(XidAction action, bool is_fatal) {
  using enum HealthState;
  switch (action) {
    case XidAction::ignore:
    case XidAction::follow_the_driver:
      return {};
    case XidAction::watch_rate:
      return {warn, false, Ends::by_itself, msg::kXidRateRemedy};
    case XidAction::restart_app:
      return {warn, false, Ends::by_itself, msg::kXidRestartRemedy};
    case XidAction::follow_the_other:
    case XidAction::contact:
      return {warn, false, Ends::by_itself, msg::kXidContactRemedy};
    case XidAction::check_uvm:
      return {warn, false, Ends::by_itself, msg::kXidUvmRemedy};
    case XidAction::update_driver:
      return {warn, false, Ends::by_itself, msg::kXidUpdateRemedy};
    case XidAction::restart_vm:
      return {warn, false, Ends::by_a_reset, msg::kXidRestartVmRemedy};
    case XidAction::check_links:
      return {is_fatal ? unhealthy : degraded, is_fatal, Ends::by_the_drivers_word,
              msg::kHealthLinksRemedy};
    case XidAction::check_power:
      return {unhealthy, true, Ends::by_a_reset, msg::kXidPowerRemedy};
    case XidAction::reset:
      return {unhealthy, true, Ends::by_the_drivers_word, msg::kHealthResetRemedy};
    case XidAction::reset_for_ecc:
      return {unhealthy, true, Ends::by_the_drivers_word, msg::kHealthUncorrectedRemedy};
    case XidAction::reboot:
      return {unhealthy, true, Ends::by_the_drivers_word, msg::kHealthLostRemedy};
    case XidAction::replace:
      return {unhealthy, true, Ends::by_a_reset, msg::kXidReplaceRemedy};
  }
  return {};
}

// What the catalogue does not know is worth a look.
XidAction action_of(unsigned code) {
  const XidRow* row = find_xid(code);
  return row == nullptr ? XidAction::contact : row->action;
}

}  // namespace

// What one source says and the other has said before is not new.
std::uint64_t XidBook::count_new(Entry& entry, const XidReport& report) {
  const SteadyTime at = report.at;
  if (report.source == XidSource::kernel_text) {
    if (entry.count > 0 && at - entry.last <= kSameWords) return 0;
    entry.only_words = true;
    entry.words_at = at;
    return 1;
  }
  const bool is_event = report.source == XidSource::event;
  Side& own = is_event ? entry.event : entry.log;
  Side& other = is_event ? entry.log : entry.event;
  std::uint64_t fresh = report.count;
  if (at - other.last <= kSameError) {
    const std::uint64_t told = std::min(fresh, other.alone);
    other.alone -= told;
    fresh -= told;
  }
  if (at - own.last > kSameError) own.alone = 0;
  own.alone += fresh;
  own.last = at;
  if (fresh > 0 && entry.only_words) {
    if (at - entry.words_at <= kSameWords) --fresh;
    entry.only_words = false;
  }
  return fresh;
}

void XidBook::note_victim(const XidReport& report) {
  if (report.victim.empty() || action_of(report.code) != XidAction::restart_app) return;
  if (victims_.size() >= kMostVictims) {
    std::erase_if(victims_, [&](const auto& one) { return report.at - one.second > kShown; });
  }
  if (victims_.size() < kMostVictims || victims_.count(report.victim) != 0) {
    victims_[report.victim] = report.at;
  }
}

std::size_t XidBook::victims(SteadyTime now) const {
  return static_cast<std::size_t>(
      std::count_if(victims_.begin(), victims_.end(),
                    [now](const auto& one) { return now - one.second <= kShown; }));
}

std::uint64_t XidBook::take(const XidReport& report) {
  Entry& entry = entries_[report.code];
  const std::uint64_t fresh = count_new(entry, report);
  if (report.pid != 0) {
    entry.pid = report.pid;
    entry.process = report.process;
    entry.container = report.container;
  }
  note_victim(report);
  if (report.recovery_action) recovery_said_ = *report.recovery_action;
  const bool passes = meaning_of(action_of(report.code), false).ends == Ends::by_itself;
  const bool was_over =
      entry.count == 0 || entry.ended != Ended::no || (passes && report.at - entry.last > kShown);
  if (fresh > 0 && was_over) {
    entry.since = report.at;
    entry.recent = 0;
    entry.ended = Ended::no;
    entry.is_fatal = false;
  }
  entry.is_fatal = entry.is_fatal || report.is_fatal;
  if (fresh == 0) return 0;
  entry.count += fresh;
  entry.recent += fresh;
  entry.last = std::max(entry.last, report.at);
  last_code_ = report.code;
  return fresh;
}

bool XidBook::was_reset() {
  if (recovery_said_) recovery_said_ = 0U;
  bool ended = false;
  for (auto& [code, entry] : entries_) {
    if (entry.ended == Ended::by_reset || entry.ended == Ended::by_a_person) continue;
    if (meaning_of(action_of(code), false).ends == Ends::by_itself) continue;
    entry.ended = Ended::by_reset;
    ended = true;
  }
  return ended;
}

bool XidBook::driver_is_content(SteadyTime read_at) {
  bool ended = false;
  for (auto& [code, entry] : entries_) {
    if (entry.ended == Ended::no && read_at - entry.last > kVerdictDelay &&
        meaning_of(action_of(code), false).ends == Ends::by_the_drivers_word) {
      entry.ended = Ended::by_driver;
      ended = true;
    }
  }
  return ended;
}

bool XidBook::dismiss() {
  bool ended = false;
  for (auto& [code, entry] : entries_) {
    if (entry.count == 0 || entry.ended == Ended::by_reset || entry.ended == Ended::by_a_person) {
      continue;
    }
    entry.ended = Ended::by_a_person;
    ended = true;
  }
  return ended;
}

void XidBook::remember(const std::string& slot, std::vector<XidMemory>& memory) const {
  for (const auto& [code, entry] : entries_) {
    if (entry.count == 0) continue;
    memory.push_back({slot, code, entry.count, entry.recent, entry.since, entry.last,
                      static_cast<std::uint8_t>(entry.ended), entry.is_fatal, entry.pid,
                      entry.process});
  }
}

void XidBook::recall(const XidMemory& memory) {
  const bool makes_sense = memory.code != 0 && memory.code <= kMaxXid && memory.count != 0 &&
                           memory.ended <= static_cast<std::uint8_t>(Ended::by_a_person);
  if (!makes_sense || entries_.count(memory.code) != 0) return;
  Entry entry;
  entry.count = memory.count;
  entry.recent = std::min(memory.recent, memory.count);
  entry.since = memory.since;
  entry.last = memory.last;
  entry.ended = static_cast<Ended>(memory.ended);
  entry.is_fatal = memory.is_fatal;
  entry.pid = memory.pid;
  entry.process = memory.process;
  const bool is_newest = last_code_ == 0 || entries_.at(last_code_).last <= entry.last;
  if (is_newest) last_code_ = memory.code;
  entries_.emplace(memory.code, std::move(entry));
}

bool XidBook::has_another_near(unsigned code, SteadyTime at) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& item) {
    const Nanoseconds apart = item.second.last - at;
    return item.first != code && item.second.count > 0 && apart <= kNear && -apart <= kNear;
  });
}

void XidBook::add_condition(unsigned code, const Entry& entry, SteadyTime now,
                            std::vector<Condition>& open) const {
  const XidRow* row = find_xid(code);
  const XidAction action = action_of(code);
  Meaning meaning = meaning_of(action, entry.is_fatal);
  const bool is_fresh = now - entry.last <= kShown;
  const bool is_over = entry.ended == Ended::by_reset || entry.ended == Ended::by_a_person;
  if (meaning.state == HealthState::ok || entry.count == 0 || is_over) return;
  if (meaning.ends == Ends::by_itself && !is_fresh) return;
  if (action == XidAction::watch_rate && entry.recent < kOften) return;
  if (action == XidAction::follow_the_other && has_another_near(code, entry.last)) return;
  std::string reason = fmt::format(msg::kXid, code, row == nullptr ? msg::kXidUnknown : row->what);
  if (entry.recent > 1) reason += fmt::format(msg::kXidTimes, entry.recent);
  if (entry.pid != 0) reason += fmt::format(msg::kXidProcess, entry.process, entry.pid);
  if (!entry.container.empty()) reason += fmt::format(msg::kXidContainer, entry.container);
  if (action == XidAction::restart_app && victims(now) >= kSuspicious) {
    meaning = {HealthState::degraded, false, Ends::by_itself, msg::kXidSuspectRemedy};
    reason += fmt::format(msg::kXidVictims, victims(now));
  }
  if (entry.ended == Ended::by_driver) {
    if (!is_fresh) return;
    meaning = {HealthState::warn, false, Ends::by_itself, msg::kXidContentRemedy};
    reason += msg::kXidContent;
  }
  open.push_back({fmt::format("xid_{}", code), meaning.state, meaning.blocks, entry.since,
                  std::move(reason), std::string(meaning.remedy)});
}

std::vector<Condition> XidBook::conditions(SteadyTime now) const {
  std::vector<Condition> open;
  for (const auto& [code, entry] : entries_) add_condition(code, entry, now, open);
  return open;
}

GpuXids XidBook::counted(std::string slot) const {
  GpuXids xids{std::move(slot), {}, last_code_};
  for (const auto& [code, entry] : entries_) {
    if (entry.count > 0) xids.counts.push_back({code, entry.count, entry.last});
  }
  return xids;
}

}  // namespace estiva::decide
