// estiva-memd: the memory loop of one machine, or of one control group. A small static program that
// locks itself into memory and never allocates after its start, so that it works while everything
// else waits for memory. It speaks to nobody who could hold it up.
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memd/loop.h"
#include "memd/once.h"
#include "memd/options.h"
#include "memd/swap_folder.h"

namespace {

using namespace estiva;
using namespace estiva::memd;

volatile std::sig_atomic_t stop_asked = 0;

int refuse(const Error& error) {
  std::fprintf(stderr, "estiva-memd: %s\n", error.sentence().c_str());
  return exit_code(error.kind);
}

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_asked = 1; };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

// The last that the kernel may choose when memory runs out. Not allowed without CAP_SYS_RESOURCE.
void guard_against_the_killer() {
  const UniqueFd file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file && write(file.get(), "-900", 4) < 0) return;
}

void open_triggers(Triggers& triggers, const Options& options) {
  const bool is_group = !options.group.empty();
  triggers.open(is_group ? options.group + "/memory.pressure" : "/proc/pressure/memory",
                is_group ? options.group + "/memory.events" : "");
}

int run(const Options& options) {
  auto folder = open_folder(options.folder);
  if (!folder) return refuse(folder.error());
  // Before the journal is open and memory locked: what is forked has neither.
  static Retirer retirer;
  if (retirer.start(folder->fd.get()) != 0) return 1;
  mkdir(options.run_folder.c_str(), 0755);
  auto journal = Journal::open(options.run_folder + "/memd.journal");
  if (!journal) return refuse(journal.error());
  if (const auto tried = try_folder(*folder); !tried) return refuse(tried.error());
  Sampler sampler;
  if (const auto opened = sampler.open({options.meminfo, options.group, folder->path}); !opened)
    return refuse(opened.error());
  Server server;
  Triggers triggers;
  const bool is_loop = options.mode == Mode::loop;
  if (is_loop) {
    open_triggers(triggers, options);
    if (const auto heard = server.listen(options.run_folder + "/memd.sock"); !heard)
      return refuse(heard.error());
  }
  stop_on_signals();
  guard_against_the_killer();
  auto law = options.law;
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  law.cores = cores > 0 ? static_cast<std::uint32_t>(cores) : 1;
  const bool is_locked = mlockall(MCL_CURRENT | MCL_FUTURE) == 0;
  static Loop loop(
      {folder->fd.get(), *journal, sampler, retirer, server, triggers, law, is_locked});
  if (is_loop) loop.run(stop_asked);
  return is_loop || loop.give_back(stop_asked) ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  const auto options = read_options(count, words);
  if (!options) return refuse(options.error());
  if (options->mode == Mode::help) return std::fputs(kHelp, stdout) < 0 ? 1 : 0;
  if (options->mode != Mode::once) return run(*options);
  const auto status = read_once(*options);
  if (!status) return refuse(status.error());
  return std::fputs(status->c_str(), stdout) < 0 ? 1 : 0;
}
