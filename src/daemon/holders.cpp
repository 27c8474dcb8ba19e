#include "daemon/holders.h"

#include "base/log.h"
#include "host/process.h"

namespace estiva::daemon {

Holders::Holders(net::Loop& loop, const host::Root& root, std::string boot_id,
                 std::function<void(const std::string&)> died)
    : loop_(loop), root_(root), boot_id_(std::move(boot_id)), died_(std::move(died)) {}

void Holders::watch(const Lease& lease) {
  if (!lease.holder) return;
  forget(lease.id);  // of an earlier holder
  auto pidfd = host::watch_holder(root_, *lease.holder, boot_id_);
  if (!pidfd) {
    if (pidfd.error().kind == ErrorKind::not_found) {
      report(lease.id);
      return;
    }
    log(LogLevel::warning, "a lease's holder is looked at every second instead of watched",
        {{"lease", lease.id}, {"error", pidfd.error().what}});
    polled_[lease.id] = *lease.holder;
    return;
  }
  Watch watch;
  watch.pidfd = std::move(*pidfd);
  watch.handle = loop_.on_readable(watch.pidfd.get(), [this, id = lease.id] { report(id); });
  watches_.insert_or_assign(lease.id, std::move(watch));
}

void Holders::forget(const std::string& lease_id) {
  const auto found = watches_.find(lease_id);
  if (found != watches_.end()) {
    // The descriptor must outlive its handle.
    found->second.handle.reset();
    watches_.erase(found);
  }
  polled_.erase(lease_id);
}

void Holders::poll() {
  for (const auto& [id, holder] : polled_) {
    if (host::check_holder(root_, holder, boot_id_) == host::HolderState::dead) report(id);
  }
}

void Holders::report(const std::string& lease_id) {
  // Posted: the handle that called us, or the map we are iterating, must not change under us.
  loop_.post([this, alive = std::weak_ptr<bool>(alive_), lease_id] {
    if (alive.expired()) return;
    forget(lease_id);
    died_(lease_id);
  });
}

}  // namespace estiva::daemon
