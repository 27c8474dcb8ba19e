#include "engines/ollama_engine.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/messages/engines_ollama.h"
#include "engines/ollama_runner.h"
#include "engines/ollama_server.h"
#include "format/json_tree.h"
#include "format/json_writer.h"
#include "format/size.h"
#include "host/process.h"

namespace estiva::engines {
namespace {

using net::Awaitable;
using Started = std::function<void(const Holder&)>;
using Row = std::optional<OllamaRow>;

constexpr std::string_view kUsualUrl = "http://127.0.0.1:11434";
// While it loads, procfs is searched for its runner; while it unloads, the server is asked.
constexpr Nanoseconds kLookPause = std::chrono::milliseconds(100);
// Where there is no process to watch.
constexpr Nanoseconds kAskPause = std::chrono::seconds(5);

class Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const ModelSpec& spec, const EngineParts& parts)
      : spec_(spec),
        parts_(parts),
        model_(spec.model.empty() ? spec.name : spec.model),
        url_(parse_url(spec.url.empty() ? kUsualUrl : spec.url)),
        server_(parts.loop, url_.value_or(Url()), model_, spec.load_limit),
        changed_(parts.loop) {}

  void leave() {
    is_left_ = true;
    ++run_;
    ended_watch_.reset();
    server_.cancel_load();
    changed_.notify_all();
  }

  static Awaitable<Result<EngineFacts>> probe(std::shared_ptr<Impl> self) {
    if (!self->url_) co_return Failure(self->url_.error());
    auto model = co_await self->server_.show();
    if (!model) co_return Failure(model.error());
    self->known_ = *model;
    auto version = co_await self->server_.version();
    auto files = co_await self->server_.files();
    EngineFacts facts;
    const OllamaRow* row = files ? find_ollama_model(*files, self->model_) : nullptr;
    facts.version = version ? *version : std::string();
    if (row == nullptr) co_return facts;
    constexpr std::size_t kShown = 12;
    if (!row->digest.empty()) facts.version += fmt::format(" ({})", row->digest.substr(0, kShown));
    facts.estimate = estimate_of_ollama(row->size, *model);
    facts.estimate_source = "ollama show";
    co_return facts;
  }

  static Awaitable<Result<Running>> load(std::shared_ptr<Impl> self, Started started) {
    self->begin();
    auto running = co_await self->bring_up(std::move(started));
    co_return co_await self->end_loading(std::move(running));
  }

  static Awaitable<Result<Running>> adopt(std::shared_ptr<Impl> self) {
    self->begin();
    auto running = co_await self->take_up();
    co_return co_await self->end_loading(std::move(running));
  }

  static Awaitable<Result<void>> stop(std::shared_ptr<Impl> self) {
    self->must_stop_ = true;
    self->server_.cancel_load();
    self->changed_.notify_all();
    while (self->is_loading_) (void)co_await self->changed_.wait();
    co_return co_await self->put_down();
  }

  std::string record() const {
    if (!is_ours_) return {};
    std::string text;
    format::JsonWriter json(text);
    json.begin_object().field("ollama", model_).end_object();
    return text;
  }
  std::vector<pid_t> roots() const {
    if (!runner_lives()) return {};
    return {runner_->pid};
  }

 private:
  void begin() {
    is_loading_ = true;
    must_stop_ = false;
  }

  Awaitable<Result<Running>> bring_up(Started started) {
    if (!url_) co_return Failure(url_.error());
    auto model = co_await server_.show();
    if (!model) co_return Failure(model.error());
    known_ = std::move(*model);
    is_ours_ = true;
    co_await keep();
    if (must_stop_ || is_left_) co_return cancelled();
    started_ = std::move(started);
    parts_.loop.spawn(look_for_runner(shared_from_this(), ++run_));
    auto loaded = co_await server_.load(known_.is_embedding_only);
    if (must_stop_ || is_left_) co_return cancelled();
    if (!loaded) co_return Failure(loaded.error());
    co_return co_await judge_placement();
  }

