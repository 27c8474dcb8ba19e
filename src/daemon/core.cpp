#include "daemon/core.h"

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <sys/prctl.h>
#include <unistd.h>
#include <utility>

#include "api/routes.h"
#include "base/log.h"
#include "base/messages/api.h"
#include "base/messages/daemon.h"
#include "container/engine.h"
#include "daemon/callers.h"
#include "daemon/event_log.h"
#include "daemon/health_keeper.h"
#include "daemon/inbox.h"
#include "daemon/keeper.h"
#include "daemon/kernel_log.h"
#include "daemon/library_leases.h"
#include "daemon/local_sockets.h"
#include "daemon/model_service.h"
#include "daemon/notifier.h"
#include "daemon/notify.h"
#include "daemon/part_options.h"
#include "daemon/publisher.h"
#include "daemon/start_checks.h"
#include "daemon/token.h"
#include "daemon/turns.h"
#include "daemon/whereabouts.h"
#include "daemon/worker.h"
#include "gpu/sensor_client.h"
#include "host/files.h"
#include "host/machine.h"
#include "host/process.h"
#include "observe/host_sampler.h"

namespace estiva::daemon {
namespace {

using namespace std::chrono_literals;

// A reading for a grant: the sensor has a deadline of its own for the driver; this one is for the
// case that it is being replaced.
constexpr std::chrono::milliseconds kGrantReading = 5s;
constexpr std::chrono::milliseconds kShutdownGrace = 2s;
// Half of the server's: anybody on this machine may connect to TCP, and must not be able to lock
// the control socket's users out.
constexpr std::size_t kTcpConnections = 256;

class Core final : public api::Backend {
 public:
  Core(const DaemonOptions& options, host::Root root, std::string boot_id)
      : options_(options), root_(std::move(root)), boot_id_(std::move(boot_id)) {}
  ~Core() override { inbox_->close(); }

  Result<void> start();
  void run() { loop_.run(); }

  WorldPtr world() const override { return publisher_->world(); }
  WorldPtr published() const override { return publisher_->published(); }
  net::Notice& changed() override { return publisher_->changed(); }
  bool is_ending() const override { return stopping_; }
  net::Awaitable<Result<api::AssignAnswer>> assign(decide::AssignRequest request,
                                                   api::AssignTerms terms) override {
    return turns_->assign(std::move(request), std::move(terms));
  }
  net::Awaitable<Result<Lease>> release(std::string model, std::string id) override {
    return keeper_->release(std::move(model), std::move(id));
  }
  net::Awaitable<Result<std::vector<store::JournalRecord>>> journal(
      store::JournalQuery query) override;
  net::Notice& journalled() override { return journalled_; }
  net::Awaitable<Result<void>> test_notification() override { return notifier_->test(); }
  Result<void> dismiss(const std::string& device) override { return health_->forget(device); }
  Result<Holder> identify(pid_t pid) override;
  api::Callers& callers() override { return callers_; }
  api::Library& library() override { return *library_; }
  std::vector<std::string> tcp_addresses() const override { return tcp_addresses_; }
  api::Residents* residents() override { return models_ ? &models_->residents() : nullptr; }
  api::Keys* keys() override { return models_ ? &models_->keys() : nullptr; }

 private:
  Result<void> open_store();
  Result<void> listen();
  void start_sensor();
  void start_leases();
  void leases_changed();
  void start_sampling();
  bool sample_host();  // false: the last look is still under way
  bool tick();         // true: a look at the machine is under way
  void tick_after(Nanoseconds delay);
  void take_sensor(const gpu::SensorViewPtr& view);
  void open_kernel_log();
  void recall_health();
  std::uint64_t kernel_log_read() const;
  void start_engine();
  Result<void> start_models();
  void take_xid(XidReport report);
  net::Awaitable<void> look_closer();
  void start_watchdog();
  net::Awaitable<void> shut_down(int signal);

