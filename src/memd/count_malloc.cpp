// The linker turns each call of malloc, calloc, realloc and aligned_alloc into one of these
// (-Wl,--wrap): the counter that proves that nothing allocates after the start.
#include <cstddef>

#include "memd/allocations.h"

// The linker forms these names (--wrap).
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* old, std::size_t size);
void* __real_aligned_alloc(std::size_t alignment, std::size_t size);

void* __wrap_malloc(std::size_t size) {
  estiva::memd::count_allocation();
  return __real_malloc(size);
}
void* __wrap_calloc(std::size_t count, std::size_t size) {
  estiva::memd::count_allocation();
  return __real_calloc(count, size);
}
void* __wrap_realloc(void* old, std::size_t size) {
  estiva::memd::count_allocation();
  return __real_realloc(old, size);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
  estiva::memd::count_allocation();
  return __real_aligned_alloc(alignment, size);
}
}
// NOLINTEND(bugprone-reserved-identifier)