  Awaitable<Result<Running>> take_up() {
    if (!url_) co_return Failure(url_.error());
    auto model = co_await server_.show();
    if (!model) co_return Failure(model.error());
    known_ = std::move(*model);
    auto row = co_await server_.loaded();
    if (!row) co_return Failure(row.error());
    if (!*row)
      co_return fail(ErrorKind::not_found,
                     fmt::format(msg::kOllamaGone, model_, net::to_text(url_->endpoint)));
    is_ours_ = true;
    ++run_;
    co_return co_await judge_placement();
  }

  // Where Ollama has put it is its own choice: all on GPUs, or it is not loaded for us.
  Awaitable<Result<Running>> judge_placement() {
    auto row = co_await server_.loaded();
    if (!row) co_return Failure(row.error());
    if (!*row) co_return fail(fmt::format(msg::kOllamaNotThere, model_));
    const OllamaRow& seen = **row;
    const Bytes on_gpu = seen.size_vram.value_or(Bytes{0});
    if (on_gpu.value < seen.size.value) {
      co_return fail(
          ErrorKind::no_room,
          fmt::format(msg::kOllamaOnCpu, format::format_size(Bytes{seen.size.value - on_gpu.value}),
                      format::format_size(seen.size), model_),
          std::string(msg::kOllamaOnCpuRemedy));
    }
    find_runner();
    watch_end();
    Running running;
    running.endpoint = url_->endpoint;
    running.path_prefix = url_->path;
    running.holder = runner_;
    co_return running;
  }

  // After an error it is loaded no more.
  Awaitable<Result<Running>> end_loading(Result<Running> running) {
    if (running && must_stop_) running = cancelled();
    if (!running && !is_left_) (void)co_await put_down();
    started_ = nullptr;
    is_loading_ = false;
    changed_.notify_all();
    co_return running;
  }

  static Failure cancelled() { return fail(ErrorKind::refused, std::string(msg::kOllamaStopped)); }

  Awaitable<void> keep() {
    if (is_left_ || !parts_.keep) co_return;
    const auto done = std::make_shared<bool>(false);
    parts_.keep(spec_.name, record(), [self = weak_from_this(), done] {
      *done = true;
      if (const auto that = self.lock()) that->changed_.notify_all();
    });
    while (!*done && !is_left_) (void)co_await changed_.wait();
  }

  bool runner_lives() const {
    return runner_ &&
           host::check_holder(parts_.root, *runner_, parts_.boot_id) != host::HolderState::dead;
  }

  // Only on this machine: an address that is not loopback may be another's.
  void find_runner() {
    if (runner_lives() || !net::is_loopback(url_->endpoint)) return;
    runner_.reset();
    const auto pid = find_ollama_runner(parts_.root, known_.digest, url_->endpoint.port);
    if (!pid) return;
    const auto holder = host::identify(parts_.root, *pid, parts_.boot_id);
    if (!holder) return;
    runner_ = *holder;
    if (started_) std::exchange(started_, nullptr)(*runner_);
  }

  static Awaitable<void> look_for_runner(std::shared_ptr<Impl> self, std::uint64_t run) {
    while (run == self->run_ && self->is_loading_ && !self->runner_lives()) {
      self->find_runner();
      (void)co_await self->changed_.wait(kLookPause);
    }
  }

  void watch_end() {
    if (runner_) {
      if (auto fd = host::watch_holder(parts_.root, *runner_, parts_.boot_id)) {
        ended_fd_ = std::move(*fd);
        ended_watch_ = parts_.loop.on_readable(
            ended_fd_.get(), [this, run = run_] { parts_.loop.post(end_of(run)); });
        return;
      }
    }
    parts_.loop.spawn(ask_whether_loaded(shared_from_this(), run_));
  }

  // Posted: a watch can't be dropped inside its own call.
  std::function<void()> end_of(std::uint64_t run) {
    return [self = weak_from_this(), run] {
      const auto that = self.lock();
      if (that && run == that->run_) that->tell_end();
    };
  }