  const DaemonOptions& options_;
  host::Root root_;
  std::string boot_id_;
  net::Loop loop_;
  net::Notice journalled_{loop_};
  CallerBook callers_{root_, boot_id_, [this] {
                        return engine_ ? CallerBook::Engine{engine_->containers(),
                                                            engine_->status().address}
                                       : CallerBook::Engine{};
                      }};
  std::uint64_t written_ = 0;  // records of the store when that was told last
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Publisher> publisher_;
  std::shared_ptr<void> tick_timer_;
  SteadyTime ticked_at_;
  std::unique_ptr<gpu::Sensor> sensor_;
  std::unique_ptr<EventLog> event_log_;
  std::unique_ptr<Notifier> notifier_;
  std::unique_ptr<HealthKeeper> health_;
  std::unique_ptr<Keeper> keeper_;
  std::unique_ptr<ModelService> models_;
  std::unique_ptr<LibraryLeases> library_;
  std::unique_ptr<Turns> turns_;
  bool remembers_health_ = false;
  std::unique_ptr<container::Engine> engine_;
  std::unique_ptr<KernelLog> kernel_log_;
  std::optional<Result<void>> kernel_log_opened_;
  bool looking_closer_ = false;
  std::unique_ptr<net::Server> server_;
  std::vector<std::string> tcp_addresses_;
  std::shared_ptr<observe::HostSampler> sampler_;
  std::unique_ptr<Worker> worker_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>(&loop_);
  std::vector<std::shared_ptr<void>> timers_;
  std::shared_ptr<void> signals_;
  bool stopping_ = false;
};

Result<Holder> Core::identify(pid_t pid) {
  auto holder = host::identify(root_, pid, boot_id_);
  if (!holder) {
    return fail(ErrorKind::usage, fmt::format(msg::kNoSuchProcess, pid), msg::kNoProcessRemedy);
  }
  return holder;
}

net::Awaitable<Result<std::vector<store::JournalRecord>>> Core::journal(store::JournalQuery query) {
  // Shared: the answer may come after the client and its coroutine are gone.
  struct Waiting {
    explicit Waiting(net::Loop& loop) : read(loop) {}
    std::optional<Result<std::vector<store::JournalRecord>>> records;
    net::Notice read;
  };
  const auto waiting = std::make_shared<Waiting>(loop_);
  store_->read_journal(query, [waiting](Result<std::vector<store::JournalRecord>> records) {
    waiting->records = std::move(records);
    waiting->read.notify_all();
  });
  while (!waiting->records) (void)co_await waiting->read.wait();
  co_return std::move(*waiting->records);
}

Result<void> Core::open_store() {
  if (auto made = host::ensure_named_dir(options_.places.state_dir, 0700); !made) return made;
  store::Options store_options;
  store_options.executor = [this](std::function<void()> work) {
    loop_.post([this, work = std::move(work)] {
      work();
      const std::uint64_t written = store_->stats().committed;
      if (std::exchange(written_, written) == written) return;
      journalled_.notify_all();
      if (event_log_) event_log_->pump();
    });
  };
  store_options.fresh_state = options_.fresh_state;
  store_options.boot_id = boot_id_;
  if (!options_.crash_point.empty()) {
    auto point = store::parse_crash_point(options_.crash_point);
    if (!point) return Failure(point.error());
    store_options.crash = *point;
  }
  auto opened = store::Store::open(options_.places.state_dir, std::move(store_options));
  if (!opened) return Failure(opened.error());
  store_ = std::move(*opened);
  event_log_ = std::make_unique<EventLog>(loop_, *store_, options_.settings.events);
  event_log_->pump();
  return {};
}

Result<void> Core::listen() {
  auto token = load_token(options_.places.token_file);
  if (!token) return Failure(token.error());
  api::Access access{std::move(*token),
                     {"127.0.0.1", "localhost", "[::1]", "::1"},
                     options_.settings.leases.per_client};
  std::optional<net::Endpoint> tcp;
  if (options_.listen != "off") {
    auto endpoint = net::parse_endpoint(options_.listen);
    if (!endpoint) return Failure(endpoint.error());
    if (!net::is_loopback(*endpoint)) {
      return fail(ErrorKind::refused, fmt::format(msg::kNotLoopback, options_.listen),
                  msg::kNotLoopbackRemedy);
    }
    access.allowed_hosts.push_back(endpoint->host);
    tcp = *endpoint;
  }
  server_ = std::make_unique<net::Server>(loop_, api::make_handler(*this, std::move(access)));
  if (auto local =
          listen_locally(*server_, options_.places,
                         [this](const net::Peer& peer) { return callers_.client_of(peer); });
      !local) {
    return local;
  }
  if (!tcp) return {};
  const net::ListenOptions tcp_options{std::string(api::kTcpListener), 0660, kTcpConnections};
  auto bound = server_->listen(*tcp, tcp_options);
  if (!bound) return Failure(bound.error());
  tcp_addresses_ = {net::to_text(*bound)};
  log(LogLevel::info, "listening", {{"address", tcp_addresses_.front()}});
  return {};
}

void Core::start_sensor() {
  sensor_ = std::make_unique<gpu::Sensor>(loop_.context().get_executor(), sensor_options(options_));
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  notifier_ = std::make_unique<Notifier>(loop_, options_.settings.notify, host);
  health_ = std::make_unique<HealthKeeper>(
      HealthKeeper::Parts{*store_,
                          boot_id_,
                          {options_.settings.health.max_temperature},
                          [this] { publisher_->leases_changed(); },
                          [this](const std::string& key, format::Notification what) {
                            notifier_->tell(key, std::move(what));
                          }});
  Keeper::Parts parts{loop_,
                      *store_,
                      root_,
                      boot_id_,
                      [this] { return sensor_->read(gpu::kGrantTiers, kGrantReading); },
                      [this] { return sensor_->current(); },
                      [this] { leases_changed(); },
                      [this] { return engine_ ? engine_->containers() : Containers(); },
                      policy_of(options_.settings.placement),
                      choice_of(options_.settings.placement.policy),
                      *health_};
  keeper_ = std::make_unique<Keeper>(std::move(parts));
  start_leases();
  publisher_ = std::make_unique<Publisher>(
      loop_,
      Publisher::Facts{store_->opened().node_id, store_->opened().boot_epoch, options_.simulated,
                       options_.settings.daemon.interval, options_.settings.daemon.history},
      *keeper_, notifier_->is_on() ? notifier_.get() : nullptr);
  if (kernel_log_opened_) publisher_->kernel_log_opened(*kernel_log_opened_);
  keeper_->restore();
  recall_health();
  sensor_->on_xids([this](const std::vector<XidReport>& told) {
    for (const XidReport& report : told) take_xid(report);
  });
  sensor_->start([this](const gpu::SensorViewPtr& view) { take_sensor(view); });
}

// Who waits for room, and whose programs can make some.
void Core::start_leases() {
  library_ = std::make_unique<LibraryLeases>(LibraryLeases::Parts{
      loop_, *keeper_,
      [this](decide::AssignRequest request, api::AssignTerms terms) {
        return turns_->assign(std::move(request), std::move(terms));
      },
      [this](const std::string& model) { return models_ && models_->manages(model); },
      [this] { turns_->look_again(); },
      [this](const std::string& model, Residents::LeaseMove move) {
        if (models_) models_->lease_moved(model, move);
      }});
  turns_ = std::make_unique<Turns>(
      loop_,
      [this](decide::AssignRequest request, api::AssignTerms terms) {
        return keeper_->assign(std::move(request), std::move(terms));
      },
      [this](const decide::AssignRequest& request) {
        if (!models_ || !models_->want(request)) (void)library_->make_room(request);
      });
}

void Core::leases_changed() {
  publisher_->leases_changed();
  library_->ledger_changed();
  if (models_) models_->look_at_ledger();
  turns_->look_again();
}

void Core::take_sensor(const gpu::SensorViewPtr& view) {
  if (stopping_) return;
  const SteadyTime now = steady_now();
  keeper_->observe(*view, publisher_->host_memory());
  if (models_) models_->look_at_ledger();
  // Readings for grants come as often as requests do.
  const Nanoseconds interval = options_.settings.daemon.interval;
  const bool due = now - ticked_at_ > interval * 3 / 4;
  publisher_->take_gpus(view, due && tick());
  if (due) tick_after(interval + interval / 2);
}

// A recording's GPUs can't be loaded with anything.
Result<void> Core::start_models() {
  if (!options_.machine.empty()) return {};
  models_ = std::make_unique<ModelService>(
      ModelService::Parts{loop_, *store_, *keeper_, root_, boot_id_, options_, *library_});
  return models_->start();
}

// The kernel log of this machine says nothing of simulated GPUs, and a recording has none. What it
// tells arrives on the loop, when everything else is there.
void Core::open_kernel_log() {
  const bool is_foreign = options_.simulated && root_.is_real() && options_.kernel_log.empty();
  if (is_foreign || !options_.machine.empty()) return;
  kernel_log_ = std::make_unique<KernelLog>(loop_, root_, options_.kernel_log,
                                            [this](const XidReport& report) { take_xid(report); });
  kernel_log_opened_ = kernel_log_->open();
  if (!*kernel_log_opened_) {
    log(LogLevel::warning, "the kernel log is not listened to",
        {{"error", kernel_log_opened_->error().sentence()}});
  }
  // The right to it (CAP_SYSLOG, from the unit) is not for the sensor and whoever else we start.
  (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

// A recording has no engine to ask, and its processes are not this machine's.
void Core::start_engine() {
  const std::string& host = options_.settings.docker.host;
  if (host == "off" || !options_.machine.empty()) return;
  engine_ = std::make_unique<container::Engine>(
      loop_, container::EngineSearch::of_this_process(host), [this] {
        if (!stopping_) publisher_->containers_changed(engine_->status(), engine_->containers());
      });
  publisher_->containers_changed(engine_->status(), engine_->containers());
  engine_->start();
}

// Simulated and recorded GPUs come and go with their scenarios. A plain file of a kernel log is
// told anew from its start: it has what was counted before.
void Core::recall_health() {
  remembers_health_ = !options_.simulated && options_.machine.empty();
  if (!remembers_health_) return;
  HealthMemory memory = read_notes(store_->opened().notes, boot_id_);
  if (kernel_log_ && kernel_log_->is_plain()) {
    memory.xids.clear();
  } else if (kernel_log_) {
    kernel_log_->skip_to(memory.kernel_log_read);
  }
  health_->recall(memory);
}

std::uint64_t Core::kernel_log_read() const {
  return kernel_log_ ? kernel_log_->read_to() : 0;
}

void Core::take_xid(XidReport report) {
  if (stopping_) return;
  if (report.pid != 0) whose_work(report, root_, engine_ ? engine_->containers() : Containers());
  if (!health_->take_xid(report) || looking_closer_) return;
  looking_closer_ = true;
  loop_.spawn(look_closer());
}

// The recovery action, error counters and pending repairs, which are read every 30 s otherwise.
net::Awaitable<void> Core::look_closer() {
  (void)co_await sensor_->read(gpu::kGrantTiers | gpu::Tier::slow, kGrantReading);
  looking_closer_ = false;
}

void Core::start_sampling() {
  observe::HostOptions host_options{options_.root, options_.settings.paths.docker_root,
                                    options_.settings.paths.model_folders};
  auto sampler = observe::HostSampler::open(std::move(host_options));
  if (!sampler) {
    log(LogLevel::warning, "the machine's memory and disks can't be read",
        {{"error", sampler.error().what}});
    return;
  }
  sampler_ = std::make_shared<observe::HostSampler>(std::move(*sampler));
  worker_ = std::make_unique<Worker>();
  sample_host();
}

// A reading of the GPUs brings the tick with it: one World shows both, and an idle machine is woken
// once. Where none arrives the clock does it.
void Core::tick_after(Nanoseconds delay) {
  tick_timer_ = loop_.every(delay, [this] {
    // Posted, so that the timer is not destroyed from inside its own call.
    loop_.post([this] {
      if (stopping_) return;
      (void)tick();
      publisher_->tick();
      tick_after(options_.settings.daemon.interval);
    });
  });
}

bool Core::tick() {
  ticked_at_ = steady_now();
  const bool host_follows = worker_ && sample_host();
  if (kernel_log_) kernel_log_->poll();
  keeper_->tick();
  if (models_) models_->take_host(publisher_->host_memory());
  if (remembers_health_) health_->remember(kernel_log_read());
  return host_follows;
}

bool Core::sample_host() {
  // The job keeps what it needs alive even if the daemon ends while a disk hangs.
  const bool taken = worker_->try_run([this, sampler = sampler_, inbox = inbox_] {
    auto sample = std::make_shared<const HostSample>(sampler->sample());
    inbox->post([this, sample = std::move(sample)] {
      if (!stopping_) publisher_->take_host(sample);
    });
  });
  if (!taken) log(LogLevel::debug, "the last look at the machine is still under way");
  return taken;
}

void Core::start_watchdog() {
  const auto interval = watchdog_interval();
  if (interval.count() > 0) {
    timers_.push_back(loop_.every(interval, [] { (void)notify("WATCHDOG=1"); }));
  }
}

net::Awaitable<void> Core::shut_down(int signal) {
  stopping_ = true;
  log(LogLevel::info, "stopping", {{"signal", signal}});
  (void)notify("STOPPING=1");
  timers_.clear();
  tick_timer_.reset();
  publisher_->end_streams();
  journalled_.notify_all();  // who follows sees that we end
  if (remembers_health_) health_->remember(kernel_log_read(), true);
  kernel_log_.reset();
  engine_.reset();
  if (models_) co_await models_->stop();
  co_await server_->stop(kShutdownGrace);
  co_await sensor_->stop();
  if (!store_->close(kShutdownGrace)) {
    log(LogLevel::error, "not everything was written down before the end");
  }
  worker_.reset();
  loop_.stop();
}

Result<void> Core::start() {
  if (auto opened = open_store(); !opened) return opened;
  open_kernel_log();
  start_sensor();
  start_engine();
  if (auto listening = listen(); !listening) return listening;
  if (auto started = start_models(); !started) return started;
  start_sampling();
  tick_after(options_.settings.daemon.interval);
  start_watchdog();
  // Watched to the very end: a second Ctrl-C must not cut a clean end short. SIGHUP is the terminal
  // that went away; settings are read at the start only.
  signals_ = loop_.on_signals({SIGTERM, SIGINT, SIGHUP}, [this](int signal) {
    if (!stopping_) loop_.spawn(shut_down(signal));
  });
  log(LogLevel::notice, msg::kDaemonReady,
      {{"version", ESTIVA_VERSION},
       {"state", options_.places.state_dir},
       {"socket", options_.places.control_socket},
       {"leases", keeper_->ledger().leases().size()},
       {"simulated", options_.simulated}});
  (void)notify("READY=1");
  return {};
}

}  // namespace

Result<void> run_daemon(const DaemonOptions& options) {
  set_log_level(options.settings.daemon.log_level);
  std::signal(SIGPIPE, SIG_IGN);
  allow_descriptors();
  if (auto allowed = check_simulation(options); !allowed) return allowed;
  auto root = host::Root::open(options.root);
  if (!root) return Failure(root.error());
  auto boot_id = host::read_boot_id(*root);
  if (!boot_id) return Failure(boot_id.error());
  Core core(options, std::move(*root), std::move(*boot_id));
  if (auto started = core.start(); !started) return started;
  core.run();
  return {};
}

}  // namespace estiva::daemon
