// The memory files of one control group, v1 or v2, opened once.
#pragma once
#include "base/error.h"
#include "decide/memory/scope.h"
#include "memd/text_file.h"

namespace estiva::memd {

class GroupFiles {
 public:
  // `path`: the group's folder. An error where it has no memory files of either version.
  Result<void> open(const std::string& path);
  decide::memory::GroupMemory read() const noexcept;
  bool is_v2() const noexcept { return v2_; }

 private:
  decide::memory::GroupMemory read_v1() const noexcept;
  decide::memory::GroupMemory read_v2() const noexcept;

  bool v2_ = false;
  TextFile limit_, current_, swap_limit_, swap_current_, stat_, events_, pressure_;
};

}  // namespace estiva::memd
