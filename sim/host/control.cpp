// Questions and commands of the control socket.
#include "sim/host/control.h"

#include <cerrno>
#include <cstdio>
#include <signal.h>

#include "sim/core/functions.h"
#include "sim/core/messages.h"
#include "sim/core/tokens.h"

namespace estiva::sim {
namespace {

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

std::string show_gpu(const State& state, unsigned i) {
  const Gpu& gpu = state.gpus[i];
  const char* health = gpu.health == Health::ok     ? "ok"
                       : gpu.health == Health::lost ? "lost"
                                                    : "reset";
  return "gpu " + number(i) + " uuid " + gpu.uuid + " present " + number(gpu.present) + " health " +
         health + " asleep " + number(gpu.asleep) + " total " + number(gpu.card.total_bytes) +
         " reserved " + number(gpu.card.reserved_bytes) + " used " + number(gpu.used_bytes) +
         " visible " + number(gpu.visible_bytes) + " free " + number(free_bytes(gpu)) + " ooms " +
         number(gpu.ooms) + " wakes " + number(gpu.wakes.load()) + "\n";
}

// What is allocated in truth, whatever NVML shows of it yet.
std::string show_state(const State& state) {
  std::string out = "time " + std::to_string(state.now_ns) + " driver " + state.driver_version +
                    " library " + state.library_version + " ooms " + number(state.ooms) +
                    " rejected " + number(state.rejected) + "\n";
  for (unsigned i = 0; i < state.gpu_count; ++i) out += show_gpu(state, i);
  for (const Process& process : state.processes) {
    if (process.pid == 0) continue;
    out += "process " + std::to_string(process.pid) + " gpu " + number(process.gpu) + " used " +
           number(process.used_bytes) + " visible " + number(process.visible_bytes) + " name " +
           process.name + "\n";
  }
  return out + "ok\n";
}

std::string show_stats(const State& state) {
  std::string out;
  std::uint64_t calls = 0, ns = 0, errors = 0;
  for (unsigned i = 0; i < kFunctionCount; ++i) {
    const std::uint64_t n = state.stats[i].calls.load();
    if (n == 0) continue;
    out += std::string(function_name(i)) + " calls " + number(n) + " ns " +
           number(state.stats[i].ns.load()) + " errors " + number(state.stats[i].errors.load()) +
           "\n";
    calls += n;
    ns += state.stats[i].ns.load();
    errors += state.stats[i].errors.load();
  }
  return out + "total calls " + number(calls) + " ns " + number(ns) + " errors " + number(errors) +
         "\nok\n";
}

void reset_stats(State& state) {
  for (FunctionStats& row : state.stats) {
    row.calls.store(0);
    row.ns.store(0);
    row.errors.store(0);
  }
}

std::string command(Session& session, std::string_view line) {
  const ParsedCommand parsed = parse_command(line, session.state.gpu_count);
  if (parsed.problem) return "error: " + parsed.problem->sentence("command") + "\n";
  const Writing writing(session.state);
  const Outcome outcome = apply(session.state, parsed.command);
  if (outcome.out_of_memory) return std::string(kOutOfMemory) + "\n";
  if (!outcome.ok) return "error: " + outcome.why + "\n";
  // A process that lives on this machine frees what it holds when it dies.
  const bool made = parsed.command.verb == Verb::alloc || parsed.command.verb == Verb::process;
  if (made && (::kill(parsed.command.pid, 0) == 0 || errno == EPERM)) {
    Process* process = find_process(session.state, parsed.command.pid,
                                    static_cast<std::uint32_t>(parsed.command.gpu));
    if (process != nullptr) process->real = true;
  }
  return "ok\n";
}

std::string advance_clock(Session& session, Line& line) {
  const std::int64_t by = line.time("a time");
  line.end();
  if (line.problem()) return "error: " + line.problem()->sentence("command") + "\n";
  if (!session.manual_clock) return "error: the clock runs by itself; start with --manual\n";
  const Writing writing(session.state);
  advance(session.state, session.scenario, session.state.now_ns + by);
  return "ok\n";
}

}  // namespace

std::string answer(Session& session, std::string_view text) {
  if (text.size() > kMaxLineBytes) return "error: " + std::string(kTooLong) + "\n";
  Line line(text, 1);
  State& state = session.state;
  if (line.at_end() && !line.problem()) return "ok\n";
  if (line.accept("advance")) return advance_clock(session, line);
  const std::string word = line.peek();
  if (word == "state") return show_state(state);
  if (word == "stats") return show_stats(state);
  if (word == "time") return std::to_string(state.now_ns) + "\nok\n";
  if (word == "ooms") return number(state.ooms) + "\nok\n";
  if (word == "wakes") {
    std::uint64_t wakes = 0;
    for (unsigned i = 0; i < state.gpu_count; ++i) wakes += state.gpus[i].wakes.load();
    return number(wakes) + "\nok\n";
  }
  if (word == "reset-stats") return reset_stats(state), "ok\n";
  if (word == "quit") return session.quit = true, "ok\n";
  return command(session, text);
}

}  // namespace estiva::sim
