// The parts of the net benchmark: child processes that serve, and a load generator that measures.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "net/address.h"

namespace estiva::bench {

struct Series {
  std::vector<double> values;  // microseconds
  double median() const;
  double p99() const;
};

// --- children (servers.cpp): each runs until it is killed
// ----------------------------------------- Answers "/small" with 200 bytes, "/bulk" with 64 MiB,
// "/events?n=N" with N stamped events.
int run_upstream(const net::Endpoint& where, std::chrono::microseconds handicap);
// Relays everything to `upstream`.
int run_proxy(const net::Endpoint& where, const net::Endpoint& upstream,
              std::chrono::microseconds handicap);
inline constexpr std::uint64_t kBulkBytes = std::uint64_t{64} << 20;
inline constexpr std::chrono::microseconds kEventPeriod{1500};

// --- load (load.cpp)
// ------------------------------------------------------------------------------ `count` requests
// for "/small" over `connections` keep-alive connections. Latency of each.
Series load_small(const net::Endpoint& to, int connections, int count);
// Reads "/bulk" `count` times over one keep-alive connection; returns the bytes of the bodies.
std::uint64_t load_bulk(const net::Endpoint& to, int count);
// Delay from the upstream's stamp to our reading of each event.
Series load_events(const net::Endpoint& to, int count);

std::int64_t now_ns();  // CLOCK_MONOTONIC, the same in all processes
void busy_wait(std::chrono::microseconds time);

}  // namespace estiva::bench
