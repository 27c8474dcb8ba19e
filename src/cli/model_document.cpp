#include "cli/model_document.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "base/messages/cli_models.h"
#include "format/json_tree.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

using format::JsonNode;

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or(""));
}

std::uint64_t count_of(JsonNode node) {
  return node.unsigned_number().value_or(0);
}

std::vector<std::string> texts_of(JsonNode list) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < list.size(); ++i) texts.push_back(text_of(list.at(i)));
  return texts;
}

WaitRow wait_of(JsonNode from) {
  WaitRow row;
  row.ticket = count_of(from["ticket"]);
  row.model = text_of(from["model"]);
  row.place = count_of(from["place"]);
  row.reason = text_of(from["reason"]);
  row.waited = from["waited_seconds"].number().value_or(0);
  row.expected = from["expected_seconds"].number().value_or(0);
  row.bound = from["bound_seconds"].number().value_or(0);
  return row;
}

}  // namespace

ModelRow read_model_row(const JsonNode& from) {
  ModelRow row;
  row.name = text_of(from["name"]);
  row.engine = text_of(from["engine"]);
  row.state = text_of(from["state"]);
  row.reason = text_of(from["reason"]);
  row.policy = text_of(from["policy"]);
  row.policy_from = text_of(from["policy_from"]);
  row.policy_configured = text_of(from["policy_configured"]);
  row.pinned_from = text_of(from["pinned_from"]);
  row.ttl_from = text_of(from["ttl_from"]);
  row.lease = text_of(from["lease"]);
  row.gpus = texts_of(from["gpus"]);
  row.keeps_awake = texts_of(from["keeps_awake"]);
  row.pinned = from["pinned"].boolean().value_or(false);
  row.open = from["open"].boolean().value_or(false);
  row.pid = from["pid"].signed_number();
  row.starts = count_of(from["starts_total"]);
  row.ooms = count_of(from["ooms_total"]);
  row.in_flight = count_of(from["in_flight"]);
  row.waiting = count_of(from["waiting"]);
  const JsonNode bytes = from["vram_bytes"];
  row.declared = bytes["declared"].unsigned_number();
  row.learned = bytes["learned"].unsigned_number();
  row.need = count_of(bytes["need"]);
  row.measured = count_of(bytes["measured"]);
  row.charged = count_of(bytes["charged"]);
  row.load_seconds = from["load_seconds"].number();
  row.state_seconds = from["state_seconds"].number();
  row.idle_seconds = from["idle_seconds"].number();
  row.bound_seconds = from["bound_seconds"].number();
  row.ttl_seconds = from["ttl_seconds"].number();
  row.leaves_in_seconds = from["leaves_in_seconds"].number();
  return row;
}

Result<ModelsDocument> read_models(std::string_view text) {
  const auto tree = format::JsonTree::parse(text);
  if (!tree || tree->root()["schema"].text() != "estiva/models/1") {
    return fail(std::string(msg::cli::kNoDocument), std::string(msg::cli::kSameVersion));
  }
  ModelsDocument document;
  document.simulated = tree->root()["simulated"].boolean().value_or(false);
  document.gateway = text_of(tree->root()["gateway"]);
  const JsonNode models = tree->root()["models"], waiting = tree->root()["waiting"],
                 pauses = tree->root()["pauses"];
  for (std::size_t i = 0; i < models.size(); ++i) {
    document.models.push_back(read_model_row(models.at(i)));
  }
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    document.waiting.push_back(wait_of(waiting.at(i)));
  }
  for (std::size_t i = 0; i < pauses.size(); ++i) {
    document.pauses.push_back(
        {text_of(pauses.at(i)["gpu"]), pauses.at(i)["seconds_left"].number()});
  }
  return document;
}

Result<std::string> find_gpu(std::string_view gpu_document, std::string_view name) {
  const auto tree = format::JsonTree::parse(gpu_document);
  std::string found;
  std::size_t matches = 0;
  for (std::size_t i = 0; tree && i < tree->root()["gpus"].size(); ++i) {
    const JsonNode gpu = tree->root()["gpus"].at(i);
    const std::string uuid = text_of(gpu["uuid"]);
    const bool is_meant = std::to_string(count_of(gpu["index"])) == name ||
                          (name.size() > 4 && uuid.starts_with(name));
    if (!is_meant) continue;
    found = uuid;
    ++matches;
  }
  if (matches == 1) return found;
  return fail(ErrorKind::not_found,
              fmt::format(msg::cli::kNoSuchGpu, format::escape_for_terminal(name)),
              std::string(msg::cli::kNoSuchGpuHow));
}

std::string time_cell(double seconds) {
  seconds = std::max(seconds, 0.0);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.0f} h", seconds / 3600);
}

}  // namespace estiva::cli
