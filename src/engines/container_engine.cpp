#include "engines/container_engine.h"

#include <fmt/format.h>

#include "base/messages/container.h"
#include "base/messages/engines_container.h"
#include "container/api_text.h"
#include "container/commands.h"
#include "engines/answers.h"
#include "engines/container_run.h"
#include "host/process.h"

namespace estiva::engines {
namespace {

using container::Standing;
using net::Awaitable;
using Started = std::function<void(const Holder&)>;

// Between two questions whether it is ready: what a load loses by asking is a few milliseconds.
constexpr Nanoseconds kFirstPause = std::chrono::milliseconds(5);
constexpr Nanoseconds kLongestPause = std::chrono::milliseconds(100);
// While the engine can't be reached.
constexpr Nanoseconds kFirstRetry = std::chrono::milliseconds(200);
constexpr Nanoseconds kLongestRetry = std::chrono::seconds(10);
constexpr Nanoseconds kLogAge = std::chrono::seconds(1);

Result<void> can_be_loaded(const Standing& found) {
  switch (found.state) {
    case ContainerState::paused:
      return fail(ErrorKind::refused, fmt::format(msg::kContainerPaused, found.name),
                  fmt::format(msg::kContainerPausedRemedy, found.name));
    case ContainerState::dead:
      return fail(ErrorKind::refused, fmt::format(msg::kContainerDead, found.name),
                  fmt::format(msg::kContainerDeadRemedy, found.name));
    case ContainerState::removing:
      return fail(ErrorKind::not_found, fmt::format(msg::kContainerRemoving, found.name),
                  std::string(msg::kNoContainerRemedy));
    default:
      return {};
  }
}

// The image is what a footprint is learned of.
std::string version_of(const Standing& found) {
  constexpr std::size_t kShown = 12;
  std::string_view digest = found.image_id;
  if (digest.starts_with("sha256:")) digest.remove_prefix(7);
  return fmt::format("{} ({})", found.image, digest.substr(0, kShown));
}

class Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const ModelSpec& spec, const EngineParts& parts)
      : spec_(spec),
        parts_(parts),
        commands_(parts.loop, container::EngineSearch::of_this_process(parts.docker_host)),
        probe_(parts.loop, patience_of_a_probe()),
        changed_(parts.loop) {}

  // The engine is gone: nobody is to be told of anything, and `parts` may be gone too.
  void leave() {
    is_left_ = true;
    ++run_;
    commands_.cancel_waits();
    changed_.notify_all();
  }

  static Awaitable<Result<EngineFacts>> probe(std::shared_ptr<Impl> self) {
    auto found = co_await self->find();
    if (!found) co_return Failure(found.error());
    if (auto can = can_be_loaded(*found); !can) co_return Failure(can.error());
    EngineFacts facts;
    facts.version = version_of(*found);
    co_return facts;
  }

  // A paused one may be so for a reason: it is left to whoever paused it.
  static Awaitable<Result<std::string>> find_running(std::shared_ptr<Impl> self) {
    auto found = co_await self->find();
    if (!found) co_return Failure(found.error());
    if (found->state != ContainerState::running)
      co_return fail(ErrorKind::not_found, fmt::format(msg::kContainerNotUp, found->name));
    auto running = self->running_of(*found);
    if (!running) co_return Failure(running.error());
    if (!co_await self->is_ready(*found, *running))
      co_return fail(ErrorKind::timed_out, fmt::format(msg::kContainerNotReadyYet, found->name));
    co_return format_container_record({found->id, found->started_at});
  }

  static Awaitable<Result<Running>> load(std::shared_ptr<Impl> self, Started started) {
    self->is_loading_ = true;
    self->must_stop_ = false;
    auto running = co_await self->bring_up(std::move(started));
    co_return co_await self->end_loading(std::move(running));
  }

  static Awaitable<Result<Running>> adopt(std::shared_ptr<Impl> self, std::string record) {
    self->is_loading_ = true;
    self->must_stop_ = false;
    auto running = co_await self->take_up(std::move(record));
    co_return co_await self->end_loading(std::move(running));
  }

  static Awaitable<Result<void>> stop(std::shared_ptr<Impl> self) {
    self->must_stop_ = true;
    self->changed_.notify_all();
    while (self->is_loading_) (void)co_await self->changed_.wait();
    co_return co_await self->put_down();
  }

