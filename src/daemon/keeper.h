// Keeps the ledger: the one place that grants and releases, and that tells the store. A request
// waits for a reading of the GPUs that began after it arrived; everything that waits by then is
// decided on that reading, each charged before the next is looked at; nobody hears "granted"
// before the store says "durable". Loop thread only.
#pragma once
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "daemon/holders.h"
#include "daemon/owners.h"
#include "daemon/whereabouts.h"
#include "decide/placement/ledger.h"
#include "decide/refusal_log.h"
#include "gpu/sensor_view.h"
#include "model/world.h"
#include "net/loop.h"

namespace estiva::api {
struct AssignAnswer;
struct AssignTerms;
}  // namespace estiva::api
namespace estiva::store {
class Store;
struct Decision;
struct Durable;
}  // namespace estiva::store

namespace estiva::daemon {

class HealthKeeper;
struct PendingAssign;

class Keeper {
 public:
  // What a reading is asked of; the daemon gives the sensor, tests a stand-in.
  using Read = std::function<net::Awaitable<Result<gpu::SensorViewPtr>>()>;
  struct Parts {
    net::Loop& loop;
    store::Store& store;
    const host::Root& root;
    std::string boot_id;
    Read read;
    std::function<gpu::SensorViewPtr()> current;
    std::function<void()> changed;           // leases changed: publish soon
    std::function<Containers()> containers;  // as the engine told last; may be empty
    decide::PlacementPolicy policy;
    decide::Choice default_choice = decide::Choice::by_gpu_count;
    HealthKeeper& health;
  };
  explicit Keeper(Parts parts);

  // The leases that the store remembers, checked against the processes that live now.
  void restore();

  // As api::Backend says.
  net::Awaitable<Result<api::AssignAnswer>> assign(decide::AssignRequest request,
                                                   api::AssignTerms terms);
  net::Awaitable<Result<Lease>> release(std::string model, std::string id = {});
  // The live lease needs less: `bytes` of each of its shares, in order (Ledger::shrink). Durable
  // when it returns, with the lease as it is then. What its processes still hold stays charged, and
  // the GPUs are read again at once. Nothing smaller: as it is. It becomes larger again by assign()
  // with its name, holder and shares. Errors: not_found; refused while a grant of it is being
  // written down; failed (the store).
  net::Awaitable<Result<Lease>> shrink(std::string lease_id, std::vector<Bytes> bytes);

  // A reading arrived outside a grant. Only one with memory and processes is evidence.
  void observe(const gpu::SensorView& view, const Reading<HostMemory>& host);
  // Reads the GPUs outside the rhythm: room was given back, or something began to use them.
  void look_again();
  // Holders without a descriptor, and changes that the store could not take before.
  void tick();

  // The GPUs on which one of these processes is, by the newest reading.
  std::vector<std::string> devices_of(const std::vector<pid_t>& processes) const;

  const decide::Ledger& ledger() const { return ledger_; }
  const std::vector<GpuHealth>& health() const;
  std::vector<GpuXids> xids() const;
  const std::vector<ProcessModel>& process_models() const { return process_models_; }
  const std::vector<ProcessContainer>& process_containers() const { return process_containers_; }

  // Requests that may wait for a reading at one time; further ones are refused.
  static constexpr std::size_t kMostWaiting = 4096;

 private:
  using Pending = std::shared_ptr<PendingAssign>;

  void enqueue(const Pending& pending);
  net::Awaitable<void> pump();
  net::Awaitable<void> look();
  void decide(const Pending& pending);
  void journal_grant(const Pending& pending, decide::Applied applied, store::Decision rests_on);
  void granted(const Pending& pending, const decide::Applied& applied);
  void take_back();
  // A write of a promise ended; when it was the lease's last, those that asked meanwhile are heard.
  void promise_settled(const std::string& lease_id);
  void answer(const Pending& pending, Result<api::AssignAnswer> answer);
  void answer_refusal(const Pending& pending, const decide::Decision& decision);
  void holder_died(const std::string& lease_id);
  void take_view(const gpu::SensorView& view, Owners::Look look);
  // Journals what an observation, a death or a recovery changed.
  void journal(const std::vector<decide::LedgerChange>& changes);
  using Saved = std::function<void(const Result<store::Durable>&)>;
  // save(), and waits until it is durable.
  net::Awaitable<Result<store::Durable>> save_durably(decide::LedgerChange change);
  // Writes down a lease's change. What fails (a full disk) is tried again at every tick, as the
  // lease is then; a lease has one such entry at most, so their number is bounded by the leases'.
  void save(const decide::LedgerChange& change, Saved done = {});
  void submit(const Lease& lease, bool gone, const std::string& why, Saved done);
  void written(const Lease& lease, bool gone);
  void save_again();
  store::Decision record(const decide::AssignRequest& request, std::string outcome);

  Parts parts_;
  decide::Ledger ledger_;
  Owners owners_;
  Holders holders_;
  Reading<HostMemory> host_memory_;
  std::deque<Pending> waiting_;
  bool pumping_ = false;
  bool looking_ = false;
  std::map<std::string, std::uint64_t> submitted_;  // lease id -> sequence last given to the store
  std::map<std::string, std::uint64_t> durable_;    // lease id -> sequence known to be on disk
  std::vector<std::pair<Pending, decide::Applied>> failed_;
  // Promises on their way to the disk, by lease: how many, and who asked for the same meanwhile.
  // Nobody may be told "assigned already" of what a crash could still take away.
  struct Promise {
    int writes = 0;
    std::vector<Pending> followers;
  };
  std::map<std::string, Promise> promises_;
  std::size_t following_ = 0;
  struct Unsaved {
    Lease lease;
    bool gone = false;
    bool under_way = false;
    std::string why;
  };
  std::map<std::string, Unsaved> unsaved_;
  // The ledger before the first decision since it changed otherwise, for the journal: those that
  // follow stand on it and on each other. Null: to be written anew.
  std::shared_ptr<const std::string> readings_;
  decide::RefusalLog refusals_;
  std::vector<ProcessModel> process_models_;
  Whereabouts whereabouts_;
  std::vector<ProcessContainer> process_containers_;
};

}  // namespace estiva::daemon
