// The settings of estiva.toml as a value. Every setting has a default; what is not known is an
// error that names the nearest known one; every error names line and column and what is accepted.
// Pure: reading the file is host's part (read_settings in host/settings_file.h).
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/units.h"
#include "model/model_spec.h"

namespace estiva::format {

enum class PlacementChoice : std::uint8_t {
  automatic,       // least-utilized on one GPU, pack from two up
  least_utilized,  // enough free VRAM, then the least busy
  pack,            // the fullest GPU that still has room
};
std::string_view to_name(PlacementChoice choice);  // "auto", "least-utilized", "pack"
// Also what --policy and the API take.
Result<PlacementChoice> parse_placement_choice(std::string_view text);

struct DaemonSettings {
  std::chrono::nanoseconds interval{std::chrono::seconds(1)};  // 50 ms .. 1 h
  std::string listen = "127.0.0.1:7700";                       // "off": no TCP
  bool history = true;
  LogLevel log_level = LogLevel::info;
  std::string state_dir;    // empty: by the rules of docs/configuration.md
  std::string runtime_dir;  // likewise
};

struct PlacementSettings {
  PlacementChoice policy = PlacementChoice::automatic;
  Bytes margin = {0};             // kept free on every GPU
  Bytes context_allowance = {0};  // added to every lease for the CUDA context
  // How long the growth of a process that no lease owns is assumed to go on.
  std::chrono::nanoseconds foreign_window{0};
  // What the desktop's processes had at most in so long is not given to models, with the reserve.
  std::chrono::nanoseconds desktop_window{std::chrono::minutes(10)};
  Bytes desktop_reserve = {0};
};

struct LeaseSettings {
  unsigned per_client = 8;  // leases of one container through the lease socket, 1 to 1000
};

struct HealthSettings {
  std::optional<Celsius> max_temperature;  // none: the device's own thresholds
};

struct PathSettings {
  std::vector<std::string> model_folders;  // absolute; at most 32
  std::string docker_root;                 // empty: as daemon.json says, else /var/lib/docker
};

struct DockerSettings {
  std::string host;  // "unix:///PATH", "tcp://HOST:PORT", "off"; empty: as Docker's own programs do
};

struct EventSettings {
  std::string file;                  // empty: none
  Bytes max_size{10 * 1024 * 1024};  // 64 KiB to 1 GiB
  unsigned keep = 5;                 // older files beside it, 0 to 100
};

// What a message to the outside looks like.
enum class NotifyShape : std::uint8_t { automatic, ntfy, slack, discord, json };
std::string_view to_name(NotifyShape shape);

struct NotifySettings {
  std::string url;                             // http:// or https://; empty: no webhook
  NotifyShape shape = NotifyShape::automatic;  // by the host in the URL
  std::vector<std::string> command;            // never through a shell; empty: none
  std::string from = "degraded";               // the mildest state that is told: warn, degraded,
                                               // unhealthy
  unsigned per_hour = 20;                      // 1 to 1000; more are counted and summed up
};

// Who may ask the gateway, and from where.
struct GatewaySettings {
  // As parse_gateway_listen() reads them, at most 8; none: no gateway.
  std::vector<std::string> listen = {"127.0.0.1:7701"};
  // For addresses that are neither loopback nor a bridge: files in PEM, both or none.
  std::string certificate, private_key;
  std::vector<std::string> hosts;  // names by which others call this machine; at most 32
};

struct ResidencySettings {
  std::chrono::nanoseconds ttl{0};  // for `swap` models without their own; zero: they stay
  // On battery, instead: a GPU without models can sleep.
  std::chrono::nanoseconds battery_ttl{std::chrono::minutes(2)};
  // RAM for models that sleep, together; absent: half of what is available at the time.
  std::optional<Bytes> host_memory;
};

struct Settings {
  DaemonSettings daemon;
  PlacementSettings placement;
  LeaseSettings leases;
  HealthSettings health;
  PathSettings paths;
  DockerSettings docker;
  EventSettings events;
  NotifySettings notify;
  GatewaySettings gateway;
  ResidencySettings residency;
  std::vector<ModelSpec> models;  // by name; at most 1024
};

constexpr std::size_t kMaxSettingsFile = 1 << 20;

// `file` is only used in error sentences. Errors are of kind usage.
Result<Settings> parse_settings(std::string_view text, std::string_view file);

// True where the settings make us run programs: such a file must not be writable by others.
bool has_commands(const Settings& settings);

}  // namespace estiva::format
