#include "daemon/publisher.h"

#include <algorithm>

#include "daemon/keeper.h"
#include "daemon/notifier.h"
#include "observe/assemble.h"
#include "observe/history.h"

namespace estiva::daemon {
namespace {

LeaseUse use_of(const decide::LeaseEntry& entry) {
  const decide::LeaseBytes bytes = decide::bytes_of(entry);
  return {entry.lease.id, bytes.declared, bytes.measured, bytes.charged};
}

// Sampling the machine takes milliseconds; a disk that hangs is told from a busy moment by this.
constexpr Nanoseconds kHostPatience = std::chrono::seconds(3);

const decide::GpuAccount* account_of(const decide::Ledger& ledger, const std::string& key) {
  for (const decide::GpuAccount& account : ledger.accounts()) {
    if (account.id.key() == key) return &account;
  }
  return nullptr;
}

GpuRoom room_of(const decide::GpuAccount& account, const decide::PlacementPolicy& policy) {
  GpuRoom room{account.id.key(), account.remainder, decide::admissible(account, policy)};
  room.charged = account.charges;
  room.foreign = account.foreign;
  room.held_back = account.foreign_held - std::min(account.foreign_held, account.foreign);
  room.margin = policy.margin;
  return room;
}

// What only the ledger knows, beside what observe/ put together.
void add_ledger(World& world, const Keeper& keeper) {
  const decide::Ledger& ledger = keeper.ledger();
  for (const auto& [id, entry] : ledger.entries()) world.lease_uses.push_back(use_of(entry));
  for (const Gpu& gpu : world.gpus) {
    const decide::GpuAccount* account = account_of(ledger, gpu.identity.id.key());
    if (account == nullptr) continue;
    world.rooms.push_back(room_of(*account, ledger.policy()));
  }
  world.process_models = keeper.process_models();
  world.health = keeper.health();
  world.process_containers = keeper.process_containers();
  world.xids_known = world.driver.source != "recorded";
  world.xids = keeper.xids();
}

}  // namespace

Publisher::Publisher(net::Loop& loop, Facts facts, const Keeper& keeper, const Notifier* notifier)
    : loop_(loop), facts_(std::move(facts)), keeper_(keeper), notifier_(notifier), changed_(loop) {
  host_read_at_ = steady_now();
  if (facts_.history) history_ = std::make_unique<observe::History>();
  publish();
}

Publisher::~Publisher() = default;

void Publisher::take_gpus(gpu::SensorViewPtr view, bool host_follows) {
  gpus_ = std::move(view);
  outdated_ = true;
  if (!host_follows) soon();
}

void Publisher::take_host(std::shared_ptr<const HostSample> sample) {
  host_ = std::move(sample);
  host_read_at_ = host_->read_at;
  soon();
}

void Publisher::kernel_log_opened(Result<void> opened) {
  kernel_log_ = std::move(opened);
  outdated_ = true;
}

void Publisher::containers_changed(EngineStatus engine, Containers containers) {
  engine_ = std::move(engine);
  containers_ = std::move(containers);
  soon();
}

void Publisher::leases_changed() {
  soon();
}

Reading<HostMemory> Publisher::host_memory() const {
  return host_ ? host_->memory : Reading<HostMemory>();
}

void Publisher::tick() {
  if (steady_now() - published_at_ >= facts_.interval) soon();
}

WorldPtr Publisher::world() {
  if (outdated_) rebuild();
  return world_;
}

void Publisher::soon() {
  outdated_ = true;
  if (delayed_) return;
  const Nanoseconds since = steady_now() - published_at_;
  if (since >= kShortestGap) return publish();
  delayed_ = loop_.every(kShortestGap - since, [this] {
    // Posted, so that the timer is not destroyed from inside its own call.
    loop_.post([this] {
      if (!delayed_) return;
      delayed_.reset();
      publish();
    });
  });
}

void Publisher::publish() {
  if (outdated_) rebuild();
  published_ = world_;
  published_at_ = steady_now();  // not made_at: a reader may have had it made earlier
  if (history_) history_->add(*world_);
  changed_.notify_all();
}

void Publisher::rebuild() {
  outdated_ = false;
  observe::Sources sources;
  sources.node_id = facts_.node_id;
  sources.boot_epoch = facts_.boot_epoch;
  sources.sequence = ++sequence_;
  sources.wall = wall_now();
  sources.now = steady_now();
  sources.simulated = facts_.simulated || (gpus_ && gpus_->driver.source == "simulated");
  sources.interval = facts_.interval;
  sources.gpus = gpus_;
  sources.host = host_;
  sources.leases = keeper_.ledger().leases();
  sources.overcommitted = keeper_.ledger().overcommitted();
  World world = observe::assemble(std::move(sources));
  world.host_stale = world.made_at - host_read_at_ > std::max(2 * facts_.interval, kHostPatience);
  add_ledger(world, keeper_);
  if (notifier_ != nullptr) {
    const Notifier::Counts& counts = notifier_->counts();
    world.notifications = {counts.sent, counts.failed, counts.held_back};
  }
  world.engine = engine_;
  world.containers = containers_;
  world.kernel_log_read = kernel_log_ && kernel_log_->has_value();
  if (kernel_log_ && !*kernel_log_) world.kernel_log_reason = kernel_log_->error().sentence();
  world_ = std::make_shared<const World>(std::move(world));
}

}  // namespace estiva::daemon
