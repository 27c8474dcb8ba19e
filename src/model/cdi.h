// The Container Device Interface: what a spec file says, as plain values. Source of the members:
// the CDI specification (github.com/cncf-tags/container-device-interface, SPEC.md 1.1.0).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace estiva {

struct CdiNode {
  std::string path;         // inside the container
  std::string host_path;    // empty: the same
  std::string type;         // "", "b", "c", "u", "p"
  std::string permissions;  // of "rwm"; empty: the engine's default
  // Frozen numbers are trusted by the engine and never compared with the host.
  std::optional<std::int64_t> major, minor;
  std::optional<std::uint32_t> file_mode, uid, gid;
  friend bool operator==(const CdiNode&, const CdiNode&) = default;
};

struct CdiMount {
  std::string host_path, container_path;
  std::string type;  // since 0.4
  std::vector<std::string> options;
  friend bool operator==(const CdiMount&, const CdiMount&) = default;
};

struct CdiHook {
  std::string name;  // "createContainer" and the like
  std::string path;
  std::vector<std::string> args, env;
  std::optional<std::int64_t> timeout;
  friend bool operator==(const CdiHook&, const CdiHook&) = default;
};

struct CdiNetDevice {
  std::string host_name, name;
  friend bool operator==(const CdiNetDevice&, const CdiNetDevice&) = default;
};

struct CdiIntelRdt {
  std::string clos_id, l3_schema, mem_bw_schema;
  std::vector<std::string> schemata;
  bool enable_cmt = false, enable_mbm = false, enable_monitoring = false;
  friend bool operator==(const CdiIntelRdt&, const CdiIntelRdt&) = default;
};

struct CdiEdits {
  std::vector<std::string> env;  // "NAME=value"
  std::vector<CdiNode> nodes;
  std::vector<CdiNetDevice> net_devices;
  std::vector<CdiMount> mounts;
  std::vector<CdiHook> hooks;
  std::vector<std::uint32_t> additional_gids;
  std::optional<CdiIntelRdt> intel_rdt;
  bool empty() const {
    return env.empty() && nodes.empty() && net_devices.empty() && mounts.empty() && hooks.empty() &&
           additional_gids.empty() && !intel_rdt;
  }
  friend bool operator==(const CdiEdits&, const CdiEdits&) = default;
};

struct CdiDevice {
  std::string name;  // "0", "GPU-...", "all"
  std::map<std::string, std::string> annotations;
  CdiEdits edits;
  friend bool operator==(const CdiDevice&, const CdiDevice&) = default;
};

struct CdiSpec {
  std::string version;  // cdiVersion
  std::string kind;     // "nvidia.com/gpu"
  std::map<std::string, std::string> annotations;
  CdiEdits edits;  // for each device
  std::vector<CdiDevice> devices;
  friend bool operator==(const CdiSpec&, const CdiSpec&) = default;
};

// One file of a directory that an engine reads specs from. Where `error` is empty the spec is
// valid; a file that is not makes none of its devices, and leaves other files alone.
struct CdiFile {
  std::string path;
  unsigned priority = 0;  // of its directory; a higher one wins
  std::string text;       // as it was read, for places; may be cut
  CdiSpec spec;
  std::string error;
  unsigned error_line = 0;       // 0: not known
  bool is_ignored = false;       // neither .json nor .yaml: engines don't look at it
  std::int64_t modified_at = 0;  // mtime, seconds of the Unix epoch; 0: not known
  friend bool operator==(const CdiFile&, const CdiFile&) = default;
};

}  // namespace estiva
