// Which refusals are worth a record of the journal: one that waits for room asks every second, and
// its thousandth "no" says nothing that the first did not. Pure: time arrives as a value.
#pragma once
#include <map>
#include <string>

#include "base/clock.h"

namespace estiva::decide {

class RefusalLog {
 public:
  // True where this model was not refused for the same reason within the last kSame.
  bool is_news(const std::string& model, const std::string& reason, SteadyTime now);
  // Something else happened to the model: its next refusal is news.
  void forget(const std::string& model) { last_.erase(model); }

  static constexpr Nanoseconds kSame = std::chrono::minutes(10);
  // Of more models than these the oldest are forgotten, which at worst writes one record too many.
  static constexpr std::size_t kMostModels = 1024;

 private:
  struct Last {
    std::string reason;
    SteadyTime at;
  };
  std::map<std::string, Last> last_;
};

}  // namespace estiva::decide
