#include "cli/recreate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <sys/stat.h>

#include "act/command.h"
#include "base/messages/cli_plan_run.h"
#include "cli/readiness.h"
#include "container/ask_once.h"
#include "container/endpoint.h"
#include "container/engine_facts.h"
#include "format/text.h"
#include "host/files.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using WordList = std::vector<std::string>;
using decide::LostContainer;

// Stopping takes as long as the service's stop_grace_period says; ten seconds is the default.
constexpr std::chrono::seconds kRecreateTime{300};
constexpr std::chrono::seconds kLookTime{10};

WordList joined(WordList words, const WordList& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string in_words(const WordList& words) {
  return format::escape_for_terminal(fmt::format("{}", fmt::join(words, " ")));
}

// The engine that was asked, and how its own program is told of it.
struct Engine {
  net::Endpoint endpoint;
  WordList program;
};

Engine engine_of(const Arguments& args, const ReadinessFacts& facts) {
  const bool is_podman = facts.engine.kind == EngineKind::podman;
  Engine engine{{}, {is_podman ? "podman" : "docker"}};
  const auto address = container::find_engine(readiness_sources(args).engine);
  if (!address) return engine;
  engine.endpoint = address->endpoint;
  const bool is_unix = engine.endpoint.kind == net::Endpoint::Kind::unix_socket;
  const std::string text =
      is_unix ? "unix://" + engine.endpoint.path : "tcp://" + net::to_text(engine.endpoint);
  // What the program finds by itself is not said.
  const bool is_usual = engine.endpoint.path == "/run/docker.sock" ||
                        engine.endpoint.path == "/var/run/docker.sock" ||
                        (is_podman && address->chosen_by == "usual place");
  const bool finds_it =
      is_usual || address->chosen_by == "DOCKER_HOST" || address->chosen_by.starts_with("context ");
  if (finds_it && !(is_podman && !is_usual)) return engine;
  engine.program.emplace_back(is_podman ? "--url" : "--host");
  engine.program.push_back(text);
  return engine;
}

class Recreation {
 public:
  explicit Recreation(Engine engine) : engine_(std::move(engine)) {}

  // Nothing, or why not and how it stands.
  Result<void> make_again(const LostContainer& one) {
    auto done = check(one);
    if (done) done = run(joined(engine_.program, decide::words_to_recreate(one)));
    if (done) return {};
    std::string why = done.error().what;
    if (why.ends_with('.')) why.pop_back();
    return fail(fmt::format(m::kNotRecreated, format::escape_for_terminal(one.name), why,
                            how_it_stands(one)));
  }

 private:
  Result<void> run(const WordList& words) {
    const auto done = act::run_checked(commands_, {words, kRecreateTime});
    return done ? Result<void>() : Failure(done.error());
  }

  // Compose takes down the old one before it starts the new one, so what can be known before is.
  Result<void> check(const LostContainer& one) {
    if (!one.is_of_compose) return {};
    struct stat info {};
    if (!one.compose_dir.empty() && ::stat(one.compose_dir.c_str(), &info) != 0)
      return fail(fmt::format(m::kComposeDirGone, format::escape_for_terminal(one.compose_dir)));
    for (const std::string& path : decide::compose_paths(one)) {
      if (const auto text = host::read_local_file(path); !text)
        return fail(
            fmt::format(m::kComposeFileGone, format::escape_for_terminal(path), text.error().what));
    }
    return check_unchanged(one);
  }

  // Compose's hash of the service stands in a label of the container.
  Result<void> check_unchanged(const LostContainer& one) {
    // Without its profile a service is not there for 'config', though it is for 'up'.
    const auto ask = [&](WordList words) {
      words.insert(words.end(), {"config", "--hash", one.service});
      return act::run_checked(commands_, {std::move(words), kRecreateTime});
    };
    const WordList compose = joined(engine_.program, decide::compose_words(one));
    auto said = ask(joined(compose, {"--profile", "*"}));
    if (!said) said = ask(compose);
    if (!said) return Failure(said.error());
    std::string_view rest = format::trim(*said), service, hash;
    const bool is_told = format::next_word(rest, service) && format::next_word(rest, hash);
    if (one.compose_hash.empty() || !is_told || hash == one.compose_hash) return {};
    return fail(std::string(m::kComposeChanged));
  }

  std::string how_it_stands(const LostContainer& one) {
    const auto ask = container::ask_engine(engine_.endpoint, kLookTime);
    const auto answer = ask("/containers/" + one.name + "/json");
    const std::string again = in_words(joined(engine_.program, decide::words_to_recreate(one)));
    if (!answer) {
      const bool is_gone = answer.error().what.ends_with(" 404");
      return is_gone ? fmt::format(m::kStandsNot, again)
                     : fmt::format(m::kStandsUnknown, answer.error().what);
    }
    const auto now = container::parse_inspect(*answer);
    if (!now) return fmt::format(m::kStandsUnknown, now.error().what);
    if (now->id != one.id)
      return fmt::format(m::kStandsAnew,
                         format::escape_for_terminal(now->error.empty() ? now->state : now->error));
    // It was stopped for one that did not come.
    if (one.is_running && now->state != "running")
      (void)run(joined(engine_.program, {"start", one.name}));
    return fmt::format(m::kStandsAsItWas, in_words(joined(engine_.program, {"restart", one.name})));
  }

  Engine engine_;
  act::RealCommands commands_;
};

}  // namespace

std::string command_in_words(const Arguments& args, const ReadinessFacts& facts,
                             const LostContainer& one) {
  return in_words(joined(engine_of(args, facts).program, decide::words_to_recreate(one)));
}

Result<void> recreate(Session& session, const Arguments& args, const ReadinessFacts& facts,
                      const std::vector<LostContainer>& lost) {
  Recreation recreation(engine_of(args, facts));
  std::set<WordList> done;  // the containers of one service are made again together
  std::size_t failed = 0;
  for (const LostContainer& one : lost) {
    if (!done.insert(decide::words_to_recreate(one)).second) continue;
    const auto made = recreation.make_again(one);
    if (!made) ++failed;
    if (made && args.has("--json")) continue;
    const std::string text = made
                                 ? fmt::format(m::kRecreated, format::escape_for_terminal(one.name))
                                 : made.error().sentence();
    if (auto ok = (made ? session.out : session.err).write(text + "\n"); !ok)
      return Failure(ok.error());
  }
  if (failed == 0) return {};
  return fail(fmt::format(m::kNotAllRecreated, failed, done.size()));
}

}  // namespace estiva::cli
