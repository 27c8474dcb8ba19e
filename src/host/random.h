// Random bytes of the kernel's, for secrets.
#pragma once
#include <cstdint>
#include <span>

#include "base/error.h"

namespace estiva::host {

// Fills all of it. Waits only where the machine has just started. Errors: failed (no getrandom).
Result<void> fill_random(std::span<std::uint8_t> bytes);

}  // namespace estiva::host
