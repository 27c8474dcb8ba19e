#include "memd/allocations.h"

#include <atomic>

namespace estiva::memd {

namespace {

std::atomic<std::uint64_t> counted{0};

}  // namespace

std::uint64_t allocations() noexcept {
  return counted.load(std::memory_order_relaxed);
}

void count_allocation() noexcept {
  counted.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace estiva::memd
