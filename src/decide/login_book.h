// Who may use the API from a browser: one-time codes, and the sessions that they become. Kept in
// memory only, so that a new daemon knows none; bounded. Time and random bytes come in as values.
// Pure.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/clock.h"

namespace estiva::decide {

using LoginCode = std::array<std::uint8_t, 16>;   // short enough for a link that people copy
using SessionKey = std::array<std::uint8_t, 32>;  // as long as the API's token

enum class CodeUse { accepted, wrong, locked };

class LoginBook {
 public:
  static constexpr Nanoseconds kCodeLife = std::chrono::seconds(60);
  static constexpr Nanoseconds kIdleLife = std::chrono::hours(12);
  static constexpr Nanoseconds kWholeLife = std::chrono::hours(7 * 24);
  static constexpr std::size_t kCodes = 16, kSessions = 64;  // beyond: the oldest is dropped
  // So many wrong codes within the window void every code, and none is taken until it has passed.
  static constexpr std::size_t kWrongCodes = 10;
  static constexpr Nanoseconds kWrongWindow = std::chrono::seconds(60);

  void add_code(const LoginCode& code, SteadyTime now);
  // Uses a code up, and begins the session `key` with it. `wrong`: never given, used, or too old.
  CodeUse use_code(const LoginCode& code, const SessionKey& key, SteadyTime now);
  // How long no code is taken; 0 where one would be.
  Nanoseconds locked_for(SteadyTime now);

  // True where the session lives; it counts as used now.
  bool touch(const SessionKey& key, SteadyTime now);
  void end(const SessionKey& key);
  // Ends every session and voids every code; how many sessions lived.
  std::size_t end_all(SteadyTime now);

 private:
  struct Code {
    LoginCode code{};
    SteadyTime made;
  };
  struct Session {
    SessionKey key{};
    SteadyTime made, used;
  };
  void forget_old(SteadyTime now);

  std::vector<Code> codes_;        // the oldest first
  std::vector<Session> sessions_;  // the oldest first
  std::deque<SteadyTime> wrong_;   // of the last window, the oldest first
};

}  // namespace estiva::decide
