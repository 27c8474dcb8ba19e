// One model's engine: started, watched, put to sleep, stopped. Each kind is one file and one row in
// make_engine(). An engine never says that bytes are free; it says which processes it is, and the
// ledger sees what they hold.
//
// Loop thread only; nothing blocks. An engine that is destroyed leaves its model as it is: a model
// outlives the daemon, and is adopted by the next one from its record.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/error.h"
#include "host/files.h"
#include "model/lease.h"
#include "model/model_spec.h"
#include "net/address.h"
#include "net/loop.h"

namespace estiva::engines {

// What an engine can do and what it says of itself before anything is loaded.
struct EngineFacts {
  std::string version;            // empty: it does not say
  std::optional<Bytes> estimate;  // of VRAM, from the model's file or the engine's own words
  std::string estimate_source;    // "GGUF", "ollama show"; a person reads it
  bool can_sleep = false;
  bool can_checkpoint = false;
};

struct Running {
  net::Endpoint endpoint;        // where requests go
  std::string path_prefix;       // put before the path of raw requests; mostly empty
  std::optional<Holder> holder;  // the process that its lease lives with
  std::string bearer;            // sent to it with each request; mostly empty
  bool is_asleep = false;        // adopted so; wake() before requests
};

struct LoadTerms {
  std::vector<std::string> gpus;  // UUIDs that the lease is on: CUDA_VISIBLE_DEVICES
  Bytes each;                     // leased on each
  std::string lease;
  std::vector<std::string> options;  // put behind the words of a program's command
};

class Engine {
 public:
  virtual ~Engine() = default;

  // Asks what there is; never starts anything. Errors: the reason why it could not be loaded now
  // (no such program, no such container, nobody answers), with what to do.
  virtual net::Awaitable<Result<EngineFacts>> probe() = 0;

  // Starts it and returns once it can work (or the spec's load_limit is over: timed_out). `started`
  // is called as soon as there is a process, before it can touch a GPU: the lease is bound to it.
  // Errors: failed with the last lines of its log; no_room where it says that GPU memory ran out;
  // cancelled by stop(): refused. After an error nothing of it is left running.
  virtual net::Awaitable<Result<Running>> load(LoadTerms terms,
                                               std::function<void(const Holder&)> started) = 0;
  // Weights to RAM, or back. Only where facts say so. Errors leave it as it was, or ended.
  virtual net::Awaitable<Result<void>> sleep() = 0;
  virtual net::Awaitable<Result<Running>> wake(LoadTerms terms) = 0;
  // Ends it: politely, then after the spec's stop_limit by force, with all that it started. Also
  // ends a load() under way. Success: none of its processes is left. Idempotent.
  virtual net::Awaitable<Result<void>> stop() = 0;

  // What serves this model already although nobody loaded it here, as a record for adopt(). Never
  // starts or stops anything. Errors: not_found: nothing does; timed_out: it runs and does not work
  // yet; others: it can't be taken over as it is.
  virtual net::Awaitable<Result<std::string>> find_running();
  // After a restart of the daemon: goes on with what record() described. Errors: not_found when it
  // is not there any more (what is left of it was stopped).
  virtual net::Awaitable<Result<Running>> adopt(std::string_view record) = 0;
  // All that adopt() needs; empty: nothing runs. Kept by the daemon before load() lets it go.
  virtual std::string record() const = 0;

  // The processes whose GPU memory is this model's, with their descendants. Empty: none known.
  virtual std::vector<pid_t> roots() const = 0;
  // The newest lines that it printed, oldest first; at most kLogLines.
  virtual std::vector<std::string> log_tail() const = 0;
};
inline constexpr std::size_t kLogLines = 200;

struct EngineParts {
  net::Loop& loop;
  const host::Root& root;
  std::string boot_id;
  std::string state_dir;    // logs lie in engines/ below it
  std::string docker_host;  // as the settings say; empty: as Docker's own programs do
  bool simulated = false;
  // It ended by itself, with a sentence. Called on the loop, never from inside a call of Engine.
  std::function<void(const std::string& model, std::string why)> ended;
  // The record changed and has to be durable before the model may touch a GPU; `then` goes on.
  std::function<void(const std::string& model, std::string record, std::function<void()> then)>
      keep;
  std::string launcher = {};  // the socket of estiva-launch; empty: programs are our children
};

// Never null. The spec is copied; a changed spec needs a new engine.
std::unique_ptr<Engine> make_engine(const ModelSpec& spec, const EngineParts& parts);

}  // namespace estiva::engines
