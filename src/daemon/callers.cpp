#include "daemon/callers.h"

#include <array>
#include <fmt/format.h>

#include "base/messages/api.h"
#include "format/cgroup.h"
#include "format/proc.h"
#include "host/process.h"

namespace estiva::daemon {
namespace {

using api::Relation;

// A process tree deeper than this is cut; real ones have a dozen generations.
constexpr int kMostGenerations = 64;

Failure denied(const char* what, const char* remedy) {
  return fail(ErrorKind::denied, what, remedy);
}

// A small file of a process that the kernel makes in one piece.
template <class Parse>
auto read_of(const host::Root& root, pid_t pid, const char* file, Parse parse) {
  std::array<char, 8192> buffer;
  const auto path = fmt::format("/proc/{}/{}", pid, file);
  const ssize_t size = host::read_into(root, path.c_str(), buffer);
  return parse(std::string_view(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0));
}

format::ProcStatus status_of(const host::Root& root, pid_t pid) {
  return read_of(root, pid, "status", format::parse_pid_status);
}

struct Parent {
  std::uint64_t start_ticks = 0;
  pid_t parent = 0;
};
std::optional<Parent> look_at(const host::Root& root, pid_t pid) {
  return read_of(root, pid, "stat", [](std::string_view text) -> std::optional<Parent> {
    const auto stat = format::parse_pid_stat(text);
    if (!stat) return std::nullopt;
    return Parent{stat->start_ticks, stat->parent};
  });
}

bool is_within(std::string_view group, std::string_view outer) {
  return group.starts_with(outer) && (group.size() == outer.size() || group[outer.size()] == '/');
}

}  // namespace

Result<api::Caller> CallerBook::recognise(const net::Peer& peer) {
  if (!peer.process || peer.process->pid <= 0) {
    return denied(msg::kCallerUnseen, msg::kCallerUnseenRemedy);
  }
  const net::ProcessIdentity& who = *peer.process;
  if (!net::is_alive(who)) return denied(msg::kCallerGone, msg::kCallerGoneRemedy);
  if (!who.pinned) return denied(msg::kCallerUnseen, msg::kCallerUnseenRemedy);
  const auto holder = host::identify(root_, who.pid, boot_id_);
  const std::string path = host::cgroup_of(root_, who.pid);
  // Looked at again: what was read in between is about the client only if it lives still.
  if (!net::is_alive(who)) return denied(msg::kCallerGone, msg::kCallerGoneRemedy);
  if (!holder || holder->start_ticks != who.start_ticks || path.empty()) {
    return denied(msg::kCallerUnseen, msg::kCallerUnseenRemedy);
  }
  api::Caller caller;
  caller.process = *holder;
  caller.uid = who.uid;
  caller.group = format::container_group_of(path);
  if (!caller.group.empty()) name_container(path, caller);
  return caller;
}

std::string CallerBook::client_of(const net::Peer& peer) const {
  if (!peer.process) return {};
  const std::string path = host::cgroup_of(root_, peer.process->pid);
  const std::string_view group = format::container_group_of(path);
  return group.empty() ? fmt::format("user {}", peer.process->uid) : std::string(group);
}

// An ordinary user can make control groups of any name below the slice that is theirs. What they
// name so is believed to be a container only where the engine is theirs as well.
void CallerBook::name_container(const std::string& path, api::Caller& caller) const {
  const std::vector<std::string> ids = format::container_ids_of(path);
  const format::ContainerKind kind = format::container_kind_of(path);
  caller.place = {caller.process.pid, ids.front(), std::string(kind.runtime), kind.rootless};
  const Engine engine = engine_();
  if (kind.rootless) {
    const auto owner = format::slice_owner_of(path);
    const auto home = fmt::format("unix:/run/user/{}/", owner.value_or(0));
    if (!owner || !engine.address.starts_with(home)) return;
  }
  for (const std::string& id : ids) {
    const Container* known = find_container(engine.containers, id);
    if (known == nullptr) continue;
    caller.place.id = id;
    caller.container = *known;
    return;
  }
}

const CallerBook::Standing& CallerBook::standing_of(const Lease& lease) {
  Standing& standing = standings_[lease.id];
  standing.round = round_;
  if (standing.holder == *lease.holder) return standing;
  const std::string path = host::cgroup_of(root_, lease.holder->pid);
  const auto uid = status_of(root_, lease.holder->pid).uid;
  // Only of the holder, never of who has its number now.
  const host::HolderState state = host::check_holder(root_, *lease.holder, boot_id_);
  standing.group.clear();
  standing.uid.reset();
  if (state == host::HolderState::alive) {
    standing.group = format::container_group_of(path);
    standing.uid = path.empty() ? std::nullopt : uid;
  }
  // What could not be looked at now is looked at again.
  if (state != host::HolderState::unknown) standing.holder = *lease.holder;
  return standing;
}

bool CallerBook::descends(const Holder& process, const Holder& ancestor) const {
  pid_t pid = process.pid;
  std::uint64_t youngest = process.start_ticks;
  for (int generation = 0; generation < kMostGenerations && pid > 0; ++generation) {
    const auto seen = look_at(root_, pid);
    // A parent that started later than its child is another process with a reused number.
    if (!seen || seen->start_ticks > youngest) return false;
    if (generation == 0 && seen->start_ticks != process.start_ticks) return false;
    if (pid == ancestor.pid && seen->start_ticks == ancestor.start_ticks) return true;
    youngest = seen->start_ticks;
    pid = seen->parent;
  }
  return false;
}

std::vector<Relation> CallerBook::relations(const api::Caller& caller,
                                            std::span<const Lease> leases) {
  ++round_;
  std::vector<Relation> relations;
  for (const Lease& lease : leases) {
    Relation& relation = relations.emplace_back(Relation::stranger);
    if (!lease.holder) continue;
    const Standing& standing = standing_of(lease);
    if (!caller.group.empty()) {
      if (is_within(standing.group, caller.group)) relation = Relation::own;
    } else if (standing.group.empty() && standing.uid == caller.uid) {
      const bool related =
          descends(caller.process, *lease.holder) || descends(*lease.holder, caller.process);
      relation = related ? Relation::own : Relation::same_user;
    }
  }
  std::erase_if(standings_, [this](const auto& item) { return item.second.round != round_; });
  return relations;
}

Result<Holder> CallerBook::main_process(const api::Caller& caller) {
  const auto none = [] {
    return fail(ErrorKind::refused, msg::kNoMainProcess, msg::kNoMainProcessRemedy);
  };
  if (caller.group.empty()) return none();
  // The eldest of its ancestors that is still in the container.
  pid_t eldest = caller.process.pid;
  for (int generation = 0; generation < kMostGenerations; ++generation) {
    const auto seen = look_at(root_, eldest);
    if (!seen || seen->parent <= 0) break;
    const std::string path = host::cgroup_of(root_, seen->parent);
    if (format::container_group_of(path) != caller.group) break;
    eldest = seen->parent;
  }
  // It is the container's first where its PID namespace counts from it.
  auto holder = host::identify(root_, eldest, boot_id_);
  const std::vector<pid_t> numbers = status_of(root_, eldest).ns_pids;
  if (!holder || numbers.size() < 2 || numbers.back() != 1) return none();
  if (format::container_group_of(host::cgroup_of(root_, eldest)) != caller.group) return none();
  if (host::check_holder(root_, *holder, boot_id_) != host::HolderState::alive) return none();
  return holder;
}

}  // namespace estiva::daemon
