#include "engines/ollama_server.h"

#include <fmt/format.h>

#include "base/messages/engines_ollama.h"
#include "engines/container_run.h"
#include "format/json_writer.h"

namespace estiva::engines {
namespace {

using net::Awaitable;

net::ClientLimits limits_for(std::chrono::nanoseconds time) {
  net::ClientLimits limits;
  limits.response_time = limits.idle_time = std::chrono::ceil<std::chrono::milliseconds>(time);
  return limits;
}

std::string named(const std::string& model) {
  std::string body;
  format::JsonWriter json(body);
  json.begin_object().field("model", model).end_object();
  return body;
}

// "model requires more system memory (5.6 GiB) than is available (1.2 GiB)".
bool says_memory_is_short(const std::string& words) {
  return words.find("more system memory") != words.npos || line_of_gpu_memory({words}) != nullptr;
}

}  // namespace

OllamaServer::OllamaServer(net::Loop& loop, Url url, std::string model,
                           std::chrono::nanoseconds load_limit)
    : url_(std::move(url)),
      model_(std::move(model)),
      load_limit_(load_limit),
      quick_(loop, limits_for(std::chrono::seconds(10))),
      patient_(loop, limits_for(load_limit)) {}

Error OllamaServer::away(const Error& error) const {
  if (error.kind != ErrorKind::not_found) return error;
  return {ErrorKind::not_found,
          fmt::format(msg::kOllamaAway, net::to_text(url_.endpoint), error.what),
          std::string(msg::kOllamaAwayRemedy)};
}

Result<std::string> OllamaServer::judge(Answer answer) const {
  if (answer.status >= 200 && answer.status < 300) return std::move(answer.body);
  const std::string words = ollama_error(answer.body);
  if (answer.status == 404) {
    return fail(ErrorKind::not_found,
                fmt::format(msg::kOllamaNoModel, net::to_text(url_.endpoint), model_),
                fmt::format(msg::kOllamaNoModelRemedy, model_));
  }
  const auto kind = says_memory_is_short(words) ? ErrorKind::no_room : ErrorKind::failed;
  return fail(kind, fmt::format(msg::kOllamaRefused, model_, words));
}

Awaitable<Result<std::string>> OllamaServer::ask(std::string method, std::string path,
                                                 std::string body) {
  net::ClientRequest request;
  request.method = std::move(method);
  request.target = url_.path + path;
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  auto answer = co_await quick_.send(url_.endpoint, std::move(request));
  if (!answer) co_return Failure(away(answer.error()));
  co_return judge({answer->head.status, std::move(answer->body)});
}

Awaitable<Result<std::string>> OllamaServer::version() {
  auto body = co_await ask("GET", "/api/version", {});
  if (!body) co_return Failure(body.error());
  co_return parse_ollama_version(*body);
}

Awaitable<Result<OllamaModel>> OllamaServer::show() {
  auto body = co_await ask("POST", "/api/show", named(model_));
  if (!body) co_return Failure(body.error());
  co_return parse_ollama_show(*body);
}

Awaitable<Result<std::vector<OllamaRow>>> OllamaServer::files() {
  auto body = co_await ask("GET", "/api/tags", {});
  if (!body) co_return Failure(body.error());
  co_return parse_ollama_models(*body);
}

Awaitable<Result<std::optional<OllamaRow>>> OllamaServer::loaded() {
  auto body = co_await ask("GET", "/api/ps", {});
  if (!body) co_return Failure(body.error());
  const auto rows = parse_ollama_models(*body);
  if (!rows) co_return Failure(rows.error());
  const OllamaRow* row = find_ollama_model(*rows, model_);
  co_return row == nullptr ? std::optional<OllamaRow>() : std::optional<OllamaRow>(*row);
}

// An empty prompt (or text to embed) loads the model or, with keep_alive 0, unloads it.
Awaitable<Result<OllamaServer::Answer>> OllamaServer::keep_alive(bool is_embedding_only,
                                                                 int seconds) {
  net::ClientRequest request;
  request.method = "POST";
  request.target = url_.path + (is_embedding_only ? "/api/embed" : "/api/generate");
  request.headers.add("Content-Type", "application/json");
  format::JsonWriter json(request.body);
  json.begin_object().field("model", model_).field("keep_alive", seconds);
  if (is_embedding_only)
    json.field("input", "");
  else
    json.field("stream", false);
  json.end_object();
  // Opened apart from its answer: the server answers when it is loaded, and may be told to stop.
  auto head = net::RequestHead{request.method, request.target, false, request.headers};
  auto opened =
      co_await patient_.open_streaming(url_.endpoint, std::move(head), request.body.size());
  if (!opened) co_return Failure(away(opened.error()));
  const std::shared_ptr<net::Call> call = std::move(*opened);
  if (seconds != 0) loading_ = call;
  auto sent = co_await call->write(request.body);
  if (sent) sent = co_await call->finish();
  Answer answer;
  if (sent) {
    auto response = co_await call->response();
    if (response)
      answer.status = (*response)->status;
    else
      sent = Failure(response.error());
  }
  if (sent) {
    auto body = co_await call->read_body(1 << 20);
    if (body)
      answer.body = std::move(*body);
    else
      sent = Failure(body.error());
  }
  if (loading_ == call) loading_.reset();
  if (!sent) co_return Failure(away(sent.error()));
  co_return answer;
}

Awaitable<Result<void>> OllamaServer::load(bool is_embedding_only) {
  auto answer = co_await keep_alive(is_embedding_only, -1);
  if (!answer && answer.error().kind == ErrorKind::timed_out) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(load_limit_);
    co_return fail(ErrorKind::timed_out, fmt::format(msg::kOllamaSlow, model_, seconds.count()),
                   std::string(msg::kOllamaSlowRemedy));
  }
  if (!answer) co_return Failure(answer.error());
  const auto judged = judge(std::move(*answer));
  if (!judged) co_return Failure(judged.error());
  co_return Result<void>();
}

Awaitable<Result<void>> OllamaServer::unload(bool is_embedding_only) {
  auto answer = co_await keep_alive(is_embedding_only, 0);
  if (!answer) co_return Failure(answer.error());
  const auto judged = judge(std::move(*answer));
  if (!judged) co_return Failure(judged.error());
  co_return Result<void>();
}

void OllamaServer::cancel_load() {
  if (loading_) loading_->cancel();
}

}  // namespace estiva::engines
