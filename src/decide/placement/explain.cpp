// From a refusal's cause to sentences.
#include "decide/placement/explain.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/decide.h"
#include "decide/placement/choose.h"
#include "decide/placement/hints.h"
#include "decide/placement/selector.h"

namespace estiva::decide {
namespace {

std::string process_words(const ForeignProcess& process) {
  return process.name.empty() ? fmt::format("pid {}", process.pid)
                              : fmt::format("pid {} ({})", process.pid, process.name);
}

std::string_view unusable_words(Usable usable) {
  switch (usable) {
    case Usable::yes:
      return msg::kGpuHasRoom;
    case Usable::not_seen:
      return msg::kGpuNotSeen;
    case Usable::lost:
      return msg::kGpuLost;
    case Usable::reset_required:
      return msg::kGpuReset;
    case Usable::asleep:
      return msg::kGpuAsleep;
    case Usable::failed:
      return msg::kGpuFailed;
    case Usable::split:
      return msg::kGpuSplit;
    case Usable::no_memory:
      return msg::kGpuNoMemory;
  }
  return msg::kGpuFailed;
}

// Who has the room: the numbers, then the largest stranger, named as a model where it may be one.
std::string fullness_words(const Ledger& ledger, std::uint32_t at, Names names) {
  const GpuAccount& account = ledger.accounts()[at];
  const Bytes promised = committed(account) - account.used;
  std::string words = account.overcommitted
                          ? fmt::format(msg::kGpuOvercommitted, to_text(committed(account)),
                                        to_text(account.capacity))
                          : fmt::format(msg::kGpuFull, to_text(account.capacity),
                                        to_text(account.used), to_text(promised));
  if (ledger.policy().margin > Bytes{})
    words += "; " + fmt::format(msg::kGpuMargin, to_text(ledger.policy().margin));
  if (account.desktop_held > Bytes{})
    words += "; " + fmt::format(msg::kGpuDesktop, to_text(account.desktop_held));
  if (names == Names::none || account.strangers.empty() || !account.strangers.front().used)
    return words;
  const ForeignProcess& stranger = account.strangers.front();
  const std::string size = to_text(*stranger.used);
  const LeaseEntry* unbound = unbound_like(ledger, at, *stranger.used);
  if (!unbound) return words + "; " + fmt::format(msg::kGpuStranger, size, process_words(stranger));
  const std::string& model = unbound->lease.model;
  return words + "; " +
         fmt::format(msg::kMayBeModel, size, process_words(stranger), model, model, stranger.pid);
}

std::string why_not(const Ledger& ledger, std::uint32_t at, Bytes wanted, Bytes missing,
                    Names names) {
  const GpuAccount& account = ledger.accounts()[at];
  if (account.usable == Usable::yes && !account.unfit.empty())
    return names == Names::all ? fmt::format(msg::kGpuUnfit, account.unfit)
                               : std::string(msg::kGpuUnfitUnnamed);
  if (account.usable != Usable::yes || missing == Bytes{})
    return std::string(unusable_words(account.usable));
  if (wanted > account.capacity) return fmt::format(msg::kGpuTooSmall, to_text(account.capacity));
  return fullness_words(ledger, at, names);
}

GpuShortage shortage_on(const Ledger& ledger, std::uint32_t at, Bytes wanted, Names names) {
  const GpuAccount& account = ledger.accounts()[at];
  const Bytes free = admissible(account, ledger.policy());
  const Bytes missing = wanted - free;
  return {account.id.key(), account.index, free, missing,
          why_not(ledger, at, wanted, missing, names)};
}

// The GPUs a request could have used, each with the share it would have got there: its own where
// one is named, the smallest unnamed one elsewhere.
std::vector<GpuShortage> shortages(const Ledger& ledger, const AssignRequest& request,
                                   Names names) {
  std::vector<Bytes> wanted(ledger.accounts().size());
  Bytes anywhere;
  for (const ShareWanted& share : request.shares) {
    if (is_auto(share.gpu)) {
      anywhere = anywhere == Bytes{} ? share.bytes : std::min(anywhere, share.bytes);
      continue;
    }
    for (const std::uint32_t i : find_gpus(ledger.accounts(), share.gpu)) wanted[i] = share.bytes;
  }
  std::vector<GpuShortage> rows;
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    const Bytes bytes = wanted[i] > Bytes{} ? wanted[i] : anywhere;
    if (bytes > Bytes{})
      rows.push_back(shortage_on(ledger, i, bytes + ledger.policy().context_allowance, names));
  }
  std::sort(rows.begin(), rows.end(), [](const GpuShortage& a, const GpuShortage& b) {
    return a.index != b.index ? a.index < b.index : a.uuid < b.uuid;
  });
  return rows;
}

std::vector<GpuShortage> growth_shortages(const Ledger& ledger, const AssignRequest& request,
                                          const LeaseEntry& entry, Names names) {
  std::vector<GpuShortage> rows;
  for (std::size_t i = 0; i < entry.uses.size() && i < request.shares.size(); ++i) {
    const Use& use = entry.uses[i];
    const Bytes held = std::max(use.declared, use.measured);
    rows.push_back(shortage_on(ledger, use.account, request.shares[i].bytes - held, names));
  }
  return rows;
}

std::string no_room_words(const AssignRequest& request, bool growing) {
  Bytes most;
  for (const ShareWanted& share : request.shares) most = std::max(most, share.bytes);
  if (growing) return fmt::format(msg::kNoRoomToGrow, request.model, to_text(most));
  if (request.shares.size() > 1)
    return fmt::format(msg::kNoRoomMany, request.model, request.shares.size(), to_text(most));
  const std::string& gpu = request.shares.front().gpu;
  return fmt::format(msg::kNoRoomOne, request.model, to_text(most),
                     is_auto(gpu) ? std::string(msg::kAnyGpu) : fmt::format(msg::kGpuNamed, gpu));
}

void explain_driver(const Ledger& ledger, Explanation& out) {
  const DriverStatus& driver = ledger.driver();
  out.reason =
      fmt::format(msg::kDriverNotReady, driver.reason.empty()
                                            ? fmt::format(msg::kDriverState, to_name(driver.state))
                                            : driver.reason);
  out.remedy = driver.remedy;
}

void explain_name(const Ledger& ledger, const std::string& name, Explanation& out) {
  std::vector<std::string> keys;
  for (const std::uint32_t i : find_gpus(ledger.accounts(), name))
    keys.push_back(ledger.accounts()[i].id.key());
  if (keys.empty()) {
    out.reason = fmt::format(msg::kNoSuchGpu, name);
    out.remedy = msg::kListGpus;
    return;
  }
  out.reason = fmt::format(msg::kManyGpusCalled, name, keys.size(), fmt::join(keys, ", "));
  out.remedy = msg::kWriteMore;
}

void explain_existing(const Decision& decision, Explanation& out) {
  const Lease& lease = decision.lease;
  if (decision.cause == Cause::held_by_another) {
    out.reason = fmt::format(msg::kHeldByAnother, lease.model, lease.holder->pid);
    out.remedy = fmt::format(msg::kReleaseHolder, lease.model);
    return;
  }
  std::vector<std::string> keys;
  for (const Share& share : lease.shares) keys.push_back(share.device.key());
  out.reason = fmt::format(msg::kAssignedElsewhere, lease.model, fmt::join(keys, ", "));
  out.remedy = fmt::format(msg::kReleaseFirst, lease.model);
}

void explain_room(const Ledger& ledger, const AssignRequest& request, const Decision& decision,
                  Names names, Explanation& out) {
  const LeaseEntry* growing = decision.lease.id.empty() ? nullptr : ledger.find(decision.lease.id);
  out.gpus = growing ? growth_shortages(ledger, request, *growing, names)
                     : shortages(ledger, request, names);
  if (decision.cause == Cause::no_usable_gpu) {
    out.reason = out.gpus.empty() ? msg::kNoGpuAtAll : msg::kNoUsableGpu;
    for (const GpuShortage& gpu : out.gpus)
      if (out.gpus.size() == 1) out.reason += ": " + gpu.why;
    return;
  }
  out.reason = no_room_words(request, growing != nullptr);
  out.would_fit_if = would_fit_if(ledger, request, growing, names);
}

}  // namespace

Explanation explain_refusal(const Ledger& ledger, const AssignRequest& request,
                            const Decision& decision, Names names) {
  Explanation out;
  out.kind = kind_of(decision.cause);
  if (decision.verdict == Verdict::needs_fresh_reading) {
    out.reason = msg::kNeedsFreshReading;
    out.remedy = msg::kAskAgain;
    return out;
  }
  switch (decision.cause) {
    case Cause::bad_request:
      out.reason = decision.detail;
      break;
    case Cause::unknown_gpu:
      explain_name(ledger, decision.detail, out);
      break;
    case Cause::driver_not_ready:
      explain_driver(ledger, out);
      break;
    case Cause::assigned_elsewhere:
    case Cause::held_by_another:
      explain_existing(decision, out);
      break;
    case Cause::no_usable_gpu:
    case Cause::no_room:
    case Cause::none:
      explain_room(ledger, request, decision, names, out);
      break;
  }
  return out;
}

}  // namespace estiva::decide
