#include "decide/readiness/cuda_table.h"

#include <fmt/format.h>

#include "format/text.h"

namespace estiva::decide {
namespace {

struct Row {
  CudaVersion cuda;
  DriverVersion driver;
};

// Source: CUDA 13.1 release notes, table 3 (driver of each release; here the first release of each
// minor version); 13.2 U1 from a third party's note. The newest first.
constexpr Row kRows[] = {
    {{13, 2}, {595, 58, 3}}, {{13, 1}, {590, 44, 1}},  {{13, 0}, {580, 65, 6}},
    {{12, 9}, {575, 51, 3}}, {{12, 8}, {570, 26, 0}},  {{12, 6}, {560, 28, 3}},
    {{12, 5}, {555, 42, 2}}, {{12, 4}, {550, 54, 14}}, {{12, 3}, {545, 23, 6}},
    {{12, 2}, {535, 54, 3}}, {{12, 1}, {530, 30, 2}},  {{12, 0}, {525, 60, 13}},
    {{11, 8}, {520, 61, 5}}, {{11, 7}, {515, 43, 4}},  {{11, 6}, {510, 39, 1}},
    {{11, 5}, {495, 29, 5}}, {{11, 4}, {470, 42, 1}},  {{11, 3}, {465, 19, 1}},
    {{11, 2}, {460, 27, 3}}, {{11, 1}, {455, 23, 0}},  {{11, 0}, {450, 36, 6}},
    {{10, 2}, {440, 33, 0}}, {{10, 1}, {418, 39, 0}},  {{10, 0}, {410, 48, 0}},
};

struct Minimum {
  unsigned major;
  DriverVersion driver;
};
// Source: CUDA 13.1 release notes, minor-version compatibility.
constexpr Minimum kMinimum[] = {{13, {580, 0, 0}}, {12, {525, 0, 0}}, {11, {450, 0, 0}}};

struct First {
  unsigned capability;
  CudaVersion cuda;
};
// Source: the release notes of each CUDA version ("added support for").
constexpr First kFirst[] = {
    {120, {12, 8}}, {100, {12, 8}}, {90, {11, 8}}, {89, {11, 8}}, {86, {11, 1}}, {80, {11, 0}},
};

// Source: NVIDIA's support page of datacenter drivers.
constexpr DriverBranch kBranches[] = {
    {535, "long-term", "2026-06"},
    {570, "production", "2026-02"},
    {580, "long-term", "2028-08"},
};

// The first `most` numbers of a dotted version; 0 of them where it does not begin with one.
std::size_t numbers_of(std::string_view text, std::span<unsigned> numbers) {
  std::size_t n = 0;
  while (n < numbers.size() && !text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const auto number = format::parse_u64(text.substr(0, dot));
    if (!number || *number > 99'999) return n;
    numbers[n++] = static_cast<unsigned>(*number);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return n;
}

}  // namespace

std::optional<CudaVersion> parse_cuda_version(std::string_view text) {
  std::array<unsigned, 2> numbers{};
  if (numbers_of(text, numbers) == 0 || numbers[0] == 0) return std::nullopt;
  return CudaVersion{numbers[0], numbers[1]};
}

std::string to_text(CudaVersion version) {
  return fmt::format("{}.{}", version.major, version.minor);
}

std::optional<DriverVersion> parse_driver_version(std::string_view text) {
  std::array<unsigned, 3> numbers{};
  if (numbers_of(text, numbers) == 0 || numbers[0] == 0) return std::nullopt;
  return DriverVersion{numbers[0], numbers[1], numbers[2]};
}

std::string to_text(DriverVersion version) {
  if (version.minor == 0 && version.patch == 0) return fmt::format("{}", version.branch);
  if (version.patch == 0) return fmt::format("{}.{:02}", version.branch, version.minor);
  return fmt::format("{}.{:02}.{:02}", version.branch, version.minor, version.patch);
}

std::optional<DriverVersion> oldest_driver(CudaVersion cuda) {
  for (const Minimum& row : kMinimum) {
    if (row.major == cuda.major) return row.driver;
  }
  return matching_driver(cuda);
}

std::optional<DriverVersion> matching_driver(CudaVersion cuda) {
  for (const Row& row : kRows) {
    if (row.cuda == cuda) return row.driver;
  }
  return std::nullopt;
}

std::optional<CudaVersion> newest_cuda_of(DriverVersion driver) {
  for (const Row& row : kRows) {
    if (row.driver <= driver) return row.cuda;
  }
  return std::nullopt;
}

std::optional<unsigned> newest_cuda_major(unsigned compute_capability) {
  // CUDA 13 release notes: Maxwell, Pascal and Volta were dropped; Turing (7.5) is the oldest.
  // CUDA 12 release notes: Kepler was dropped; CUDA 11 had its last models (3.5, 3.7).
  if (compute_capability >= 75) return std::nullopt;
  if (compute_capability >= 50) return 12;
  return compute_capability >= 35 ? 11 : 10;
}

std::optional<CudaVersion> first_cuda(unsigned compute_capability) {
  for (const First& row : kFirst) {
    if (compute_capability >= row.capability) return row.cuda;
  }
  return std::nullopt;
}

std::optional<unsigned> last_driver_branch(unsigned compute_capability) {
  // NVIDIA's notice of the end of Maxwell, Pascal and Volta (580), and of Kepler (470).
  if (compute_capability >= 75) return std::nullopt;
  return compute_capability >= 50 ? 580 : 470;
}

CudaFit judge_cuda(CudaVersion cuda, std::optional<DriverVersion> driver,
                   unsigned compute_capability) {
  const auto oldest = oldest_driver(cuda);
  if (driver && oldest && *driver < *oldest) return CudaFit::driver_too_old;
  if (compute_capability == 0) return CudaFit::fits;
  const auto newest = newest_cuda_major(compute_capability);
  if (newest && cuda.major > *newest) return CudaFit::card_too_old;
  const auto first = first_cuda(compute_capability);
  return first && cuda < *first ? CudaFit::card_too_new : CudaFit::fits;
}

std::span<const DriverBranch> driver_branches() {
  return kBranches;
}

const DriverBranch* find_branch(unsigned branch) {
  for (const DriverBranch& row : kBranches) {
    if (row.branch == branch) return &row;
  }
  return nullptr;
}

}  // namespace estiva::decide
