#include "gpu/wire.h"

#include <algorithm>
#include <cstring>

#include "gpu/wire_rows.h"

namespace estiva::gpu {
namespace {

template <class T>
void append(std::vector<std::byte>& bytes, const T& value) {
  const auto* from = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), from, from + sizeof value);
}

template <class Row>
Row row_at(std::span<const std::byte> rows, std::size_t i) {
  Row row;
  std::memcpy(&row, rows.data() + i * sizeof row, sizeof row);
  return row;
}

bool read_header(std::span<const std::byte> message, Header& header) {
  if (message.size() < sizeof header || message.size() > kMaxMessage) return false;
  std::memcpy(&header, message.data(), sizeof header);
  return header.magic == kMagic && header.version == kProtocolVersion;
}

template <class Row>
bool holds(const Header& header, std::span<const std::byte> rows) {
  return header.count <= kRowsPerMessage<Row> && rows.size() == header.count * sizeof(Row);
}

constexpr auto kListTooLong = static_cast<std::uint8_t>(1 + static_cast<int>(Missing::failed));

// Whether the GPU's list still goes into the answer, and counts it.
bool takes(const Gpu& gpu, std::size_t& sent) {
  const std::size_t rows = gpu.sample.processes ? gpu.sample.processes->size() : 0;
  if (sent + rows > kMaxProcesses) return false;
  sent += rows;
  return true;
}

}  // namespace

void Outbox::clear() {
  bytes_.clear();
  ends_.clear();
  begun_ = 0;
  is_open_ = false;
}

void Outbox::begin(Kind kind, std::uint64_t id, std::uint32_t argument) {
  begun_ = bytes_.size();
  is_open_ = true;
  append(bytes_, Header{.kind = kind, .id = id, .argument = argument});
}

void Outbox::end() {
  if (is_open_) ends_.push_back(bytes_.size());
  is_open_ = false;
}

// Adds to the open message of this kind, or closes a full one and opens the next.
template <class Row>
void Outbox::add_row(Kind kind, std::uint64_t id, std::uint32_t argument, const Row& row) {
  if (is_open_ && bytes_.size() + sizeof row > begun_ + kMaxMessage) end();
  if (!is_open_) begin(kind, id, argument);
  append(bytes_, row);
  Header header;
  std::memcpy(&header, bytes_.data() + begun_, sizeof header);
  ++header.count;
  std::memcpy(bytes_.data() + begun_, &header, sizeof header);
}

void Outbox::add_hello(std::uint32_t pid) {
  begin(Kind::hello, 0, pid);
  end();
}

void Outbox::add_done(std::uint64_t id, const TierCosts& costs) {
  static_assert(kTierCount <= std::size(CostRow{}.tiers));
  CostRow row{};
  for (unsigned i = 0; i < kTierCount; ++i) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(costs[i]).count();
    row.tiers[i] = static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 0, UINT32_MAX));
  }
  add_row(Kind::done, id, 0, row);
  end();
}

void Outbox::add_calls(std::uint64_t id, const std::vector<CallCost>& calls) {
  for (const CallCost& call : calls) add_row(Kind::calls, id, 0, to_row(call));
  end();
}

void Outbox::add_state(std::uint64_t id, const DriverStatus& driver) {
  add_row(Kind::state, id, 0, to_row(driver));
  end();
}

void Outbox::add_inventory(std::uint64_t id, const std::vector<Gpu>& gpus) {
  const auto total = static_cast<std::uint32_t>(gpus.size());
  for (std::uint32_t i = 0; i < total; ++i) {
    add_row(Kind::inventory, id, total, to_row(i, gpus[i].identity));
  }
  if (total == 0) begin(Kind::inventory, id, 0);
  end();
}

void Outbox::add_samples(std::uint64_t id, const std::vector<Gpu>& gpus, bool with_processes) {
  std::size_t sent = 0;
  for (std::uint32_t i = 0; i < gpus.size(); ++i) {
    SampleRow row = to_row(i, gpus[i].sample, with_processes);
    // Half a list would say of the rest that it has left the GPU: all of it or none.
    if (with_processes && !takes(gpus[i], sent)) row.processes_why = kListTooLong;
    add_row(Kind::samples, id, 0, row);
  }
  end();
  if (with_processes) add_processes(id, gpus);
}

