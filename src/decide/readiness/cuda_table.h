// What CUDA asks of the driver and of the card: NVIDIA's tables as data. Pure.
#pragma once
#include <array>
#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace estiva::decide {

struct CudaVersion {
  unsigned major = 0, minor = 0;
  friend constexpr auto operator<=>(CudaVersion, CudaVersion) = default;
};
// "12.4.1", "12.4", "12": what an image or a driver says. nullopt: no version.
std::optional<CudaVersion> parse_cuda_version(std::string_view text);
std::string to_text(CudaVersion version);  // "12.4"

struct DriverVersion {
  unsigned branch = 0, minor = 0, patch = 0;  // "550.54.15": 550, 54, 15
  friend constexpr auto operator<=>(DriverVersion, DriverVersion) = default;
};
// "550.163.01", "590.48", "550". nullopt: no version.
std::optional<DriverVersion> parse_driver_version(std::string_view text);
std::string to_text(DriverVersion version);  // "550.54.15"; two digits at least, as NVIDIA writes

// The oldest driver that runs programs of this CUDA version, by minor-version compatibility: 12.x
// runs on 525 and newer. nullopt: a major version that the table does not have.
std::optional<DriverVersion> oldest_driver(CudaVersion cuda);
// The driver that came with this CUDA version's first release; with it everything works, also
// programs that bring PTX only. nullopt: not in the table.
std::optional<DriverVersion> matching_driver(CudaVersion cuda);
// The newest CUDA version that comes with a driver no newer than this one. nullopt: older than the
// table.
std::optional<CudaVersion> newest_cuda_of(DriverVersion driver);

// Compute capability is major * 10 + minor, as in GpuIdentity: 61 for a GTX 1050 Ti.
// The newest CUDA major version whose toolkit and libraries still know the card. nullopt: no end.
std::optional<unsigned> newest_cuda_major(unsigned compute_capability);
// The first CUDA version that knows the card. nullopt: older than the table.
std::optional<CudaVersion> first_cuda(unsigned compute_capability);
// The newest branch of drivers that has the card. nullopt: no end known.
std::optional<unsigned> last_driver_branch(unsigned compute_capability);

// Why a program of one CUDA version can't run here.
enum class CudaFit {
  fits,
  driver_too_old,  // CUDA error 35
  card_too_old,    // CUDA error 209: this CUDA version has dropped the card
  card_too_new,    // CUDA error 209: this CUDA version does not know the card yet
};
// 0 for a compute capability that is not known; then only the driver is compared.
CudaFit judge_cuda(CudaVersion cuda, std::optional<DriverVersion> driver,
                   unsigned compute_capability);

struct DriverBranch {
  unsigned branch = 0;
  std::string_view kind;  // "long-term", "production"
  std::string_view end;   // the last month with updates: "2026-06"
};
// Datacenter branches whose end NVIDIA has published.
std::span<const DriverBranch> driver_branches();
const DriverBranch* find_branch(unsigned branch);

}  // namespace estiva::decide
