// The inside of ResidencyMachine: its state, and its steps by the files that have them. An event
// changes entries and may call for a plan; the plan looks at all that wait, in order, and starts
// what can be started. Effects are collected in the order in which they are to be carried out.
#pragma once
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "decide/residency/model_entry.h"
#include "decide/residency/residency.h"
#include "decide/residency/what_if.h"

namespace estiva::decide {

namespace residency {
// What one look at all that waits shares.
struct Round {
  WhatIf what_if;                // with the promises and claims made so far
  Freed credits;                 // free, and not yet read again
  Freed leaving;                 // the same, and what will be free without another decision
  bool has_claims = false;       // somebody ahead waits for room that is not free yet
  std::set<const Entry*> spent;  // leave for somebody ahead
};
}  // namespace residency

struct ResidencyMachine::Impl {
  using Entry = residency::Entry;
  using LeavesFor = residency::LeavesFor;
  using Effects = std::vector<residency::Effect>;

  Impl(ResidencySettings settings, std::vector<ModelSpec> specs);
  Effects step(const residency::Event& event, SteadyTime at, const Ledger& as_is);

  // ---- queue.cpp: who waits, in which order, and until when ----
  void on(const residency::Arrived& event);
  void on(const residency::Left& event);
  std::optional<residency::Refuse> refusal_at_arrival(const Entry& entry, Ticket ticket) const;
  void admit(Entry& entry, const residency::Arrived& event);
  void refuse_all(Entry& entry, const residency::Refuse& words);
  SteadyTime settle_key(Entry& entry, SteadyTime wanted);
  std::optional<SteadyTime> arrival_time(Entry& entry, SteadyTime key, residency::Pace pace);
  std::vector<const Entry*> in_order() const;
  void drop_waiter(Entry& entry, std::size_t place);
  void serve_queue(Entry& entry);
  void nobody_waits(Entry& entry);
  // ---- use.cpp: what the gateway reports ----
  void on(const residency::Busy& event);
  // ---- loading.cpp: the way in ----
  void on(const residency::Reserved& event);
  void on(const residency::NotReserved& event);
  void on(const residency::Loaded& event);
  void on(const residency::LoadFailed& event);
  void reserve(Entry& entry, std::vector<residency::Held> claim, bool by_name);
  void load(Entry& entry);
  void open(Entry& entry);
  void pause_after_failure(Entry& entry);
  bool tries_once_more(Entry& entry, const residency::LoadFailed& event);
  // ---- leaving.cpp: the way out ----
  void on(const residency::Closed& event);
  void on(const residency::Released& event);
  void on(const residency::SleepFailed& event);
  void on(const residency::Died& event);
  void begin_leave(Entry& entry, LeavesFor why);
  void drained(Entry& entry);
  void leave(Entry& entry, Leaving how);
  void become_absent(Entry& entry);
  void reopen(Entry& entry);
  void cut_or_leave(Entry& entry);
  // ---- tier.cpp: sleepers and their RAM ----
  void on(const residency::HostBudget& event);
  void on(const residency::DefaultTtl& event) { settings.default_ttl = event.ttl; }
  std::optional<Leaving> how_to_leave(Entry& entry);
  Bytes ram_used() const;
  std::vector<Entry*> sleepers_by_worth();
  bool make_ram_for(const Entry& entry, Bytes size);
  void stop_sleeper(Entry& entry, std::string_view why);
  void end_ram_waits();
  // ---- commands.cpp: a person's words, and what is learned ----
  void on(const residency::Adopted& event);
  void on(const residency::Overcommitted& event);
  void on(const residency::Learned& event);
  void on(const residency::Unload& event);
  void on(const residency::Pin& event);
  void on(const residency::SetPolicy& event);
  void on(const residency::Pause& event);
  void on(const residency::Resume& event);
  void on(const residency::Configured& event);
  void on(const residency::Tick&) {}
  bool is_paused(std::string_view device) const;
  void change_spec(Entry& entry, ModelSpec spec);
  void remove_model(Entry& entry);
  // ---- plan.cpp: what to start next ----
  void plan();
  enum class Pauses : bool { ignored, heeded };
  residency::Round new_round(Pauses pauses) const;
  void consider(Entry& entry, residency::Round& round);
  void try_preload(Entry& entry, residency::Round& round, const AssignRequest& request);
  // ---- evict.cpp: what has to leave for it ----
  struct Eviction {
    std::vector<Entry*> set;
    std::vector<std::uint32_t> accounts;  // where the model goes then
  };
  void evict_for(Entry& entry, residency::Round& round, const AssignRequest& request);
  std::optional<Eviction> choose_eviction(Entry& entry, const residency::Round& round,
                                          const AssignRequest& request);
  std::optional<Eviction> choose_eviction(Entry& entry, const residency::Round& round,
                                          const AssignRequest& request,
                                          std::optional<SteadyTime> bound);
  SteadyTime out_by(const Entry& other) const;
  void keep_earlier_victims(Entry& entry, const residency::Round& round,
                            const AssignRequest& request, Eviction& next);
  void evict_now(Entry& entry);
  void reopen_needless();
  std::optional<SteadyTime> may_leave_together(const std::vector<Entry*>& set) const;
  SteadyTime latest_leave(const std::vector<Entry*>& set) const;
  bool is_group_mate(const Entry& entry, const Entry& other) const;
  bool is_held_up(const Entry& entry) const;
  const Entry* pinned_mate(const Entry& entry) const;
  bool has_to_go(const Entry& entry, const Entry& other) const;
  bool may_be_evicted(const Entry& entry, const Entry& other) const;
  double cost_of(const Entry& entry, const residency::Round& round) const;
  // ---- clear.cpp: what can't come in, and what may not stay ----
  void cannot_fit(Entry& entry, const AssignRequest& request);
  void refuse_paused(Entry& entry);
  bool waits_for_others(Entry& entry, const AssignRequest& request);
  void on(const residency::NobodyYields& event);
  void empty_paused();
  void relieve_overcommitted();
  // ---- deadlines.cpp: what is due by the clock ----
  void on_time();
  void on_due(Entry& entry);
  void answer_overdue(Entry& entry);
  std::optional<SteadyTime> next_deadline() const;
  // ---- explain.cpp: where all stand, in words ----
  std::string waits_for(const Entry& entry, SteadyTime at, const Ledger& as_is) const;
  ResidencyView view_of(const Entry& entry) const;
  TicketView view_of(const Entry& entry, std::size_t place, std::optional<SteadyTime> loaded,
                     SteadyTime at, const Ledger& as_is) const;
  std::vector<TicketView> waiting(SteadyTime at, const Ledger& as_is,
                                  std::optional<Ticket> only) const;

