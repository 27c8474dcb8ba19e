// The values that go into the store and come out of its journal. Plain data; no SQLite here.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/lease.h"

namespace estiva::store {

// What a later `replay` needs to run one decision again. The three texts are the caller's own
// (JSON, say); the store keeps them as they are. `readings` is what was read of the GPUs and the
// ledger: decisions of one batch share it, and the store keeps it once, by its digest.
struct Decision {
  std::string request;
  std::shared_ptr<const std::string> readings;  // may be null
  std::string outcome;
};

// Larger texts are refused: one request must not fill the journal.
inline constexpr std::size_t kMaxText = 64 * 1024;
// Of what was read: some 200 bytes a device, on a machine with 64 GPUs in eight parts each. It is
// kept once for all decisions that share it.
inline constexpr std::size_t kMaxReadings = 256 * 1024;
inline constexpr std::size_t kMaxShares = 1024;

enum class RecordKind : std::uint8_t {
  grant = 1,     // a lease was made
  change = 2,    // a lease changed (state, holder, shares)
  release = 3,   // a lease went away
  voided = 4,    // a lease of an earlier boot was dropped at start
  decision = 5,  // a decision that changed no lease: refused, or already assigned
  event = 6,     // anything else worth a line: GPU lost, started, stopped
  world = 7,     // a World worth keeping (the caller's text)
  note = 8,      // kept by its name and never in the journal
};
// "grant"
std::string_view to_name(RecordKind kind);

// One change, applied all or none. Use the makers below.
struct Write {
  RecordKind kind = RecordKind::event;
  std::optional<Lease> lease;           // grant, change, release
  std::uint64_t expected_sequence = 0;  // what the stored lease must be at: change, release
  std::optional<Decision> decision;
  std::string subject;  // model or device the record is about
  std::string text;     // why, or the event's own text

  // `lease.sequence` is the new ledger sequence and must be above every earlier one. Fails if the
  // id exists, or a lease of that model that is not `releasing`.
  static Write grant(Lease lease, std::optional<Decision> decision = std::nullopt);
  // `lease` is the whole new value with its new sequence; `expected` the sequence it had before.
  // `decision`: where somebody asked for it.
  static Write change(Lease lease, std::uint64_t expected, std::string why,
                      std::optional<Decision> decision = std::nullopt);
  // `lease.sequence` is again the new ledger sequence (of the removal).
  static Write release(Lease lease, std::uint64_t expected, std::string why);
  static Write decided(std::string subject, Decision decision);
  static Write event(std::string subject, std::string text);
  static Write world(std::string text);
  // Takes the place of the last note of that name; Opened has them at the next start.
  static Write note(std::string name, std::string text);
};

struct JournalRecord {
  std::uint64_t position = 0;  // grows by one a record, never reused
  RecordKind kind = RecordKind::event;
  std::uint64_t sequence = 0;  // ledger sequence; 0 where no lease changed
  std::uint64_t boot_epoch = 0;
  WallTime wall;
  bool intact = true;  // false: the checksum is wrong; the members below are then empty
  std::string subject;
  std::string text;
  std::optional<Lease> lease;
  std::optional<Decision> decision;  // readings null when they were not kept any more
};

}  // namespace estiva::store
