// Which API a request speaks and what it wants.
#include "gateway/front.h"

#include <gtest/gtest.h>

namespace estiva::gateway {
namespace {

struct Case {
  const char *method, *target;
  Api api;
  Wish wish;
  const char* rest;
};

TEST(Front, OfMethodAndPath) {
  const Case cases[] = {
      {"POST", "/v1/chat/completions", Api::openai, Wish::relay, ""},
      {"POST", "/v1/images/edits?x=1", Api::openai, Wish::relay, ""},
      {"POST", "/v1/rerank", Api::openai, Wish::relay, ""},
      {"POST", "/v1/messages", Api::anthropic, Wish::relay, ""},
      {"POST", "/v1/messages/count_tokens", Api::anthropic, Wish::relay, ""},
      {"GET", "/v1/models", Api::openai, Wish::list, ""},
      {"HEAD", "/v1/models?limit=3", Api::openai, Wish::list, ""},
      {"GET", "/v1/models/org%2Fx?y", Api::openai, Wish::show_one, "org%2Fx"},
      {"GET", "/v1/models/org/x", Api::openai, Wish::show_one, "org/x"},
      {"GET", "/v1/models/", Api::openai, Wish::not_there, ""},
      {"GET", "/v1/chat/completions", Api::openai, Wish::not_there, ""},
      {"DELETE", "/v1/models/x", Api::openai, Wish::not_there, ""},
      {"POST", "/api/chat", Api::ollama, Wish::relay, ""},
      {"POST", "/api/show", Api::ollama, Wish::relay, ""},
      {"GET", "/api/tags", Api::ollama, Wish::list, ""},
      {"GET", "/api/ps", Api::ollama, Wish::running, ""},
      {"GET", "/api/version", Api::ollama, Wish::version, ""},
      {"POST", "/api/pull", Api::ollama, Wish::not_there, ""},
      {"DELETE", "/api/delete", Api::ollama, Wish::not_there, ""},
      {"PUT", "/models/a/x?y", Api::raw, Wish::raw, "a/x?y"},
      {"GET", "/healthz", Api::raw, Wish::alive, ""},
      {"GET", "/", Api::raw, Wish::alive, ""},
      {"POST", "/", Api::openai, Wish::not_there, ""},
      {"GET", "/v2/models", Api::openai, Wish::not_there, ""},
  };
  for (const Case& one : cases) {
    const Front front = front_of(one.method, one.target, false);
    EXPECT_EQ(front.api, one.api) << one.method << one.target;
    EXPECT_EQ(front.wish, one.wish) << one.method << one.target;
    EXPECT_EQ(front.rest, one.rest) << one.method << one.target;
  }
  EXPECT_EQ(front_of("GET", "/v1/models", true).api, Api::anthropic);
}

}  // namespace
}  // namespace estiva::gateway
