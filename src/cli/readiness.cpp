#include "cli/readiness.h"

#include "cli/local_world.h"
#include "cli/named_path.h"
#include "decide/readiness/rule.h"
#include "format/cdi_spec.h"
#include "host/driver_files.h"

namespace estiva::cli {
namespace {

// Of a GPU container's log only what says where it computes is kept, and the errors that doctor
// knows: K24, K25 and P11 are read from them.
bool is_about_the_gpu(std::string_view line) {
  return line.find("inference compute") != std::string_view::npos ||
         !decide::explain_log(line).empty();
}

}  // namespace

observe::ReadinessSources readiness_sources(const Arguments& args) {
  const LocalSources local = sources_of(args);
  auto sources = observe::ReadinessSources::of_this_process(local.root);
  sources.gpus = sensor_options(local);
  if (const auto host = args.value("--docker")) sources.engine.setting = *host;
  sources.questions.keeps_line = is_about_the_gpu;
  for (const std::string& file : args.values("--compose"))
    // One that is outside the tree is not there; doctor has refused it before.
    sources.compose_files.push_back(machine_path_of(local.root, file).value_or(file));
  sources.parse_cdi = format::read_cdi_file;
  sources.driver_files = [](const host::Root& root, const std::vector<Gpu>& gpus) {
    return host::find_driver_files(root, gpus);
  };
  return sources;
}

Result<ReadinessFacts> readiness_of(const Arguments& args) {
  return observe::collect_readiness(readiness_sources(args));
}

Result<ReadinessFacts> readiness_without_cuda(const Arguments& args) {
  auto sources = readiness_sources(args);
  sources.asks_cuda = false;
  return observe::collect_readiness(sources);
}

}  // namespace estiva::cli
