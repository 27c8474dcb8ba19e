#include "container/engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "base/messages/container.h"
#include "container/engine_json.h"
#include "net/client.h"

namespace estiva::container {
namespace {

using net::Awaitable;

// What we were written for; an older engine is spoken with in its own version. 1.24 is the first
// with all that is used (Docker 1.12 of 2016).
constexpr std::string_view kOurApi = "1.47", kOldestApi = "1.24";
constexpr std::size_t kLongestLine = 1 << 20;
// A list that takes long to make is asked for less often: for a tenth of the engine's time at most.
constexpr int kRestShare = 9;
// While an engine restarts its socket is away: another engine's is not taken for it.
constexpr Nanoseconds kSameEngine = std::chrono::seconds(60);

// Without those of exec: each health check makes three. As a filter of the API, percent-encoded.
constexpr std::string_view kDockerEvents =
    "%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22create%22%2C%22destroy%22%2C"
    "%22die%22%2C%22health_status%22%2C%22pause%22%2C%22rename%22%2C%22restart%22%2C%22start%22%2C"
    "%22unpause%22%2C%22update%22%5D%7D";
// Podman has other names for some.
constexpr std::string_view kAllEvents = "%7B%22type%22%3A%5B%22container%22%5D%7D";

net::ClientLimits limits_of(const EngineLimits& limits, bool endless) {
  net::ClientLimits client;
  client.response_time = limits.response_time;
  client.idle_time = endless ? std::chrono::hours(24 * 365) : limits.response_time;
  return client;
}

}  // namespace

class Engine::Impl : public std::enable_shared_from_this<Engine::Impl> {
 public:
  Impl(net::Loop& loop, EngineSearch search, std::function<void()> changed, EngineLimits limits)
      : loop_(loop),
        search_(std::move(search)),
        changed_(std::move(changed)),
        limits_(limits),
        client_(loop, limits_of(limits, false)),
        listener_(loop, limits_of(limits, true)),
        dirtied_(loop) {
    status_.state = EngineState::connecting;
  }

  void start() { loop_.spawn(run(shared_from_this())); }
  void stop() {
    changed_ = nullptr;
    end_session();
  }
  const EngineStatus& status() const { return status_; }
  Containers containers() const { return containers_; }

 private:
  bool is_stopped() const { return changed_ == nullptr; }

  static Awaitable<void> run(std::shared_ptr<Impl> self) {
    Nanoseconds wait = self->limits_.first_wait;
    while (!self->is_stopped()) {
      if (co_await self->session()) wait = self->limits_.first_wait;
      self->end_session();
      if (self->is_stopped()) co_return;
      co_await self->loop_.sleep(wait);
      wait = std::min(wait * 2, self->limits_.longest_wait);
    }
  }

  void end_session() {
    ++session_;
    if (events_) events_->cancel();
    events_.reset();
    dirtied_.notify_all();
  }

  // One connection, from its beginning to its end. True: the engine was ready in it.
  Awaitable<bool> session() {
    auto address = where_to();
    if (!address) {
      set(EngineState::unsupported, address.error());
      co_return false;
    }
    endpoint_ = address->endpoint;
    next_.address = net::to_text(endpoint_);
    auto opened = co_await open_events();
    if (!opened) {
      set_from(opened.error());
      co_return false;
    }
    // Asked after the stream is open: nothing falls between the two.
    if (auto listed = co_await refresh(); !listed) {
      set_from(listed.error());
      co_return false;
    }
    set(EngineState::ready, {});
    last_good_ = *address;
    loop_.spawn(keep_fresh(shared_from_this(), session_));
    const Error ended = co_await listen();
    lost_at_ = steady_now();
    set_from(ended);
    co_return true;
  }

  Result<EngineAddress> where_to() const {
    auto address = find_engine(search_);
    if (address && last_good_ && address->chosen_by == last_good_->chosen_by &&
        steady_now() - lost_at_ < kSameEngine) {
      return *last_good_;
    }
    return address;
  }

  Awaitable<Result<void>> open_events() {
    auto answer = co_await ask("/version");
    if (!answer) co_return Failure(answer.error());
    auto version = parse_version(*answer);
    if (!version) co_return Failure(version.error());
    if (is_older(version->api_version, kOldestApi)) {
      co_return fail(ErrorKind::usage,
                     fmt::format(msg::kEngineTooOld, version->api_version, kOldestApi),
                     std::string(msg::kEngineUpdateRemedy));
    }
    if (is_older(kOurApi, version->min_api_version)) {
      co_return fail(ErrorKind::usage,
                     fmt::format(msg::kEngineTooNew, version->min_api_version, kOurApi),
                     std::string(msg::kEngineUpdateRemedy));
    }
    next_.name = version->name;
    next_.version = version->version;
    const bool theirs = is_older(version->api_version, kOurApi);
    prefix_ = fmt::format("/v{}", theirs ? version->api_version : std::string(kOurApi));
    const auto filter = version->name == "Docker" ? kDockerEvents : kAllEvents;
    net::ClientRequest request;
    request.target = fmt::format("{}/events?filters={}", prefix_, filter);
    auto call = co_await listener_.open(endpoint_, std::move(request));
    if (!call) co_return Failure(call.error());
    const std::shared_ptr<net::Call> events = std::move(*call);
    events_ = events;
    auto head = co_await events->response();
    if (!head) co_return Failure(head.error());
    if ((*head)->status != 200) {
      co_return fail(fmt::format(msg::kEngineStatus, "/events", (*head)->status));
    }
    co_return Result<void>();
  }

