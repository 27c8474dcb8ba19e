// What the gateway answers by itself, in the form of each API: errors, and what is known of the
// models. Text in, text out.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "gateway/book.h"
#include "gateway/front.h"
#include "gateway/refusal.h"
#include "net/message.h"

namespace estiva::gateway {

// OpenAI and raw: {"error":{"message":..,"type":..,"code":..}}; Anthropic:
// {"type":"error","error":{"type":..,"message":..}}; Ollama: {"error":".."}.
std::string error_text(Api api, const Refusal& refusal);
// With Retry-After, x-estiva-reason and the queue's place where one is known.
net::Response refusal_response(Api api, const Refusal& refusal, std::size_t place);

// What ends a stream that broke off: an error event, or a line of an NDJSON stream. Empty where the
// last bytes `tail` are the middle of an event, or it is no stream of the kind: then it is to be
// cut.
std::string last_words(Api api, const net::ResponseHead& head, std::string_view tail,
                       const Refusal& refusal);

// Those of the book for which it says true.
using Shown = std::function<bool(const api::Route&)>;
// GET /v1/models, for clients of OpenAI and of Anthropic alike.
std::string openai_models(const RouteBook& book, const Shown& is_shown);
std::string openai_model(const api::Route& route);
// GET /api/tags; GET /api/ps with those that are loaded.
std::string ollama_tags(const RouteBook& book, const Shown& is_shown);
std::string ollama_version();

}  // namespace estiva::gateway
