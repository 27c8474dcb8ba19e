// Worlds for the printers' tests, turned into documents by api/ itself.
#pragma once
#include "model/world.h"

namespace estiva::cli::test {

inline Gpu gpu(unsigned index, std::uint64_t used_mib) {
  Gpu gpu;
  gpu.identity.id.uuid = "GPU-0000000" + std::to_string(index) + "-aaaa-bbbb-cccc-123456789abc";
  gpu.identity.index = index;
  gpu.identity.name = "NVIDIA GeForce RTX 3060";
  gpu.identity.pci_bus_id = "00000000:0" + std::to_string(index + 1) + ":00.0";
  gpu.identity.slowdown_at = Celsius{93};
  gpu.sample.read_at = {5'000'000'000};
  gpu.sample.memory =
      GpuMemory{mib(12288), mib(used_mib), mib(12288 - 200 - used_mib), mib(200), true};
  gpu.sample.utilization = Ratio{0.63};
  gpu.sample.temperature = Celsius{71};
  gpu.sample.power = Watts{103};
  gpu.sample.processes = std::vector<GpuProcess>{};
  return gpu;
}

inline World world() {
  World world;
  world.node_id = "node";
  world.sequence = 7;
  world.wall = {1'795'252'000'000'000'000};  // 2026-11-21T09:06:40Z
  world.made_at = {5'000'000'000};
  world.gpus_read_at = {5'000'000'000};
  world.driver.state = DriverState::ready;
  world.driver.version = "550.163.01";
  world.gpus = {gpu(0, 2048), gpu(1, 0)};
  GpuProcess process;
  process.pid = 4242;
  process.used = mib(2000);
  process.compute = true;
  process.name = "python3";
  world.gpus[0].sample.processes = std::vector<GpuProcess>{process};
  world.host.cores = 8;
  world.host.cpu = Ratio{0.12};
  HostMemory memory;
  memory.total = gib(32);
  memory.available = gib(20);
  memory.swap_total = gib(4);
  memory.swap_free = gib(3);
  world.host.memory = memory;
  world.host.disks = {{"root", "/", "ext4", gib(100), gib(40), gib(55), Ratio{0.42}}};
  world.host.top_cpu = {{4242, 99, "python3", Ratio{1.5}, gib(3)}};
  world.host.top_memory = {{4242, 99, "python3", Ratio{1.5}, gib(3)}};
  return world;
}

inline World no_gpu() {
  World bare = world();
  bare.gpus.clear();
  bare.gpus_read_at = {};
  bare.driver.state = DriverState::absent;
  bare.driver.reason = "PCI shows no NVIDIA device";
  bare.driver.remedy = "Put a GPU in, or try estiva with `estiva daemon --simulate`";
  return bare;
}

inline Lease lease() {
  Lease lease;
  lease.id = "l-000000000001";
  lease.model = "xtts";
  lease.shares = {{gpu(0, 0).identity.id, mib(3500)}};
  lease.holder = Holder{4242, 99, "boot"};
  return lease;
}

}  // namespace estiva::cli::test
