#include "cli/verb_discover.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

#include "base/messages/cli_discover.h"
#include "cli/discover.h"
#include "cli/models_file.h"
#include "cli/render_discover.h"
#include "cli/session.h"
#include "format/diff.h"
#include "format/text.h"
#include "host/files.h"
#include "host/settings_file.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

Result<void> print(Session& session, const std::string& text) {
  return session.out.write(text);
}

// The file that is written to, or else the settings in use: what they have is not proposed again.
Result<ModelsFile> file_of(const Arguments& args, const DiscoverWish& wish) {
  if (const auto path = args.value("--write")) return ModelsFile::read(std::string(*path));
  ModelsFile file;
  file.path = host::find_settings(wish.config);
  if (file.path.empty()) return file;
  // One that can't be read is told by discover().
  if (const auto text = host::read_local_file(file.path, format::kMaxSettingsFile))
    file.models = format::parse_model_identities(*text, file.path)
                      .value_or(std::vector<format::ModelIdentity>{});
  return file;
}

// A yes at the terminal; anything else, and no terminal, is a no.
bool is_agreed(Session& session, const Arguments& args, const std::string& path) {
  if (args.has("--yes")) return true;
  if (args.has("--json") || !session.style.terminal || ::isatty(STDIN_FILENO) != 1) return false;
  (void)session.out.write(fmt::format(m::kDiscoverAddAsk, format::escape_for_terminal(path)));
  char answer[16] = {};
  const ssize_t n = ::read(STDIN_FILENO, answer, sizeof answer - 1);
  return n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

// Shows the difference to a file that is there; text with its lines safe for a terminal.
std::string shown_difference(const ModelsFile& file, const std::string& whole) {
  const std::string diff = format::unified_diff(file.text, whole, {file.path, file.path});
  std::string out;
  std::string_view rest = diff, line;
  while (format::next_line(rest, line)) out += format::escape_for_terminal(line) + "\n";
  return out;
}

Result<void> write(Session& session, const Arguments& args, const ModelsFile& file,
                   const Discovered& found) {
  const bool is_json = args.has("--json");
  const std::string shown = format::escape_for_terminal(file.path);
  if (found.configuration.empty())
    return is_json ? Result<void>{}
                   : print(session,
                           fmt::format("\n{}\n", fmt::format(m::kDiscoverWroteNothing, shown)));
  std::string tables = file.is_there ? std::string() : fmt::format("{}\n", m::kDiscoverFileHead);
  tables += found.configuration;
  const auto whole = file.with(tables);
  if (!whole) return Failure(whole.error());
  if (file.is_there) {
    if (!is_json)
      if (auto ok = print(session, "\n" + shown_difference(file, *whole)); !ok) return ok;
    if (!is_agreed(session, args, file.path))
      return fail(ErrorKind::refused, fmt::format(m::kDiscoverNotAgreed, shown),
                  std::string(m::kDiscoverNotAgreedHow));
  }
  if (auto ok = file.write(*whole); !ok) return ok;
  const auto added = std::ranges::count_if(found.proposals.models, [](const decide::Proposal& one) {
    return one.configured_as.empty();
  });
  if (is_json) return {};
  return print(
      session,
      fmt::format("\n{}\n",
                  fmt::format(m::kDiscoverWrote,
                              format::counted(static_cast<std::uint64_t>(added), "table"), shown)));
}

// The configuration itself, for a person without --write.
std::string shown_configuration(const Discovered& found) {
  if (found.proposals.models.empty()) return {};
  if (found.configuration.empty()) return fmt::format("\n{}\n", m::kDiscoverAllThere);
  return fmt::format("\n{}\n\n{}\n{}\n", m::kDiscoverConfiguration, found.configuration,
                     m::kDiscoverHowToWrite);
}

}  // namespace

Result<int> run_discover(Session& session, const Arguments& args) {
  if (args.has("--yes") && !args.has("--write"))
    return fail(ErrorKind::usage, std::string(m::kDiscoverOnlyWithWrite),
                std::string(m::kDiscoverOnlyWithWriteHow));
  auto wish = discover_wish(args);
  if (!wish) return Failure(wish.error());
  const auto file = file_of(args, *wish);
  if (!file) return Failure(file.error());
  const Discovery all = discover(*wish);
  Discovered found{decide::propose_models(all, wish->need, file->models), all.not_seen, {}};
  found.configuration = decide::format_proposals(found.proposals.models);
  const bool is_json = args.has("--json"), writes = args.has("--write");
  if (!is_json)
    if (auto ok =
            print(session, discover_table(found) + (writes ? "" : shown_configuration(found)));
        !ok)
      return Failure(ok.error());
  if (writes)
    if (auto ok = write(session, args, *file, found); !ok) return Failure(ok.error());
  const bool has_written = writes && !found.configuration.empty();
  const std::string rest =
      is_json ? discover_json(found, has_written ? file->path : "") : discover_notes(found);
  if (auto ok = print(session, rest); !ok) return Failure(ok.error());
  return found.not_seen.empty() ? 0 : 3;
}

}  // namespace estiva::cli
