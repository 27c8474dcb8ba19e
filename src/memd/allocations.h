// How often this program has asked for memory. Counted in estiva-memd alone, which is linked so
// that every malloc of it, the C library's too, passes here; elsewhere it stays 0.
#pragma once
#include <cstdint>

namespace estiva::memd {

std::uint64_t allocations() noexcept;
void count_allocation() noexcept;

}  // namespace estiva::memd
