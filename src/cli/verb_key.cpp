#include "cli/verb_key.h"

#include <fmt/format.h>

#include "base/messages/cli.h"
#include "base/messages/cli_keys.h"
#include "cli/daemon_client.h"
#include "cli/key_document.h"
#include "cli/numbers.h"
#include "cli/session.h"
#include "format/json_writer.h"
#include "format/text.h"
#include "net/target.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;

constexpr std::string_view kKeys = "/api/v1/keys";
constexpr std::uint64_t kMostADay = 4'000'000'000;
constexpr std::uint64_t kMostAtOnce = 100'000;

Result<int> print(Session& session, const std::string& text) {
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return 0;
}

Result<int> show(Session& session, const Arguments& args, bool usage) {
  const auto body = get(session, kKeys);
  if (!body) return Failure(body.error());
  if (args.has("--json")) return print(session, one_line_end(*body));
  const auto document = read_keys(*body);
  if (!document) return Failure(document.error());
  return print(session, usage ? key_usage_page(*document) : keys_page(*document));
}

Result<std::string> wanted_key(const Arguments& args) {
  const auto a_day = count_of(args, "--quota", 1, kMostADay, 0);
  if (!a_day) return Failure(a_day.error());
  const auto at_once = count_of(args, "--at-once", 1, kMostAtOnce, 0);
  if (!at_once) return Failure(at_once.error());
  std::string body;
  format::JsonWriter json(body);
  json.begin_object()
      .field("name", args.words[1])
      .field("role", args.value("--role").value_or("use"));
  if (*a_day > 0) json.field("requests_a_day", *a_day);
  if (*at_once > 0) json.field("at_once", *at_once);
  json.key("models").begin_array();
  for (const std::string& model : args.values("--model")) json.value(model);
  json.end_array().end_object();
  return body;
}

// The key alone goes to stdout, so that KEY=$(estiva key create NAME) does what it should.
Result<int> create(Session& session, const Arguments& args) {
  auto body = wanted_key(args);
  if (!body) return Failure(body.error());
  const auto answer = ask(session, "POST", kKeys, std::move(*body));
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return Failure(error_of(*answer));
  if (args.has("--json")) return print(session, one_line_end(answer->body));
  const auto secret = read_secret(answer->body);
  if (!secret) return Failure(secret.error());
  const std::string note =
      fmt::format(m::kKeyMade, args.words[1], args.value("--role").value_or("use"));
  if (auto ok = session.err.write(note); !ok) return Failure(ok.error());
  auto printed = print(session, escape_for_terminal(*secret) + "\n");
  const auto all = get(session, kKeys);
  const auto document = all ? read_keys(*all) : Result<KeysDocument>(Failure(all.error()));
  if (printed && document) (void)session.err.write(key_hint(*document));
  return printed;
}

Result<int> revoke(Session& session, const Arguments& args) {
  const std::string& name = args.words[1];
  const auto answer =
      ask(session, "DELETE", fmt::format("{}/{}", kKeys, net::percent_encode(name)));
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return Failure(error_of(*answer));
  if (args.has("--json")) return print(session, one_line_end(answer->body));
  return print(session, fmt::format(m::kKeyRevoked, escape_for_terminal(name)));
}

bool has_flags_of_create(const Arguments& args) {
  return args.has("--role") || args.has("--quota") || args.has("--at-once") || args.has("--model");
}

}  // namespace

Result<int> run_key(Session& session, const Arguments& args) {
  const std::string action = args.words.empty() ? "list" : args.words[0];
  const bool takes_name = action == "create" || action == "revoke";
  const bool has_name = args.words.size() > 1;
  if (takes_name != has_name) {
    return fail(
        ErrorKind::usage,
        fmt::format(fmt::runtime(takes_name ? m::kKeyNeedsName : m::kKeyTakesNoName), action),
        std::string(m::kKeyForms));
  }
  if (action != "create" && has_flags_of_create(args))
    return fail(ErrorKind::usage, std::string(m::kKeyFlags), std::string(m::kKeyForms));
  if (action == "create") return create(session, args);
  if (action == "revoke") return revoke(session, args);
  return show(session, args, action == "usage");
}

}  // namespace estiva::cli
