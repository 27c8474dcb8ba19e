#include "engines/program_life.h"

#include <fmt/format.h>

#include "base/messages/engines.h"
#include "engines/last_words.h"

namespace estiva::engines {

ProgramLife::ProgramLife(const ModelSpec& spec, const EngineParts& parts, const ProgramKind& kind)
    : spec_(spec),
      parts_(parts),
      kind_(kind),
      log_(parts.loop, parts.state_dir, spec.name),
      process_(parts.loop, parts.root, parts.boot_id, parts.launcher),
      upstream_(parts.loop) {}

net::Awaitable<Result<Running>> ProgramLife::load(LoadTerms terms, Started started) {
  const auto self = shared_from_this();
  if (is_busy_ || is_there()) {
    co_return fail(ErrorKind::refused, fmt::format(msg::kAlreadyLoaded, spec_.name),
                   std::string(msg::kAlreadyLoadedHow));
  }
  is_busy_ = true;
  is_cancelled_ = false;
  record_ = {};
  auto outcome = co_await start(std::move(terms), std::move(started));
  co_return co_await settle(std::move(outcome));
}

net::Awaitable<Result<Running>> ProgramLife::adopt(std::string text) {
  const auto self = shared_from_this();
  auto record = parse_engine_record(text);
  auto url = record ? parse_url(record->url) : Result<Url>(Failure(record.error()));
  if (!url) {
    co_return fail(ErrorKind::not_found,
                   fmt::format(msg::kBadEngineRecord, spec_.name, url.error().what),
                   std::string(msg::kNotThereHow));
  }
  is_busy_ = true;
  is_cancelled_ = false;
  record_ = std::move(*record);
  url_ = std::move(*url);
  upstream_.set(url_.endpoint);
  const auto adopted = process_.adopt(std::move(record_.tree));
  if (!adopted) {
    Result<Running> gone = fail(ErrorKind::not_found, fmt::format(msg::kNotThere, spec_.name),
                                std::string(msg::kNotThereHow));
    gone = co_await settle(std::move(gone));
    co_return gone;
  }
  process_.on_end([this] { ended_by_itself(); });
  log_.watch();
  auto outcome = co_await ready();
  // One that was still held when its daemon died ends within moments.
  if (!outcome && process_.has_ended() && !is_cancelled_)
    outcome = Failure(Error{ErrorKind::not_found, outcome.error().what, outcome.error().remedy});
  if (outcome) co_await ask_sleep();
  if (outcome) outcome = running();
  co_return co_await settle(std::move(outcome));
}

// After an error nothing is left; what can't be ended is the error then.
net::Awaitable<Result<Running>> ProgramLife::settle(Result<Running> outcome) {
  if (!outcome && is_there()) {
    const auto ended = co_await end(is_cancelled_ ? spec_.stop_limit : Nanoseconds::zero());
    if (!ended) outcome = Failure(ended.error());
  }
  is_busy_ = false;
  co_return outcome;
}

net::Awaitable<Result<void>> ProgramLife::stop() {
  const auto self = shared_from_this();
  is_cancelled_ = true;
  process_.wake();
  co_return co_await end(spec_.stop_limit);
}

net::Awaitable<Result<void>> ProgramLife::end(Nanoseconds patience) {
  if (!is_there()) co_return Result<void>();
  auto ended = co_await process_.end(spec_.name, patience);
  if (ended && !is_there() && parts_.keep) parts_.keep(spec_.name, "", [] {});
  co_return ended;
}

void ProgramLife::ended_by_itself() {
  if (is_busy_) return;  // load() tells it
  parts_.loop.spawn([](std::shared_ptr<ProgramLife> self) -> net::Awaitable<void> {
    const auto why = fmt::format(msg::kEndedByItself, self->spec_.name,
                                 self->process_.how_it_ended(), self->said());
    const auto ended = co_await self->end(Nanoseconds::zero());
    if (self->parts_.ended)
      self->parts_.ended(self->spec_.name, ended ? why : why + "; " + ended.error().what);
  }(shared_from_this()));
}

Running ProgramLife::running() const {
  Running running;
  running.endpoint = url_.endpoint;
  if (url_.path != "/") running.path_prefix = url_.path;
  running.holder = process_.tree().leader;
  running.is_asleep = record_.sleep_level != 0;
  return running;
}

std::string ProgramLife::record() const {
  if (!is_there()) return {};
  EngineRecord record = record_;
  record.tree = process_.tree();
  return to_text(record);
}

std::string ProgramLife::said() const {
  return last_words(log_.tail(kLogLines));
}

}  // namespace estiva::engines
