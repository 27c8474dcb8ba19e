// The XIDs of one GPU: how many, and which of them still say something. The driver tells each error
// twice, as an event and in the kernel log, some 30 ms apart: it is counted once.
#pragma once
#include <map>
#include <vector>

#include "model/health.h"
#include "model/reading.h"
#include "model/xid.h"

namespace estiva::decide {

class XidBook {
 public:
  // Two reports of one error are at most this far apart; what the kernel log says in words is said
  // beside the number, before or after it.
  static constexpr Nanoseconds kSameError = std::chrono::seconds(5);
  static constexpr Nanoseconds kSameWords = std::chrono::seconds(60);
  // So many different containers or programs met by errors of programs, within the time that such
  // are shown: then the card is suspected.
  static constexpr std::size_t kSuspicious = 3;
  // For how long an error that passes by itself is shown.
  static constexpr Nanoseconds kShown = std::chrono::minutes(10);

  // Returns how many errors of the report are new.
  std::uint64_t take(const XidReport& report);

  // The GPU was reset, or its driver loaded anew: what only a reset mends is over. True where that
  // ended something.
  bool was_reset();
  // The driver says at `read_at` that it wants nothing done. True where that ended something.
  bool driver_is_content(SteadyTime read_at);

  // A person says that it is over. True where something was shown.
  bool dismiss();

  // What the errors mean now, in no order.
  std::vector<Condition> conditions(SteadyTime now) const;
  // The recovery action that XID 154 announced last, from the kernel log.
  const Reading<unsigned>& recovery_said() const { return recovery_said_; }
  bool empty() const { return entries_.empty(); }
  GpuXids counted(std::string slot) const;
  // What to remember while the daemon is not there, and taking it back; times must be of the same
  // boot. One that makes no sense, or that is known already, is left out.
  void remember(const std::string& slot, std::vector<XidMemory>& memory) const;
  void recall(const XidMemory& memory);

 private:
  enum class Ended : std::uint8_t { no, by_reset, by_driver, by_a_person };
  // Errors of one source that the other has not told yet.
  struct Side {
    std::uint64_t alone = 0;
    SteadyTime last;
  };
  struct Entry {
    std::uint64_t count = 0, recent = 0;  // in all; since `since`
    SteadyTime since, last;
    Ended ended = Ended::no;
    bool is_fatal = false;
    pid_t pid = 0;
    std::string process, container;
    Side event, log;
    bool only_words = false;  // counted for a text that carries no number
    SteadyTime words_at;
  };
  static std::uint64_t count_new(Entry& entry, const XidReport& report);
  bool has_another_near(unsigned code, SteadyTime at) const;
  void note_victim(const XidReport& report);
  std::size_t victims(SteadyTime now) const;
  void add_condition(unsigned code, const Entry& entry, SteadyTime now,
                     std::vector<Condition>& open) const;

  std::map<unsigned, Entry> entries_;
  std::map<std::string, SteadyTime> victims_;  // when each was met last
  Reading<unsigned> recovery_said_;
  unsigned last_code_ = 0;
};

}  // namespace estiva::decide
