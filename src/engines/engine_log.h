// What one engine prints: a file of its own, STATE/engines/NAME.log, that it writes to directly, so
// that it can go on while no daemon runs. Kept short: past kMostLog only the newest kKeptLog stay.
// An engine that prints without a pause is seen after kLogPause; what it can print in that time is
// what the file may be too long. Loop thread only.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "net/loop.h"

namespace estiva::engines {

inline constexpr std::uint64_t kMostLog = 16 << 20;
// Copied at a cut, on the loop: 1 MiB is 0.3 ms, and some 10,000 lines.
inline constexpr std::uint64_t kKeptLog = 1 << 20;
inline constexpr std::chrono::milliseconds kLogPause{50};

class EngineLog {
 public:
  EngineLog(net::Loop& loop, const std::string& state_dir, std::string_view model);
  ~EngineLog();

  const std::string& path() const { return path_; }
  // To be handed to the engine: appends. What is there stays, but tail() begins here.
  Result<UniqueFd> open();
  // Keeps it short from now on: at once, then after each piece of writing.
  void watch();
  // The newest lines, oldest first, as they may be printed on a terminal. Reads 64 KiB at most.
  std::vector<std::string> tail(std::size_t lines) const;

 private:
  struct Watch;
  void shorten();

  net::Loop& loop_;
  std::string path_;
  std::uint64_t from_ = 0;  // of this run
  std::shared_ptr<Watch> watch_;
};

}  // namespace estiva::engines
