// What the tests of the daemon.json policy share.
#pragma once
#include <gtest/gtest.h>

#include "decide/setup/daemon_json.h"

namespace estiva::decide {

inline constexpr const char* kNvidia = "/usr/bin/nvidia-container-runtime";

// Docker 27 with the toolkit installed: everything is wanted, nothing is given on a command line.
inline DaemonJsonInput daemon_input(std::optional<std::string> text,
                                    std::string version = "27.5.1") {
  DaemonJsonInput input;
  input.file = "d.json";
  input.text = std::move(text);
  input.engine_version = std::move(version);
  input.wish.nvidia_runtime = kNvidia;
  return input;
}

// Only CDI is wanted.
inline DaemonJsonInput cdi_only(std::optional<std::string> text, std::string version = "27.5.1") {
  DaemonJsonInput input = daemon_input(std::move(text), std::move(version));
  input.wish.nvidia_runtime.clear();
  input.wish.log_rotation = false;
  return input;
}

// The plan, after making sure that a second run on its text changes nothing.
inline DaemonJsonPlan planned(DaemonJsonInput input) {
  const auto plan = plan_daemon_json(input);
  if (!plan) {
    ADD_FAILURE() << plan.error().sentence();
    return {};
  }
  input.text = plan->text;
  const auto again = plan_daemon_json(input);
  EXPECT_TRUE(again && again->changes.empty() && again->text == plan->text) << plan->text;
  return *plan;
}

inline std::string refusal(const DaemonJsonInput& input) {
  const auto plan = plan_daemon_json(input);
  return plan ? "planned: " + plan->text : plan.error().what;
}

// "path=after takes", one a change; "rule" of each note.
inline std::vector<std::string> in_short(const DaemonJsonPlan& plan) {
  std::vector<std::string> all;
  for (const DaemonJsonChange& change : plan.changes) {
    all.push_back(change.path + ": " + change.before + " -> " + change.after + " (" +
                  std::string(to_name(change.takes)) + ")");
  }
  return all;
}
inline std::vector<std::string> rules(const DaemonJsonPlan& plan) {
  std::vector<std::string> all;
  for (const DaemonJsonNote& note : plan.notes) all.push_back(note.rule);
  return all;
}

using Words = std::vector<std::string>;

}  // namespace estiva::decide