  std::string record() const {
    return id_.empty() ? std::string() : format_container_record({id_, started_at_});
  }
  std::vector<pid_t> roots() const {
    if (!holder_ || host::check_holder(parts_.root, *holder_, parts_.boot_id) == HolderState::dead)
      return {};
    return processes_beside(parts_.root, holder_->pid);
  }
  // What was asked for last; asks again for the next time.
  const std::vector<std::string>& log_tail() {
    if (!id_.empty() && !is_asking_log_ && steady_now() - log_at_ >= kLogAge)
      parts_.loop.spawn(ask_log(shared_from_this()));
    return log_;
  }

 private:
  using HolderState = host::HolderState;

  Awaitable<Result<Standing>> find() {
    if (spec_.container.empty()) {
      co_return fail(ErrorKind::usage, fmt::format(msg::kContainerUnnamed, spec_.name),
                     std::string(msg::kContainerUnnamedRemedy));
    }
    co_return co_await commands_.find(spec_.container);
  }

  Awaitable<Result<Running>> bring_up(Started started) {
    const SteadyTime deadline = steady_now() + spec_.load_limit;
    auto found = co_await find();
    if (!found) co_return Failure(found.error());
    if (auto can = can_be_loaded(*found); !can) co_return Failure(can.error());
    if (found->is_up()) {
      // What is wrong with the configuration is no reason to stop it.
      if (auto running = running_of(*found); !running) co_return Failure(running.error());
    }
    take(*found);
    co_await keep();
    if (must_stop_) co_return cancelled();
    // Also of one that waits for its restart policy.
    if (!found->is_up()) {
      const std::string before = found->started_at;
      auto ran = co_await commands_.start(found->id);
      if (!ran) co_return Failure(ran.error());
      found = co_await commands_.look(found->id);
      if (!found) co_return Failure(found.error());
      take(*found);
    }
    if (holder_ && started) started(*holder_);
    co_await keep();
    co_return co_await become_ready(std::move(*found), deadline);
  }

  Awaitable<Result<Running>> take_up(std::string text) {
    const auto record = parse_container_record(text);
    if (!record) co_return Failure(Error{ErrorKind::not_found, record.error().what, {}});
    const SteadyTime deadline = steady_now() + spec_.load_limit;
    auto found = co_await look_until(record->id, deadline);
    if (!found) co_return Failure(found.error());
    if (!found->is_up()) {
      if (found->state == ContainerState::restarting) take(*found);  // and stopped
      co_return fail(ErrorKind::not_found,
                     fmt::format(msg::kContainerEnded, found->name, end_of(found)));
    }
    if (found->state == ContainerState::paused) (void)co_await commands_.unpause(found->id);
    take(*found);
    if (started_at_ != record->started_at) co_await keep();
    co_return co_await become_ready(std::move(*found), deadline);
  }

  // An engine that is away may be starting, as we are. What it can't say is not taken for an end.
  Awaitable<Result<Standing>> look_until(std::string id, SteadyTime deadline) {
    while (true) {
      auto found = co_await commands_.look(id);
      if (found || is_engine_there(found.error()) || must_stop_ || is_left_) co_return found;
      if (steady_now() >= deadline)
        co_return Failure(Error{ErrorKind::failed, found.error().what, found.error().remedy});
      (void)co_await changed_.wait(kFirstRetry);
    }
  }

  // After an error nothing of it is left running.
  Awaitable<Result<Running>> end_loading(Result<Running> running) {
    if (running && must_stop_) running = cancelled();
    if (!running && !is_left_) (void)co_await put_down();
    is_loading_ = false;
    changed_.notify_all();
    co_return running;
  }

  // From here on this run is ours.
  void take(const Standing& found) {
    id_ = found.id;
    name_ = found.name;
    started_at_ = found.started_at;
    holder_ = holder_of(parts_.root, found, parts_.boot_id);
    ended_.clear();
  }
  void forget() {
    id_.clear();
    started_at_.clear();
    holder_.reset();
  }

  Awaitable<void> keep() {
    if (is_left_ || !parts_.keep) co_return;
    const auto done = std::make_shared<bool>(false);
    parts_.keep(spec_.name, record(), [self = weak_from_this(), done] {
      *done = true;
      if (const auto that = self.lock()) that->changed_.notify_all();
    });
    while (!*done && !is_left_) (void)co_await changed_.wait();
  }

