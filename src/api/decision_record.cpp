#include "api/decision_record.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/api.h"
#include "base/messages/format.h"
#include "format/driver_fields.h"
#include "format/json_device.h"

// The members of what is kept, each list for both directions.
namespace estiva {

template <class Io>
static void fields(Io& io, Share& share) {
  io("gpu", share.device);
  io("bytes", share.bytes);
}
template <class Io>
static void fields(Io& io, Holder& holder) {
  io("pid", holder.pid);
  io("start_ticks", holder.start_ticks);
  io("boot_id", holder.boot_id);
}
template <class Io>
static void fields(Io& io, Lease& lease) {
  io("id", lease.id);
  io("model", lease.model);
  io("shares", lease.shares);
  io.named("state", lease.state, LeaseState::releasing);
  io("holder", lease.holder);
  io("granted_at_ns", lease.granted_at);
  io("node_id", lease.node_id);
  io("boot_epoch", lease.boot_epoch);
  io("sequence", lease.sequence);
}

}  // namespace estiva

namespace estiva::decide {

static std::string_view to_name(Choice choice) {
  switch (choice) {
    case Choice::by_gpu_count:
      return "auto";
    case Choice::least_utilized:
      return "least-utilized";
    case Choice::pack:
      return "pack";
  }
  return "auto";
}

static std::string_view to_name(Usable usable) {
  switch (usable) {
    case Usable::yes:
      return "yes";
    case Usable::not_seen:
      return "not_seen";
    case Usable::lost:
      return "lost";
    case Usable::reset_required:
      return "reset_required";
    case Usable::asleep:
      return "asleep";
    case Usable::failed:
      return "failed";
    case Usable::split:
      return "split";
    case Usable::no_memory:
      return "no_memory";
  }
  return "failed";
}

template <class Io>
static void fields(Io& io, ShareWanted& share) {
  io("gpu", share.gpu);
  io("bytes", share.bytes);
}
template <class Io>
static void fields(Io& io, AssignRequest& request) {
  io("model", request.model);
  io.list("shares", request.shares);
  io.named("choice", request.choice, Choice::pack);
  io("holder", request.holder);
  io("requested_at_ns", request.requested_at);
  io("wall_ns", request.wall);
}
template <class Io>
static void fields(Io& io, Credit& credit) {
  io("at_ns", credit.at);
  io("bytes", credit.bytes);
}
template <class Io>
static void fields(Io& io, ForeignProcess& process) {
  io("pid", process.pid);
  io("used", process.used);
  io("name", process.name);
}
template <class Io>
static void fields(Io& io, GpuAccount& account) {
  io("gpu", account.id);
  io("index", account.index);
  io("name", account.name);
  io.named("usable", account.usable, Usable::no_memory);
  io("unfit", account.unfit);
  io("utilization", account.utilization);
  io("capacity", account.capacity);
  io("used", account.used);
  io("list_known", account.list_known);
  io("exact", account.exact, true);
  io("measured", account.measured);
  io("charges", account.charges);
  io("remainder", account.remainder);
  io("foreign", account.foreign);
  io("foreign_held", account.foreign_held);
  io("desktop_held", account.desktop_held);
  io("unified", account.unified);
  io("elsewhere", account.elsewhere);
  io("overcommitted", account.overcommitted);
  io("credit_pending", account.credit_pending);
  io.list("credits", account.credits);
  io.list("strangers", account.strangers);
}
template <class Io>
static void fields(Io& io, Use::Seen& seen) {
  io("pid", seen.pid);
  io("start_ticks", seen.start_ticks);
  io("idle", seen.idle);
}
template <class Io>
static void fields(Io& io, Use& use) {
  io("account", use.account);
  io("declared", use.declared);
  io("measured", use.measured);
  io("has_context", use.has_context);
  io("measured_known", use.measured_known, true);
  io("charge", use.charge);
  io("remainder", use.remainder);
  io.list("processes", use.processes);
}
template <class Io>
static void fields(Io& io, LeaseEntry& entry) {
  fields(io, entry.lease);
  io.list("uses", entry.uses);
  io("holder_gone", entry.holder_gone);
  io("changed_at_ns", entry.changed_at);
}
template <class Io>
static void fields(Io& io, LedgerState& state) {
  io("margin", state.policy.margin);
  io("context_allowance", state.policy.context_allowance);
  io("node_id", state.node_id);
  io("boot_epoch", state.boot_epoch);
  io("driver", state.driver, DriverStatus{});
  io("read_at_ns", state.read_at);
  io("sequence", state.sequence);
  io("next_number", state.next_number);
  io.list("gpus", state.accounts);
  io.list("leases", state.entries);
}

}  // namespace estiva::decide

namespace estiva::api {

template <class Io>
static void fields(Io& io, RequestRecord& record) {
  fields(io, record.request);
  io("sequence", record.sequence);
}

namespace {

template <class T>
std::string to_json(const T& value) {
  std::string text;
  format::JsonWriter json(text);
  format::write_fields(json, value);
  return text;
}

template <class T>
Result<T> from_json(format::JsonNode record) {
  T value{};
  if (auto problem = format::read_fields(record, value); !problem.empty()) {
    return fail(fmt::format(msg::kMemberNotOurs, problem));
  }
  return value;
}

bool names_known_accounts(const decide::LedgerState& state) {
  return std::all_of(state.entries.begin(), state.entries.end(), [&](const auto& entry) {
    return entry.uses.size() == entry.lease.shares.size() &&
           std::all_of(entry.uses.begin(), entry.uses.end(),
                       [&](const decide::Use& use) { return use.account < state.accounts.size(); });
  });
}

}  // namespace

std::string request_record(const decide::AssignRequest& request, std::uint64_t sequence) {
  return to_json(RequestRecord{request, sequence});
}

Result<RequestRecord> read_request_record(format::JsonNode record) {
  return from_json<RequestRecord>(record);
}

std::string readings_record(const decide::Ledger& ledger, std::size_t most) {
  decide::LedgerState state = ledger.state();
  std::string text = to_json(state);
  if (text.size() <= most) return text;
  // Without its sequence nothing can be decided on it.
  state.entries.clear();
  state.sequence = state.next_number = 0;
  for (decide::GpuAccount& account : state.accounts) account.strangers.clear();
  text = to_json(state);
  return text.size() <= most ? text : std::string();
}

Result<decide::LedgerState> read_readings_record(format::JsonNode record) {
  auto state = from_json<decide::LedgerState>(record);
  if (!state) return Failure(state.error());
  if (state->next_number == 0) return fail(msg::kRecordCut);
  if (!names_known_accounts(*state)) return fail(fmt::format(msg::kMemberNotOurs, "leases.uses"));
  return state;
}

}  // namespace estiva::api
