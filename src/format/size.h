// Amounts and spans of time as people write them: "3500MiB", "3.5GB", "0.5 TiB", "1m30s".
// Wrong input is a usage error (exit 2) whose sentence quotes it and says what is accepted.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace estiva::format {

// A positive decimal number and a unit: B, KiB MiB GiB TiB PiB (1024), kB KB MB GB TB PB (1000),
// in any case; a blank may stand between them. Fractions are rounded down to whole bytes. A bare
// number is refused ("say MiB or GiB"); so are a sign, a comma, an exponent, zero and everything
// beyond 8 EiB.
Result<Bytes> parse_size(std::string_view text);
// As parse_size, but zero is accepted ("0B", and "0" alone): for margins and allowances.
Result<Bytes> parse_size_or_zero(std::string_view text);
// Whole MiB, digits only: what --vram-mb and required_vram_mb take. 1 .. 8 EiB.
Result<Bytes> parse_mib_count(std::string_view text);
// The exact inverse of parse_size: the largest binary unit that gives a whole number ("3500MiB").
std::string format_size(Bytes bytes);

// Parts in falling units, each once: d h m s ms us ("1m30s", "250ms", "1.5h"). A bare number and a
// negative one are refused; at most 3650 days.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
// For options whose name says the unit (--seconds 30, interval_seconds = 0.5): a bare number of
// seconds is accepted beside every form of parse_duration.
Result<std::chrono::nanoseconds> parse_seconds(std::string_view text);
// The exact inverse for whole microseconds: "1m30s", "250ms"; "0s".
std::string format_duration(std::chrono::nanoseconds span);

}  // namespace estiva::format
