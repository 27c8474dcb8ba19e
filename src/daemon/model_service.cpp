#include "daemon/model_service.h"

#include <cerrno>
#include <unistd.h>

#include "api/gateway_channel.h"
#include "base/log.h"
#include "base/messages/daemon.h"
#include "daemon/gateway_access.h"
#include "daemon/gateway_process.h"
#include "daemon/keeper.h"
#include "daemon/lease_engine.h"
#include "daemon/library_leases.h"
#include "daemon/residents.h"
#include "host/beside.h"
#include "host/power.h"
#include "host/settings_file.h"
#include "store/store.h"

namespace estiva::daemon {

namespace {

using namespace std::chrono_literals;

// An earlier daemon's gateway tries to connect this often and more.
constexpr auto kGatewayReturns = 500ms;

class Port final : public GatewayPort {
 public:
  bool is_connected() const override { return listener && listener->is_connected(); }
  void send(const api::ToGateway& message) override {
    if (listener) (void)listener->send(message);
  }
  std::unique_ptr<api::GatewayListener> listener;
};

std::string gateway_socket(const DaemonOptions& options) {
  return options.places.control_dir + "/" + std::string(api::kGatewaySocket);
}

std::vector<std::string> gateway_command(const DaemonOptions& options, const std::string& socket) {
  std::vector<std::string> words = {host::program_beside("estiva-gateway"), "--socket", socket};
  for (std::string& flag : local_listen_flags(options.settings.gateway.listen))
    words.push_back(std::move(flag));
  return words;
}

GatewayAccess::Parts access_parts(const ModelService::Parts& parts, std::function<void()> changed) {
  return {parts.loop,
          parts.store,
          parts.options.places.state_dir + "/keys.json",
          parts.options.settings.gateway,
          parts.options.settings.docker.host,
          std::move(changed)};
}

LeaseDoor door_of(LibraryLeases& library) {
  return {[&library](const std::string& model) { return library.program_of(model); },
          [&library](std::string model) { return library.ask_model(std::move(model)); }};
}

Residents::Parts residents_parts(const ModelService::Parts& parts, const GatewayAccess& access,
                                 std::function<void()> configured) {
  Residents::Parts out{
      parts.loop,
      parts.store,
      parts.keeper,
      parts.root,
      parts.boot_id,
      parts.options.places.state_dir,
      parts.options.settings.docker.host,
      parts.options.simulated,
      parts.options.launcher,
      access.addresses().local(),
      parts.options.settings.models,
      parts.options.settings.residency,
      [file = parts.options.settings_file]() -> Result<std::vector<ModelSpec>> {
        auto loaded = host::read_settings(file);
        if (!loaded) return Failure(loaded.error());
        return std::move(loaded->settings.models);
      },
      [&access](api::Routes& routes) { access.add_to(routes); },
      std::move(configured),
      [&library = parts.library](const decide::AssignRequest& request,
                                 std::vector<decide::Yielder> ours) {
        return library.make_room(request, std::move(ours));
      },
      [door = door_of(parts.library)](const ModelSpec& spec, const engines::EngineParts& its) {
        return spec.engine == ModelEngine::lease ? make_lease_engine(spec, its, door)
                                                 : engines::make_engine(spec, its);
      }};
  return out;
}

}  // namespace

Result<void> become_gateway(const DaemonOptions& options) {
  if (options.settings.gateway.listen.empty()) {
    log(LogLevel::info, msg::kGatewayOff);
    return {};
  }
  auto words = gateway_command(options, gateway_socket(options));
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  return fail_errno(words[0], errno);
}

struct ModelService::Impl {
  explicit Impl(Parts given)
      : parts(std::move(given)),
        socket(gateway_socket(parts.options)),
        access(access_parts(parts, [this] { residents.send_routes(); })),
        residents(residents_parts(parts, access, [this] { serve_those(); })),
        process(parts.loop, parts.options.gateway_apart ? std::vector<std::string>()
                                                        : gateway_command(parts.options, socket)) {}

  Result<void> listen();
  // The gateway is there once there is a model for it.
  void serve_those();

  Parts parts;
  std::string socket;
  GatewayAccess access;
  Residents residents;
  Port port;
  GatewayProcess process;
};

Result<void> ModelService::Impl::listen() {
  const bool was_there = ::access(socket.c_str(), F_OK) == 0;
  auto listener =
      api::GatewayListener::open(parts.loop, socket,
                                 {[this](const api::FromGateway& message) {
                                    if (const auto* hello = std::get_if<api::Hello>(&message))
                                      process.came(hello->pid);
                                    access.take(message);
                                    residents.take(message);
                                  },
                                  [this] {
                                    process.went();
                                    access.gateway_went();
                                    residents.gateway_went();
                                  }});
  if (!listener) return Failure(listener.error());
  port.listener = std::move(*listener);
  residents.use_gateway(port);
  process.want(was_there ? Nanoseconds(kGatewayReturns) : Nanoseconds(0));
  return {};
}

void ModelService::Impl::serve_those() {
  const bool is_wanted = !parts.options.settings.gateway.listen.empty();
  if (!is_wanted || port.listener || residents.models().empty()) return;
  if (auto listening = listen(); !listening) {
    log(LogLevel::error, "requests for models can't be answered",
        {{"error", listening.error().sentence()}});
  }
}

ModelService::ModelService(Parts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}

ModelService::~ModelService() = default;

Result<void> ModelService::start() {
  const format::Settings& settings = impl_->parts.options.settings;
  if (auto loaded = impl_->access.load(impl_->parts.store.opened().notes); !loaded) return loaded;
  impl_->access.start();
  const bool is_wanted = !settings.models.empty() || impl_->parts.options.gateway_apart;
  if (!settings.gateway.listen.empty() && is_wanted) {
    if (auto listening = impl_->listen(); !listening) return listening;
  }
  impl_->residents.start(impl_->parts.store.opened().notes);
  return {};
}

api::Residents& ModelService::residents() {
  return impl_->residents;
}

api::Keys& ModelService::keys() {
  return impl_->access;
}

void ModelService::look_at_ledger() {
  impl_->residents.look_at_ledger();
}

bool ModelService::manages(const std::string& model) const {
  return impl_->residents.manages(model);
}

bool ModelService::want(const decide::AssignRequest& request) {
  return impl_->residents.want(request);
}

void ModelService::lease_moved(const std::string& model, Residents::LeaseMove move) {
  impl_->residents.lease_moved(model, move);
}

void ModelService::take_host(const Reading<HostMemory>& memory) {
  impl_->residents.take_host(memory, host::is_on_battery(impl_->parts.root));
}

net::Awaitable<void> ModelService::stop() {
  impl_->access.stop();
  const bool ends_all = impl_->parts.options.stop_models;
  if (ends_all) {
    impl_->process.stop();
    co_await impl_->residents.stop_all();
  }
}

}  // namespace estiva::daemon
