#include "store/codec.h"

namespace estiva::store {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint64_t kPrime = 0x100000001b3;
constexpr std::uint8_t kHasLease = 1, kHasDecision = 2;

void put(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out.push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  out.push_back(static_cast<char>(number));
}

void put(std::string& out, std::string_view text) {
  put(out, std::uint64_t{text.size()});
  out.append(text);
}

// Reads forward; after the first thing that does not fit every read gives zero and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return broken();
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      // The tenth byte has room for one bit; and a trailing zero byte is another spelling of
      // the same number, which we never write.
      if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) return broken();
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    return broken();
  }

  std::uint64_t number_up_to(std::uint64_t most) {
    const std::uint64_t value = number();
    return value <= most ? value : broken();
  }

  std::string text() {
    const std::uint64_t size = number();
    if (size > rest_.size()) {
      broken();
      return {};
    }
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }

  std::size_t left() const { return rest_.size(); }
  bool ok() const { return ok_; }
  std::uint64_t broken() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void put_lease(const Lease& lease, std::string& out) {
  put(out, lease.id);
  put(out, lease.model);
  put(out, std::uint64_t{lease.shares.size()});
  for (const Share& share : lease.shares) {
    put(out, share.device.vendor);
    put(out, share.device.uuid);
    put(out, share.device.instance);
    put(out, share.bytes.value);
  }
  put(out, static_cast<std::uint64_t>(lease.state));
  put(out, std::uint64_t{lease.holder.has_value()});
  if (lease.holder) {
    put(out, static_cast<std::uint64_t>(static_cast<std::uint32_t>(lease.holder->pid)));
    put(out, lease.holder->start_ticks);
    put(out, lease.holder->boot_id);
  }
  put(out, static_cast<std::uint64_t>(lease.granted_at.ns));
  put(out, lease.node_id);
  put(out, lease.boot_epoch);
  put(out, lease.sequence);
}

Holder take_holder(Reader& in) {
  Holder holder;
  holder.pid = static_cast<pid_t>(in.number_up_to(UINT32_MAX));
  holder.start_ticks = in.number();
  holder.boot_id = in.text();
  return holder;
}

Lease take_lease(Reader& in) {
  Lease lease;
  lease.id = in.text();
  lease.model = in.text();
  // A share has at least four bytes, so a false count can't make us reserve more than we hold.
  const std::uint64_t shares = in.number_up_to(std::min(kMaxShares, in.left() / 4));
  lease.shares.reserve(shares);
  for (std::uint64_t i = 0; i < shares && in.ok(); ++i) {
    Share share;
    share.device.vendor = in.text();
    share.device.uuid = in.text();
    share.device.instance = in.text();
    share.bytes.value = in.number();
    lease.shares.push_back(std::move(share));
  }
  lease.state =
      static_cast<LeaseState>(in.number_up_to(static_cast<std::uint64_t>(LeaseState::releasing)));
  if (in.number_up_to(1) == 1) lease.holder = take_holder(in);
  lease.granted_at.ns = static_cast<std::int64_t>(in.number());
  lease.node_id = in.text();
  lease.boot_epoch = in.number();
  lease.sequence = in.number();
  return lease;
}

}  // namespace

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed) {
  for (const char byte : bytes) seed = (seed ^ static_cast<std::uint8_t>(byte)) * kPrime;
  return seed;
}

std::uint64_t checksum(std::uint64_t number, std::uint64_t seed) {
  for (int i = 0; i < 8; ++i, number >>= 8) seed = (seed ^ (number & 0xff)) * kPrime;
  return seed;
}

void encode_lease(const Lease& lease, std::string& out) {
  put(out, std::uint64_t{kFormat});
  put_lease(lease, out);
}

std::optional<Lease> decode_lease(std::string_view bytes) {
  Reader in(bytes);
  if (in.number() != kFormat) return std::nullopt;
  Lease lease = take_lease(in);
  if (!in.ok() || in.left() > 0) return std::nullopt;
  return lease;
}

void encode_body(const Write& write, std::uint64_t readings, std::string& out) {
  put(out, std::uint64_t{kFormat});
  put(out, static_cast<std::uint64_t>((write.lease ? kHasLease : 0) |
                                      (write.decision ? kHasDecision : 0)));
  put(out, write.text);
  if (write.lease) put_lease(*write.lease, out);
  if (!write.decision) return;
  put(out, write.decision->request);
  put(out, write.decision->outcome);
  put(out, readings);
}

std::optional<Body> decode_body(std::string_view bytes) {
  Reader in(bytes);
  if (in.number() != kFormat) return std::nullopt;
  const std::uint64_t has = in.number_up_to(kHasLease | kHasDecision);
  Body body;
  body.text = in.text();
  if (has & kHasLease) body.lease = take_lease(in);
  if (has & kHasDecision) {
    body.has_decision = true;
    body.request = in.text();
    body.outcome = in.text();
    body.readings = in.number();
  }
  if (!in.ok() || in.left() > 0) return std::nullopt;
  return body;
}

}  // namespace estiva::store