void Outbox::add_processes(std::uint64_t id, const std::vector<Gpu>& gpus) {
  std::size_t sent = 0;
  for (std::uint32_t i = 0; i < gpus.size(); ++i) {
    if (!gpus[i].sample.processes || !takes(gpus[i], sent)) continue;
    for (const GpuProcess& process : *gpus[i].sample.processes)
      add_row(Kind::processes, id, 0, to_row(i, process));
  }
  end();
}

void Outbox::add_wear(std::uint64_t id, const std::vector<Gpu>& gpus) {
  for (std::uint32_t i = 0; i < gpus.size(); ++i) {
    add_row(Kind::wear, id, 0, to_row(i, gpus[i].wear));
  }
  end();
}

void Outbox::add_xids(const std::vector<XidReport>& reports) {
  for (const XidReport& report : reports) add_row(Kind::xids, 0, 0, to_row(report));
  end();
}

std::span<const std::byte> Outbox::message(std::size_t i) const {
  const std::size_t from = i == 0 ? 0 : ends_[i - 1];
  return std::span(bytes_).subspan(from, ends_[i] - from);
}

std::vector<std::byte> encode_request(const Request& request) {
  std::vector<std::byte> bytes;
  append(bytes, Header{.kind = request.kind, .id = request.id, .argument = request.tiers.bits()});
  return bytes;
}

Result<Request> decode_request(std::span<const std::byte> message) {
  Header header;
  if (!read_header(message, header) || message.size() != sizeof header ||
      header.kind < Kind::read || header.kind > Kind::quit) {
    return fail("a request that is none of this protocol");
  }
  return Request{header.kind, header.id, Tiers::of_bits(header.argument)};
}

void Assembler::restart() {
  arriving_.clear();
  expected_ = 0;
  processes_ = 0;
  // An answer broke off: a list that began anew may lack rows, and those have not left the GPU.
  for (Gpu& gpu : gpus_)
    if (is_listing_) gpu.sample.processes = Missing::not_read;
  is_listing_ = false;
}

Assembler::Outcome Assembler::take(std::span<const std::byte> message) {
  Header header;
  if (!read_header(message, header)) return Outcome::malformed;
  const std::span<const std::byte> rows = message.subspan(sizeof header);
  switch (header.kind) {
    case Kind::hello:
      return rows.empty() ? Outcome::hello : Outcome::malformed;
    case Kind::state:
      return header.count == 1 && holds<StateRow>(header, rows) ? take_state(rows)
                                                                : Outcome::malformed;
    case Kind::inventory:
      return take_inventory(header, rows);
    case Kind::samples:
      return take_samples(header, rows);
    case Kind::processes:
      return take_processes(header, rows);
    case Kind::wear:
      return take_wear(header, rows);
    case Kind::xids:
      return take_xids(header, rows);
    case Kind::calls:
      return take_calls(header, rows);
    case Kind::done:
      if (header.count != 1 || !holds<CostRow>(header, rows) || expected_ != arriving_.size()) {
        return Outcome::malformed;
      }
      take_costs(row_at<CostRow>(rows, 0));
      done_id_ = header.id;
      processes_ = 0;
      is_listing_ = is_calling_ = false;
      return Outcome::done;
    default:
      return Outcome::malformed;
  }
}

void Assembler::take_costs(const CostRow& row) {
  for (unsigned i = 0; i < kTierCount; ++i) costs_[i] = std::chrono::microseconds(row.tiers[i]);
}

Assembler::Outcome Assembler::take_state(std::span<const std::byte> rows) {
  DriverStatus driver;
  if (!from_row(row_at<StateRow>(rows, 0), driver)) return Outcome::malformed;
  driver_ = std::move(driver);
  return Outcome::state;
}

