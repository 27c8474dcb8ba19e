// What a plan is run on. Values of the caller's; everything below it acts through this.
#pragma once
#include <functional>
#include <string>

#include "act/command.h"
#include "host/files.h"
#include "model/plan.h"

namespace estiva::act {

struct Machine {
  const host::Root& root;  // "/" or a tree in a folder: all paths of steps are below it
  CommandRunner& commands;
  // Makes the content of a run_generator step's file from the machine as it is now.
  std::function<Result<std::string>(const Step& step)> generate;
  // For tests: called at every point where a crash leaves another state behind.
  std::function<void()> boundary;

  void pass() const {
    if (boundary) boundary();
  }
};

}  // namespace estiva::act
