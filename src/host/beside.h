// Programs of ours, found beside the one that runs. Thread-safe.
#pragma once
#include <string>

namespace estiva::host {

// The folder of the running program's file; "." where it can't be told.
std::string own_folder();
// "estiva-sensor" beside this program, else in ../libexec/estiva; the first of them where neither
// is there, for the error.
std::string program_beside(const std::string& name);

}  // namespace estiva::host
