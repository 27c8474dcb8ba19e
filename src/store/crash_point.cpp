#include "store/crash_point.h"

#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include "base/messages/store.h"
#include "store/crash_gate.h"

namespace estiva::store {

std::string_view to_name(CrashPoint point) {
  switch (point) {
    case CrashPoint::none:
      return "none";
    case CrashPoint::before_begin:
      return "before_begin";
    case CrashPoint::after_begin:
      return "after_begin";
    case CrashPoint::after_lease:
      return "after_lease";
    case CrashPoint::after_journal:
      return "after_journal";
    case CrashPoint::before_commit:
      return "before_commit";
    case CrashPoint::after_commit:
      return "after_commit";
    case CrashPoint::before_callback:
      return "before_callback";
    case CrashPoint::after_callback:
      return "after_callback";
  }
  return "none";
}

namespace {

Failure unknown_point(std::string_view text) {
  std::vector<std::string_view> known;
  for (const CrashPoint point : kCrashPoints) known.push_back(to_name(point));
  return fail(ErrorKind::usage, fmt::format(msg::kStoreCrashPoint, fmt::arg("text", text)),
              fmt::format(msg::kStoreCrashPointRemedy, fmt::arg("known", fmt::join(known, ", "))));
}

}  // namespace

Result<CrashAt> parse_crash_point(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  CrashAt at;
  for (const CrashPoint point : kCrashPoints) {
    if (to_name(point) == name) at.point = point;
  }
  if (at.point == CrashPoint::none) return unknown_point(text);
  if (colon == std::string_view::npos) return at;
  const std::string_view count = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), at.nth);
  if (error != std::errc{} || end != count.data() + count.size() || at.nth == 0) {
    return unknown_point(text);
  }
  return at;
}

void CrashGate::die() {
  ::kill(::getpid(), SIGKILL);
  ::pause();  // SIGKILL is on its way; do nothing more until it lands
}

}  // namespace estiva::store
