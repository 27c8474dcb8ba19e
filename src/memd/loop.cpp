#include "memd/loop.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <poll.h>
#include <unistd.h>

#include "memd/allocations.h"
#include "memd/group_rooms.h"
#include "memd/status_text.h"

namespace estiva::memd {

using decide::memory::Action;
using decide::memory::ActionKind;
using decide::memory::AreaState;
using decide::memory::Blocked;
using decide::memory::GroupRoom;
using decide::memory::kMiB;
using decide::memory::SwapArea;

namespace {

constexpr std::uint64_t kMargin = 64 * kMiB;  // below a group's limit, beyond what comes back

// A line to stderr, unless nobody reads it: then it is lost, and the loop goes on.
void write_line(const char* text, std::size_t size) {
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return;
  if (write(STDERR_FILENO, text, size) < 0) return;
}

// The law's own floor lets the seed's minimum be had on a small disk, down to 10 %.
std::uint64_t disk_floor(const decide::memory::LawSettings& settings, std::uint64_t disk_total) {
  return settings.disk_floor > 0 ? settings.disk_floor : disk_total / 10;
}

}  // namespace

std::int64_t now_ns() noexcept {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

Loop::Loop(const LoopParts& parts)
    : parts_(parts), areas_(parts.folder, parts.journal), first_settings_(parts.settings) {}

void Loop::run(const volatile std::sig_atomic_t& stop) noexcept {
  areas_.recover(now_ns());
  allocations_ = allocations();
  sample_ = parts_.sampler.read(now_ns(), parts_.folder);
  tell(event(EventKind::recovered, 0, 0));
  while (stop == 0) {
    tick();
    wait();
  }
}

bool Loop::give_back(const volatile std::sig_atomic_t& stop) noexcept {
  areas_.recover(now_ns());
  sample_ = parts_.sampler.read(now_ns(), parts_.folder);
  areas_.look(parts_.sampler.swaps(), now_ns());
  for (std::uint32_t id = 1; id <= decide::memory::kMostAreas && stop == 0; ++id) {
    const SwapArea* area = areas_.find(id);
    if (area == nullptr) continue;
    if (area->state == AreaState::prepared) areas_.discard(id);
    if (area->state != AreaState::active || retire(id, parts_.settings.retire_deadline_ns))
      continue;
    decision_.sleep_ns = parts_.settings.longest_sleep_ns;
    while (retiring_ != 0 && parts_.retirer.is_there()) wait();
  }
  const auto& rows = areas_.rows();
  return std::all_of(rows.begin(), rows.end(),
                     [](const SwapArea& area) { return area.state == AreaState::none; });
}

void Loop::tick() noexcept {
  sample_ = parts_.sampler.read(now_ns(), parts_.folder);
  areas_.look(parts_.sampler.swaps(), sample_.at_ns);
  decision_ = decide_tick(state_, parts_.settings, sample_, areas_.rows());
  const double soon_s = static_cast<double>(decision_.reaction_ns + parts_.settings.grow_ns) / 1e9;
  const auto needed = decision_.required + static_cast<std::uint64_t>(decision_.rate * soon_s);
  if (decision_.headroom >= needed)
    noticed_ns_ = -1;
  else if (noticed_ns_ < 0)
    noticed_ns_ = sample_.at_ns;
  keep_tick();
  ++counts_.ticks;
  for (std::uint32_t i = 0; i < decision_.action_count; ++i) carry_out(decision_.actions[i]);
}

void Loop::carry_out(const Action& action) noexcept {
  switch (action.kind) {
    case ActionKind::prepare:
      // The file is used in the same tick where it is needed at once.
      if (!prepare(action.size) && noticed_ns_ >= 0)
        for (const SwapArea& area : areas_.rows())
          if (area.state == AreaState::prepared) activate(area.id);
      break;
    case ActionKind::activate:
      activate(action.area);
      break;
    case ActionKind::discard:
      tell(event(EventKind::discard, action.area, action.size, areas_.discard(action.area)));
      break;
    case ActionKind::retire:
      retire(action.area, action.deadline_ns);
      break;
    case ActionKind::ask_unload:
      tell(event(EventKind::ask_unload, 0, action.size));
      break;
    case ActionKind::brake:
      tell(event(EventKind::brake, 0, action.size));
      break;
    case ActionKind::release_brake:
      tell(event(EventKind::release_brake, 0, 0));
      break;
    case ActionKind::none:
      break;
  }
}

AreaFault Loop::prepare(std::uint64_t size) noexcept {
  const std::int64_t began = now_ns();
  const AreaFault fault =
      areas_.prepare(size, disk_floor(parts_.settings, sample_.disk_total), began);
  EventRow row = event(EventKind::prepare, 0, size, fault);
  row.took_ns = now_ns() - began;
  tell(row);
  return fault;
}

AreaFault Loop::activate(std::uint32_t id) noexcept {
  const SwapArea* area = areas_.find(id);
  const std::uint64_t size = area == nullptr ? 0 : area->size;
  const std::int64_t since = noticed_ns_ >= 0 ? noticed_ns_ : sample_.at_ns;
  const AreaFault fault = areas_.activate(id, now_ns());
  EventRow row = event(EventKind::activate, id, size, fault);
  row.took_ns = now_ns() - since;
  noticed_ns_ = -1;
  if (fault.step == AreaStep::swapon && fault.error == EPERM) parts_.sampler.slots_are_used_up();
  if (!fault) {
    ++counts_.growths;
    counts_.slowest_growth_ns = std::max(counts_.slowest_growth_ns, row.took_ns);
  }
  tell(row);
  return fault;
}

AreaFault Loop::retire(std::uint32_t id, std::int64_t deadline_ns) noexcept {
  const SwapArea* area = areas_.find(id);
  if (area == nullptr || area->state != AreaState::active || retiring_ != 0)
    return {AreaStep::swapoff, EBUSY};
  if (!may_retire(*area)) return {AreaStep::swapoff, ENOMEM};
  if (!parts_.retirer.is_there()) return {AreaStep::swapoff, ECHILD};
  AreaFault fault = areas_.begin_to_retire(id, now_ns());
  if (!fault && !parts_.retirer.ask(id, deadline_ns)) {
    fault = {AreaStep::swapoff, EAGAIN};
    areas_.end_to_retire(id, fault, now_ns());
  }
  if (!fault) retiring_ = id;
  tell(event(EventKind::retire, id, area->size, fault));
  return fault;
}

bool Loop::may_retire(const SwapArea& area) noexcept {
  if (area.used < parts_.settings.empty_below) return true;
  static GroupRoom rooms[kMostGroups];
  const std::uint32_t count = read_group_rooms(find_group_root(), rooms);
  decide::memory::RetireCheck check;
  if (count <= kMostGroups)
    check = decide::memory::may_retire(area.used, rooms, count, sample_.available,
                                       decision_.required, kMargin);
  if (check.may) return true;
  ++counts_.refusals;
  EventRow row = event(EventKind::refused, area.id, area.size);
  row.needed = std::max<std::uint64_t>(check.needed, 1);
  row.room = check.room;
  tell(row);
  return false;
}

void Loop::wait() noexcept {
  constexpr std::size_t kServer = 3;
  const auto triggers = parts_.triggers.waits();
  const auto clients = parts_.server.waits();
  std::array<pollfd, kServer + kMostClients + 1> all{};
  all[0] = triggers[0];
  all[1] = triggers[1];
  all[2] = {parts_.retirer.descriptor(), POLLIN, 0};
  std::copy(clients.begin(), clients.end(), all.begin() + kServer);
  // Never twice within the shortest sleep, whoever wakes us: a broken source must not spin.
  const timespec least{0, parts_.settings.shortest_sleep_ns};
  nanosleep(&least, nullptr);
  const std::int64_t rest =
      std::max<std::int64_t>(decision_.sleep_ns - parts_.settings.shortest_sleep_ns, 0);
  const timespec patience{rest / 1'000'000'000, rest % 1'000'000'000};
  if (ppoll(all.data(), all.size(), &patience, nullptr) <= 0) return;
  parts_.triggers.take({all[0], all[1]});
  if (all[2].revents != 0) take_retired();
  if (all[kServer].revents != 0) parts_.server.accept();
  for (std::size_t i = 0; i < kMostClients; ++i) {
    Request request;
    if (all[kServer + 1 + i].revents != 0 && parts_.server.take(i, request)) serve(request);
  }
}

void Loop::take_retired() noexcept {
  RetireAnswer answer;
  const Retirer::Took took = parts_.retirer.take(answer);
  if (took == Retirer::Took::nothing || retiring_ == 0) return;
  if (took == Retirer::Took::lost) answer = {retiring_, {AreaStep::swapoff, ECHILD}};
  retiring_ = 0;
  const SwapArea* area = areas_.find(answer.id);
  const std::uint64_t size = area == nullptr ? 0 : area->size;
  const AreaFault fault = areas_.end_to_retire(answer.id, answer.fault, now_ns());
  if (!fault) ++counts_.retirements;
  tell(event(EventKind::retired, answer.id, size, fault));
}

void Loop::serve(const Request& request) noexcept {
  const std::uint32_t argument = request.header.argument;
  switch (request.header.kind) {
    case Kind::policy:
      set_policy(request.policy);
      return parts_.server.answer(request, Kind::answer, 0);
    case Kind::ask: {
      const StatusRow row = status();
      return parts_.server.answer(request, Kind::status, 0, std::as_bytes(std::span(&row, 1)), 1);
    }
    case Kind::expand:
      return parts_.server.answer(request, Kind::answer, expand(argument));
    case Kind::retire: {
      const AreaFault fault = retire(argument, parts_.settings.retire_deadline_ns);
      return parts_.server.answer(request, Kind::answer, static_cast<std::uint32_t>(fault.error));
    }
    case Kind::ticks:
      return send_ticks(request);
    default:
      return parts_.server.answer(request, Kind::answer, EINVAL);
  }
}

std::uint32_t Loop::expand(std::uint32_t mib) noexcept {
  const std::uint64_t size = mib * kMiB;
  std::uint64_t ours = 0;
  for (const SwapArea& area : areas_.rows()) ours += area.size;
  const std::uint64_t most = most_swap(parts_.settings, sample_, ours);
  if (size == 0 || ours + size > most) return ENOSPC;
  AreaFault fault = prepare(size);
  if (fault) return static_cast<std::uint32_t>(fault.error);
  for (const SwapArea& area : areas_.rows())
    if (area.state == AreaState::prepared && area.size == size)
      return static_cast<std::uint32_t>(activate(area.id).error);
  return ENOENT;
}

void Loop::set_policy(const PolicyRow& row) noexcept {
  parts_.settings = first_settings_;
  parts_.settings.floor = row.floor;
  if (row.cap > 0) parts_.settings.cap = row.cap;
  if (row.disk_floor > 0) parts_.settings.disk_floor = row.disk_floor;
  if (row.calm_ns > 0) parts_.settings.calm_ns = row.calm_ns;
  if (row.stopped != 0) parts_.settings.blocked = Blocked::stopped;
}

void Loop::keep_tick() noexcept {
  const auto page = static_cast<std::uint64_t>(getpagesize());
  const auto pages = [page](std::uint64_t bytes) {
    return static_cast<std::uint32_t>(bytes / page);
  };
  TickRow& row = ticks_[counts_.ticks % kTicks];
  row = {sample_.at_ns,
         static_cast<std::uint32_t>(std::min<std::int64_t>(sample_.gap_ns / 1000, UINT32_MAX)),
         pages(sample_.available),
         pages(sample_.swap_total),
         pages(sample_.swap_free),
         pages(sample_.anon),
         pages(sample_.shmem),
         pages(sample_.mlocked),
         pages(sample_.swapped_out),
         static_cast<std::uint32_t>(sample_.refault_file),
         static_cast<std::uint32_t>(sample_.psi_some_us / 1000),
         static_cast<std::uint32_t>(sample_.psi_io_some_us / 1000),
         static_cast<std::uint32_t>(sample_.disk_free / kMiB),
         static_cast<std::uint8_t>(sample_.slots_free),
         static_cast<std::uint8_t>(decision_.action_count),
         static_cast<std::uint8_t>(decision_.blocked),
         static_cast<std::uint8_t>(sample_.oom_kills)};
}

void Loop::send_ticks(const Request& request) noexcept {
  const std::uint64_t end = counts_.ticks;
  const std::uint64_t oldest = end > kTicks ? end - kTicks : 0;
  const std::uint64_t first = std::clamp<std::uint64_t>(request.header.argument, oldest, end);
  // Up to the end of the ring's array: who asks goes on from there.
  constexpr std::uint64_t kMost = (kMaxMessage - sizeof(Header)) / sizeof(TickRow);
  const std::uint64_t count = std::min({end - first, kMost, kTicks - first % kTicks});
  const std::span rows(ticks_.data() + first % kTicks, count);
  parts_.server.answer(request, Kind::tick_rows, static_cast<std::uint32_t>(first),
                       std::as_bytes(rows), static_cast<std::uint32_t>(count));
}

EventRow Loop::event(EventKind kind, std::uint32_t area, std::uint64_t size,
                     const AreaFault& fault) const noexcept {
  EventRow row;
  row.at_ns = sample_.at_ns;
  row.kind = kind;
  row.area = area;
  row.size = size;
  row.error = fault.error;
  row.step = static_cast<std::uint8_t>(fault.step);
  row.required = decision_.required;
  row.headroom = decision_.headroom;
  row.rate = static_cast<std::uint64_t>(decision_.rate);
  row.available = sample_.available;
  row.swap_free = sample_.swap_free;
  return row;
}

void Loop::tell(const EventRow& row) noexcept {
  char text[512];
  write_line(text, format_event(row, text, sizeof text));
  parts_.server.tell(row);
}

StatusRow Loop::status() const noexcept {
  StatusRow row = make_status(sample_, decision_, parts_.settings, areas_.rows());
  row.calm_since_ns = state_.calm_since_ns;
  row.slowest_growth_ns = counts_.slowest_growth_ns;
  row.ticks = counts_.ticks;
  row.growths = counts_.growths;
  row.retirements = counts_.retirements;
  row.refusals = counts_.refusals;
  row.lost_messages = parts_.server.lost();
  row.allocations = allocations() - allocations_;
  row.foreign = areas_.foreign();
  row.removed = parts_.sampler.swaps().removed;
  row.window = static_cast<std::uint8_t>(parts_.triggers.window());
  row.is_locked = parts_.is_locked ? 1 : 0;
  row.is_running = 1;
  return row;
}

StatusRow make_status(const decide::memory::MemorySample& sample,
                      const decide::memory::Decision& decision,
                      const decide::memory::LawSettings& settings,
                      const decide::memory::SwapAreas& areas) noexcept {
  StatusRow row;
  row.at_ns = sample.at_ns;
  row.left_ns = decision.left_ns;
  row.total = sample.total;
  row.available = sample.available;
  row.swap_total = sample.swap_total;
  row.swap_free = sample.swap_free;
  row.unswappable = std::max(sample.mlocked, sample.unevictable);
  row.required = decision.required;
  row.headroom = decision.headroom;
  row.rate = static_cast<std::uint64_t>(decision.rate);
  row.missing = decision.missing;
  row.floor = settings.floor;
  std::uint64_t ours = 0;
  for (const SwapArea& area : areas) ours += area.size;
  row.cap = most_swap(settings, sample, ours);
  const Blocked blocked = settings.blocked != Blocked::none ? settings.blocked : decision.blocked;
  row.blocked = static_cast<std::uint8_t>(blocked);
  std::copy(areas.begin(), areas.end(), row.areas);
  return row;
}

}  // namespace estiva::memd
