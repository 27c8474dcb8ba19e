// A status and an event as text, into memory of the caller's. Nothing here allocates.
#pragma once
#include <cstddef>

#include "memd/protocol.h"

namespace estiva::memd {

// One JSON document of schema estiva/memd/1 and a newline. `why`: a sentence without quotes or
// backslashes, or empty. Returns the length; 0 where `size` was too small (4 KiB are enough).
std::size_t format_status(const StatusRow& status, const char* folder, const char* why, char* into,
                          std::size_t size) noexcept;
// One line: key=value, with a newline.
std::size_t format_event(const EventRow& event, char* into, std::size_t size) noexcept;

const char* blocked_name(decide::memory::Blocked blocked) noexcept;
const char* state_name(decide::memory::AreaState state) noexcept;

}  // namespace estiva::memd