  void tell_end() {
    ++run_;
    forget();
    if (!is_left_ && !is_loading_ && parts_.ended)
      parts_.ended(spec_.name, fmt::format(msg::kOllamaEnded, model_));
  }

  static Awaitable<void> ask_whether_loaded(std::shared_ptr<Impl> self, std::uint64_t run) {
    while (run == self->run_) {
      co_await self->parts_.loop.sleep(kAskPause);
      if (run != self->run_) co_return;
      auto row = co_await self->server_.loaded();
      if (run != self->run_) co_return;
      const bool is_away = !row && row.error().kind == ErrorKind::not_found;
      if (is_away || (row && !*row)) co_return self->tell_end();
    }
  }

  void forget() {
    ended_watch_.reset();
    ended_fd_ = UniqueFd();
    runner_.reset();
    is_ours_ = false;
  }

  Awaitable<Result<void>> put_down() {
    if (!is_ours_) co_return Result<void>();
    const std::uint64_t run = ++run_;  // this end is ours
    ended_watch_.reset();
    find_runner();
    const SteadyTime deadline = steady_now() + spec_.stop_limit;
    auto told = co_await server_.unload(known_.is_embedding_only);
    while (true) {
      auto row = co_await server_.loaded();
      // A server that is gone has nothing loaded; its runner is looked at all the same.
      const bool is_listed = row ? row->has_value() : row.error().kind != ErrorKind::not_found;
      if (!is_listed && !runner_lives()) break;
      if (steady_now() >= deadline) {
        if (run == run_ && !is_left_) watch_end();
        co_return not_unloaded(told);
      }
      (void)co_await changed_.wait(kLookPause);
    }
    forget();
    co_return Result<void>();
  }

  Result<void> not_unloaded(const Result<void>& told) const {
    if (!told) return told;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(spec_.stop_limit);
    return fail(ErrorKind::timed_out, fmt::format(msg::kOllamaNotUnloaded, model_, seconds.count()),
                std::string(msg::kOllamaNotUnloadedRemedy));
  }

  const ModelSpec spec_;
  const EngineParts parts_;
  const std::string model_;
  const Result<Url> url_;
  OllamaServer server_;
  net::Notice changed_;
  OllamaModel known_;
  Started started_;
  std::optional<Holder> runner_;
  UniqueFd ended_fd_;
  std::shared_ptr<void> ended_watch_;
  std::uint64_t run_ = 0;  // counts runs; what watches another one is over
  bool is_ours_ = false, is_loading_ = false, must_stop_ = false, is_left_ = false;
};

class OllamaEngine final : public Engine {
 public:
  OllamaEngine(const ModelSpec& spec, const EngineParts& parts)
      : impl_(std::make_shared<Impl>(spec, parts)) {}
  ~OllamaEngine() override { impl_->leave(); }

  Awaitable<Result<EngineFacts>> probe() override { return Impl::probe(impl_); }
  Awaitable<Result<Running>> load(LoadTerms, Started started) override {
    return Impl::load(impl_, std::move(started));
  }
  Awaitable<Result<void>> sleep() override { return cannot<void>(); }
  Awaitable<Result<Running>> wake(LoadTerms) override { return cannot<Running>(); }
  Awaitable<Result<void>> stop() override { return Impl::stop(impl_); }
  Awaitable<Result<Running>> adopt(std::string_view) override { return Impl::adopt(impl_); }
  std::string record() const override { return impl_->record(); }
  std::vector<pid_t> roots() const override { return impl_->roots(); }
  // The server's log is its own; its errors are in ours.
  std::vector<std::string> log_tail() const override { return {}; }

 private:
  template <class T>
  static Awaitable<Result<T>> cannot() {
    co_return fail(ErrorKind::refused, std::string(msg::kOllamaNoSleep));
  }
  std::shared_ptr<Impl> impl_;
};

}  // namespace

std::unique_ptr<Engine> make_ollama_engine(const ModelSpec& spec, const EngineParts& parts) {
  return std::make_unique<OllamaEngine>(spec, parts);
}

}  // namespace estiva::engines
