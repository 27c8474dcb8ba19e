#include "cli/verb_cdi.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/cli_cdi.h"
#include "cli/local_world.h"
#include "cli/named_path.h"
#include "cli/readiness.h"
#include "cli/render_cdi.h"
#include "cli/session.h"
#include "decide/cdi/check.h"
#include "decide/cdi/effective.h"
#include "decide/cdi/generate.h"
#include "format/cdi_rules.h"
#include "format/cdi_spec.h"
#include "format/text.h"
#include "gpu/presence.h"
#include "gpu/read_once.h"
#include "host/driver_files.h"
#include "host/files.h"
#include "observe/readiness/nodes.h"
#include "observe/readiness/tree.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kDriverTime = 8s;  // the unit that calls us ends after 15 s
constexpr std::size_t kLongestSpec = 4 << 20;

struct Wanted {
  LocalSources from;
  decide::CdiOptions options;
  bool as_json = false;
};

// What the driver's library says of its GPUs; nothing where it can't be asked: procfs then has to
// do.
std::vector<Gpu> ask_driver(const LocalSources& from) {
  const auto presence = gpu::look_for_gpus(from.root);
  const bool is_named = !from.nvml_file.empty();
  if (!is_named && (gpu::reason_to_stay_out(presence) || gpu::all_asleep(presence))) return {};
  if (!is_named && from.root != "/") return {};
  auto view = gpu::read_once(sensor_options(from), gpu::Tiers::all(), kDriverTime);
  if (!view) return {};
  return std::move(view->gpus);
}

struct Made {
  std::string text;
  std::vector<std::string> notes;
};

// The first thing that would not work on this very machine.
Result<void> judge(const host::Root& root, const CdiSpec& spec, const DriverFiles& files) {
  const observe::Tree tree(root);
  std::map<std::string, HostPath> paths;
  for (const std::string& path : format::host_paths_of(spec))
    paths.emplace(path, observe::read_host_path(tree, path));
  for (const decide::CdiProblem& problem : decide::check_cdi(spec, {paths, files, {}}))
    if (problem.severity == Severity::error)
      return fail(fmt::format(m::kWouldNotWork, problem.text, problem.id),
                  std::string(m::kWouldNotWorkRemedy));
  for (const format::CdiViolation& one : format::validate_cdi(spec))
    if (one.is_refused) return fail(fmt::format(m::kWouldBeRefused, one.place, one.text));
  return {};
}

Result<Made> make(const Wanted& wanted) {
  const auto root = host::Root::open(wanted.from.root);
  if (!root) return Failure(root.error());
  const DriverFiles files = host::find_driver_files(*root, ask_driver(wanted.from));
  // Nothing to do is no failure: the unit that calls us at boot tells it apart by the exit code.
  const auto presence = gpu::look_for_gpus(wanted.from.root);
  if (presence.gpus.empty() && !presence.module_loaded && files.gpus.empty() && files.nodes.empty())
    return fail(ErrorKind::degraded, std::string(m::kCdiNoGpu));
  auto spec = decide::generate_cdi(files, wanted.options);
  if (!spec) return Failure(spec.error());
  if (auto ok = judge(*root, *spec, files); !ok) return Failure(ok.error());
  Made made;
  made.text = wanted.as_json ? format::render_cdi_json(*spec) : format::render_cdi_yaml(*spec);
  made.notes = decide::cdi_notes(files, wanted.options);
  // What was written is what was meant, also by the reader that engines use the rules of.
  const auto again = format::parse_cdi_spec(made.text);
  if (!again) return Failure(again.error().in(m::kReadAgain));
  if (*again != *spec) return fail(std::string(m::kReadsDifferently));
  return made;
}

Result<void> choose_kind(std::string_view kind, decide::CdiOptions& options) {
  if (const std::string fault = format::fault_of_kind(kind); !fault.empty())
    return fail(ErrorKind::usage, fmt::format(m::kWrongKind, kind, fault));
  const std::size_t slash = kind.find('/');
  options.vendor = kind.substr(0, slash);
  options.device_class = kind.substr(slash + 1);
  return {};
}

// "graphics,video" beside compute and utility, which are always there.
Result<void> choose_capabilities(std::string_view list, decide::CdiCapabilities& chosen) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view one = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const bool all = one == "all";
    const bool known = all || one == "compute" || one == "utility" || one == "graphics" ||
                       one == "video" || one == "display" || one == "compat32";
    if (!known) return fail(ErrorKind::usage, fmt::format(m::kWrongCapability, one));
    chosen.graphics |= all || one == "graphics";
    chosen.video |= all || one == "video";
    chosen.display |= all || one == "display";
    chosen.compat32 |= all || one == "compat32";
  }
  return {};
}

// By the file's name, as engines tell them apart.
bool is_json(std::string_view file, bool asked) {
  return asked || file.ends_with(".json");
}

Result<std::string> write_spec(const Wanted& wanted, const std::string& file,
                               const std::string& text) {
  if (!format::is_cdi_file_name(file))
    return fail(ErrorKind::usage, fmt::format(m::kWrongEnding, file),
                std::string(m::kWrongEndingRemedy));
  const auto root = host::Root::open(wanted.from.root);
  if (!root) return Failure(root.error());
  return write_named_spec(*root, file, text);
}

