// vLLM. It sleeps by its development API (docs.vllm.ai, "Sleep Mode"): level 1 keeps the weights in
// RAM, level 2 drops them and reads them again. What stays on the GPU either way (graphs, contexts)
// is some percent; the ledger sees it.
#include <fmt/format.h>

#include "base/messages/engines.h"
#include "engines/program_kind.h"
#include "format/json_tree.h"

namespace estiva::engines {
namespace {

// The path of a question to it that no model is needed for.
constexpr Nanoseconds kShort = std::chrono::seconds(10);

std::vector<std::string> command(const ModelSpec& spec) {
  std::vector<std::string> words = spec.command;
  if (words.empty()) {
    words = {"vllm", "serve", spec.file.empty() ? spec.model : spec.file, "--served-model-name",
             spec.model.empty() ? spec.name : spec.model};
  }
  if (!names_port(spec))
    words.insert(words.end(), {"--host", "127.0.0.1", "--port", std::string(kPortPlace)});
  if (spec.may_sleep) words.emplace_back("--enable-sleep-mode");
  return words;
}

net::Awaitable<Result<bool>> is_sleeping(Upstream& upstream) {
  std::string method = "GET", target = "/is_sleeping", body;
  const auto answer =
      co_await upstream.ask(std::move(method), std::move(target), std::move(body), kShort);
  if (!answer) co_return Failure(answer.error());
  const auto tree = format::JsonTree::parse(*answer);
  const auto says = tree ? tree->root()["is_sleeping"].boolean() : std::nullopt;
  if (!says) co_return fail(fmt::format(msg::kNoSleepState, *answer));
  co_return *says;
}

net::Awaitable<Result<void>> sleep(Upstream& upstream, const ModelSpec& spec, unsigned level) {
  std::string method = "POST", target = fmt::format("/sleep?level={}", level), body;
  const auto answer =
      co_await upstream.ask(std::move(method), std::move(target), std::move(body), spec.load_limit);
  if (!answer) {
    Error error = answer.error();
    error.remedy = msg::kSleepHow;
    co_return Failure(std::move(error));
  }
  // It answers 200 also where nothing was put to sleep.
  const auto sleeps = co_await is_sleeping(upstream);
  if (!sleeps) co_return Failure(sleeps.error());
  if (!*sleeps) co_return fail(std::string(msg::kNotAsleep), std::string(msg::kSleepHow));
  co_return Result<void>();
}

// After level 2 its memory is there again and empty: the weights have to be read, and what it
// remembers of prompts belongs to nothing.
net::Awaitable<Result<void>> wake(Upstream& upstream, const ModelSpec& spec, unsigned level) {
  struct Question {
    const char *target, *body;
  };
  constexpr Question kQuestions[] = {{"/wake_up", ""},
                                     {"/collective_rpc", "{\"method\":\"reload_weights\"}"},
                                     {"/reset_prefix_cache", ""}};
  const int count = level == 2 ? 3 : 1;
  for (int i = 0; i < count; ++i) {
    std::string method = "POST", target = kQuestions[i].target, body = kQuestions[i].body;
    const auto answer = co_await upstream.ask(std::move(method), std::move(target), std::move(body),
                                              spec.load_limit);
    if (!answer) co_return Failure(answer.error());
  }
  co_return Result<void>();
}

}  // namespace

const ProgramKind& vllm_kind() {
  static const ProgramKind kind{
      .command = command,
      .environment = {"VLLM_SERVER_DEV_MODE=1"},
      .ready_path = "/health",
      .sleep = sleep,
      .wake = wake,
      .is_sleeping = is_sleeping,
  };
  return kind;
}

}  // namespace estiva::engines
