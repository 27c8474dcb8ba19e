// The questions and commands of one model in one Ollama server, on the loop. Errors: not_found
// where nobody listens or there is no such model, no_room where it says that memory is short,
// timed_out, and failed with its own words. Has to outlive what it was asked to do.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "engines/answers.h"
#include "engines/ollama_api.h"
#include "net/client.h"
#include "net/loop.h"

namespace estiva::engines {

class OllamaServer {
 public:
  // `load_limit`: for load().
  OllamaServer(net::Loop& loop, Url url, std::string model, std::chrono::nanoseconds load_limit);

  const Url& url() const { return url_; }
  net::Awaitable<Result<std::string>> version();
  net::Awaitable<Result<OllamaModel>> show();
  net::Awaitable<Result<std::vector<OllamaRow>>> files();  // /api/tags
  // What it says of the model in /api/ps; nullopt: it is not loaded.
  net::Awaitable<Result<std::optional<OllamaRow>>> loaded();
  // Returns once it is loaded, to stay until it is unloaded.
  net::Awaitable<Result<void>> load(bool is_embedding_only);
  // Tells it to unload; that is not yet done when this returns.
  net::Awaitable<Result<void>> unload(bool is_embedding_only);
  // Ends a load() under way with an error; the server may go on with it.
  void cancel_load();

 private:
  struct Answer {
    int status = 0;
    std::string body;
  };
  net::Awaitable<Result<std::string>> ask(std::string method, std::string path, std::string body);
  net::Awaitable<Result<Answer>> keep_alive(bool is_embedding_only, int seconds);
  Result<std::string> judge(Answer answer) const;
  Error away(const Error& error) const;

  Url url_;
  std::string model_;
  std::chrono::nanoseconds load_limit_;
  net::Client quick_, patient_;
  std::shared_ptr<net::Call> loading_;
};

}  // namespace estiva::engines