  Awaitable<Result<Running>> become_ready(Standing found, SteadyTime deadline) {
    parts_.loop.spawn(watch(shared_from_this(), ++run_));
    Nanoseconds pause = kFirstPause;
    auto running = running_of(found);
    if (!running) co_return Failure(running.error());
    while (true) {
      if (must_stop_ || is_left_) co_return cancelled();
      if (!ended_.empty()) co_return ended_early();
      if (co_await is_ready(found, *running)) co_return std::move(*running);
      if (steady_now() >= deadline) break;
      (void)co_await changed_.wait(pause);
      pause = std::min(pause + pause / 4, kLongestPause);
    }
    co_await ask_log(shared_from_this());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(spec_.load_limit);
    co_return fail(ErrorKind::timed_out,
                   fmt::format(msg::kContainerNotReady, name_, seconds.count()) + last_words(),
                   std::string(msg::kContainerNotReadyRemedy));
  }

  Result<Url> url_of(const Standing& found, const std::string& text) const {
    if (text.find("${PORT}") == text.npos) return parse_url(text);
    if (found.ports.size() != 1)
      return fail(ErrorKind::usage, fmt::format(msg::kContainerNoPortVariable, found.name),
                  std::string(msg::kContainerUrlRemedy));
    return parse_url(with_port(text, found.ports[0].outside.port));
  }

  Result<Running> running_of(const Standing& found) const {
    Running running;
    running.holder = holder_;
    if (spec_.url.empty()) {
      auto address = container::address_of(found);
      if (!address) return Failure(address.error());
      running.endpoint = std::move(*address);
    } else {
      auto url = url_of(found, spec_.url);
      if (!url) return Failure(url.error());
      running.endpoint = std::move(url->endpoint);
      if (url->path != "/") running.path_prefix = std::move(url->path);
    }
    if (spec_.ready.empty()) return running;
    if (auto ready = url_of(found, spec_.ready); !ready) return Failure(ready.error());
    return running;
  }

  // As the spec says; else as its own health check says; else once it answers in HTTP. A connection
  // alone says nothing: Docker's proxy takes those of a published port before anybody listens.
  Awaitable<bool> is_ready(const Standing& found, const Running& running) {
    if (!spec_.ready.empty())
      co_return co_await answers(probe_, *url_of(found, spec_.ready), false);
    if (!found.health.empty()) {
      auto now = co_await commands_.look(found.id);
      co_return now && now->health == "healthy";
    }
    Url url{running.endpoint, running.path_prefix};
    co_return co_await answers(probe_, std::move(url), true);
  }

  static Failure cancelled() {
    return fail(ErrorKind::refused, std::string(msg::kContainerStopped));
  }
  Failure ended_early() const {
    const auto kind = line_of_gpu_memory(log_) != nullptr ? ErrorKind::no_room : ErrorKind::failed;
    return fail(kind, fmt::format(msg::kContainerEndedEarly, name_, ended_, last_words()));
  }
  std::string last_words() const {
    if (log_.empty()) return {};
    const std::string* reason = line_of_gpu_memory(log_);
    return fmt::format(msg::kContainerLastWords, reason != nullptr ? *reason : log_.back());
  }

  // Until this run has ended by itself, or is none of ours any more.
  static Awaitable<void> watch(std::shared_ptr<Impl> self, std::uint64_t run) {
    Nanoseconds retry = kFirstRetry;
    while (run == self->run_) {
      (void)co_await self->commands_.wait(self->id_);
      if (run != self->run_) co_return;
      auto seen = co_await self->commands_.look(self->id_);
      if (run != self->run_) co_return;
      if (self->has_ended(seen)) {
        co_await self->tell_end(run, std::move(seen));
        co_return;
      }
      // The engine is away, or was for a moment.
      co_await self->parts_.loop.sleep(retry);
      retry = std::min(retry * 2, kLongestRetry);
    }
  }

  bool has_ended(const Result<Standing>& seen) const {
    if (seen) return !seen->is_up() || seen->started_at != started_at_;
    if (seen.error().kind == ErrorKind::not_found && is_engine_there(seen.error())) return true;
    return holder_ &&
           host::check_holder(parts_.root, *holder_, parts_.boot_id) == HolderState::dead;
  }
  // Both "no such container" and "nobody listens" are not_found.
  static bool is_engine_there(const Error& error) {
    return error.remedy == msg::kNoContainerRemedy;
  }

