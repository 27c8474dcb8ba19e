// The kinds of engines that there are.
#include <fmt/format.h>

#include "base/messages/engines.h"
#include "engines/container_engine.h"
#include "engines/engine.h"
#include "engines/ollama_engine.h"
#include "engines/program_engine.h"
#include "engines/remote_engine.h"

namespace estiva::engines {
namespace {

// For a kind that nobody here can load: it says so, whatever it is asked.
class NoEngine final : public Engine {
 public:
  explicit NoEngine(const ModelSpec& spec)
      : error_{ErrorKind::refused,
               fmt::format(msg::kEngineKindAbsent, spec.name, to_name(spec.engine)),
               std::string(msg::kEngineKindAbsentHow)} {}

  net::Awaitable<Result<EngineFacts>> probe() override { co_return Failure(error_); }
  net::Awaitable<Result<Running>> load(LoadTerms, std::function<void(const Holder&)>) override {
    co_return Failure(error_);
  }
  net::Awaitable<Result<void>> sleep() override { co_return Failure(error_); }
  net::Awaitable<Result<Running>> wake(LoadTerms) override { co_return Failure(error_); }
  net::Awaitable<Result<void>> stop() override { co_return Result<void>(); }
  net::Awaitable<Result<Running>> adopt(std::string_view) override {
    co_return fail(ErrorKind::not_found, error_.what, error_.remedy);
  }
  std::string record() const override { return {}; }
  std::vector<pid_t> roots() const override { return {}; }
  std::vector<std::string> log_tail() const override { return {}; }

 private:
  const Error error_;
};

using Make = std::unique_ptr<Engine> (*)(const ModelSpec&, const EngineParts&);

template <const ProgramKind& (*kind)()>
std::unique_ptr<Engine> make_program(const ModelSpec& spec, const EngineParts& parts) {
  return make_program_engine(spec, parts, kind());
}

constexpr struct {
  ModelEngine kind;
  Make make;
} kEngines[] = {
    {ModelEngine::process, make_program<process_kind>},
    {ModelEngine::container, make_container_engine},
    {ModelEngine::ollama, make_ollama_engine},
    {ModelEngine::llama_server, make_program<llama_server_kind>},
    {ModelEngine::vllm, make_program<vllm_kind>},
    {ModelEngine::remote, make_remote_engine},
};

}  // namespace

net::Awaitable<Result<std::string>> Engine::find_running() {
  co_return fail(ErrorKind::not_found, std::string(msg::kNotFoundRunning));
}

std::unique_ptr<Engine> make_engine(const ModelSpec& spec, const EngineParts& parts) {
  for (const auto& row : kEngines) {
    if (row.kind == spec.engine) return row.make(spec, parts);
  }
  return std::make_unique<NoEngine>(spec);
}

}  // namespace estiva::engines
