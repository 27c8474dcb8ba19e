// Judges what the law does by rules of its own: it shares no code with the law.
#pragma once
#include <string>
#include <vector>

#include "memory/managers.h"

namespace estiva::memory_sim {

class MemoryReferee {
 public:
  // Watches `law` from now on; both must outlive the run.
  explicit MemoryReferee(Law& law, double floor = 1.0 * kGiB);
  // What was broken, a sentence each; at most 20.
  const std::vector<std::string>& broken() const { return broken_; }

 private:
  void judge(const Host& host, const decide::memory::Action& action);
  void judge_prepare(const Host& host, double size);
  void judge_retire(const Host& host, std::uint32_t id);
  void say(const Host& host, const std::string& what);
  double floor_;
  std::vector<std::string> broken_;
};

}  // namespace estiva::memory_sim
