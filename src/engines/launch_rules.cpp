#include "engines/launch_rules.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/engines.h"
#include "engines/address.h"
#include "engines/launch.h"
#include "engines/program_kind.h"

namespace estiva::engines {
namespace {

// Those of the asker's variables that say which GPUs and lease it is to have, and no more: another
// one (LD_PRELOAD) would be code of the asker's that runs as the other user.
constexpr std::array<std::string_view, 4> kTaken = {"CUDA_VISIBLE_DEVICES", "ESTIVA_LEASE",
                                                    "ESTIVA_MODEL", kMarkVariable};

bool is_taken(std::string_view variable) {
  const auto name = variable.substr(0, variable.find('='));
  return std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end();
}

std::vector<std::string> variables_of(const ModelSpec& spec, const ProgramKind& kind,
                                      const LaunchRequest& request, std::vector<std::string> out) {
  out.insert(out.end(), kind.environment.begin(), kind.environment.end());
  for (const std::string& variable : spec.environment)
    out.push_back(with_port(variable, request.port));
  for (const std::string& variable : request.environment)
    if (is_taken(variable)) out.push_back(variable);
  return out;
}

Failure differs(const LaunchRequest& request) {
  return fail(ErrorKind::refused, fmt::format(msg::kLaunchDiffers, request.model, request.user),
              std::string(msg::kLaunchDiffersHow));
}

}  // namespace

Result<Permit> permit_launch(const LaunchRequest& request, const std::string& asker,
                             const char* const* ours,
                             const std::function<Result<format::Settings>()>& settings) {
  if (request.words.empty() || request.words[0].empty()) return differs(request);
  if (request.user.empty() || request.user == asker)
    return Permit{{}, request.words, request.environment, request.directory};
  const auto configured = settings();
  if (!configured) return Failure(configured.error());
  const auto& models = configured->models;
  const auto spec = std::find_if(models.begin(), models.end(), [&](const ModelSpec& one) {
    return one.name == request.model && one.user == request.user;
  });
  const ProgramKind* kind = spec != models.end() ? program_kind(spec->engine) : nullptr;
  if (kind == nullptr) return differs(request);
  auto words = kind->command(*spec);
  if (words.empty()) return differs(request);
  auto program = find_program(*spec, words[0]);
  if (!program) return Failure(program.error());
  words[0] = std::move(*program);
  for (std::string& word : words) word = with_port(word, request.port);
  auto launch = as_user_apart(*spec, std::move(words));
  if (!launch) return Failure(launch.error());
  if (launch->words != request.words || launch->directory != request.directory)
    return differs(request);
  const auto further = variables_of(*spec, *kind, request, std::move(launch->environment));
  return Permit{spec->user, std::move(launch->words), engine_environment(ours, further),
                std::move(launch->directory)};
}

}  // namespace estiva::engines
