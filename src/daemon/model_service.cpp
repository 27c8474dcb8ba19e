#include "daemon/model_service.h"

#include <unistd.h>

#include "api/gateway_channel.h"
#include "base/log.h"
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

std::vector<std::string> gateway_command(const DaemonOptions& options, const std::string& socket) {
  return {host::program_beside("estiva-gateway"), "--socket", socket, "--listen",
          options.settings.gateway.listen};
}

std::string gateway_of(const DaemonOptions& options) {
  const std::string& listen = options.settings.gateway.listen;
  return listen == "off" ? std::string() : listen;
}

LeaseDoor door_of(LibraryLeases& library) {
  return {[&library](const std::string& model) { return library.program_of(model); },
          [&library](std::string model) { return library.ask_model(std::move(model)); }};
}

Residents::Parts residents_parts(const ModelService::Parts& parts,
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
      gateway_of(parts.options),
      parts.options.settings.models,
      parts.options.settings.residency,
      [file = parts.options.settings_file]() -> Result<std::vector<ModelSpec>> {
        auto loaded = host::read_settings(file);
        if (!loaded) return Failure(loaded.error());
        return std::move(loaded->settings.models);
      },
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

struct ModelService::Impl {
  explicit Impl(Parts given)
      : parts(std::move(given)),
        socket(parts.options.places.control_dir + "/" + std::string(api::kGatewaySocket)),
        residents(residents_parts(parts, [this] { serve_those(); })),
        process(parts.loop, gateway_command(parts.options, socket)) {}

  Result<void> listen();
  // The gateway is there once there is a model for it.
  void serve_those();

  Parts parts;
  std::string socket;
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
                                    residents.take(message);
                                  },
                                  [this] {
                                    process.went();
                                    residents.gateway_went();
                                  }});
  if (!listener) return Failure(listener.error());
  port.listener = std::move(*listener);
  residents.use_gateway(port);
  process.want(was_there ? Nanoseconds(kGatewayReturns) : Nanoseconds(0));
  return {};
}

void ModelService::Impl::serve_those() {
  const bool is_wanted = parts.options.settings.gateway.listen != "off";
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
  if (settings.gateway.listen != "off" && !settings.models.empty()) {
    if (auto listening = impl_->listen(); !listening) return listening;
  }
  impl_->residents.start(impl_->parts.store.opened().notes);
  return {};
}

api::Residents& ModelService::residents() {
  return impl_->residents;
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
  const bool ends_all = impl_->parts.options.stop_models;
  if (ends_all) {
    impl_->process.stop();
    co_await impl_->residents.stop_all();
  }
}

}  // namespace estiva::daemon
