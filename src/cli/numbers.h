// Values of options that are not plain text. Errors are `usage`: they come before any connection.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/units.h"
#include "cli/arguments.h"

namespace estiva::cli {

// What assign and run ask the daemon for.
struct Wanted {
  std::string model;
  Bytes vram;
  std::string gpu = "auto";
  std::uint64_t gpus = 1;
  std::string policy;  // empty: the daemon's default
  std::optional<std::uint64_t> pid;
  std::optional<double> wait_seconds;  // for room, in the order of asking
  bool only_new = false;               // refused where the model has a lease already
};

// --vram or --vram-mb, exactly one of them.
Result<Bytes> vram_of(const Arguments& args);
// The options of assign and run into one value; `model` is checked as a name.
Result<Wanted> wanted_of(const Arguments& args, std::string model);
// The request's JSON, as POST /api/v1/leases takes it.
std::string to_json(const Wanted& wanted);

// A whole number within the limits; `otherwise` when the option is not there.
Result<std::uint64_t> count_of(const Arguments& args, std::string_view flag, std::uint64_t least,
                               std::uint64_t most, std::uint64_t otherwise);
// A time of at least `least`: "500ms", "30s", or a bare number of seconds.
Result<std::chrono::nanoseconds> time_of(const Arguments& args, std::string_view flag,
                                         std::chrono::nanoseconds otherwise,
                                         std::chrono::nanoseconds least = {});
// 1 to 256 bytes of UTF-8 without control characters.
Result<void> check_name(std::string_view name);

}  // namespace estiva::cli