// Chunks come in order of device; the new list takes effect when it is complete, and keeps the
// samples of the devices that stay.
Assembler::Outcome Assembler::take_inventory(const Header& header,
                                             std::span<const std::byte> rows) {
  if (!holds<InventoryRow>(header, rows) || header.argument > kMaxDevices) {
    return Outcome::malformed;
  }
  if (header.count == 0 || row_at<InventoryRow>(rows, 0).device == 0) {
    arriving_.clear();
    expected_ = header.argument;
  }
  for (std::size_t i = 0; i < header.count; ++i) {
    const auto row = row_at<InventoryRow>(rows, i);
    GpuIdentity identity;
    if (row.device != arriving_.size() || row.device >= expected_ || !from_row(row, identity)) {
      return Outcome::malformed;
    }
    arriving_.push_back(std::move(identity));
  }
  if (arriving_.size() < expected_) return Outcome::more;
  std::vector<Gpu> gpus;
  for (const GpuIdentity& identity : arriving_) {
    Gpu gpu{identity, {}, {}};
    for (Gpu& before : gpus_) {
      if (before.identity.id != identity.id) continue;
      gpu.sample = before.sample;
      gpu.wear = before.wear;
    }
    gpus.push_back(std::move(gpu));
  }
  gpus_ = std::move(gpus);
  return Outcome::more;
}

Assembler::Outcome Assembler::take_samples(const Header& header, std::span<const std::byte> rows) {
  if (!holds<SampleRow>(header, rows)) return Outcome::malformed;
  for (std::size_t i = 0; i < header.count; ++i) {
    const auto row = row_at<SampleRow>(rows, i);
    if (row.device >= gpus_.size() || !from_row(row, gpus_[row.device].sample)) {
      return Outcome::malformed;
    }
    is_listing_ = is_listing_ || row.processes_fresh != 0;
  }
  return Outcome::more;
}

Assembler::Outcome Assembler::take_processes(const Header& header,
                                             std::span<const std::byte> rows) {
  if (!holds<ProcessRow>(header, rows)) return Outcome::malformed;
  processes_ += header.count;
  if (processes_ > kMaxProcesses) return Outcome::malformed;
  for (std::size_t i = 0; i < header.count;) {
    const std::uint32_t device = row_at<ProcessRow>(rows, i).device;
    if (device >= gpus_.size() || !gpus_[device].sample.processes) return Outcome::malformed;
    std::vector<GpuProcess> list = *gpus_[device].sample.processes;
    for (; i < header.count && row_at<ProcessRow>(rows, i).device == device; ++i) {
      if (!from_row(row_at<ProcessRow>(rows, i), list.emplace_back())) return Outcome::malformed;
    }
    gpus_[device].sample.processes = std::move(list);
  }
  return Outcome::more;
}

Assembler::Outcome Assembler::take_wear(const Header& header, std::span<const std::byte> rows) {
  if (!holds<WearRow>(header, rows)) return Outcome::malformed;
  for (std::size_t i = 0; i < header.count; ++i) {
    const auto row = row_at<WearRow>(rows, i);
    if (row.device >= gpus_.size() || !from_row(row, gpus_[row.device].wear)) {
      return Outcome::malformed;
    }
  }
  return Outcome::more;
}

Assembler::Outcome Assembler::take_xids(const Header& header, std::span<const std::byte> rows) {
  if (!holds<XidRow>(header, rows)) return Outcome::malformed;
  xids_.clear();
  for (std::size_t i = 0; i < header.count; ++i) {
    if (!from_row(row_at<XidRow>(rows, i), xids_.emplace_back())) return Outcome::malformed;
  }
  return Outcome::xids;
}

Assembler::Outcome Assembler::take_calls(const Header& header, std::span<const std::byte> rows) {
  if (!holds<CallRow>(header, rows)) return Outcome::malformed;
  if (!is_calling_) calls_.clear();
  is_calling_ = true;
  if (calls_.size() + header.count > kMaxCalls) return Outcome::malformed;
  for (std::size_t i = 0; i < header.count; ++i) {
    const auto row = row_at<CallRow>(rows, i);
    if (row.device >= gpus_.size() || !from_row(row, calls_.emplace_back())) {
      return Outcome::malformed;
    }
  }
  return Outcome::more;
}

}  // namespace estiva::gpu
