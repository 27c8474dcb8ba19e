// Load, heat, power and clocks of one card. Nothing here is a model of a real board; it is smooth,
// bounded by the card's limits, and moves the way an operator expects.
#include "sim/core/physics.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace estiva::sim {
namespace {

constexpr double kStepSeconds = 0.1;
constexpr double kHeatSeconds = 18;  // time in which a card gets 63 % of the way to its temperature

constexpr std::uint64_t kIdle = 0x1, kPowerCap = 0x4, kHardware = 0x8, kSoftThermal = 0x20,
                        kHardThermal = 0x40;

double between(double low, double high, double share) {
  return low + (high - low) * std::clamp(share, 0.0, 1.0);
}

void set_utilization(Gpu& gpu, double seconds, double processes) {
  double load = std::max(gpu.load, processes);
  if (gpu.sway > 0 && gpu.sway_seconds > 0) {
    load += gpu.sway * std::sin(2 * std::numbers::pi * seconds / gpu.sway_seconds);
  }
  gpu.utilization = std::clamp(load, 0.0, 100.0);
  gpu.memory_utilization = std::clamp(gpu.load_memory, 0.0, 100.0);
  gpu.encoder = gpu.load_encoder;
  gpu.decoder = gpu.load_decoder;
}

void set_power(Gpu& gpu) {
  const double share = gpu.utilization / 100;
  const double wanted = between(gpu.card.idle_mw, gpu.card.limit_mw * 1.02, std::pow(share, 0.8));
  gpu.power_mw = gpu.pinned_power_mw >= 0 ? gpu.pinned_power_mw
                                          : std::min(wanted, double(gpu.enforced_limit_mw));
}

void set_reasons(Gpu& gpu) {
  std::uint64_t reasons = gpu.extra_reasons;
  if (gpu.utilization < 1) reasons |= kIdle;
  if (gpu.power_mw >= 0.99 * gpu.enforced_limit_mw) reasons |= kPowerCap;
  if (gpu.temperature >= gpu.card.slowdown_c)
    reasons |= kHardware | kHardThermal;
  else if (gpu.temperature >= gpu.card.max_operating_c)
    reasons |= kSoftThermal;
  gpu.reasons = reasons;
}

void set_clocks(Gpu& gpu) {
  const Card& card = gpu.card;
  const double share = gpu.utilization < 1 ? 0 : 0.6 + 0.4 * gpu.utilization / 100;
  double sm = between(card.sm_idle_mhz, card.sm_max_mhz * 0.97, share);
  if (gpu.reasons & (kHardThermal | kHardware))
    sm *= 0.5;
  else if (gpu.reasons & kSoftThermal)
    sm *= 0.8;
  gpu.sm_mhz = static_cast<std::uint32_t>(sm) / 15 * 15;
  gpu.memory_mhz = share > 0 ? card.memory_max_mhz : card.memory_idle_mhz;
  gpu.performance_state = share == 0 ? (card.datacentre ? 0 : 8) : (card.datacentre ? 0 : 2);
  const double heat = (gpu.temperature - 40) / 45;
  gpu.fan_percent = gpu.pinned_fan >= 0 ? static_cast<std::uint32_t>(gpu.pinned_fan)
                                        : static_cast<std::uint32_t>(between(0, 90, heat));
}

}  // namespace

void refresh(Gpu& gpu, double seconds, double processes) {
  set_utilization(gpu, seconds, processes);
  set_power(gpu);
  if (gpu.pinned_temperature >= 0) gpu.temperature = gpu.pinned_temperature;
  gpu.memory_temperature = gpu.temperature + 6;
  set_reasons(gpu);
  set_clocks(gpu);
}

void heat_step(Gpu& gpu, double decay) {
  const Card& card = gpu.card;
  const double share = card.limit_mw > card.idle_mw
                           ? (gpu.power_mw - card.idle_mw) / (card.limit_mw - card.idle_mw)
                           : 0;
  const double goal = between(card.idle_c, card.full_load_c, share);
  if (gpu.pinned_temperature < 0) gpu.temperature = goal + (gpu.temperature - goal) * decay;
  gpu.energy_mj += gpu.power_mw * kStepSeconds;
  const auto step = static_cast<std::uint64_t>(kStepSeconds * 1e9);
  if (gpu.reasons & (kSoftThermal | kHardThermal)) gpu.throttle_thermal_ns += step;
  if (gpu.reasons & kPowerCap) gpu.throttle_power_ns += step;
}

double heat_decay() {
  return std::exp(-kStepSeconds / kHeatSeconds);
}

}  // namespace estiva::sim
