#include "cli/verb_models.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/cli.h"
#include "base/messages/cli_models.h"
#include "cli/daemon_client.h"
#include "cli/model_document.h"
#include "cli/numbers.h"
#include "cli/render_models.h"
#include "cli/session.h"
#include "cli/verb_discover.h"
#include "format/json_tree.h"
#include "format/json_writer.h"
#include "format/text.h"
#include "net/target.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;

Result<int> print(Session& session, const std::string& text) {
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return 0;
}

std::string target_of(std::string_view action, const std::string& model) {
  return fmt::format("/api/v1/models/{}?model={}", action, net::percent_encode(model));
}

// A word to the daemon that it carries out: 200, or its own sentence as the error.
Result<std::string> tell(Session& session, std::string_view target, std::string body = {}) {
  auto answer = ask_patiently(session, "POST", target, std::move(body));
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return Failure(error_of(*answer));
  return std::move(answer->body);
}

Result<ModelsDocument> look(Session& session) {
  const auto body = get(session, "/api/v1/models");
  if (!body) return Failure(body.error());
  return read_models(*body);
}

Result<int> list(Session& session, const Arguments& args) {
  const auto body = get(session, "/api/v1/models");
  if (!body) return Failure(body.error());
  if (args.has("--json")) return print(session, one_line_end(*body));
  const auto document = read_models(*body);
  if (!document) return Failure(document.error());
  return print(session, models_page(*document, session.style));
}

Result<int> set_policy(Session& session, const Arguments& args) {
  std::string body;
  format::JsonWriter json(body);
  json.begin_object().field("policy", args.words[2]).end_object();
  const auto done = tell(session, target_of("policy", args.words[1]), body);
  if (!done) return Failure(done.error());
  if (args.has("--json")) return print(session, one_line_end(*done));
  return print(session, fmt::format(m::kPolicySet, escape_for_terminal(args.words[1]),
                                    escape_for_terminal(args.words[2])));
}

Result<int> show_log(Session& session, const Arguments& args) {
  const auto answer = ask(session, "GET", target_of("log", args.words[1]));
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return Failure(error_of(*answer));
  if (args.has("--json")) return print(session, one_line_end(answer->body));
  const auto tree = format::JsonTree::parse(answer->body);
  std::string text;
  for (std::size_t i = 0; tree && i < tree->root()["lines"].size(); ++i) {
    text += escape_for_terminal(tree->root()["lines"].at(i).text().value_or("")) + "\n";
  }
  return print(session, text);
}

Result<int> reload(Session& session, const Arguments& args) {
  const bool dry_run = args.has("--dry-run");
  const auto done = tell(session, dry_run ? "/api/v1/reload?dry_run=1" : "/api/v1/reload");
  if (!done) return Failure(done.error());
  if (args.has("--json")) return print(session, one_line_end(*done));
  const auto tree = format::JsonTree::parse(*done);
  std::string text;
  for (const char* what : {"added", "removed", "changed"}) {
    if (!tree) break;
    const format::JsonNode names = tree->root()[what];
    for (std::size_t i = 0; i < names.size(); ++i) {
      text +=
          fmt::format(m::kReloadLine, what, escape_for_terminal(names.at(i).text().value_or("")));
    }
  }
  return print(session, text.empty() ? std::string(m::kReloadNothing) : text);
}

std::vector<std::string> loaded_ones(const ModelsDocument& document) {
  std::vector<std::string> names;
  for (const ModelRow& model : document.models) {
    if (!model.lease.empty() || model.open) names.push_back(model.name);
  }
  return names;
}

// Each of the named models, one after the other; the first that fails ends it.
Result<int> each(Session& session, const Arguments& args, std::string_view action,
                 std::string_view sentence, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto done = tell(session, target_of(action, name));
    if (!done) return Failure(done.error());
    const std::string text = args.has("--json")
                                 ? one_line_end(*done)
                                 : fmt::format(fmt::runtime(sentence), escape_for_terminal(name));
    if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  }
  return 0;
}

std::string device_body(const std::string& device, std::optional<double> seconds) {
  std::string body;
  format::JsonWriter json(body);
  json.begin_object().field("device", device).key("seconds");
  if (seconds) {
    json.value(*seconds);
  } else {
    json.null();
  }
  json.end_object();
  return body;
}

