// What bench/memory runs in its small host, without the room's code:
//   bench_memory_load hog BYTES RATE     fills BYTES with noise at RATE bytes a second (0: as fast
//   as it
//                                        can), reads all of it back, and compares every word
//   bench_memory_load neighbour          touches 256 random pages of its 32 MiB every 10 ms until
//   its
//                                        input ends, and tells how late it was
// Each prints one line of JSON.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/mman.h>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kChunk = 1 << 20, kWords = kChunk / 8;

double seconds(Clock::duration span) {
  return std::chrono::duration<double>(span).count();
}

// xorshift64: noise that no compressor makes smaller, and that can be made again.
std::uint64_t next(std::uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}
std::uint64_t seed_of(std::size_t chunk) {
  return 0x9e3779b97f4a7c15ULL * (chunk + 1);
}

std::uint64_t* take(std::size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) std::exit(3);
  return static_cast<std::uint64_t*>(at);
}

double fill(std::uint64_t* words, std::size_t chunks, double rate) {
  const auto start = Clock::now();
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
    if (rate > 0) {
      const std::chrono::duration<double> due(static_cast<double>(chunk * kChunk) / rate);
      std::this_thread::sleep_until(start + std::chrono::duration_cast<Clock::duration>(due));
    }
    std::uint64_t state = seed_of(chunk);
    for (std::size_t i = 0; i < kWords; ++i) words[chunk * kWords + i] = next(state);
  }
  return seconds(Clock::now() - start);
}

int hog(std::size_t bytes, double rate) {
  const std::size_t chunks = bytes / kChunk;
  std::uint64_t* words = take(bytes);
  const double filled = fill(words, chunks, rate);
  std::printf("{\"filled_seconds\":%.3f", filled);
  const auto start = Clock::now();
  std::uint64_t corrupt = 0;
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
    std::uint64_t state = seed_of(chunk);
    for (std::size_t i = 0; i < kWords; ++i) corrupt += words[chunk * kWords + i] != next(state);
  }
  std::printf(",\"read_seconds\":%.3f,\"corrupt_words\":%llu}\n", seconds(Clock::now() - start),
              static_cast<unsigned long long>(corrupt));
  return corrupt == 0 ? 0 : 1;
}

int neighbour() {
  constexpr std::size_t kBytes = 32 << 20, kPage = 4096, kTouched = 256;
  constexpr auto kPeriod = std::chrono::milliseconds(10);
  auto* bytes = reinterpret_cast<unsigned char*>(take(kBytes));
  std::memset(bytes, 1, kBytes);
  std::vector<double> late;
  late.reserve(1 << 20);
  std::uint64_t state = 1;
  pollfd input{0, POLLIN, 0};
  while (poll(&input, 1, 0) == 0 && late.size() < late.capacity()) {
    const auto due = Clock::now() + kPeriod;
    for (std::size_t i = 0; i < kTouched; ++i) ++bytes[next(state) % (kBytes / kPage) * kPage];
    std::this_thread::sleep_until(due);
    late.push_back(std::max(0.0, seconds(Clock::now() - due)));
  }
  if (late.empty()) return 1;
  std::sort(late.begin(), late.end());
  const auto at = static_cast<std::size_t>(static_cast<double>(late.size() - 1) * 0.999);
  std::printf("{\"samples\":%zu,\"p999_ms\":%.2f,\"max_ms\":%.2f}\n", late.size(), late[at] * 1e3,
              late.back() * 1e3);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  if (count == 2 && std::strcmp(words[1], "neighbour") == 0) return neighbour();
  if (count == 4 && std::strcmp(words[1], "hog") == 0)
    return hog(std::strtoull(words[2], nullptr, 10), std::strtod(words[3], nullptr));
  std::fputs("bench_memory_load is started by bench/memory/memory_bench.py\n", stderr);
  return 2;
}
