#include "format/nvidia_proc.h"

#include <algorithm>
#include <array>

#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::size_t kMaxVersion = 32;
constexpr std::size_t kUuid = 36;
constexpr std::size_t kMaxModel = 256;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "gi12" with "gi" -> 12.
std::optional<unsigned> number_after(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  const auto number = parse_u64(text.substr(prefix.size()));
  if (!number || *number > UINT32_MAX) return std::nullopt;
  return static_cast<unsigned>(*number);
}

std::string_view next_part(std::string_view& rest) {
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto part = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  return part;
}

std::optional<MigMinor> parse_mig_line(std::string_view line) {
  std::string_view path, minor;
  if (!next_word(line, path) || !next_word(line, minor)) return std::nullopt;
  const auto number = number_after(minor, "");
  const auto gpu = number_after(next_part(path), "gpu");
  const auto gpu_instance = number_after(next_part(path), "gi");
  if (!number || !gpu || !gpu_instance) return std::nullopt;
  MigMinor out{*gpu, *gpu_instance, std::nullopt, *number};
  auto last = next_part(path);
  if (last != "access") {
    out.compute_instance = number_after(last, "ci");
    if (!out.compute_instance) return std::nullopt;
    last = next_part(path);
  }
  if (last != "access" || !path.empty()) return std::nullopt;
  return out;
}

}  // namespace

bool is_driver_version(std::string_view text) {
  if (text.empty() || text.size() > kMaxVersion || !is_digit(text.front()) ||
      !is_digit(text.back())) {
    return false;
  }
  const bool clean =
      std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || is_digit(c); });
  const auto points = std::count(text.begin(), text.end(), '.');
  return clean && points >= 1 && points <= 3 && text.find("..") == text.npos;
}

ModuleVersion parse_module_version(std::string_view text) {
  std::string_view line, word;
  if (!next_line(text, line)) return {};
  ModuleVersion out;
  out.is_open = line.find("Open Kernel Module") != line.npos;
  while (next_word(line, word)) {
    if (!is_driver_version(word)) continue;
    out.version = word;
    break;
  }
  return out;
}

bool is_gpu_uuid(std::string_view text) {
  if (!text.starts_with("GPU-") && !text.starts_with("MIG-")) return false;
  text.remove_prefix(4);
  if (text.size() != kUuid) return false;
  for (std::size_t i = 0; i < kUuid; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    if (dash ? c != '-' : !is_digit(c) && (c < 'a' || c > 'f')) return false;
  }
  return true;
}

GpuInformation parse_gpu_information(std::string_view text) {
  GpuInformation out;
  std::string_view line;
  while (next_line(text, line)) {
    const auto colon = line.find(':');
    if (colon == line.npos) continue;
    const auto key = trim(line.substr(0, colon)), value = trim(line.substr(colon + 1));
    if (key == "Model") out.model = value.substr(0, kMaxModel);
    if (key == "GPU UUID" && is_gpu_uuid(value)) out.uuid = value;
    if (key == "Bus Location") out.bus_id = value.substr(0, kMaxModel);
    if (key == "Device Minor") out.minor = number_after(value, "");
  }
  return out;
}

std::vector<MigMinor> parse_mig_minors(std::string_view text) {
  std::vector<MigMinor> minors;
  std::string_view line;
  while (minors.size() < kMaxMigMinors && next_line(text, line)) {
    if (const auto minor = parse_mig_line(line)) minors.push_back(*minor);
  }
  return minors;
}

}  // namespace estiva::format
