// engine-by-hand KIND NAME=VALUE...: one engine of src/engines, told what to do by the lines of its
// standard input ("probe", "load", "stop", "adopt RECORD", "record", "roots", "log"), for tests.
// Each line is answered by a line of JSON when it is done; meanwhile others are taken. What the
// engine tells by itself is told in the same way: {"told":"started","pid":1}, "kept", "ended".
#include <boost/asio/awaitable.hpp>
#include <cstdio>
#include <map>
#include <string>
#include <unistd.h>

#include "engines/container_engine.h"
#include "engines/ollama_engine.h"
#include "format/json_writer.h"
#include "format/text.h"
#include "host/machine.h"

using namespace estiva;
using format::JsonWriter;

namespace {

void print(std::string line) {
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

struct Hand {
  net::Loop loop;
  host::Root root = *host::Root::open("/");
  std::unique_ptr<engines::Engine> engine;

  template <class Fill>
  void tell(std::string_view key, std::string_view what, Fill fill) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field(key, what);
    fill(json);
    json.end_object();
    print(std::move(text));
  }
  template <class T, class Fill>
  void did(const std::string& what, const Result<T>& result, Fill fill) {
    tell("did", what, [&](JsonWriter& json) {
      json.field("ok", result.has_value());
      if (result) return fill(json);
      json.field("kind", kind_name(result.error().kind)).field("what", result.error().what);
      json.field("remedy", result.error().remedy);
    });
  }
  void did_run(const std::string& what, const Result<engines::Running>& running) {
    did(what, running, [&](JsonWriter& json) {
      json.field("endpoint", net::to_text(running->endpoint));
      json.field("prefix", running->path_prefix);
      json.field("pid", running->holder ? running->holder->pid : 0);
    });
  }

  net::Awaitable<void> carry_out(std::string line) {
    std::string_view rest = line, verb;
    (void)format::next_word(rest, verb);
    const std::string what(verb);
    if (what == "load") {
      // Named: GCC 12 destroys the temporaries of an awaited call twice.
      engines::LoadTerms terms;
      std::function<void(const Holder&)> started = [this](const Holder& holder) {
        tell("told", "started", [&](JsonWriter& json) { json.field("pid", holder.pid); });
      };
      auto running = co_await engine->load(std::move(terms), std::move(started));
      did_run(what, running);
    } else if (what == "adopt") {
      auto running = co_await engine->adopt(format::trim(rest));
      did_run(what, running);
    } else if (what == "stop") {
      auto stopped = co_await engine->stop();
      did(what, stopped, [](JsonWriter&) {});
    } else if (what == "probe") {
      auto facts = co_await engine->probe();
      did(what, facts, [&](JsonWriter& json) {
        json.field("version", facts->version).field("estimate_source", facts->estimate_source);
        json.field("estimate", facts->estimate.value_or(Bytes{0}));
      });
    } else {
      look(what);
    }
  }

  void look(const std::string& what) {
    did(what, Result<void>(), [&](JsonWriter& json) {
      json.field("record", engine->record()).key("roots").begin_array();
      for (const pid_t pid : engine->roots()) json.value(pid);
      json.end_array().key("log").begin_array();
      for (const std::string& line : engine->log_tail()) json.value(line);
      json.end_array();
    });
  }
};

ModelSpec spec_of(std::map<std::string, std::string>& given) {
  ModelSpec spec;
  spec.name = "m";
  spec.container = given["container"];
  spec.url = given["url"];
  spec.ready = given["ready"];
  spec.model = given["model"];
  const auto seconds = [&](const char* name, ModelSpec::Time& time) {
    if (given.contains(name)) time = std::chrono::seconds(std::stoi(given[name]));
  };
  seconds("load_limit", spec.load_limit);
  seconds("stop_limit", spec.stop_limit);
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::map<std::string, std::string> given;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    if (equals == word.npos) return 2;
    given[word.substr(0, equals)] = word.substr(equals + 1);
  }
  Hand hand;
  engines::EngineParts parts{hand.loop, hand.root, *host::read_boot_id(hand.root), {}, {}, false,
                             {},        {}};
  parts.ended = [&](const std::string&, const std::string& why) {
    hand.tell("told", "ended", [&](JsonWriter& json) { json.field("why", why); });
  };
  parts.keep = [&](const std::string&, const std::string& record, std::function<void()> then) {
    hand.tell("told", "kept", [&](JsonWriter& json) { json.field("record", record); });
    hand.loop.post(std::move(then));
  };
  const ModelSpec spec = spec_of(given);
  const std::string kind = argv[1];
  if (kind == "container") hand.engine = engines::make_container_engine(spec, parts);
  if (kind == "ollama") hand.engine = engines::make_ollama_engine(spec, parts);
  if (!hand.engine) return 2;

  std::string input;
  const auto reading = hand.loop.on_readable(STDIN_FILENO, [&] {
    char buffer[4096];
    const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n <= 0) return hand.loop.stop();
    input.append(buffer, static_cast<std::size_t>(n));
    for (std::size_t end = 0; (end = input.find('\n')) != input.npos; input.erase(0, end + 1))
      hand.loop.spawn(hand.carry_out(input.substr(0, end)));
  });
  hand.loop.run();
  hand.engine.reset();
  return 0;
}
