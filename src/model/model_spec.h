// A model as the configuration describes it: who serves it, what it needs, and how it may be
// treated when room is short. One [models.NAME] table of estiva.toml.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace estiva {

enum class ModelEngine : std::uint8_t {
  process,       // a program that we start
  container,     // a container that exists; started and stopped through its engine
  ollama,        // a model inside an Ollama server
  llama_server,  // a llama-server that we start
  vllm,          // a vLLM server that we start; it can sleep
  lease,         // a library inside somebody else's process asks for its bytes itself
  remote,        // somebody else's server: relayed to, nothing of it is on our GPUs
};
std::string_view to_name(ModelEngine kind);  // "process" ... "llama-server" ... "remote"
std::optional<ModelEngine> parse_model_engine(std::string_view name);

// What happens to a model that nobody asks for at the moment.
enum class ResidencyPolicy : std::uint8_t {
  keep,           // stays; leaves only for a model that can't have room otherwise
  swap,           // leaves when another model needs the room, or after its TTL
  always_unload,  // leaves after each request
};
std::string_view to_name(ResidencyPolicy policy);  // "keep", "swap", "always-unload"
std::optional<ResidencyPolicy> parse_residency_policy(std::string_view name);

struct ModelSpec {
  using Time = std::chrono::nanoseconds;

  std::string name;
  std::vector<std::string> aliases;  // further names that requests may use
  ModelEngine engine = ModelEngine::process;

  // Who serves it. `command` is never given to a shell; ${PORT} in `command`, `environment`,
  // `ready` and `url` is a free port that we choose.
  std::vector<std::string> command;
  std::vector<std::string> environment;  // "NAME=VALUE", beside ours
  std::string directory;                 // to start it in; absolute; empty: /
  std::string user;                      // to run it as; empty: as estivad
  std::string url;                       // where it answers; empty: http://127.0.0.1:${PORT}
  std::string ready;      // a URL that answers 2xx once it can work; empty: the port accepts
  std::string container;  // its name or full id, or "PROJECT/SERVICE" by Compose's labels
  std::string model;      // what the engine itself calls it; empty: `name`
  std::string file;       // llama-server: the GGUF
  std::string api_key;    // remote: sent as a bearer token; a file's path after "file:"

  // What it needs. The share is of each GPU.
  std::optional<Bytes> vram;         // declared; learned and estimated values go beside it
  std::string gpu = "auto";          // as ShareWanted::gpu
  unsigned gpus = 1;                 // that many equal shares on different GPUs
  std::optional<Bytes> host_memory;  // RAM that it takes while it sleeps; absent: as its VRAM

  // How it is treated.
  ResidencyPolicy policy = ResidencyPolicy::swap;
  bool pinned = false;          // never unloaded for others
  bool preload = false;         // loaded at the start, where there is room
  int priority = 0;             // -10 to 10; each step is worth kPriorityStep of waiting
  std::string group;            // at most one model of a group is in at a time; empty: none
  bool may_sleep = true;        // where the engine can
  bool may_checkpoint = false;  // by the driver's checkpoint; not proven on every machine
  std::optional<Time> ttl;      // unloaded after so long without a request; absent: see policy
  Time quantum = std::chrono::seconds(10);     // may go on serving so long while others wait
  Time drain = std::chrono::seconds(30);       // for requests under way, before they are cut
  Time load_limit = std::chrono::minutes(5);   // then the load has failed
  Time stop_limit = std::chrono::seconds(10);  // from TERM to KILL
  Time wait_limit = std::chrono::minutes(10);  // a request whose bound is longer is refused at once
  unsigned parallel = 0;                       // requests at a time, the others wait; 0: any number
  unsigned queue_limit = 1024;                 // requests that wait for it; one more is refused

  friend bool operator==(const ModelSpec&, const ModelSpec&) = default;
};

}  // namespace estiva
