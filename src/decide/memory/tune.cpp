#include "decide/memory/tune.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_memory.h"
#include "decide/readiness/fix_parts.h"

namespace estiva::decide::memory {
namespace {

constexpr std::string_view kSwappiness = "vm.swappiness", kCache = "vm.vfs_cache_pressure",
                           kScale = "vm.watermark_scale_factor", kCluster = "vm.page-cluster";
constexpr Bytes kLargeRam = gib(64);

// One row a device.
struct DeviceRow {
  SwapDevice device;
  std::string_view heading, name, why;
  std::uint64_t swappiness;
  bool is_packed;  // compressed in RAM: nothing to seek
};
constexpr DeviceRow kDevices[] = {
    {SwapDevice::hdd, msg::kTuneHdd, msg::kDeviceHdd, msg::kTuneSwapHdd, 30, false},
    {SwapDevice::sata_ssd, msg::kTuneSata, msg::kDeviceSata, msg::kTuneSwapSata, 60, false},
    {SwapDevice::nvme, msg::kTuneNvme, msg::kDeviceNvme, msg::kTuneSwapNvme, 100, false},
    {SwapDevice::zram, msg::kTuneZram, msg::kDeviceZram, msg::kTuneSwapPacked, 180, true},
    {SwapDevice::zswap, msg::kTuneZswap, msg::kDeviceZswap, msg::kTuneSwapPacked, 133, true},
};

const DeviceRow& row_of(SwapDevice device) {
  return *std::find_if(std::begin(kDevices), std::end(kDevices),
                       [&](const DeviceRow& row) { return row.device == device; });
}

class Maker {
 public:
  explicit Maker(const TuneLook& look) : look_(look) {}

  // A value that can't be read can't be given back either.
  void want(std::string_view name, std::uint64_t wanted, std::string_view heading,
            std::string_view why) {
    const auto now = look_.now.find(name);
    if (now == look_.now.end()) {
      out.notes.push_back(fmt::format(msg::kTuneUnread, name));
      return;
    }
    out.values.push_back(
        {std::string(name), now->second, wanted, fmt::format(msg::kTuneReason, heading, why)});
  }

  void make_plan() {
    out.plan.id = "memory-tune";
    std::string text(msg::kTuneFile);
    for (const TunedValue& value : out.values) {
      text += fmt::format("{} = {}\n", value.name, value.wanted);
      if (value.now != value.wanted) out.plan.steps.push_back(step_of(value));
    }
    if (!out.values.empty())
      out.plan.steps.push_back(
          write_step(kTuneFilePath, std::move(text), std::string(msg::kTuneAtBoot)));
  }

  Tuning out;

 private:
  static Step step_of(const TunedValue& value) {
    Step step = make_step(StepKind::set_sysctl, value.name, value.reason,
                          fmt::format(msg::kTuneEffect, value.name, value.wanted),
                          fmt::format(msg::kTuneUndo, value.name, value.now));
    step.content = std::to_string(value.wanted);
    step.expects = std::to_string(value.now);
    return step;
  }

  const TuneLook& look_;
};

std::uint64_t swappiness_of(const DeviceRow& row, bool knows_200) {
  return knows_200 ? row.swappiness : std::min<std::uint64_t>(row.swappiness, 100);
}

void want_ours(Maker& maker, const TuneLook& look, const DeviceRow& row) {
  const std::uint64_t swappiness = swappiness_of(row, look.knows_200);
  maker.want(kSwappiness, swappiness, row.heading,
             swappiness < row.swappiness ? msg::kTuneSwapOld : row.why);
  maker.want(kCache, 100, row.heading, msg::kTuneCache);
  if (row.is_packed) {
    maker.want(kScale, 125, row.heading, msg::kTuneScalePacked);
    maker.want(kCluster, 0, row.heading, msg::kTuneCluster);
  } else if (look.ram > kLargeRam) {
    maker.want(kScale, 50, row.heading, msg::kTuneScale);
  }
}

void want_seed_ssd(Maker& maker, const TuneLook& look, const DeviceRow& row) {
  maker.want(kSwappiness, 10, msg::kTuneSeedSsd, msg::kTuneAsked);
  maker.want(kCache, 50, msg::kTuneSeedSsd, msg::kTuneAsked);
  auto& objections = maker.out.objections;
  objections.push_back(fmt::format(msg::kObjectSwapSsd, swappiness_of(row, look.knows_200)));
  objections.emplace_back(msg::kObjectCache);
  if (row.device != SwapDevice::sata_ssd && row.device != SwapDevice::nvme)
    objections.push_back(fmt::format(msg::kObjectWrongDevice, msg::kDeviceSsd, row.name));
}

// Its values are the kernel's and ours, on such a disk; nothing to object there.
void want_seed_hdd(Maker& maker, const DeviceRow& row) {
  maker.want(kSwappiness, 30, msg::kTuneSeedHdd, msg::kTuneAsked);
  maker.want(kCache, 100, msg::kTuneSeedHdd, msg::kTuneAsked);
  if (row.device != SwapDevice::hdd)
    maker.out.objections.push_back(fmt::format(msg::kObjectWrongDevice, msg::kDeviceHdd, row.name));
}

}  // namespace

Tuning plan_tuning(const TuneLook& look, TuneProfile profile) {
  Maker maker(look);
  const DeviceRow& row = row_of(look.device);
  if (profile == TuneProfile::ours) want_ours(maker, look, row);
  if (profile == TuneProfile::seed_ssd) want_seed_ssd(maker, look, row);
  if (profile == TuneProfile::seed_hdd) want_seed_hdd(maker, row);
  maker.make_plan();
  return std::move(maker.out);
}

}  // namespace estiva::decide::memory