  Awaitable<void> tell_end(std::uint64_t run, Result<Standing> seen) {
    co_await ask_log(shared_from_this());
    if (run != run_) co_return;
    if (is_loading_) {
      ended_ = end_of(seen);
      changed_.notify_all();
      co_return;
    }
    std::string why = fmt::format(msg::kContainerEnded, name_, end_of(seen)) + last_words();
    if (seen && (seen->restarts > 0 || seen->state == ContainerState::restarting)) {
      // It would come back beside models that were promised its bytes.
      why = fmt::format(msg::kContainerPolicy, name_);
      (void)co_await put_down();
    } else if (seen && seen->is_up()) {
      why = fmt::format(msg::kContainerRestarted, name_);
    }
    forget();
    ++run_;
    if (!is_left_ && parts_.ended) parts_.ended(spec_.name, std::move(why));
  }

  static Awaitable<void> ask_log(std::shared_ptr<Impl> self) {
    if (self->id_.empty()) co_return;
    self->is_asking_log_ = true;
    auto lines = co_await self->commands_.log(self->id_, kLogLines,
                                              container::parse_time(self->started_at_));
    self->is_asking_log_ = false;
    self->log_at_ = steady_now();
    if (lines) self->log_ = std::move(*lines);
  }

  Awaitable<Result<void>> put_down() {
    if (id_.empty()) co_return Result<void>();
    const std::string id = id_;
    ++run_;  // this end is ours
    commands_.cancel_waits();
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(spec_.stop_limit);
    auto stopped = co_await commands_.stop(id, seconds);
    auto seen = co_await commands_.look(id);
    const bool is_gone = !seen && is_engine_there(seen.error());
    if (is_gone || (seen && !seen->is_up() && seen->state != ContainerState::restarting)) {
      forget();
      co_return Result<void>();
    }
    if (!is_left_) parts_.loop.spawn(watch(shared_from_this(), run_));
    if (!stopped) co_return stopped;
    if (!seen) co_return Failure(seen.error());
    co_return fail(fmt::format(msg::kContainerStillUp, name_));
  }

  const ModelSpec spec_;
  const EngineParts parts_;
  container::Commands commands_;
  net::Client probe_;
  net::Notice changed_;
  // The run that is ours; empty and none: there is no such.
  std::string id_, name_, started_at_;
  std::optional<Holder> holder_;
  std::uint64_t run_ = 0;  // counts runs; a watch of another one is over
  std::string ended_;      // how it ended while it was loaded; empty: it has not
  bool is_loading_ = false, must_stop_ = false, is_left_ = false, is_asking_log_ = false;
  std::vector<std::string> log_;
  SteadyTime log_at_;
};

class ContainerEngine final : public Engine {
 public:
  ContainerEngine(const ModelSpec& spec, const EngineParts& parts)
      : impl_(std::make_shared<Impl>(spec, parts)) {}
  ~ContainerEngine() override { impl_->leave(); }

  Awaitable<Result<EngineFacts>> probe() override { return Impl::probe(impl_); }
  Awaitable<Result<Running>> load(LoadTerms, Started started) override {
    return Impl::load(impl_, std::move(started));
  }
  Awaitable<Result<void>> sleep() override { return cannot<void>(); }
  Awaitable<Result<Running>> wake(LoadTerms) override { return cannot<Running>(); }
  Awaitable<Result<void>> stop() override { return Impl::stop(impl_); }
  Awaitable<Result<std::string>> find_running() override { return Impl::find_running(impl_); }
  Awaitable<Result<Running>> adopt(std::string_view record) override {
    return Impl::adopt(impl_, std::string(record));
  }
  std::string record() const override { return impl_->record(); }
  std::vector<pid_t> roots() const override { return impl_->roots(); }
  std::vector<std::string> log_tail() const override { return impl_->log_tail(); }

 private:
  template <class T>
  static Awaitable<Result<T>> cannot() {
    co_return fail(ErrorKind::refused, std::string(msg::kContainerNoSleep));
  }
  std::shared_ptr<Impl> impl_;
};

}  // namespace

std::unique_ptr<Engine> make_container_engine(const ModelSpec& spec, const EngineParts& parts) {
  return std::make_unique<ContainerEngine>(spec, parts);
}

}  // namespace estiva::engines
