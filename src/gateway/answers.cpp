#include "gateway/answers.h"

#include <cmath>
#include <fmt/format.h>

#include "format/json_writer.h"
#include "format/text.h"

namespace estiva::gateway {
namespace {

// The version of Ollama's API whose paths are relayed: clients look for features by it.
constexpr std::string_view kOllamaApi = "0.12.0";

// platform.openai.com/docs/guides/error-codes
std::string_view openai_type(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

// docs.anthropic.com/en/api/errors
std::string_view anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

void write_model(format::JsonWriter& json, const std::string& name) {
  json.begin_object()
      .field("id", name)
      .field("object", "model")
      .field("created", 0)
      .field("owned_by", "estiva")
      .field("type", "model")
      .field("display_name", name)
      .field("created_at", "1970-01-01T00:00:00Z")
      .end_object();
}

void write_tag(format::JsonWriter& json, const api::Route& route) {
  json.begin_object()
      .field("name", route.model)
      .field("model", route.model)
      .field("modified_at", "1970-01-01T00:00:00Z")
      .field("size", 0)
      .field("digest", "")
      .key("details")
      .begin_object()
      .field("format", "")
      .field("family", route.engine)
      .field("parameter_size", "")
      .field("quantization_level", "")
      .end_object()
      .end_object();
}

bool is_at_event_boundary(std::string_view tail) {
  return tail.empty() || tail.ends_with("\n\n") || tail.ends_with("\r\n\r\n") ||
         tail.ends_with("\n\r\n");
}

}  // namespace

std::string error_text(Api api, const Refusal& refusal) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object();
  if (api == Api::ollama) {
    json.field("error", refusal.sentence());
  } else if (api == Api::anthropic) {
    json.field("type", "error").key("error").begin_object();
    json.field("type", anthropic_type(refusal.status)).field("message", refusal.sentence());
    json.end_object();
  } else {
    json.key("error").begin_object();
    json.field("message", refusal.sentence()).field("type", openai_type(refusal.status));
    json.key("param").null().field("code", refusal.reason).end_object();
  }
  json.end_object();
  return text;
}

net::Response refusal_response(Api api, const Refusal& refusal, std::size_t place) {
  net::Response response;
  response.status = refusal.status;
  response.content_type = "application/json";
  response.body = error_text(api, refusal);
  if (refusal.retry_after_seconds)
    response.headers.add("Retry-After",
                         fmt::format("{:.0f}", std::ceil(*refusal.retry_after_seconds)));
  if (!refusal.reason.empty()) response.headers.add("x-estiva-reason", refusal.reason);
  if (place > 0) response.headers.add("x-estiva-queue-place", fmt::format("{}", place));
  return response;
}

std::string last_words(Api api, const net::ResponseHead& head, std::string_view tail,
                       const Refusal& refusal) {
  const std::string_view type = head.headers.find("content-type").value_or("");
  if (type.starts_with("text/event-stream") && is_at_event_boundary(tail)) {
    const std::string_view name = api == Api::anthropic ? "event: error\n" : "";
    return fmt::format("{}data: {}\n\n", name, error_text(api, refusal));
  }
  if (type.starts_with("application/x-ndjson") && (tail.empty() || tail.ends_with('\n')))
    return error_text(Api::ollama, refusal) + "\n";
  return {};
}

std::string openai_models(const RouteBook& book, const Shown& is_shown) {
  std::vector<const api::Route*> shown;
  for (const api::Route& route : book.all()) {
    if (is_shown(route)) shown.push_back(&route);
  }
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("object", "list").key("data").begin_array();
  for (const api::Route* route : shown) write_model(json, route->model);
  json.end_array().field("has_more", false).key("first_id");
  shown.empty() ? json.null() : json.value(shown.front()->model);
  json.key("last_id");
  shown.empty() ? json.null() : json.value(shown.back()->model);
  json.end_object();
  return text;
}

std::string openai_model(const api::Route& route) {
  std::string text;
  format::JsonWriter json(text);
  write_model(json, route.model);
  return text;
}

std::string ollama_tags(const RouteBook& book, const Shown& is_shown) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().key("models").begin_array();
  for (const api::Route& route : book.all()) {
    if (is_shown(route)) write_tag(json, route);
  }
  json.end_array().end_object();
  return text;
}

std::string ollama_version() {
  return fmt::format(R"({{"version":"{}"}})", kOllamaApi);
}

}  // namespace estiva::gateway
