#include "decide/readiness/compose_mend.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_doctor_apps.h"
#include "decide/readiness/cdi_view.h"
#include "decide/readiness/fix_parts.h"
#include "decide/readiness/gpu_share.h"
#include "decide/readiness/look.h"

namespace estiva::decide {
namespace {

using format::ComposeAsk;
using format::ComposeChange;
using format::ComposeRefusal;
using format::ComposeService;

// Another file of the project that also says something about the service's GPU: what counts is then
// what both say together.
const ComposeFact* other_voice(const ReadinessFacts& facts, const ComposeFact& file,
                               const std::string& service) {
  for (const ComposeFact& other : facts.compose) {
    const bool is_beside =
        !file.project.empty() && other.project == file.project && other.path != file.path;
    if (!is_beside || !other.text) continue;
    const auto services = format::read_compose_services(*other.text);
    const bool speaks = std::ranges::any_of(services, [&](const ComposeService& one) {
      return one.name == service && one.concerns_gpu;
    });
    if (speaks) return &other;
  }
  return nullptr;
}

bool declares_all(const CdiView& view, const std::vector<std::string>& devices) {
  return std::ranges::all_of(devices,
                             [&](const std::string& name) { return view.devices.contains(name); });
}

// As a shell takes it for one word.
std::string word(const std::string& text) {
  const bool is_plain = text.find_first_not_of(
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "0123456789/._-+@%:=,") == text.npos;
  return is_plain || text.find('\'') != text.npos ? text : "'" + text + "'";
}

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// Of the driver beside compute and utility, by the words of 'cdi generate --capabilities'.
std::vector<std::string> asked_of_driver(const ComposeService& service) {
  std::vector<std::string> asked;
  const auto take = [&](std::string_view word) {
    for (const char* known : {"graphics", "video", "display", "compat32"})
      if ((word == known || word == "all") && !has(asked, known)) asked.emplace_back(known);
  };
  for (const format::ComposeGpuRequest& one : service.requests)
    for (const std::string& word : one.capabilities) take(word);
  for (const std::string_view word : parts_of_list(service.driver_capabilities)) take(word);
  return asked;
}

std::vector<std::string> names_of(const std::vector<ComposeChange>& changes) {
  std::vector<std::string> names;
  for (const ComposeChange& one : changes) names.push_back(one.service);
  return names;
}

}  // namespace

bool is_podman(const EngineFacts& engine) {
  return engine.kind == EngineKind::podman || engine.cli_is_podman;
}

bool serves_cdi_by_compose(const ReadinessFacts& facts) {
  const EngineFacts& engine = facts.engine;
  const auto& version = engine.compose_version;
  const bool is_new =
      version && !version->empty() && compare_versions(*version, kComposeWithCdi) >= 0;
  return is_docker(facts) && !is_podman(engine) && engine.cdi_known && !engine.cdi_dirs.empty() &&
         is_new;
}

ComposeMend mend_compose(const ReadinessFacts& facts, const ComposeFact& file) {
  const bool by_podman = is_podman(facts.engine);
  if (!file.text || (!by_podman && !serves_cdi_by_compose(facts))) return {};
  const ComposeAsk ask = by_podman ? ComposeAsk::cdi_driver : ComposeAsk::legacy;
  auto all = format::compose_to_cdi(*file.text, ask);
  if (!all) return {};
  ComposeMend mend;
  mend.refusals = std::move(all->refusals);
  const CdiView view = view_cdi(facts);
  std::erase_if(all->changes, [&](const ComposeChange& one) {
    if (!by_podman && !declares_all(view, one.devices)) return true;
    const ComposeFact* other = other_voice(facts, file, one.service);
    if (other == nullptr) return false;
    mend.refusals.push_back(
        {one.service, one.place, fmt::format(msg::kComposeOtherFile, other->path)});
    return true;
  });
  const auto names = names_of(all->changes);
  if (names.empty()) return mend;
  auto some = format::compose_to_cdi(*file.text, ask, &names);
  if (!some) return mend;
  mend.text = std::move(some->text);
  mend.changes = std::move(some->changes);
  return mend;
}

LackingCapabilities lacking_capabilities(const ReadinessFacts& facts, const ComposeFact& file,
                                         const ComposeMend& mend) {
  LackingCapabilities lacks;
  const auto to_be_had = capabilities_to_be_had(facts);
  const CdiView view = view_cdi(facts);
  const auto services = format::read_compose_services(file.text ? *file.text : std::string());
  for (const ComposeChange& change : mend.changes) {
    const auto service = std::ranges::find(services, change.service, &ComposeService::name);
    const auto seen =
        change.devices.empty() ? view.devices.end() : view.devices.find(change.devices.front());
    if (service == services.end() || seen == view.devices.end()) continue;
    const auto given = capabilities_given_by(seen->second.file->spec);
    bool is_lacking = false;
    for (const std::string& one : asked_of_driver(*service)) {
      if (has(given, one) || !has(to_be_had, one)) continue;
      is_lacking = true;
      if (!has(lacks.capabilities, one)) lacks.capabilities.push_back(one);
    }
    if (!is_lacking) continue;
    lacks.services.push_back(change.service);
    lacks.generate = given;
    lacks.spec = seen->second.file->path;
  }
  for (const std::string& one : lacks.capabilities)
    if (!has(lacks.generate, one)) lacks.generate.push_back(one);
  return lacks;
}

std::vector<const ContainerFact*> containers_of(const ReadinessFacts& facts,
                                                const ComposeFact& file, std::string_view service) {
  std::vector<const ContainerFact*> found;
  for (const ContainerFact& one : facts.containers) {
    const bool is_of_file =
        std::ranges::find(one.compose_files, file.path) != one.compose_files.end() ||
        (!file.project.empty() && one.project == file.project);
    if (is_of_file && one.service == service) found.push_back(&one);
  }
  return found;
}

std::string recreate_command(const ReadinessFacts& facts, const ComposeFact& file,
                             const std::vector<ComposeChange>& changes) {
  std::vector<std::string> files = {file.path};
  for (const ContainerFact& one : facts.containers) {
    const auto& theirs = one.compose_files;
    if (std::ranges::find(theirs, file.path) != theirs.end()) files = theirs;
  }
  std::string command = is_podman(facts.engine) ? "podman compose" : "docker compose";
  for (const std::string& one : files) command += " -f " + word(one);
  return fmt::format("{} up -d {}", command, fmt::join(names_of(changes), " "));
}

}  // namespace estiva::decide
