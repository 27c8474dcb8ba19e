// estiva verify: the ladder from the PCI device to a program that computes in a container.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

// Exit code: 0 a GPU is usable; 3 only the CPU, or no container could be tried; 1 broken. With
// --graphics: 0 it draws; 3 there is nothing to draw on; 1 drawing failed.
Result<int> run_verify(Session& session, const Arguments& args);

}  // namespace estiva::cli
