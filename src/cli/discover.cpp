#include "cli/discover.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>

#include "base/messages/cli_discover.h"
#include "base/messages/observe_discovery.h"
#include "container/endpoint.h"
#include "format/text.h"
#include "host/settings_file.h"
#include "observe/discovery/containers.h"
#include "observe/discovery/model_files.h"
#include "observe/discovery/ollama.h"
#include "observe/discovery/servers.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using std::chrono::milliseconds;

// An engine on this machine answers such questions in a few ms; one that is busy is not waited for.
constexpr milliseconds kEachQuestion{1'000}, kAllQuestions{15'000};
constexpr std::uint64_t kLongestContext = 1 << 24;

std::string home() {
  const char* value = std::getenv("HOME");
  return value == nullptr ? "" : value;
}

// Where Hugging Face's and llama.cpp's own programs were told to keep their files.
void add_from_environment(std::vector<observe::ModelFolder>& folders) {
  struct Variable {
    const char *name, *below, *source;
  };
  for (const Variable& one :
       {Variable{"HF_HUB_CACHE", "", "Hugging Face"}, Variable{"HF_HOME", "/hub", "Hugging Face"},
        Variable{"LLAMA_CACHE", "", "llama.cpp"}}) {
    const char* value = std::getenv(one.name);
    if (value != nullptr && value[0] == '/')
      folders.push_back({std::string(value) + one.below, one.source, false});
  }
}

void look_at_engine(const std::string& setting, Discovery& found) {
  if (setting == "off") return;
  const auto engine = container::find_engine(container::EngineSearch::of_this_process(setting));
  if (!engine) {
    found.not_seen.push_back(fmt::format(msg::kDiscoverEngine, engine.error().sentence()));
    return;
  }
  observe::find_containers(container::ask_engine(engine->endpoint, milliseconds(10'000)), *engine,
                           found);
}

}  // namespace

Result<DiscoverWish> discover_wish(const Arguments& args) {
  DiscoverWish wish;
  wish.config = args.value("--config").value_or("");
  wish.docker = args.value("--docker").value_or("");
  for (const std::string& folder : args.values("--folder")) {
    std::error_code error;
    const auto whole = std::filesystem::absolute(folder, error).lexically_normal();
    wish.folders.push_back(error ? folder : whole.string());
  }
  if (const auto text = args.value("--context")) {
    const auto tokens = format::parse_u64(*text);
    if (!tokens || *tokens == 0 || *tokens > kLongestContext)
      return fail(ErrorKind::usage,
                  fmt::format(m::kDiscoverContextWrong, format::escape_for_terminal(*text)),
                  std::string(m::kDiscoverContextHow));
    wish.need.context = *tokens;
  }
  return wish;
}

Discovery discover(DiscoverWish& wish) {
  Discovery found;
  std::vector<observe::ModelFolder> folders;
  for (const std::string& folder : wish.folders) folders.push_back({folder, "--folder", true});
  std::string engine = wish.docker;
  if (const auto loaded = host::read_settings(wish.config)) {
    const format::Settings& settings = loaded->settings;
    for (const std::string& folder : settings.paths.model_folders)
      folders.push_back({folder, "paths.model_folders", true});
    if (engine.empty()) engine = settings.docker.host;
    if (settings.placement.context_allowance > Bytes{0}) wish.need.process = Bytes{0};
  } else {
    found.not_seen.push_back(loaded.error().sentence());
  }
  add_from_environment(folders);
  for (observe::ModelFolder& folder : observe::usual_model_folders(home()))
    folders.push_back(std::move(folder));
  const auto root = host::Root::open();
  if (!root) {
    found.not_seen.push_back(root.error().sentence());
    return found;
  }
  observe::find_model_files(*root, folders, found);
  const observe::LocalAsk ask(kAllQuestions, kEachQuestion);
  observe::find_ollama(*root, observe::OllamaPlaces::of_this_process(), ask, found);
  observe::find_servers(*root, ask, found);
  look_at_engine(engine, found);
  return found;
}

}  // namespace estiva::cli
