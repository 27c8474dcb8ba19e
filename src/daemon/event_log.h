// The journal's records as lines of a file, for tools that read files: appended as they come, cut
// into FILE.1 (the newest before), FILE.2 and so on. The file is written on a thread of its own: a
// disk that hangs holds up nothing else.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "format/settings.h"
#include "net/loop.h"
#include "store/store.h"

namespace estiva::daemon {

// Appends `lines` to the file and cuts it first where they would make it too large. Blocking.
// Errors: the file can't be written; what was there stays.
Result<void> append_events(const format::EventSettings& settings, const std::string& lines);
// "2026-11-28T07:58:21.123Z assigned llama: GPU 0 is the only one with room": one line, escaped.
std::string event_line(const store::JournalRecord& record);

// The note of the store that says how far the file goes.
inline constexpr const char* kEventLogNote = "event_log";

class EventLog {
 public:
  EventLog(net::Loop& loop, store::Store& store, format::EventSettings settings);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Writes what the journal has beyond what was written, by this daemon or the one before it; the
  // first time from now on. Does nothing where no file is set.
  void pump();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace estiva::daemon
