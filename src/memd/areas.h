// Our swap areas as they are now, and the steps that change them. Each step is in the journal
// before it is done. Nothing here allocates.
#pragma once
#include "decide/memory/law.h"
#include "memd/area_files.h"
#include "memd/journal.h"
#include "memd/sampler.h"

namespace estiva::memd {

class Areas {
 public:
  Areas(int folder, Journal& journal) : folder_(folder), journal_(journal) {}

  // Adopts, reuses or removes what an earlier run left (recover.h).
  void recover(std::int64_t now_ns) noexcept;
  // What the kernel says now. An area that somebody else has swapped off becomes a prepared file;
  // one whose file somebody has removed is gone;
  // one that is listed by another path counts as full. True where one of ours changed so.
  bool look(const SwapTable& swaps, std::int64_t now_ns) noexcept;

  // Uses the lowest id that is free. At least `floor` bytes stay free on the disk.
  AreaFault prepare(std::uint64_t size, std::uint64_t floor, std::int64_t now_ns) noexcept;
  AreaFault activate(std::uint32_t id, std::int64_t now_ns) noexcept;
  AreaFault discard(std::uint32_t id) noexcept;
  // Before the swapoff is asked for, and after it ended. Where it failed, the area is active again.
  AreaFault begin_to_retire(std::uint32_t id, std::int64_t now_ns) noexcept;
  AreaFault end_to_retire(std::uint32_t id, const AreaFault& how, std::int64_t now_ns) noexcept;

  const decide::memory::SwapAreas& rows() const noexcept { return rows_; }
  decide::memory::SwapArea* find(std::uint32_t id) noexcept;
  std::uint32_t foreign() const noexcept { return foreign_; }  // names of ours that are not ours

 private:
  void recover_one(std::uint32_t id, const JournalRow& row, std::int64_t now_ns) noexcept;
  bool is_prepared() const noexcept;
  void set(std::uint32_t id, decide::memory::AreaState state, std::int64_t now_ns) noexcept;

  int folder_;
  Journal& journal_;
  decide::memory::SwapAreas rows_{};
  std::array<bool, decide::memory::kMostAreas> is_foreign_{};
  std::uint32_t foreign_ = 0;
};

}  // namespace estiva::memd
