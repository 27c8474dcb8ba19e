// What the tests of 'estiva setup' share.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "decide/setup/setup_plan.h"
#include "unit/decide/readiness_bases.h"

namespace estiva::decide {

inline SetupPlan planned(const ReadinessFacts& facts, const SetupWish& wish = {}) {
  auto plan = plan_setup(facts, wish);
  if (plan) return *std::move(plan);
  ADD_FAILURE() << plan.error().sentence();
  return {};
}

inline std::string word_of(const Step& step) {
  return std::string(to_name(step.kind)) + " " + step.target;
}
inline std::vector<std::string> words_of(const SetupPlan& plan) {
  std::vector<std::string> words;
  for (const Step& step : plan.plan.steps) words.push_back(word_of(step));
  return words;
}
inline const Step* step_of(const SetupPlan& plan, const std::string& word) {
  for (const Step& step : plan.plan.steps)
    if (word_of(step) == word) return &step;
  return nullptr;
}
inline std::string content_of(const SetupPlan& plan, const std::string& path) {
  const Step* step = step_of(plan, "write_file " + path);
  return step == nullptr ? "" : step->content;
}

inline constexpr const char* kDaemonJson = "/etc/docker/daemon.json";
inline constexpr const char* kCdiService = "/etc/systemd/system/estiva-cdi.service";

// Debian's machine with a daemon.json that has all that is wanted.
inline ReadinessFacts settled() {
  ReadinessFacts facts = bases::debian_host();
  facts.engine.daemon_json.text =
      std::string(R"({"log-driver":"json-file","log-opts":{"max-size":"1m"},)"
                  R"("runtimes":{"nvidia":{"path":"/usr/bin/nvidia-container-runtime"}}})");
  return facts;
}

}  // namespace estiva::decide