// "0" or a prefix of a UUID as the UUID that the daemon knows; empty stays empty: all GPUs.
Result<std::string> device_of(Session& session, const Arguments& args) {
  if (args.words.empty() || args.words[0] == "all") return std::string();
  const auto body = get(session, "/api/v1/gpu");
  if (!body) return Failure(body.error());
  return find_gpu(*body, args.words[0]);
}

}  // namespace

Result<int> run_models(Session& session, const Arguments& args) {
  const auto& words = args.words;
  if (words.empty()) return list(session, args);
  if (words[0] == "discover" && words.size() == 1) return run_discover(session, args);
  if (words[0] == "policy" && words.size() == 3) return set_policy(session, args);
  if (words[0] == "log" && words.size() == 2) return show_log(session, args);
  if (words[0] == "reload" && words.size() == 1) return reload(session, args);
  return fail(
      ErrorKind::usage,
      fmt::format(m::kModelsWhat, escape_for_terminal(fmt::format("{}", fmt::join(words, " ")))),
      std::string(m::kModelsHow));
}

Result<int> run_load(Session& session, const Arguments& args) {
  return each(session, args, "load", m::kLoaded, args.words);
}

Result<int> run_unload(Session& session, const Arguments& args) {
  if (!args.has("--all")) {
    if (args.words.empty()) {
      return fail(ErrorKind::usage, std::string(m::kLoadWhat), std::string(m::kLoadHow));
    }
    return each(session, args, "unload", m::kUnloaded, args.words);
  }
  const auto document = look(session);
  if (!document) return Failure(document.error());
  const auto names = loaded_ones(*document);
  if (names.empty()) return print(session, std::string(m::kNothingLoaded));
  return each(session, args, "unload", m::kUnloaded, names);
}

Result<int> run_pin(Session& session, const Arguments& args) {
  return args.has("--off") ? each(session, args, "unpin", m::kUnpinned, args.words)
                           : each(session, args, "pin", m::kPinned, args.words);
}

Result<int> run_pause(Session& session, const Arguments& args) {
  const auto time = time_of(args, "--for", std::chrono::nanoseconds{0});
  if (!time) return Failure(time.error());
  const auto device = device_of(session, args);
  if (!device) return Failure(device.error());
  const bool has_end = time->count() > 0;
  const double seconds = std::chrono::duration<double>(*time).count();
  const auto done =
      tell(session, "/api/v1/pause",
           device_body(*device, has_end ? std::optional<double>(seconds) : std::nullopt));
  if (!done) return Failure(done.error());
  if (args.has("--json")) return print(session, one_line_end(*done));
  const std::string what = device->empty()
                               ? std::string(m::kAllGpusAre)
                               : fmt::format(m::kGpuIs, escape_for_terminal(args.words[0]));
  return print(session, has_end ? fmt::format(m::kPauseDoneFor, what, time_cell(seconds))
                                : fmt::format(m::kPauseDone, what));
}

Result<int> run_resume(Session& session, const Arguments& args) {
  const auto device = device_of(session, args);
  if (!device) return Failure(device.error());
  const auto done = tell(session, "/api/v1/resume", device_body(*device, std::nullopt));
  if (!done) return Failure(done.error());
  return print(session, args.has("--json") ? one_line_end(*done) : std::string(m::kResumed));
}

Result<int> run_explain(Session& session, const Arguments& args) {
  const auto body = get(session, "/api/v1/models");
  if (!body) return Failure(body.error());
  if (args.has("--json")) return print(session, one_line_end(*body));
  const auto document = read_models(*body);
  if (!document) return Failure(document.error());
  const std::string& id = args.words[0];
  for (const ModelRow& model : document->models) {
    if (model.name == id || (!id.empty() && model.lease == id)) {
      return print(session, explain_model(*document, model));
    }
  }
  for (const WaitRow& wait : document->waiting) {
    if (std::to_string(wait.ticket) == id) return print(session, explain_wait(*document, wait));
  }
  return fail(ErrorKind::not_found, fmt::format(m::kNothingCalled, escape_for_terminal(id)),
              std::string(m::kNothingCalledHow));
}

}  // namespace estiva::cli
