// Two well GPUs, and a tracker that gets a reading of them each second.
#pragma once
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "decide/health/tracker.h"

namespace estiva::decide {

using namespace std::chrono_literals;

class HealthFixture : public testing::Test {
 protected:
  HealthFixture() {
    driver_.state = DriverState::ready;
    gpus_ = {a_gpu("GPU-a", 0), a_gpu("GPU-b", 1)};
  }
  static Gpu a_gpu(const std::string& uuid, unsigned index) {
    Gpu gpu;
    gpu.identity.id.uuid = uuid;
    gpu.identity.index = index;
    gpu.identity.pci_bus_id = "00000000:0" + std::to_string(index + 1) + ":00.0";
    gpu.identity.slowdown_at = Celsius{90};
    gpu.identity.shutdown_at = Celsius{98};
    gpu.identity.power_limit = Watts{200};
    gpu.identity.pcie_max_generation = 4U;
    gpu.identity.pcie_max_width = 16U;
    gpu.sample.temperature = Celsius{60};
    gpu.sample.fan = Ratio{0.4};
    gpu.sample.power = Watts{150};
    gpu.sample.performance_state = 0U;
    gpu.sample.utilization = Ratio{0.9};
    gpu.sample.pcie_generation = 4U;
    gpu.sample.pcie_width = 16U;
    gpu.sample.clock_event_reasons = std::uint64_t{0};
    gpu.sample.ecc_uncorrected = std::uint64_t{0};
    return gpu;
  }
  // All slow figures are known, and none of them tells of a fault.
  static GpuWear unworn() {
    GpuWear now;
    now.ecc_uncorrected_lifetime = std::uint64_t{0};
    now.remapped_corrected = now.remapped_uncorrected = 0U;
    now.remap_pending = now.remap_failed = 0U;
    now.retired_pages = now.retired_pending = 0U;
    now.recovery_action = 0U;
    now.nvlinks = now.nvlinks_active = 4U;
    now.nvlink_errors = now.nvlink_crc_errors = std::uint64_t{0};
    now.fabric_state = 3U;
    now.fabric_error = 0U;
    return now;
  }
  GpuSample& sample() { return gpus_[0].sample; }
  // One reading a second.
  void pass(std::chrono::seconds span) {
    for (std::chrono::seconds at{0}; at < span; at += 1s) {
      now_ = now_ + 1s;
      tracker_.observe(driver_, gpus_, now_);
    }
  }
  void hot(double celsius, std::chrono::seconds span = 1s) {
    sample().temperature = Celsius{celsius};
    pass(span);
  }
  const GpuHealth& first() const { return tracker_.health().at(0); }
  // "temperature:WARN fan:WARN" of the first GPU.
  std::string open() const {
    std::string text;
    for (const Condition& one : first().conditions) {
      text += (text.empty() ? "" : " ") + one.id + ":" + std::string(to_name(one.state));
    }
    return text;
  }

  DriverStatus driver_;
  std::vector<Gpu> gpus_;
  SteadyTime now_{1'000'000'000'000};
  HealthTracker tracker_;
};

}  // namespace estiva::decide
