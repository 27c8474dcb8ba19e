#include "memd/areas.h"

#include <algorithm>
#include <cerrno>

#include "memd/recover.h"

namespace estiva::memd {

using decide::memory::AreaState;
using decide::memory::kMostAreas;
using decide::memory::SwapArea;

namespace {

// The journal could not be written: the step is not done.
constexpr AreaFault kNoJournal{AreaStep::open, EIO};

}  // namespace

void Areas::recover(std::int64_t now_ns) noexcept {
  const JournalRows rows = journal_.read();
  for (std::uint32_t id = 1; id <= kMostAreas; ++id) recover_one(id, rows[id - 1], now_ns);
}

void Areas::recover_one(std::uint32_t id, const JournalRow& row, std::int64_t now_ns) noexcept {
  const AreaFile file = look_at_area(folder_, id);
  rows_[id - 1].size = file.size;
  switch (recover_area(file, row, is_prepared())) {
    case Recovery::adopt:
      set(id, AreaState::active, now_ns);
      journal_.note(id, JournalStep::active, file);
      break;
    case Recovery::reuse:
      set(id, AreaState::prepared, now_ns);
      journal_.note(id, JournalStep::made, file);
      break;
    case Recovery::leave:
      is_foreign_[id - 1] = true;
      ++foreign_;
      break;
    case Recovery::remove:
      remove_area(folder_, id);
      [[fallthrough]];
    case Recovery::nothing:
      journal_.note(id, JournalStep::none, {});
      break;
  }
}

bool Areas::look(const SwapTable& swaps, std::int64_t now_ns) noexcept {
  bool changed = false;
  for (SwapArea& area : rows_) {
    if (area.state == AreaState::none) continue;
    const bool is_listed = swaps.is_listed[area.id - 1];
    area.used = swaps.used[area.id - 1];
    if (area.state == AreaState::prepared && is_listed) {
      set(area.id, AreaState::active, now_ns);
      changed = true;
    }
    if (area.state != AreaState::active || is_listed) continue;
    const AreaFile file = look_at_area(folder_, area.id);
    if (file.is_active) {
      // Listed by another path, seen from another mount namespace: what is in it is not known.
      area.used = area.size;
      continue;
    }
    set(area.id, file.kind == FileKind::ours ? AreaState::prepared : AreaState::none, now_ns);
    changed = true;
  }
  return changed;
}

AreaFault Areas::prepare(std::uint64_t size, std::uint64_t floor, std::int64_t now_ns) noexcept {
  for (std::uint32_t id = 1; id <= kMostAreas; ++id) {
    if (rows_[id - 1].state != AreaState::none || is_foreign_[id - 1]) continue;
    if (!journal_.note(id, JournalStep::intent, {})) return kNoJournal;
    AreaFault fault = make_area(folder_, id, size, floor);
    const AreaFile made = look_at_area(folder_, id);
    if (!fault && !journal_.note(id, JournalStep::made, made)) fault = kNoJournal;
    // Somebody's file has the name; it stays, and the name is not used.
    if (fault.step == AreaStep::open && fault.error == EEXIST) is_foreign_[id - 1] = true;
    if (fault) return fault;
    rows_[id - 1].size = size;
    set(id, AreaState::prepared, now_ns);
    return {};
  }
  return {AreaStep::open, ENOSPC};
}

AreaFault Areas::activate(std::uint32_t id, std::int64_t now_ns) noexcept {
  const SwapArea* area = find(id);
  if (area == nullptr || area->state != AreaState::prepared) return {AreaStep::swapon, EINVAL};
  if (!journal_.note(id, JournalStep::active, look_at_area(folder_, id))) return kNoJournal;
  const AreaFault fault = activate_area(folder_, id);
  if (!fault) set(id, AreaState::active, now_ns);
  return fault;
}

AreaFault Areas::discard(std::uint32_t id) noexcept {
  const SwapArea* area = find(id);
  if (area == nullptr || area->state != AreaState::prepared) return {AreaStep::remove, EINVAL};
  const AreaFault fault = remove_area(folder_, id);
  if (fault) return fault;
  journal_.note(id, JournalStep::none, {});
  set(id, AreaState::none, 0);
  return {};
}

AreaFault Areas::begin_to_retire(std::uint32_t id, std::int64_t now_ns) noexcept {
  const SwapArea* area = find(id);
  if (area == nullptr || area->state != AreaState::active) return {AreaStep::swapoff, EINVAL};
  if (!journal_.note(id, JournalStep::retiring, look_at_area(folder_, id))) return kNoJournal;
  set(id, AreaState::retiring, now_ns);
  return {};
}

AreaFault Areas::end_to_retire(std::uint32_t id, const AreaFault& how,
                               std::int64_t now_ns) noexcept {
  if (find(id) == nullptr) return {AreaStep::swapoff, EINVAL};
  const AreaFile file = look_at_area(folder_, id);
  if (file.kind == FileKind::ours && file.is_active) {
    journal_.note(id, JournalStep::active, file);
    set(id, AreaState::active, now_ns);
    return how;
  }
  set(id, AreaState::prepared, now_ns);
  return discard(id);
}

SwapArea* Areas::find(std::uint32_t id) noexcept {
  if (id == 0 || id > kMostAreas || rows_[id - 1].state == AreaState::none) return nullptr;
  return &rows_[id - 1];
}

bool Areas::is_prepared() const noexcept {
  return std::any_of(rows_.begin(), rows_.end(),
                     [](const SwapArea& area) { return area.state == AreaState::prepared; });
}

void Areas::set(std::uint32_t id, AreaState state, std::int64_t now_ns) noexcept {
  SwapArea& area = rows_[id - 1];
  area = {state == AreaState::none ? 0 : id, state, state == AreaState::none ? 0 : area.size,
          state == AreaState::active ? area.used : 0, now_ns};
}

}  // namespace estiva::memd
