// The life of one program engine, from its start (program_start.cpp) through its sleep
// (program_sleep.cpp) to its end; program_engine.cpp is the door to it.
// Each coroutine keeps the life alive, so that an engine may be destroyed under it.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "engines/engine.h"
#include "engines/engine_log.h"
#include "engines/engine_record.h"
#include "engines/own_process.h"
#include "engines/program_kind.h"
#include "engines/upstream.h"

namespace estiva::engines {

class ProgramLife : public std::enable_shared_from_this<ProgramLife> {
 public:
  using Started = std::function<void(const Holder&)>;

  ProgramLife(const ModelSpec& spec, const EngineParts& parts, const ProgramKind& kind);

  const ModelSpec& spec() const { return spec_; }
  const EngineLog& log() const { return log_; }
  const OwnProcess& process() const { return process_; }
  bool is_there() const { return process_.tree().leader.pid != 0; }
  std::string record() const;

  // What can be checked without a start: the program, its user, folder and file. A list of its
  // words, the program's path first.
  Result<Launch> prepare() const;

  net::Awaitable<Result<Running>> load(LoadTerms terms, Started started);
  net::Awaitable<Result<Running>> adopt(std::string record);
  net::Awaitable<Result<void>> stop();
  net::Awaitable<Result<void>> sleep();
  net::Awaitable<Result<Running>> wake();

 private:
  Result<void> choose_address();
  Result<Launch> dress(const LoadTerms& terms, const std::string& mark);
  net::Awaitable<Result<void>> hold(const LoadTerms& terms);
  net::Awaitable<Result<Running>> start(LoadTerms terms, Started started);
  net::Awaitable<void> keep();
  net::Awaitable<Result<Running>> ready();
  Result<void> check_alive() const;
  Result<void> check_listener() const;
  Error ended_early() const;
  Error never_ready(const std::string& why) const;
  Error not_awake(const Error& why) const;
  net::Awaitable<Result<void>> end(Nanoseconds patience);
  void ended_by_itself();
  net::Awaitable<Result<Running>> settle(Result<Running> outcome);
  net::Awaitable<void> ask_sleep();
  Running running() const;
  std::string said() const;

  const ModelSpec spec_;
  const EngineParts parts_;
  const ProgramKind& kind_;
  EngineLog log_;
  OwnProcess process_;
  Upstream upstream_;
  EngineRecord record_;  // but for its tree, which is the process's
  Url url_;
  bool is_busy_ = false;       // between load() or adopt() and its answer
  bool is_cancelled_ = false;  // by stop()
};

}  // namespace estiva::engines
