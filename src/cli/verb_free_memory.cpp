// `free-memory`: unloads the models that nobody uses, and says what that gave back. It deletes
// nothing and drops no cache: both would have to be read from disk again.
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "base/messages/cli_models.h"
#include "cli/daemon_client.h"
#include "cli/numbers.h"
#include "cli/session.h"
#include "cli/verb_models.h"
#include "format/json_tree.h"
#include "format/proc.h"
#include "format/text.h"
#include "host/files.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;

constexpr std::size_t kMostMeminfo = 16UL << 10;

std::optional<Bytes> available_ram() {
  const auto text = host::read_local_file("/proc/meminfo", kMostMeminfo);
  const auto memory = text ? format::parse_meminfo(*text) : std::nullopt;
  return memory ? std::optional<Bytes>(memory->available) : std::nullopt;
}

struct Freed {
  std::string name, kept_because;
  bool is_unloaded = false, is_late = false;
  Bytes vram;
};

Result<std::vector<Freed>> read_freed(std::string_view document) {
  const auto tree = format::JsonTree::parse(document);
  if (!tree || !tree->root()["models"].is_array()) return fail(std::string(m::kNoDocument));
  std::vector<Freed> all;
  const format::JsonNode models = tree->root()["models"];
  for (std::size_t i = 0; i < models.size(); ++i) {
    const format::JsonNode model = models.at(i);
    Freed one;
    one.name = model["name"].text().value_or("");
    one.kept_because = model["kept_because"].text().value_or("");
    one.is_unloaded = model["unloaded"].boolean().value_or(false);
    one.is_late = model["late"].boolean().value_or(false);
    one.vram = Bytes{model["vram_bytes"].unsigned_number().value_or(0)};
    all.push_back(std::move(one));
  }
  return all;
}

std::string line_of(const Freed& model, bool dry_run) {
  const std::string name = escape_for_terminal(model.name);
  if (!model.is_unloaded) {
    return fmt::format(m::kFreeKept, name, escape_for_terminal(model.kept_because));
  }
  return fmt::format(fmt::runtime(dry_run ? m::kFreeWould : m::kFreeDid), name,
                     to_text(model.vram));
}

}  // namespace

Result<int> run_free_memory(Session& session, const Arguments& args) {
  const bool dry_run = args.has("--dry-run");
  const auto before = available_ram();
  auto answer = ask_patiently(
      session, "POST", dry_run ? "/api/v1/free-memory?dry_run=1" : "/api/v1/free-memory", {});
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return Failure(error_of(*answer));
  const auto models = read_freed(answer->body);
  if (!models) return Failure(models.error());
  std::string text;
  bool is_done = true;
  for (const Freed& model : *models) {
    text += line_of(model, dry_run);
    is_done = is_done && !model.is_late;
  }
  if (models->empty()) text = m::kFreeNothing;
  const auto after = available_ram();
  if (before && after && !dry_run && !models->empty()) {
    text += fmt::format(m::kFreeRam, to_text(*after), to_text(*before));
  }
  if (args.has("--json")) text = one_line_end(answer->body);
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return is_done ? 0 : 1;
}

}  // namespace estiva::cli
