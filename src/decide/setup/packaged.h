// The files of packaging/systemd, as they were when this was built.
#pragma once
#include <string_view>

namespace estiva::decide {

// The text of a file ("estiva-cdi.service"); empty where there is none of that name.
std::string_view packaged_file(std::string_view name);

}  // namespace estiva::decide
