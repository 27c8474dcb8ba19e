#include "cli/render_models.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "base/messages/cli_models.h"
#include "base/units.h"
#include "format/size.h"
#include "format/table.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;

std::string bytes(std::uint64_t value) {
  return to_text(Bytes{value});
}

std::string policy_cell(const ModelRow& model) {
  std::string text = model.policy;
  if (model.policy_from == "command")
    text = fmt::format(m::kLiveMark, text, model.policy_configured);
  const bool is_live = model.pinned_from == "command";
  if (!model.pinned) return is_live ? fmt::format(m::kUnpinnedLiveMark, text) : text;
  return is_live ? fmt::format(m::kPinnedLiveMark, text) : fmt::format(m::kPinnedMark, text);
}

// Both words of a model are the configuration's, or somebody changed one.
std::string set_by(const ModelRow& model) {
  return model.policy_from == "command"   ? model.policy_from
         : model.pinned_from == "command" ? model.pinned_from
                                          : model.policy_from;
}

// When it leaves although nobody needs its room.
std::string idle_cell(const ModelRow& model) {
  if (model.pinned) return std::string(m::kNeverPinned);
  if (model.policy == "always-unload") return std::string(m::kAfterEach);
  if (model.ttl_seconds) {
    return fmt::format(m::kAfterTtl, time_cell(*model.ttl_seconds), model.ttl_from);
  }
  return std::string(model.policy == "keep" ? m::kNeverLeaves : m::kForRoomOnly);
}

std::string awake_line(const ModelRow& model, const std::string& gpu) {
  const std::string until =
      model.in_flight > 0 ? fmt::format(m::kAwakeBusy, model.in_flight)
      : model.leaves_in_seconds
          ? fmt::format(m::kAwakeLeaves, time_cell(*model.leaves_in_seconds), model.ttl_from)
          : fmt::format(m::kAwakeStays, idle_cell(model));
  return fmt::format(m::kKeptAwake, gpu, escape_for_terminal(model.name), until);
}

std::string index_of(const std::vector<GpuRow>& gpus, const std::string& uuid) {
  const auto found =
      std::find_if(gpus.begin(), gpus.end(), [&](const GpuRow& gpu) { return gpu.uuid == uuid; });
  return found == gpus.end() ? escape_for_terminal(uuid) : std::to_string(found->index);
}

std::string wait_line(const WaitRow& wait) {
  return fmt::format(m::kWaitLine, escape_for_terminal(wait.model), wait.place,
                     escape_for_terminal(wait.reason), time_cell(wait.waited),
                     time_cell(wait.expected), time_cell(wait.bound));
}

std::string pause_line(const PauseRow& pause) {
  const std::string left =
      pause.left ? fmt::format(m::kPausedLeft, time_cell(*pause.left)) : std::string();
  return pause.gpu.empty() ? fmt::format(m::kPausedAll, left)
                           : fmt::format(m::kPausedOne, escape_for_terminal(pause.gpu), left);
}

std::string need_source(const ModelRow& model) {
  if (model.learned && *model.learned >= model.declared.value_or(0)) {
    return fmt::format(m::kExplainLearned, bytes(*model.learned));
  }
  if (model.declared) return fmt::format(m::kExplainDeclared, bytes(*model.declared));
  return std::string(m::kExplainUnknown);
}

std::string holder_line(const ModelRow& model) {
  const std::string use =
      model.in_flight > 0
          ? fmt::format(m::kExplainBusy, model.in_flight)
          : fmt::format(m::kExplainIdle,
                        time_cell(model.idle_seconds.value_or(model.state_seconds.value_or(0))));
  return fmt::format(m::kExplainHolder, escape_for_terminal(model.name), bytes(model.charged), use,
                     policy_cell(model));
}

}  // namespace

