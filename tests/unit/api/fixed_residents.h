// Models as a test says that they are: nothing is behind them.
#pragma once
#include <vector>

#include "api/residents.h"

namespace estiva::api {

class FixedResidents final : public Residents {
 public:
  std::vector<ModelStatus> models() const override { return all; }
  std::vector<WaitStatus> waiting() const override { return {}; }
  std::vector<PauseStatus> pauses() const override { return {}; }
  bool on_battery() const override { return battery; }
  std::string gateway() const override { return {}; }
  Result<std::vector<std::string>> log_of(const std::string&) const override { return refused(); }
  net::Awaitable<Result<void>> load(std::string) override { co_return refused(); }
  net::Awaitable<Result<void>> unload(std::string) override { co_return refused(); }
  net::Awaitable<std::vector<FreedModel>> free_memory(bool) override {
    co_return std::vector<FreedModel>();
  }
  Result<void> pin(const std::string&, bool) override { return refused(); }
  Result<void> set_policy(const std::string&, ResidencyPolicy) override { return refused(); }
  net::Awaitable<Result<void>> pause(std::string, std::optional<Nanoseconds>) override {
    co_return refused();
  }
  Result<void> resume(const std::string&) override { return refused(); }
  Result<ReloadReport> reload(bool) override { return refused(); }

  std::vector<ModelStatus> all;
  bool battery = false;

 private:
  static Failure refused() { return fail(ErrorKind::refused, "values only", {}); }
};

}  // namespace estiva::api
