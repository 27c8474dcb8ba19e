// Where estiva's other programs are: ESTIVA_LIBEXEC, else beside this one, else in
// ../libexec/estiva.
#pragma once
#include <string>

#include "base/error.h"

namespace estiva::cli {

// The full path of "estivad". Errors: failed, with what to install.
Result<std::string> find_program(const std::string& name);
// A file that lies beside the programs in build and installation: "sim/libnvidia-ml.so.1".
Result<std::string> find_beside(const std::string& file);

// This very program's path: what units have to name.
std::string own_program();

}  // namespace estiva::cli