  Entry* find(std::string_view model);
  void become(Entry& entry, Residency state);
  void tell(const Entry& entry, std::string what);
  void plan_not_before(SteadyTime at);

  ResidencySettings settings;
  residency::Models models;
  std::unordered_map<Ticket, Entry*> tickets;
  std::map<std::string, std::optional<SteadyTime>, std::less<>> paused;  // device; empty: all
  std::set<std::string, std::less<>> overcommitted;                      // devices
  std::vector<residency::Lag> lags;
  std::uint64_t commitments = 0;
  std::optional<SteadyTime> plan_at;  // when a plan may come out otherwise without an event
  std::optional<SteadyTime> due_at;   // of the next deadline of any kind

  // Of the step under way.
  SteadyTime now;
  const Ledger* ledger = nullptr;
  bool needs_plan = false;
  Effects effects;
};

namespace residency {

// The shares that are asked of the ledger: on the GPUs where it sleeps or has to be alone, else as
// its configuration says. Nothing where nobody knows its need.
std::optional<std::vector<ShareWanted>> shares_of(const Entry& entry, const Ledger& ledger);
// The same as a question to the accounts: of a sleeping model only what it lacks.
std::optional<AssignRequest> request_of(const Entry& entry, const Ledger& ledger);
// All that it has or will have: what its lease is charged, and its claim.
Holdings all_holdings(const Entry& entry, const Ledger& ledger);
Bytes bytes_on(const Entry& entry, const Ledger& ledger, std::string_view device);
// Where a request goes, as a claim.
std::vector<Held> claim_of(const AssignRequest& request, const std::vector<std::uint32_t>& accounts,
                           const Ledger& ledger);
// What of its claim the ledger does not show yet.
std::vector<Held> unseen_claim(const Entry& entry, const Ledger& ledger);
// How long it stays although nobody asks for it; nothing: as long as there is room.
std::optional<Nanoseconds> ttl_of(const Entry& entry, const ResidencySettings& settings);
// When it leaves by itself; nothing: never, or it is in use.
std::optional<SteadyTime> unused_until(const Entry& entry, const ResidencySettings& settings);
// All that wait, the next first: those for whom others leave already, then by key.
bool goes_first(const Entry& a, const Entry& b);
SteadyTime key_of(const Entry& entry);
// "1.5 s", "340 ms", "2 min"
std::string to_words(Nanoseconds time);

}  // namespace residency
}  // namespace estiva::decide
