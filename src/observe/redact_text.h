// Texts of a report that are not part of a recording: settings, journal, leases. As the recording,
// they hold what is on a list and nothing else. Pure.
#pragma once
#include <string>
#include <string_view>

#include "observe/redact.h"

namespace estiva::observe {

// estiva.toml: sections, keys, numbers, times, sizes and words of ours stay; comments go, and any
// other text becomes "(replaced)".
std::string redact_settings(std::string_view toml, Redactor& redactor);

// {"schema":"estiva/journal/1",..}: kinds, times, sizes, GPUs and numbered models stay; sentences
// go, because they name things. Empty where it is no such document.
std::string redact_journal(std::string_view json, Redactor& redactor);

// {"schema":"estiva/leases/1",..} in the same way.
std::string redact_leases(std::string_view json, Redactor& redactor);

}  // namespace estiva::observe
