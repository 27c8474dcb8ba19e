#include "container/run_inside.h"

#include <fmt/format.h>

#include "container/engine_facts.h"
#include "container/talk.h"
#include "format/json_tree.h"
#include "format/json_writer.h"

namespace estiva::container {

Result<InsideEnd> run_inside(const net::Endpoint& engine, const std::string& id,
                             const std::vector<std::string>& command,
                             std::chrono::milliseconds limit) {
  Talk talk(engine, limit);
  std::string wish;
  format::JsonWriter json(wish);
  json.begin_object().field("AttachStdout", true).field("AttachStderr", true);
  json.key("Cmd").begin_array();
  for (const std::string& word : command) json.value(word);
  json.end_array().end_object();
  auto made = talk.say("POST", fmt::format("/containers/{}/exec", id), wish);
  if (!made) return Failure(made.error());
  if (!made->is_good()) return fail(made->message());
  const std::string exec = made->member("Id");
  auto ran =
      talk.say("POST", fmt::format("/exec/{}/start", exec), R"({"Detach":false,"Tty":false})");
  if (!ran) return Failure(ran.error());
  if (!ran->is_good()) return fail(ran->message());
  InsideEnd end;
  for (const std::string& line : parse_log(ran->body)) end.output += line + "\n";
  const auto ended = talk.say("GET", fmt::format("/exec/{}/json", exec));
  if (!ended) return Failure(ended.error());
  const auto tree = format::JsonTree::parse(ended->body);
  if (tree) end.exit_code = static_cast<int>(tree->root()["ExitCode"].signed_number().value_or(-1));
  return end;
}

}  // namespace estiva::container
