#include "decide/refusal_log.h"

#include <algorithm>

namespace estiva::decide {

bool RefusalLog::is_news(const std::string& model, const std::string& reason, SteadyTime now) {
  const auto known = last_.find(model);
  if (known != last_.end() && known->second.reason == reason && now - known->second.at < kSame) {
    return false;
  }
  if (known == last_.end() && last_.size() >= kMostModels) {
    last_.erase(std::min_element(last_.begin(), last_.end(), [](const auto& a, const auto& b) {
      return a.second.at < b.second.at;
    }));
  }
  last_.insert_or_assign(model, Last{reason, now});
  return true;
}

}  // namespace estiva::decide
