// What the routes and the command line may ask of those models that are started and stopped for
// requests. The daemon implements it on its loop; tests with values. Loop thread only.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "decide/residency/tally.h"
#include "model/model_spec.h"
#include "net/loop.h"

namespace estiva::api {

// One model as it is now.
struct ModelStatus {
  std::string name;
  std::vector<std::string> aliases;
  ModelEngine engine = ModelEngine::process;
  std::string state;  // "absent", "loading", "resident" and so on
  std::string why;    // what it waits for, or why it failed; may be empty
  ResidencyPolicy policy = ResidencyPolicy::swap;  // in force
  bool policy_is_live = false;  // another one than the configuration's: a person's word
  ResidencyPolicy configured_policy = ResidencyPolicy::swap;
  bool is_pinned = false;
  bool pin_is_live = false;        // likewise
  std::optional<Nanoseconds> ttl;  // in force; none: an idle one stays
  std::string ttl_from;            // "model", "settings", "battery"; empty where there is none
  std::optional<Nanoseconds> leaves_in;  // by itself, if nobody asks for it
  std::vector<std::string> keeps_awake;  // GPUs on which it has a context: they can't sleep
  bool is_open = false;                  // answers requests at once
  std::optional<int> pid;
  std::string endpoint;
  std::string lease;
  std::vector<std::string> gpus;
  unsigned starts = 0;
  unsigned ooms = 0;  // loads that found too little GPU memory
  unsigned in_flight = 0;
  std::size_t waiting = 0;
  std::optional<Bytes> declared, learned;
  Bytes need, measured, charged;
  std::optional<Nanoseconds> load_time;           // measured; the median
  std::optional<Nanoseconds> in_state, idle;      // since when; since its last request
  std::optional<Nanoseconds> oldest_wait, bound;  // of those who wait: by then served or answered
  decide::ModelTally tally;
};

// One who waits.
struct WaitStatus {
  std::uint64_t ticket = 0;
  std::string model;
  std::size_t place = 0;
  Nanoseconds waited{0}, expected{0}, bound{0};
  std::string why;
};

// A device that is kept free for a person.
struct PauseStatus {
  std::string device;  // empty: all
  std::optional<Nanoseconds> left;
};

// What a new configuration changed.
struct ReloadReport {
  std::vector<std::string> added, removed, changed;
};

// One model when memory is wanted: what became of it.
struct FreedModel {
  std::string name;
  ModelEngine engine = ModelEngine::process;
  bool is_freed = false;
  bool is_late = false;  // it was told to leave, and is still there
  std::string kept_why;  // a few words; empty where it is freed
  Bytes vram;            // what it held of the GPUs
};

class Residents {
 public:
  virtual ~Residents() = default;

  virtual std::vector<ModelStatus> models() const = 0;  // by name
  virtual std::vector<WaitStatus> waiting() const = 0;  // in the order of service
  virtual std::vector<PauseStatus> pauses() const = 0;
  // A battery gives the power: GPUs should be able to sleep.
  virtual bool on_battery() const = 0;
  // Where requests are answered; empty: nowhere.
  virtual std::string gateway() const = 0;
  // The newest lines of a model's engine. Errors: not_found.
  virtual Result<std::vector<std::string>> log_of(const std::string& model) const = 0;
  // Returns once it is resident. Errors: not_found, no_room, failed, timed_out, refused.
  virtual net::Awaitable<Result<void>> load(std::string model) = 0;
  // Returns once it has left the GPU. Errors: not_found, timed_out.
  virtual net::Awaitable<Result<void>> unload(std::string model) = 0;
  // Unloads every model that nobody uses or waits for and that is not pinned, all at once; none is
  // deleted. Those that hold memory, by name, in one answer once they have left (or 15 minutes have
  // passed). `only_looks`: nothing is done, and is_freed says what would be.
  virtual net::Awaitable<std::vector<FreedModel>> free_memory(bool only_looks) = 0;
  virtual Result<void> pin(const std::string& model, bool pinned) = 0;
  virtual Result<void> set_policy(const std::string& model, ResidencyPolicy policy) = 0;
  // Everything leaves the device (a UUID; empty: all GPUs) and nothing comes, until resume() or so
  // long. Returns once it is empty of our models.
  virtual net::Awaitable<Result<void>> pause(std::string device,
                                             std::optional<Nanoseconds> time) = 0;
  virtual Result<void> resume(const std::string& device) = 0;
  // Reads the configuration again. Errors: what is wrong with it; then nothing changes.
  virtual Result<ReloadReport> reload(bool dry_run) = 0;
};

}  // namespace estiva::api
