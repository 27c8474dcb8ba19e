// Snapshot <-> messages. The encoder runs in the sensor, the assembler in the daemon, which trusts
// nothing: the sensor maps a foreign library, and a message may be anything.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "gpu/backend.h"
#include "gpu/sensor_protocol.h"

namespace estiva::gpu {

// A row of messages, kept in one buffer that is used again for each answer.
class Outbox {
 public:
  void clear();
  void add_hello(std::uint32_t pid);
  void add_state(std::uint64_t id, const DriverStatus& driver);
  void add_inventory(std::uint64_t id, const std::vector<Gpu>& gpus);
  // `with_processes`: the lists are new, send them; at most kMaxProcesses rows in all; the
  // lists of GPUs beyond that are unknown, never cut.
  void add_samples(std::uint64_t id, const std::vector<Gpu>& gpus, bool with_processes);
  void add_wear(std::uint64_t id, const std::vector<Gpu>& gpus);
  void add_xids(const std::vector<XidReport>& reports);
  void add_calls(std::uint64_t id, const std::vector<CallCost>& calls);
  void add_done(std::uint64_t id, const TierCosts& costs);

  std::size_t size() const { return ends_.size(); }
  std::span<const std::byte> message(std::size_t i) const;

 private:
  void begin(Kind kind, std::uint64_t id, std::uint32_t argument);
  void end();
  template <class Row>
  void add_row(Kind kind, std::uint64_t id, std::uint32_t argument, const Row& row);
  void add_processes(std::uint64_t id, const std::vector<Gpu>& gpus);

  std::vector<std::byte> bytes_;
  std::vector<std::size_t> ends_;
  std::size_t begun_ = 0;  // where the open message starts
  bool is_open_ = false;
};

struct Request {
  Kind kind{};
  std::uint64_t id = 0;
  Tiers tiers;
};
std::vector<std::byte> encode_request(const Request& request);
// Nothing where the bytes are no request of this version.
Result<Request> decode_request(std::span<const std::byte> message);

// Puts the sensor's messages together again.
class Assembler {
 public:
  enum class Outcome { hello, state, more, done, xids, malformed };
  // Takes one message. `malformed`: it breaks the protocol; nothing after it can be trusted, and
  // the value is as it was before or partly changed. Bounded work and memory for any input.
  Outcome take(std::span<const std::byte> message);

  const DriverStatus& driver() const { return driver_; }
  const std::vector<Gpu>& gpus() const { return gpus_; }
  std::uint64_t done_id() const { return done_id_; }
  // What the tiers of that answer took, to the microsecond.
  const TierCosts& costs() const { return costs_; }
  // What questions cost, as the last answer with such rows said; empty where they are not timed.
  const std::vector<CallCost>& calls() const { return calls_; }
  // What the last message with outcome `xids` said.
  const std::vector<XidReport>& xids() const { return xids_; }
  // A new sensor starts: its process lists and inventory come anew; the last values stay readable.
  void restart();

 private:
  void take_costs(const CostRow& row);
  Outcome take_state(std::span<const std::byte> rows);
  Outcome take_inventory(const Header& header, std::span<const std::byte> rows);
  Outcome take_samples(const Header& header, std::span<const std::byte> rows);
  Outcome take_processes(const Header& header, std::span<const std::byte> rows);
  Outcome take_wear(const Header& header, std::span<const std::byte> rows);
  Outcome take_xids(const Header& header, std::span<const std::byte> rows);
  Outcome take_calls(const Header& header, std::span<const std::byte> rows);

  DriverStatus driver_;
  std::vector<Gpu> gpus_;
  std::vector<GpuIdentity> arriving_;
  std::uint32_t expected_ = 0;  // devices in the inventory that is arriving
  bool is_listing_ = false;     // process lists began anew since the last done
  std::size_t processes_ = 0;   // rows since the last done
  std::uint64_t done_id_ = 0;
  TierCosts costs_{};
  std::vector<XidReport> xids_;
  std::vector<CallCost> calls_;
  bool is_calling_ = false;  // rows of calls began anew since the last done
};

}  // namespace estiva::gpu
