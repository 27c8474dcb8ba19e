// estiva-sim: runs a simulated machine, talks to one, writes its host tree, checks a scenario.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include "sim/core/cards.h"
#include "sim/core/engine.h"
#include "sim/host/host.h"
#include "sim/host/tree.h"

namespace estiva::sim {
namespace {

constexpr const char* kUsage =
    "estiva-sim: a machine with NVIDIA GPUs that are not there\n\n"
    "  estiva-sim run SCENARIO [--dir DIR] [--tree DIR] [--spawn] [--manual] [--seconds N]\n"
    "                 [--quiet]\n"
    "  estiva-sim ctl DIR COMMAND...      one command or question to a running machine\n"
    "  estiva-sim tree SCENARIO DIR       write the machine's procfs, sysfs and /dev into DIR\n"
    "  estiva-sim check SCENARIO          0 when it is well formed, else 2 and where it is not\n"
    "  estiva-sim list                    built-in scenarios and cards\n\n"
    "SCENARIO is a file or a built-in name. Programs see the machine with\n"
    "ESTIVA_SIM_DIR=DIR LD_LIBRARY_PATH=(the folder of this libnvidia-ml.so.1).\n"
    "docs/simulator.md has the format and the commands.\n";

int usage(const std::string& what) {
  std::fprintf(stderr, "estiva-sim: %s; see 'estiva-sim --help'\n", what.c_str());
  return 2;
}

bool load(const std::string& from, Scenario& scenario) {
  LoadedScenario loaded = load_scenario(from);
  if (!loaded.error.empty()) std::fprintf(stderr, "estiva-sim: %s\n", loaded.error.c_str());
  scenario = std::move(loaded.scenario);
  return loaded.error.empty();
}

int run(const std::vector<std::string>& words) {
  HostOptions options;
  std::string from;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const bool has_value = i + 1 < words.size();
    if (words[i] == "--spawn")
      options.spawn = true;
    else if (words[i] == "--manual")
      options.manual_clock = true;
    else if (words[i] == "--quiet")
      options.quiet = true;
    else if (words[i] == "--dir" && has_value)
      options.dir = words[++i];
    else if (words[i] == "--tree" && has_value)
      options.tree = words[++i];
    else if (words[i] == "--seconds" && has_value) {
      char* end = nullptr;
      options.seconds = std::strtod(words[++i].c_str(), &end);
      if (*end != '\0' || !(options.seconds > 0)) return usage("--seconds wants a number above 0");
    } else if (words[i].starts_with("-") || !from.empty()) {
      return usage("unexpected word '" + words[i] + "'");
    } else {
      from = words[i];
    }
  }
  if (from.empty()) return usage("run wants a scenario");
  Scenario scenario;
  if (!load(from, scenario)) return 2;
  std::string made;
  if (options.dir.empty()) {
    made = "/tmp/estiva-sim.XXXXXX";
    if (::mkdtemp(made.data()) == nullptr) return usage("no folder can be made in /tmp");
    options.dir = made;
  }
  const int code = run_host(std::move(scenario), options);
  if (!made.empty()) ::rmdir(made.c_str());
  return code;
}

int control(const std::vector<std::string>& words) {
  if (words.size() < 3) return usage("ctl wants a folder and a command");
  std::string line = words[2];
  for (std::size_t i = 3; i < words.size(); ++i) line += " " + words[i];
  return run_control(words[1], line);
}

int tree(const std::vector<std::string>& words) {
  if (words.size() != 3) return usage("tree wants a scenario and a folder");
  Scenario scenario;
  if (!load(words[1], scenario)) return 2;
  // Half a megabyte, and all zero bytes as build() wants it.
  const std::unique_ptr<State, void (*)(void*)> state(
      static_cast<State*>(std::calloc(1, sizeof(State))), std::free);
  build(*state, scenario);
  const std::string failed = write_tree(words[2], *state);
  if (failed.empty()) return 0;
  std::fprintf(stderr, "estiva-sim: %s\n", failed.c_str());
  return 1;
}

int check(const std::vector<std::string>& words) {
  if (words.size() != 2) return usage("check wants a scenario");
  Scenario scenario;
  if (!load(words[1], scenario)) return 2;
  std::printf("%s: %zu cards, %zu events\n", scenario.name.c_str(), scenario.cards.size(),
              scenario.events.size());
  return 0;
}

int list() {
  for (std::string_view name : builtin_names())
    std::printf("scenario %s\n", std::string(name).c_str());
  for (std::string_view name : card_names()) std::printf("card %s\n", std::string(name).c_str());
  return 0;
}

}  // namespace
}  // namespace estiva::sim

int main(int argc, char** argv) {
  using namespace estiva::sim;
  // A sleeper of `run --spawn`: only its name and number matter.
  if (argc == 2 && std::strcmp(argv[1], "--sleep") == 0) {
    for (;;) ::pause();
  }
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) return usage("nothing to do");
  if (words[0] == "run") return run(words);
  if (words[0] == "ctl") return control(words);
  if (words[0] == "tree") return tree(words);
  if (words[0] == "check") return check(words);
  if (words[0] == "list") return list();
  if (words[0] == "--help" || words[0] == "-h") return std::fputs(kUsage, stdout), 0;
  return usage("unknown command '" + words[0] + "'");
}
