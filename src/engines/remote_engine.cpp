#include "engines/remote_engine.h"

#include <fmt/format.h>

#include "base/messages/engines.h"
#include "engines/upstream.h"
#include "format/text.h"

namespace estiva::engines {
namespace {

constexpr std::string_view kFile = "file:";
constexpr std::size_t kLongestKey = 64 << 10;

// Its record says only that it is in use; everything else is in the spec.
constexpr std::string_view kRecord = R"({"schema":"estiva/engine/1","remote":true})";

Result<std::string> read_key(const std::string& key) {
  if (!key.starts_with(kFile)) return key;
  auto text = host::read_local_file(key.substr(kFile.size()), kLongestKey);
  if (!text) return text;
  return std::string(format::trim(*text));
}

class RemoteEngine final : public Engine {
 public:
  RemoteEngine(const ModelSpec& spec, const EngineParts& parts)
      : spec_(spec), upstream_(std::make_shared<Upstream>(parts.loop)) {}

  net::Awaitable<Result<EngineFacts>> probe() override {
    const auto running = co_await look(spec_, upstream_);
    if (!running) co_return Failure(running.error());
    co_return EngineFacts{};
  }
  net::Awaitable<Result<Running>> load(LoadTerms, std::function<void(const Holder&)>) override {
    const auto in_use = is_in_use_;
    auto running = co_await look(spec_, upstream_);
    *in_use = running.has_value();
    co_return running;
  }
  net::Awaitable<Result<void>> sleep() override {
    co_return fail(ErrorKind::refused, fmt::format(msg::kCannotSleep, spec_.name),
                   fmt::format(msg::kCannotSleepHow, spec_.name));
  }
  net::Awaitable<Result<Running>> wake(LoadTerms terms) override {
    return load(std::move(terms), nullptr);
  }
  net::Awaitable<Result<void>> stop() override {
    *is_in_use_ = false;
    co_return Result<void>();
  }
  net::Awaitable<Result<Running>> adopt(std::string_view) override { return load({}, nullptr); }
  std::string record() const override { return *is_in_use_ ? std::string(kRecord) : ""; }
  std::vector<pid_t> roots() const override { return {}; }
  std::vector<std::string> log_tail() const override { return {}; }

 private:
  // It is there when `ready` answers 2xx. Without one, any answer of its address will do that is
  // not the server's own failure: few have something at "/", and some want the key for it.
  static net::Awaitable<Result<Running>> look(ModelSpec spec, std::shared_ptr<Upstream> upstream) {
    if (spec.url.empty()) {
      co_return fail(ErrorKind::usage, fmt::format(msg::kNoUrl, spec.name),
                     fmt::format(msg::kNoUrlHow, spec.name));
    }
    auto url = parse_url(spec.url);
    if (!url) co_return Failure(url.error());
    auto asked = parse_url(spec.ready.empty() ? spec.url : spec.ready);
    if (!asked) co_return Failure(asked.error());
    auto key = read_key(spec.api_key);
    if (!key) co_return Failure(key.error().in(spec.name));
    const auto answer = co_await upstream->get(std::move(*asked), *key);
    if (!answer) co_return Failure(answer.error().in(spec.name));
    const int status = answer->head.status, limit = spec.ready.empty() ? 500 : 300;
    if (status < 200 || status >= limit) {
      co_return fail(fmt::format(msg::kRemoteStatus, spec.name,
                                 spec.ready.empty() ? spec.url : spec.ready, status),
                     fmt::format(msg::kRemoteStatusHow, spec.name));
    }
    Running running;
    running.endpoint = url->endpoint;
    running.bearer = std::move(*key);
    if (url->path != "/") running.path_prefix = url->path;
    co_return running;
  }

  const ModelSpec spec_;
  const std::shared_ptr<Upstream> upstream_;
  const std::shared_ptr<bool> is_in_use_ = std::make_shared<bool>(false);
};

}  // namespace

std::unique_ptr<Engine> make_remote_engine(const ModelSpec& spec, const EngineParts& parts) {
  return std::make_unique<RemoteEngine>(spec, parts);
}

}  // namespace estiva::engines