std::string models_page(const ModelsDocument& document, const Style& style) {
  if (document.models.empty()) return std::string(m::kNoModelsYet);
  format::Table table({{std::string(m::kModelColumn), false, true, 12},
                       {std::string(m::kEngineColumn)},
                       {std::string(m::kStateColumn)},
                       {std::string(m::kOnGpuColumn), true},
                       {std::string(m::kNeedColumn), true},
                       {std::string(m::kActiveColumn), true},
                       {std::string(m::kWaitingColumn), true},
                       {std::string(m::kIdleColumn), true},
                       {std::string(m::kPolicyColumn)}});
  for (const ModelRow& model : document.models) {
    table.add_row({model.name, model.engine, model.state,
                   model.measured > 0 ? bytes(model.measured) : std::string("-"),
                   model.need > 0 ? bytes(model.need) : std::string("-"),
                   std::to_string(model.in_flight), std::to_string(model.waiting),
                   model.idle_seconds ? time_cell(*model.idle_seconds) : std::string("-"),
                   policy_cell(model)});
  }
  std::string text;
  if (document.simulated) text += paint(style, Colour::yellow, m::kSimulated) + "\n";
  text += table.text();
  for (const ModelRow& model : document.models) {
    if (model.reason.empty()) continue;
    text += fmt::format(m::kModelReason, escape_for_terminal(model.name),
                        escape_for_terminal(model.reason));
  }
  for (const PauseRow& pause : document.pauses) text += pause_line(pause);
  for (const WaitRow& wait : document.waiting) text += wait_line(wait);
  return text;
}

std::string models_in_status(const StatusDocument& document) {
  if (document.models.empty()) return {};
  format::Table table({{std::string(m::kModelColumn), false, true, 12},
                       {std::string(m::kStateColumn)},
                       {std::string(m::kInForceColumn)},
                       {std::string(m::kSetByColumn)},
                       {std::string(m::kIdleLeaveColumn)}});
  for (const ModelRow& model : document.models) {
    table.add_row({model.name, model.state, policy_cell(model), set_by(model), idle_cell(model)});
  }
  std::string text = "\n" + table.text();
  if (!document.on_battery) return text;
  for (const ModelRow& model : document.models) {
    for (const std::string& uuid : model.keeps_awake) {
      text += awake_line(model, index_of(document.gpu.gpus, uuid));
    }
  }
  return text;
}

std::string explain_model(const ModelsDocument& document, const ModelRow& model) {
  std::string text = fmt::format(
      m::kExplainState, escape_for_terminal(model.name), model.state,
      model.state_seconds ? fmt::format(m::kExplainSince, time_cell(*model.state_seconds)) : "");
  if (!model.reason.empty()) text += escape_for_terminal(model.reason) + "\n";
  text += fmt::format(m::kExplainBytes, bytes(model.need), need_source(model),
                      bytes(model.measured), bytes(model.charged));
  text +=
      fmt::format(m::kExplainPolicy, model.policy, policy_cell(model).substr(model.policy.size()));
  text +=
      fmt::format(m::kExplainUse, model.in_flight, model.waiting,
                  model.starts == 1 ? std::string(m::kOnce) : fmt::format(m::kTimes, model.starts));
  if (model.load_seconds) text += fmt::format(m::kExplainLoad, time_cell(*model.load_seconds));
  for (const WaitRow& wait : document.waiting) {
    if (wait.model == model.name) text += wait_line(wait);
  }
  std::string holders;
  for (const ModelRow& other : document.models) {
    if (other.charged > 0) holders += holder_line(other);
  }
  if (!holders.empty()) text += std::string(m::kExplainHolders) + holders;
  return text;
}

std::string explain_wait(const ModelsDocument& document, const WaitRow& wait) {
  std::string text = wait_line(wait);
  const auto model = std::find_if(document.models.begin(), document.models.end(),
                                  [&](const ModelRow& row) { return row.name == wait.model; });
  if (model != document.models.end()) text += explain_model(document, *model);
  return text;
}

}  // namespace estiva::cli
