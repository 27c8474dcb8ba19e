// estiva-checkpoint: moves processes off their GPUs or back, by the driver's checkpoint. A program
// of its own, because a call of the driver may hang for ever: then it is killed, and so are those
// processes.
//
//   estiva-checkpoint freeze|thaw|state LIBRARY LOCK_MILLISECONDS PID:START_TICKS...
//
// Prints a line of JSON for each call of the driver, {"did":"lock","pid":7,"code":0,"ms":1}, and at
// last {"end":"done|unchanged|broken","out_of_memory":false,"why":""}. Exit code 0: done.
#include <cstdio>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "base/clock.h"
#include "engines/checkpoint_unit.h"
#include "format/json_writer.h"
#include "format/text.h"

using namespace estiva;
using engines::UnitProcess;

namespace {

void print(std::string line) {
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

bool read_process(std::string_view word, UnitProcess& process) {
  const std::size_t colon = word.find(':');
  if (colon == word.npos) return false;
  const auto pid = format::parse_u64(word.substr(0, colon));
  const auto ticks = format::parse_u64(word.substr(colon + 1));
  if (!pid || !ticks || *pid == 0 || *pid > (1U << 30)) return false;
  process = {static_cast<pid_t>(*pid), *ticks};
  return true;
}

int end(const engines::UnitOutcome& outcome) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("end", to_name(outcome.end));
  json.field("out_of_memory", outcome.is_out_of_memory).field("why", outcome.why).end_object();
  print(std::move(text));
  return outcome.end == engines::UnitEnd::done ? 0 : 1;
}

int show_states(const engines::CheckpointLibrary& driver, const std::vector<UnitProcess>& unit) {
  for (const UnitProcess& process : unit) {
    int state = -1, thread = 0;
    const int code = driver.state(process.pid, &state);
    const bool has_thread =
        driver.restore_thread != nullptr && driver.restore_thread(process.pid, &thread) == 0;
    std::string text;
    format::JsonWriter json(text);
    json.begin_object().field("did", "state").field("pid", process.pid).field("code", code);
    json.field("state", state).field("restore_thread", has_thread ? thread : 0).end_object();
    print(std::move(text));
  }
  return end({});
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  std::vector<UnitProcess> unit(words.size() > 3 ? words.size() - 3 : 0);
  const auto lock_time = words.size() > 3 ? format::parse_u64(words[2]) : std::nullopt;
  bool is_right = lock_time.has_value();
  for (std::size_t i = 0; is_right && i < unit.size(); ++i)
    is_right = read_process(words[i + 3], unit[i]);
  if (!is_right || (words[0] != "freeze" && words[0] != "thaw" && words[0] != "state")) {
    std::fprintf(stderr, "estiva-checkpoint is started by estivad\n");
    return 2;
  }
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const auto driver = engines::open_checkpoint_library(words[1]);
  if (!driver) return end({engines::UnitEnd::unchanged, false, driver.error().sentence()});
  SteadyTime begun = steady_now();
  const auto report = [&](std::string_view verb, pid_t pid, int code) {
    const SteadyTime now = steady_now();
    std::string text;
    format::JsonWriter json(text);
    json.begin_object().field("did", verb).field("pid", pid).field("code", code);
    json.field("ms", (now - begun).count() / 1'000'000).end_object();
    begun = now;
    print(std::move(text));
  };
  int code = 0;
  if (words[0] == "state")
    code = show_states(*driver, unit);
  else if (words[0] == "freeze")
    code = end(freeze_unit(*driver, unit, std::chrono::milliseconds(*lock_time), report));
  else
    code = end(thaw_unit(*driver, unit, report));
  // The library's own clean-up may hang.
  ::_exit(code);
}
