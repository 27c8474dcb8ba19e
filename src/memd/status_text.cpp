#include "memd/status_text.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "memd/area_files.h"
#include "memd/triggers.h"

namespace estiva::memd {

using decide::memory::AreaState;
using decide::memory::Blocked;
using decide::memory::SwapArea;

namespace {

class Writer {
 public:
  Writer(char* into, std::size_t size) : into_(into), size_(size) {}
  [[gnu::format(printf, 2, 3)]] void add(const char* format, ...) {
    va_list words;
    va_start(words, format);
    const int n = std::vsnprintf(into_ + at_, size_ - at_, format, words);
    va_end(words);
    if (n < 0 || static_cast<std::size_t>(n) >= size_ - at_)
      is_full_ = true;
    else
      at_ += static_cast<std::size_t>(n);
  }
  void number(const char* name, std::uint64_t value) { add(",\"%s\":%" PRIu64, name, value); }
  std::size_t length() const { return is_full_ ? 0 : at_; }

 private:
  char* into_;
  std::size_t size_, at_ = 0;
  bool is_full_ = false;
};

void add_areas(Writer& out, const StatusRow& status, const char* folder) {
  out.add(",\"areas\":[");
  const char* comma = "";
  for (const SwapArea& area : status.areas) {
    if (area.state == AreaState::none) continue;
    out.add("%s{\"path\":\"%s/%s\",\"id\":%u,\"state\":\"%s\",\"size_bytes\":%" PRIu64
            ",\"used_bytes\":%" PRIu64 "}",
            comma, folder, area_name(area.id).text, area.id, state_name(area.state), area.size,
            area.used);
    comma = ",";
  }
  out.add("]");
}

void add_law(Writer& out, const StatusRow& status) {
  out.number("required_bytes", status.required);
  out.number("headroom_bytes", status.headroom);
  out.number("rate_bytes_per_second", status.rate);
  out.number("missing_bytes", status.missing);
  out.number("floor_bytes", status.floor);
  out.number("cap_bytes", status.cap);
  if (status.left_ns < 0)
    out.add(",\"left_seconds\":null");
  else
    out.add(",\"left_seconds\":%" PRId64 ".%03d", status.left_ns / 1'000'000'000,
            static_cast<int>(status.left_ns / 1'000'000 % 1000));
}

void add_counts(Writer& out, const StatusRow& status) {
  out.number("ticks_total", status.ticks);
  out.number("growths_total", status.growths);
  out.number("retirements_total", status.retirements);
  out.number("refusals_total", status.refusals);
  out.number("lost_messages_total", status.lost_messages);
  out.number("allocations_total", status.allocations);
  out.number("slowest_growth_us", static_cast<std::uint64_t>(status.slowest_growth_ns) / 1000);
  out.number("foreign_files", status.foreign);
  out.number("removed_areas", status.removed);
}

}  // namespace

const char* blocked_name(Blocked blocked) noexcept {
  constexpr const char* kNames[] = {"none",  "nothing_swappable", "disk_floor", "cap",
                                    "slots", "file_system",       "not_root",   "stopped",
                                    "failed"};
  return kNames[static_cast<std::size_t>(blocked)];
}

const char* state_name(AreaState state) noexcept {
  constexpr const char* kNames[] = {"none", "prepared", "active", "retiring"};
  return kNames[static_cast<std::size_t>(state)];
}

const char* event_name(EventKind kind) noexcept {
  constexpr const char* kNames[] = {"prepare",       "activate", "discard",    "retire",
                                    "retired",       "refused",  "ask_unload", "brake",
                                    "release_brake", "recovered"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::size_t format_status(const StatusRow& status, const char* folder, const char* why, char* into,
                          std::size_t size) noexcept {
  constexpr const char* kWindows[] = {"none", "500ms", "2s"};
  Writer out(into, size);
  out.add("{\"schema\":\"estiva/memd/1\",\"running\":%s,\"locked\":%s,\"pressure_window\":\"%s\"",
          status.is_running != 0 ? "true" : "false", status.is_locked != 0 ? "true" : "false",
          kWindows[status.window]);
  out.add(",\"blocked\":\"%s\",\"why\":", blocked_name(static_cast<Blocked>(status.blocked)));
  out.add(*why == '\0' ? "null" : "\"%s\"", why);
  out.number("total_bytes", status.total);
  out.number("available_bytes", status.available);
  out.number("swap_total_bytes", status.swap_total);
  out.number("swap_free_bytes", status.swap_free);
  out.number("unswappable_bytes", status.unswappable);
  add_law(out, status);
  add_counts(out, status);
  add_areas(out, status, folder);
  out.add("}\n");
  return out.length();
}

std::size_t format_event(const EventRow& event, char* into, std::size_t size) noexcept {
  Writer out(into, size);
  out.add("estiva-memd event=%s area=%u size=%" PRIu64, event_name(event.kind), event.area,
          event.size);
  if (event.error != 0)
    out.add(" failed=\"%s\" errno=%d", step_name(static_cast<AreaStep>(event.step)), event.error);
  if (event.took_ns > 0) out.add(" took_us=%" PRId64, event.took_ns / 1000);
  if (event.needed > 0) out.add(" needed=%" PRIu64 " room=%" PRIu64, event.needed, event.room);
  out.add(" rate=%" PRIu64 " required=%" PRIu64 " headroom=%" PRIu64 " available=%" PRIu64
          " swap_free=%" PRIu64 "\n",
          event.rate, event.required, event.headroom, event.available, event.swap_free);
  return out.length();
}

}  // namespace estiva::memd
