// From a spec to a program that can work: ProgramLife's start.
#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

#include "base/messages/engines.h"
#include "engines/last_words.h"
#include "engines/program_life.h"
#include "net/socket.h"

extern char** environ;

namespace estiva::engines {
namespace {

// Between two questions whether it is ready: a fiftieth of what it has taken so far, so that the
// answer comes at most 2 % late.
constexpr Nanoseconds kShortestPause = std::chrono::milliseconds(2);
constexpr Nanoseconds kLongestPause = std::chrono::milliseconds(250);
constexpr std::string_view kOwnUrl = "http://127.0.0.1:${PORT}";

Nanoseconds pause_after(Nanoseconds taken) {
  return std::clamp(taken / 50, kShortestPause, kLongestPause);
}

}  // namespace

Result<Launch> ProgramLife::prepare() const {
  auto words = kind_.command(spec_);
  if (words.empty() || words[0].empty()) {
    return fail(ErrorKind::usage, fmt::format(msg::kNoCommand, spec_.name),
                fmt::format(msg::kNoCommandHow, spec_.name));
  }
  auto program = find_program(spec_, words[0]);
  if (!program) return Failure(program.error());
  words[0] = std::move(*program);
  const auto is_there = [](const std::string& path) { return ::access(path.c_str(), R_OK) == 0; };
  if (!spec_.file.empty() && !is_there(spec_.file)) {
    return fail(ErrorKind::not_found, fmt::format(msg::kNoModelFile, spec_.name, spec_.file),
                fmt::format(msg::kNoModelFileHow, spec_.name));
  }
  auto launch = parts_.launcher.empty() ? as_user(spec_, std::move(words))
                                        : as_user_apart(spec_, std::move(words));
  if (launch && !is_there(launch->directory)) {
    return fail(ErrorKind::not_found,
                fmt::format(msg::kEngineNoFolder, spec_.name, launch->directory),
                fmt::format(msg::kEngineNoFolderHow, spec_.name));
  }
  return launch;
}

Result<void> ProgramLife::choose_address() {
  const auto fixed = spec_.url.empty() ? port_in(spec_.command) : std::nullopt;
  const auto port = fixed ? Result<std::uint16_t>(*fixed) : choose_port(spec_.name, is_port_free);
  if (!port) return Failure(port.error());
  record_.url = with_port(spec_.url.empty() ? kOwnUrl : spec_.url, *port);
  auto url = parse_url(record_.url);
  if (!url) return Failure(url.error());
  url_ = std::move(*url);
  record_.ready = with_port(spec_.ready, *port);
  if (spec_.ready.empty() && !kind_.ready_path.empty())
    record_.ready = record_.url + std::string(kind_.ready_path);
  upstream_.set(url_.endpoint);
  if (!accepts(url_.endpoint)) return {};
  const auto number = url_.endpoint.port;
  return fail(ErrorKind::refused,
              fmt::format(msg::kPortTaken, spec_.name, number, net::port_holder(number)),
              std::string(msg::kPortTakenHow));
}

// Its words and variables, with the port that was chosen.
Result<Launch> ProgramLife::dress(const LoadTerms& terms, const std::string& mark) {
  auto launch = prepare();
  if (!launch) return launch;
  if (auto chosen = choose_address(); !chosen) return Failure(chosen.error());
  const auto port = url_.endpoint.port;
  launch->words.insert(launch->words.end(), terms.options.begin(), terms.options.end());
  for (std::string& word : launch->words) word = with_port(word, port);
  std::vector<std::string> further = std::move(launch->environment);
  further.insert(further.end(), kind_.environment.begin(), kind_.environment.end());
  for (const std::string& variable : spec_.environment)
    further.push_back(with_port(variable, port));
  for (std::string& variable : marks_of(spec_, terms, mark)) further.push_back(std::move(variable));
  launch->environment = engine_environment(environ, further);
  return launch;
}

net::Awaitable<Result<void>> ProgramLife::hold(const LoadTerms& terms) {
  auto mark = new_mark();
  if (!mark) co_return Failure(mark.error());
  auto launch = dress(terms, *mark);
  if (!launch) co_return Failure(launch.error());
  auto output = log_.open();
  if (!output) co_return Failure(output.error());
  log_.watch();
  if (parts_.launcher.empty())
    co_return process_.hold(*launch, spec_.name, std::move(*mark), *output);
  LaunchRequest request;
  request.model = spec_.name;
  request.mark = std::move(*mark);
  request.user = spec_.user;
  request.words = std::move(launch->words);
  request.environment = std::move(launch->environment);
  request.directory = std::move(launch->directory);
  request.port = url_.endpoint.port;
  co_return co_await process_.hold_apart(std::move(request), std::move(*output));
}

net::Awaitable<Result<Running>> ProgramLife::start(LoadTerms terms, Started started) {
  if (auto held = co_await hold(terms); !held) co_return Failure(held.error());
  process_.on_end([this] { ended_by_itself(); });
  co_await keep();
  if (auto alive = check_alive(); !alive) co_return Failure(alive.error());
  if (started) started(process_.tree().leader);
  process_.let_go();
  co_return co_await ready();
}

// Returns once the record is durable, or nobody wants the engine any more.
net::Awaitable<void> ProgramLife::keep() {
  if (!parts_.keep) co_return;
  const auto is_kept = std::make_shared<bool>(false);
  parts_.keep(spec_.name, record(), [is_kept, weak = weak_from_this()] {
    *is_kept = true;
    if (const auto self = weak.lock()) self->process_.wake();
  });
  while (!*is_kept && check_alive()) co_await process_.wait(Nanoseconds::max());
}

net::Awaitable<Result<Running>> ProgramLife::ready() {
  const SteadyTime begun = steady_now();
  for (;;) {
    if (auto alive = check_alive(); !alive) co_return Failure(alive.error());
    const std::string why = co_await upstream_.why_not_ready(record_.ready);
    if (auto alive = check_alive(); !alive) co_return Failure(alive.error());
    if (why.empty()) {
      if (auto own = check_listener(); !own) co_return Failure(own.error());
      co_return running();
    }
    const Nanoseconds taken = steady_now() - begun;
    if (taken >= spec_.load_limit) co_return Failure(never_ready(why));
    co_await process_.wait(std::min(pause_after(taken), spec_.load_limit - taken));
  }
}

Result<void> ProgramLife::check_alive() const {
  if (is_cancelled_) {
    return fail(ErrorKind::refused, fmt::format(msg::kLoadCancelled, spec_.name),
                std::string(msg::kLoadCancelledHow));
  }
  if (process_.has_ended()) return Failure(ended_early());
  return {};
}

Result<void> ProgramLife::check_listener() const {
  if (url_.endpoint.kind != net::Endpoint::Kind::tcp || !net::is_loopback(url_.endpoint)) return {};
  const auto port = url_.endpoint.port;
  const auto is_own = is_listener(parts_.root, process_.members(), port);
  if (is_own.value_or(true)) return {};
  return fail(fmt::format(msg::kNotItsPort, port, net::port_holder(port), spec_.name, said()),
              std::string(msg::kPortTakenHow));
}

Error ProgramLife::ended_early() const {
  const auto how = process_.how_it_ended();
  if (says_out_of_memory(log_.tail(kLogLines))) {
    return {ErrorKind::no_room, fmt::format(msg::kNoGpuMemory, spec_.name, how, said()),
            fmt::format(msg::kNoGpuMemoryHow, spec_.name, log_.path())};
  }
  return {ErrorKind::failed, fmt::format(msg::kExitedEarly, spec_.name, how, said()),
          fmt::format(msg::kEngineLogHow, log_.path())};
}

Error ProgramLife::never_ready(const std::string& why) const {
  const auto limit = std::chrono::duration<double>(spec_.load_limit).count();
  const bool no_memory = says_out_of_memory(log_.tail(kLogLines));
  return {no_memory ? ErrorKind::no_room : ErrorKind::timed_out,
          fmt::format(msg::kNeverReady, spec_.name, limit, why, said()),
          fmt::format(msg::kNeverReadyHow, spec_.name, log_.path())};
}

}  // namespace estiva::engines
