#include "daemon/local_sockets.h"

#include <cerrno>
#include <cstring>
#include <grp.h>
#include <unistd.h>

#include "api/routes.h"
#include "base/log.h"
#include "base/messages/api.h"
#include "daemon/notify.h"
#include "host/files.h"

namespace estiva::daemon {
namespace {

// A quarter of the server's: containers must not be able to lock the control socket's users out.
constexpr std::size_t kLeaseConnections = 128;
// Of one container; each of its workers may keep one open.
constexpr std::size_t kConnectionsPerClient = 32;

// Started by root without systemd: the members of the group may use the control socket, as with the
// socket unit.
void share_with_group(const api::Places& places) {
  if (::geteuid() != 0) return;
  const group* wanted = ::getgrnam("estiva");
  if (wanted == nullptr) return;
  for (const std::string& path : {places.control_dir, places.control_socket}) {
    if (::chown(path.c_str(), static_cast<uid_t>(-1), wanted->gr_gid) == 0) continue;
    log(LogLevel::warning, "the group estiva can't use the control socket",
        {{"path", path}, {"reason", std::strerror(errno)}});
  }
}

Result<void> make_control(net::Server& server, const api::Places& places,
                          const net::ListenOptions& options) {
  if (auto made = host::ensure_named_dir(places.runtime_dir, 0755); !made) return made;
  if (auto made = host::ensure_dir(places.control_dir, 0750); !made) return made;
  auto bound = server.listen(net::Endpoint::unix_path(places.control_socket), options);
  if (!bound) return Failure(bound.error());
  share_with_group(places);
  return {};
}

// The folder is what containers mount, so it stays; the socket in it is new after each start.
Result<void> make_lease(net::Server& server, const api::Places& places,
                        const net::ListenOptions& options) {
  if (auto made = host::ensure_dir(places.lease_dir, 0755); !made) return made;
  auto bound = server.listen(net::Endpoint::unix_path(places.lease_socket), options);
  if (!bound) return Failure(bound.error());
  return {};
}

}  // namespace

Result<void> listen_locally(net::Server& server, const api::Places& places,
                            std::function<std::string(const net::Peer&)> client_of) {
  const net::ListenOptions control{std::string(api::kControlListener), 0660};
  const net::ListenOptions lease{std::string(api::kLeaseListener), 0666, kLeaseConnections,
                                 std::move(client_of), kConnectionsPerClient};
  bool has_control = false;
  bool has_lease = false;
  for (const PassedSocket& passed : take_passed_sockets()) {
    const bool is_lease = passed.name == api::kLeaseListener;
    const bool is_control = passed.name == api::kControlListener || passed.name.empty();
    bool& has = is_lease ? has_lease : has_control;
    if ((!is_lease && !is_control) || has) continue;
    auto adopted = server.adopt(passed.fd, is_lease ? lease : control);
    if (!adopted) return Failure(adopted.error());
    has = true;
  }
  if (!has_control) {
    if (auto made = make_control(server, places, control); !made) return made;
  }
  if (has_lease) return {};
  if (auto made = make_lease(server, places, lease); !made) {
    log(LogLevel::warning, msg::kNoLeaseSocket, {{"error", made.error().sentence()}});
  }
  return {};
}

}  // namespace estiva::daemon