  // A whole answer with status 200.
  Awaitable<Result<std::string>> ask(std::string target) {
    net::ClientRequest request;
    request.target = target;
    auto answer = co_await client_.send(endpoint_, std::move(request));
    if (!answer) co_return Failure(answer.error());
    if (answer->head.status != 200) {
      co_return fail(fmt::format(msg::kEngineStatus, target, answer->head.status));
    }
    co_return std::move(answer->body);
  }

  Awaitable<Result<void>> refresh() {
    auto answer = co_await ask(prefix_ + "/containers/json?all=1");
    if (!answer) co_return Failure(answer.error());
    auto parsed = parse_containers(*answer);
    if (!parsed) co_return Failure(parsed.error());
    if (*parsed == *containers_) co_return Result<void>();
    containers_ = std::make_shared<const std::vector<Container>>(std::move(*parsed));
    if (changed_) changed_();
    co_return Result<void>();
  }

  // Until the stream ends or makes no sense; says why.
  Awaitable<Error> listen() {
    const std::shared_ptr<net::Call> events = events_;
    std::string rest;
    while (!is_stopped()) {
      auto piece = co_await events->read_some();
      if (!piece) co_return piece.error();
      if (piece->empty()) break;
      rest.append(*piece);
      std::size_t from = 0;
      for (std::size_t end = 0; (end = rest.find('\n', from)) != rest.npos; from = end + 1) {
        if (parse_event(std::string_view(rest).substr(from, end - from))) dirty();
      }
      rest.erase(0, from);
      if (rest.size() > kLongestLine) {
        co_return Error{ErrorKind::failed, std::string(msg::kEngineLongLine), {}};
      }
    }
    co_return Error{ErrorKind::failed, "it closed the connection", {}};
  }

  void dirty() {
    is_dirty_ = true;
    dirtied_.notify_all();
  }

  static Awaitable<void> keep_fresh(std::shared_ptr<Impl> self, std::uint64_t session) {
    while (true) {
      if (!self->is_dirty_) (void)co_await self->dirtied_.wait(self->limits_.check);
      if (session != self->session_) co_return;
      co_await self->loop_.sleep(self->limits_.settle);
      if (session != self->session_) co_return;
      self->is_dirty_ = false;
      const SteadyTime begun = steady_now();
      auto listed = co_await self->refresh();
      if (session != self->session_) co_return;
      if (!listed) {
        self->events_->cancel();  // which ends the session
        co_return;
      }
      co_await self->loop_.sleep((steady_now() - begun) * kRestShare);
      if (session != self->session_) co_return;
    }
  }

  // Which state an error of the connection stands for.
  void set_from(const Error& error) {
    Error said = error;
    EngineState state = EngineState::unreachable;
    // A socket that nobody listens on is left behind by an engine that crashed.
    const bool is_there = endpoint_.kind == net::Endpoint::Kind::unix_socket &&
                          ::access(endpoint_.path.c_str(), F_OK) == 0;
    if (error.kind == ErrorKind::not_found && !is_there) {
      state = EngineState::absent;
      said.what = fmt::format(msg::kEngineAbsent, next_.address);
      said.remedy = msg::kEngineAbsentRemedy;
    } else if (error.kind == ErrorKind::denied) {
      state = EngineState::denied;
      said.what = fmt::format(msg::kEngineDenied, next_.address);
      said.remedy = msg::kEngineDeniedRemedy;
    } else if (error.kind == ErrorKind::usage) {
      state = EngineState::unsupported;
    } else {
      said.what = fmt::format(msg::kEngineSilent, next_.address, error.what);
      said.remedy = msg::kEngineSilentRemedy;
    }
    set(state, said);
  }

  void set(EngineState state, const Error& error) {
    next_.state = state;
    next_.reason = error.what;
    next_.remedy = error.remedy;
    if (next_ == status_) return;
    if (state != status_.state) {
      const bool is_trouble = state != EngineState::ready && state != EngineState::absent;
      log(is_trouble ? LogLevel::warning : LogLevel::info, "container engine",
          {{"state", to_name(state)},
           {"address", next_.address},
           {"name", next_.name},
           {"version", next_.version},
           {"reason", next_.reason}});
    }
    status_ = next_;
    if (changed_) changed_();
  }

  net::Loop& loop_;
  EngineSearch search_;
  std::function<void()> changed_;  // null: stopped
  EngineLimits limits_;
  net::Client client_, listener_;
  net::Notice dirtied_;
  EngineStatus status_, next_;
  net::Endpoint endpoint_;
  std::string prefix_;  // "/v1.41"
  std::shared_ptr<net::Call> events_;
  std::uint64_t session_ = 0;  // counts connections
  bool is_dirty_ = false;
  std::optional<EngineAddress> last_good_;
  SteadyTime lost_at_;
  Containers containers_ = std::make_shared<const std::vector<Container>>();
};

Engine::Engine(net::Loop& loop, EngineSearch search, std::function<void()> changed,
               EngineLimits limits)
    : impl_(std::make_shared<Impl>(loop, std::move(search), std::move(changed), limits)) {}
Engine::~Engine() {
  impl_->stop();
}
void Engine::start() {
  impl_->start();
}
const EngineStatus& Engine::status() const {
  return impl_->status();
}
Containers Engine::containers() const {
  return impl_->containers();
}

}  // namespace estiva::container