Result<int> generate(Session& session, const Arguments& args) {
  const std::string file(args.value("--output").value_or("-"));
  Wanted wanted{sources_of(args), {}, is_json(file, args.has("--json"))};
  if (auto ok = choose_kind(args.value("--kind").value_or("nvidia.com/gpu"), wanted.options); !ok)
    return Failure(ok.error());
  if (auto ok = choose_capabilities(args.value("--capabilities").value_or(""),
                                    wanted.options.capabilities);
      !ok)
    return Failure(ok.error());
  if (const auto newest = args.value("--cdi-version")) {
    if (!format::is_known_version(*newest))
      return fail(ErrorKind::usage, fmt::format(m::kWrongVersion, *newest));
    wanted.options.newest_version = *newest;
  }
  const auto made = make(wanted);
  if (!made) return Failure(made.error());
  for (const std::string& note : made->notes)
    if (auto ok = session.err.write(fmt::format(m::kCdiNote, note) + "\n"); !ok)
      return Failure(ok.error());
  if (file == "-") {
    if (auto ok = session.out.write(made->text); !ok) return Failure(ok.error());
    return 0;
  }
  const auto written = write_spec(wanted, file, made->text);
  if (!written) return Failure(written.error());
  if (auto ok = session.out.write(fmt::format(m::kCdiWritten, *written) + "\n"); !ok)
    return Failure(ok.error());
  return 0;
}

// --- list and check
// ----------------------------------------------------------------------------------

std::string newest_of(const ReadinessFacts& facts) {
  return std::string(format::newest_version_of_engine(facts.engine.kind, facts.engine.version));
}

Result<int> list(Session& session, const Arguments& args) {
  const auto facts = readiness_without_cuda(args);
  if (!facts) return Failure(facts.error());
  const auto effective = decide::effective_devices(facts->cdi.files, newest_of(*facts));
  const std::string text = args.has("--json")
                               ? cdi_list_json(effective, facts->cdi.dirs) + "\n"
                               : render_cdi_list(effective, facts->cdi.dirs, session.style);
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  const bool any_lost =
      std::any_of(effective.devices.begin(), effective.devices.end(),
                  [](const decide::CdiEffectiveDevice& one) { return one.winner.empty(); });
  return any_lost || !effective.unused.empty() ? 1 : 0;
}

CheckedSpec check_one(const CdiFile& file, const std::map<std::string, HostPath>& paths,
                      const ReadinessFacts& facts, const std::string& newest) {
  CheckedSpec checked{file, {}, {}};
  // Of one that is no YAML or JSON there is nothing more to say than its error.
  if (!file.error.empty() && !format::parse_cdi_spec(file.text)) return checked;
  checked.violations = format::validate_cdi(file.spec);
  checked.problems = decide::check_cdi(file.spec, {paths, facts.driver.files, newest});
  return checked;
}

Result<CheckedSpec> check_named(const std::string& path, const ReadinessFacts& facts,
                                const host::Root& root, const std::string& newest) {
  auto text = read_named(root, path, kLongestSpec);
  if (!text) return Failure(text.error());
  const CdiFile file = format::read_cdi_file(path, 0, std::move(*text));
  const observe::Tree tree(root);
  std::map<std::string, HostPath> paths;
  for (const std::string& one : format::host_paths_of(file.spec))
    paths.emplace(one, observe::read_host_path(tree, one));
  return check_one(file, paths, facts, newest);
}

Result<int> check(Session& session, const Arguments& args) {
  const auto facts = readiness_without_cuda(args);
  if (!facts) return Failure(facts.error());
  const auto root = host::Root::open(sources_of(args).root);
  if (!root) return Failure(root.error());
  const std::string newest = newest_of(*facts);
  std::vector<CheckedSpec> checked;
  for (std::size_t i = 1; i < args.words.size(); ++i) {
    auto one = check_named(args.words[i], *facts, *root, newest);
    if (!one) return Failure(one.error());
    checked.push_back(std::move(*one));
  }
  if (args.words.size() == 1)
    for (const CdiFile& file : facts->cdi.files)
      if (!file.is_ignored) checked.push_back(check_one(file, facts->cdi.hosts, *facts, newest));
  const std::string text = args.has("--json") ? cdi_check_json(checked) + "\n"
                                              : render_cdi_check(checked, session.style);
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return std::any_of(checked.begin(), checked.end(), is_wrong) ? 1 : 0;
}

}  // namespace

Result<std::string> make_own_spec(const std::string& root, std::string_view content) {
  Wanted wanted;
  wanted.from.root = root;
  const std::size_t end = std::min(content.find(' '), content.size());
  if (auto ok = choose_kind(content.substr(0, end), wanted.options); !ok)
    return Failure(ok.error());
  for (std::size_t at = end; at < content.size();) {
    const std::size_t next = std::min(content.find(' ', at + 1), content.size());
    const std::string_view word = content.substr(at + 1, next - at - 1);
    at = next;
    const bool is_version = !word.empty() && word[0] >= '0' && word[0] <= '9';
    if (is_version)
      wanted.options.newest_version = word;
    else if (auto ok = choose_capabilities(word, wanted.options.capabilities); !ok)
      return Failure(ok.error());
  }
  auto made = make(wanted);
  if (!made) return Failure(made.error());
  return std::move(made->text);
}

Result<int> run_cdi(Session& session, const Arguments& args) {
  const std::string& what = args.words[0];
  if (what != "check" && args.words.size() > 1)
    return fail(ErrorKind::usage, fmt::format(m::kNoFileHere, what));
  if (what == "generate") return generate(session, args);
  return what == "list" ? list(session, args) : check(session, args);
}

}  // namespace estiva::cli
