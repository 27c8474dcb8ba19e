// estiva stress MODEL...: requests through the gateway, and the daemon's own figures beside them.
#include <algorithm>
#include <csignal>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/messages/cli_models.h"
#include "cli/daemon_client.h"
#include "cli/numbers.h"
#include "cli/session.h"
#include "cli/signal_queue.h"
#include "cli/stress.h"
#include "cli/verb_models.h"
#include "format/json_tree.h"
#include "format/json_writer.h"
#include "format/text.h"
#include "net/fetch.h"
#include "net/target.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using namespace std::chrono_literals;

struct Question {
  std::string target, body;
};

std::string replaced(std::string text, const std::string& model) {
  constexpr std::string_view kPlace = "{model}";
  for (std::size_t at = 0; (at = text.find(kPlace, at)) != text.npos; at += model.size()) {
    text.replace(at, kPlace.size(), model);
  }
  return text;
}

// The smallest request that makes an engine of this kind work.
Question usual_question(const ModelRow& model) {
  Question question;
  format::JsonWriter json(question.body);
  if (model.engine == "ollama") {
    question.target = "/api/generate";
    json.begin_object()
        .field("model", model.name)
        .field("prompt", "hello")
        .field("stream", false)
        .key("options")
        .begin_object()
        .field("num_predict", 1)
        .end_object()
        .end_object();
  } else if (model.engine == "llama-server" || model.engine == "vllm") {
    question.target = "/v1/completions";
    json.begin_object()
        .field("model", model.name)
        .field("prompt", "hello")
        .field("max_tokens", 1)
        .end_object();
  } else {
    question.target = "/models/" + model.name + "/";
  }
  return question;
}

Question question_of(const Arguments& args, const ModelRow& model) {
  Question question = usual_question(model);
  if (const auto path = args.value("--path")) {
    question = {replaced(std::string(*path), model.name), {}};
  }
  if (const auto body = args.value("--body")) {
    question.body = replaced(std::string(*body), model.name);
  }
  return question;
}

Result<void> ask_gateway(const net::Endpoint& gateway, const Question& question) {
  net::ClientRequest request;
  request.method = question.body.empty() ? "GET" : "POST";
  request.target = question.target;
  if (!question.body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = question.body;
  net::FetchLimits limits;
  limits.total_time = 10min;
  const auto answer = net::fetch(gateway, request, limits);
  if (!answer) return Failure(answer.error());
  // Below 400 it worked; a plain service may have nothing at "/", and was reached all the same.
  const bool is_plain = question.body.empty() && answer->head.status == 404;
  if (answer->head.status < 400 || is_plain) return {};
  return fail(fmt::format(m::kStressAnswer, answer->head.status,
                          format::escape_for_terminal(answer->body.substr(0, 200))));
}

Result<std::uint64_t> used_vram(Session& session) {
  const auto body = get(session, "/api/v1/gpu");
  if (!body) return Failure(body.error());
  const auto tree = format::JsonTree::parse(*body);
  std::uint64_t used = 0;
  for (std::size_t i = 0; tree && i < tree->root()["gpus"].size(); ++i) {
    used += tree->root()["gpus"].at(i)["memory"]["used_bytes"].unsigned_number().value_or(0);
  }
  return used;
}

Result<ModelsDocument> models_of(Session& session) {
  const auto body = get(session, "/api/v1/models");
  if (!body) return Failure(body.error());
  return read_models(*body);
}

Result<void> unload(Session& session, const std::string& model) {
  const auto answer = ask_patiently(
      session, "POST", fmt::format("/api/v1/models/unload?model={}", net::percent_encode(model)));
  if (!answer) return Failure(answer.error());
  if (answer->status != 200) return Failure(error_of(*answer));
  return {};
}

Result<std::chrono::nanoseconds> time_wanted(const Arguments& args) {
  if (args.has("--seconds")) return time_of(args, "--seconds", 60s, 1s);
  const auto minutes = count_of(args, "--minutes", 1, 24 * 60, 1);
  if (!minutes) return Failure(minutes.error());
  return std::chrono::nanoseconds(std::chrono::minutes(*minutes));
}

Result<std::map<std::string, Question>> questions(const Arguments& args,
                                                  const ModelsDocument& document) {
  std::map<std::string, Question> all;
  for (const std::string& name : args.words) {
    const auto row = std::find_if(document.models.begin(), document.models.end(),
                                  [&](const ModelRow& model) { return model.name == name; });
    if (row == document.models.end()) {
      return fail(ErrorKind::not_found,
                  fmt::format(m::kNothingCalled, format::escape_for_terminal(name)),
                  std::string(m::kNothingCalledHow));
    }
    all[name] = question_of(args, *row);
  }
  return all;
}

}  // namespace

Result<int> run_stress(Session& session, const Arguments& args) {
  const auto time = time_wanted(args);
  if (!time) return Failure(time.error());
  const auto document = models_of(session);
  if (!document) return Failure(document.error());
  const auto asked = questions(args, *document);
  if (!asked) return Failure(asked.error());
  if (document->gateway.empty()) {
    return fail(ErrorKind::refused, std::string(m::kNoGateway), std::string(m::kNoGatewayHow));
  }
  const auto gateway = net::parse_endpoint(document->gateway);
  if (!gateway) return Failure(gateway.error());
  const SignalQueue signals({SIGINT, SIGTERM});
  const SteadyTime until = steady_now() + *time;
  StressMachine machine;
  machine.request = [&](const std::string& model) {
    return ask_gateway(*gateway, asked->at(model));
  };
  machine.models = [&] { return models_of(session); };
  machine.used_vram = [&] { return used_vram(session); };
  machine.unload = [&](const std::string& model) { return unload(session, model); };
  machine.is_over = [&] { return steady_now() >= until || signals.take(0ns) != 0; };
  const auto report = stress(args.words, machine);
  if (!report) return Failure(report.error());
  const std::string text = args.has("--json") ? stress_json(*report) : stress_page(*report);
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return report->is_clean() ? 0 : 1;
}

}  // namespace estiva::cli
