// /metrics: what is unknown is absent, hostile names stay one label, and the older names have the
// older units. The format itself is judged by promtool and a real Prometheus (tests/e2e).
#include "api/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estiva::api {
namespace {

using format::Exposition;
using testing::HasSubstr;
using testing::Not;

World one_gpu() {
  World world;
  world.made_at = {10'000'000'000};
  world.gpus_read_at = {9'500'000'000};
  world.driver.state = DriverState::ready;
  world.driver.version = "550.163.01";
  world.driver.cuda_version = 12040U;
  Gpu gpu;
  gpu.identity.id.uuid = "GPU-1";
  gpu.identity.name = "NVIDIA \"X\"\n\\\x1b[31m\xff";
  gpu.identity.pci_bus_id = "00000000:01:00.0";
  gpu.identity.minor_number = 3U;
  gpu.sample.memory = GpuMemory{mib(4096), Bytes{mib(1024).value + 5}, mib(3000), mib(72), true};
  gpu.sample.utilization = Ratio{0.29};  // 28.999999999999996 % unless it is rounded
  gpu.sample.temperature = Celsius{60};
  gpu.sample.power = Missing::not_supported;
  gpu.sample.sm_clock = Hertz{1'695'000'000};
  gpu.sample.energy_joules = 123.456;
  gpu.sample.ecc_corrected = std::uint64_t{0};
  gpu.sample.processes = std::vector<GpuProcess>(2);
  world.gpus.push_back(gpu);
  world.rooms.push_back({"GPU-1", mib(100), mib(2900)});
  Lease lease;
  lease.model = "xtts\nevil{}";
  lease.state = LeaseState::active;
  world.leases.push_back(lease);
  world.lease_uses.push_back({"l-1", gib(2), gib(1), gib(2)});
  world.host.cpu = Ratio{0.5};
  world.host.memory_pressure.some = PressureLine{{0.25}, {}, {}, 1'500'000};
  world.host.disks.push_back({"docker", "/srv/docker", "ext4", gib(10), gib(4), gib(5), {}});
  return world;
}

std::string text_of(const World& world, Exposition::Form form = Exposition::Form::text) {
  return metrics_text(world, {}, {form, true, "box"});
}

TEST(Metrics, OurNamesAreInBaseUnits) {
  const std::string text = text_of(one_gpu());
  for (const char* line :
       {"estiva_gpu_memory_used_bytes{uuid=\"GPU-1\",gpu=\"0\"} 1073741829\n",
        "estiva_gpu_memory_admissible_bytes{uuid=\"GPU-1\",gpu=\"0\"} 3040870400\n",
        "estiva_gpu_utilization_ratio{uuid=\"GPU-1\",gpu=\"0\"} 0.29\n",
        "estiva_gpu_energy_joules_total{uuid=\"GPU-1\",gpu=\"0\"} 123.456\n",
        "estiva_gpu_processes{uuid=\"GPU-1\",gpu=\"0\"} 2\n",
        "estiva_driver_state{state=\"ok\"} 1\n", "estiva_driver_state{state=\"mismatch\"} 0\n",
        "estiva_sample_age_seconds 0.5\n", "estiva_sensor_restarts_total 0\n",
        "estiva_leases{state=\"active\"} 1\n", "estiva_host_cpu_ratio 0.5\n",
        "estiva_host_pressure_stalled_seconds_total{resource=\"memory\",kind=\"some\"} 1.5\n",
        "estiva_disk_used_bytes{role=\"docker\",path=\"/srv/docker\"} 4294967296\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(Metrics, TheNamesOfDcgmHaveItsUnitsAndLabels) {
  const std::string text = text_of(one_gpu());
  EXPECT_THAT(text,
              HasSubstr("DCGM_FI_DEV_FB_USED{gpu=\"0\",UUID=\"GPU-1\",pci_bus_id=\"00000000:01:"
                        "00.0\",device=\"nvidia3\",modelName="));
  EXPECT_THAT(text, HasSubstr("Hostname=\"box\",DCGM_FI_DRIVER_VERSION=\"550.163.01\"} 1024\n"))
      << "MiB, rounded down as nvidia-smi does";
  EXPECT_THAT(text, testing::ContainsRegex("DCGM_FI_DEV_GPU_UTIL\\{[^\n]*\\} 29\n"));
  EXPECT_THAT(text, testing::ContainsRegex("DCGM_FI_DEV_SM_CLOCK\\{[^\n]*\\} 1695\n"));
  EXPECT_THAT(text,
              testing::ContainsRegex("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION\\{[^\n]*\\} 123456\n"));
  EXPECT_THAT(text, HasSubstr("nvidia_smi_utilization_gpu_ratio{uuid=\"GPU-1\"} 0.29\n"));
  EXPECT_THAT(text,
              HasSubstr("nvidia_smi_clocks_current_sm_clock_hz{uuid=\"GPU-1\"} 1695000000\n"));
}

TEST(Metrics, WhatIsUnknownIsAbsentAndAKnownZeroIsThere) {
  const std::string text = text_of(one_gpu());
  EXPECT_THAT(text, Not(HasSubstr("estiva_gpu_power_watts")));
  EXPECT_THAT(text, Not(HasSubstr("DCGM_FI_DEV_POWER_USAGE")));
  EXPECT_THAT(text, Not(HasSubstr("ecc_uncorrected")));
  EXPECT_THAT(text,
              HasSubstr("estiva_gpu_ecc_corrected_errors_total{uuid=\"GPU-1\",gpu=\"0\"} 0\n"));
}

TEST(Metrics, StaleFiguresAreAbsentAndSaidToBe) {
  World world = one_gpu();
  world.stale = true;
  world.driver.state = DriverState::unresponsive;
  const std::string text = text_of(world);
  EXPECT_THAT(text, HasSubstr("estiva_sample_stale 1\n"));
  EXPECT_THAT(text, HasSubstr("estiva_driver_state{state=\"unresponsive\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("memory_used_bytes")));
  EXPECT_THAT(text, Not(HasSubstr("DCGM_")));
  EXPECT_THAT(text, HasSubstr("estiva_gpu_info{uuid=\"GPU-1\"")) << "which GPU it is stays known";
}

TEST(Metrics, HostileNamesStayOneLabelOnOneLine) {
  const std::string text = text_of(one_gpu());
  EXPECT_THAT(text, HasSubstr("modelName=\"NVIDIA \\\"X\\\"?\\\\?[31m?\""));
  EXPECT_THAT(text, HasSubstr("estiva_model_vram_bytes{model=\"xtts?evil{}\",kind=\"measured\"} "));
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t end = text.find('\n', from);
    ASSERT_NE(end, std::string::npos);
    const std::string line = text.substr(from, end - from);
    EXPECT_TRUE(line.starts_with("# ") || line.starts_with("estiva_") ||
                line.starts_with("DCGM_") || line.starts_with("nvidia_smi_"))
        << line;
    from = end + 1;
  }
}

TEST(Metrics, WithoutTheTokenThereAreNoNamesThatUsersGave) {
  const std::string text = metrics_text(one_gpu(), {}, {Exposition::Form::text, false, ""});
  EXPECT_THAT(text, Not(HasSubstr("xtts")));
  EXPECT_THAT(text, Not(HasSubstr("/srv/docker")));
  EXPECT_THAT(text, HasSubstr("estiva_gpu_memory_used_bytes"));
}

TEST(Metrics, OpenMetricsNamesTheFamilyOfACounterAndEnds) {
  const std::string text = text_of(one_gpu(), Exposition::Form::open_metrics);
  EXPECT_THAT(text, HasSubstr("# TYPE estiva_gpu_energy_joules counter\n"
                              "# UNIT estiva_gpu_energy_joules joules\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE estiva_gpu info\n"));
  EXPECT_THAT(text, HasSubstr("\nestiva_gpu_info{"));
  EXPECT_TRUE(text.ends_with("# EOF\n"));
  EXPECT_THAT(text_of(one_gpu()), Not(HasSubstr("# EOF")));
  EXPECT_THAT(text_of(one_gpu()), HasSubstr("# TYPE estiva_gpu_energy_joules_total counter\n"));
}

ModelStatus resident_model() {
  ModelStatus model;
  model.name = "llama";
  model.state = "resident";
  model.policy_is_live = true;
  model.policy = ResidencyPolicy::keep;
  model.declared = gib(3);
  model.need = gib(4);
  model.waiting = 2;
  model.oldest_wait = std::chrono::milliseconds(1500);
  model.tally.starts = 7;
  model.tally.mispredictions = 1;
  model.tally.phases[2] = {5, std::chrono::milliseconds(2500)};
  return model;
}

TEST(Metrics, AModelIsToldWithItsStateNeedsCountsAndPhases) {
  const std::vector<ModelStatus> models = {resident_model()};
  const std::string text = metrics_text(one_gpu(), models, {Exposition::Form::text, true, ""});
  for (const char* line :
       {"estiva_models{state=\"resident\"} 1\n",
        "estiva_model_info{model=\"llama\",engine=\"process\",policy=\"keep\",policy_from="
        "\"command\"} 1\n",
        "estiva_model_state{model=\"llama\",state=\"resident\"} 1\n",
        "estiva_model_state{model=\"llama\",state=\"absent\"} 0\n",
        "estiva_model_need_bytes{model=\"llama\",kind=\"declared\"} 3221225472\n",
        "estiva_model_need_bytes{model=\"llama\",kind=\"asked\"} 4294967296\n",
        "estiva_model_vram_bytes{model=\"llama\",kind=\"charged\"} 0\n",
        "estiva_model_requests_waiting{model=\"llama\"} 2\n",
        "estiva_model_oldest_wait_seconds{model=\"llama\"} 1.5\n",
        "estiva_model_loads_total{model=\"llama\",how=\"start\"} 7\n",
        "estiva_model_failures_total{model=\"llama\",reason=\"out_of_memory\"} 0\n",
        "estiva_model_mispredictions_total{model=\"llama\"} 1\n",
        "estiva_model_swap_phases_total{model=\"llama\",phase=\"release\"} 5\n",
        "estiva_model_swap_seconds_total{model=\"llama\",phase=\"release\"} 2.5\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("kind=\"learned\"")));
}

TEST(Metrics, WithoutTheTokenModelsAreOnlyCounted) {
  const std::vector<ModelStatus> models = {resident_model()};
  const std::string text = metrics_text(one_gpu(), models, {Exposition::Form::text, false, ""});
  EXPECT_THAT(text, HasSubstr("estiva_models{state=\"resident\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("llama")));
}

TEST(Metrics, ALeaseAndTheEndOfTheOneBeforeItAreOneSeries) {
  World world = one_gpu();
  world.leases[0].model = "a";
  world.leases.push_back(world.leases[0]);
  world.lease_uses.push_back({"l-2", gib(2), gib(2), gib(3)});
  EXPECT_THAT(text_of(world), HasSubstr("estiva_model_vram_bytes{model=\"a\",kind=\"charged\"} "
                                        "5368709120\n"));
}

TEST(Metrics, TheLedgersAccountOfAGpuIsTold) {
  World world = one_gpu();
  world.rooms[0].charged = mib(3000);
  world.rooms[0].foreign = mib(200);
  world.rooms[0].held_back = mib(64);
  world.rooms[0].margin = mib(128);
  const std::string text = text_of(world);
  for (const char* line : {"charged_bytes{uuid=\"GPU-1\",gpu=\"0\"} 3145728000\n",
                           "foreign_bytes{uuid=\"GPU-1\",gpu=\"0\"} 209715200\n",
                           "held_back_bytes{uuid=\"GPU-1\",gpu=\"0\"} 67108864\n",
                           "margin_bytes{uuid=\"GPU-1\",gpu=\"0\"} 134217728\n"}) {
    EXPECT_THAT(text, HasSubstr(std::string("estiva_gpu_memory_") + line));
  }
}

TEST(Metrics, TheFormFollowsTheAcceptHeader) {
  EXPECT_EQ(form_for("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2"),
            Exposition::Form::open_metrics);
  EXPECT_EQ(form_for(""), Exposition::Form::text);
  EXPECT_EQ(form_for("*/*"), Exposition::Form::text);
}

TEST(Metrics, AMachineWithoutGpuStillSaysSo) {
  World world;
  world.driver.state = DriverState::absent;
  const std::string text = text_of(world);
  EXPECT_THAT(text, HasSubstr("estiva_driver_state{state=\"absent\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("estiva_gpu_status{state=\"UNKNOWN\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("estiva_sample_age_seconds")));
}

World with_xids() {
  World world = one_gpu();
  world.xids_known = true;
  world.wall = {1'700'000'000'000'000'000};
  world.xids.push_back({"0000:01:00", {{13, 2, {9'000'000'000}}, {79, 1, {4'000'000'000}}}, 79});
  return world;
}

TEST(Metrics, XidsAreThereUnderThreeNames) {
  const std::string text = text_of(with_xids());
  for (const char* line :
       {"estiva_gpu_xid_errors_total{uuid=\"GPU-1\",gpu=\"0\"} 3\n",
        "estiva_gpu_xid_code_errors_total{uuid=\"GPU-1\",gpu=\"0\",xid=\"13\"} 2\n",
        "estiva_gpu_xid_code_errors_total{uuid=\"GPU-1\",gpu=\"0\",xid=\"79\"} 1\n",
        "estiva_gpu_xid_last_timestamp_seconds{uuid=\"GPU-1\",gpu=\"0\",xid=\"13\"} 1699999999\n",
        "nvidia_smi_xid_errors_total{uuid=\"GPU-1\",xid=\"79\"} 1\n",
        "nvidia_smi_xid_last_timestamp_seconds{uuid=\"GPU-1\",xid=\"79\"} 1699999994\n",
        "err_code=\"79\",err_msg=\"the GPU has fallen off the bus\"} 79\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(Metrics, TheSumOfXidsIsZeroFromTheStart) {
  World world = with_xids();
  world.xids.clear();
  const std::string text = text_of(world);
  EXPECT_THAT(text, HasSubstr("estiva_gpu_xid_errors_total{uuid=\"GPU-1\",gpu=\"0\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("err_code=\"0\",err_msg=\"No Error\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("xid=")));
  world.xids_known = false;
  EXPECT_THAT(text_of(world), Not(HasSubstr("estiva_gpu_xid")));
  EXPECT_THAT(text_of(world), Not(HasSubstr("XID")));
}

TEST(Metrics, TheLastXidOfDcgmEndsWhenItIsOver) {
  World world = with_xids();
  world.made_at = {4'000'000'000 + 600'000'000'000};
  EXPECT_THAT(text_of(world), HasSubstr("err_code=\"79\""));
  world.made_at.ns += 1;
  EXPECT_THAT(text_of(world), HasSubstr("err_code=\"0\""));
  world.health.push_back(
      {"GPU-1", HealthState::unhealthy, {{"xid_79", HealthState::unhealthy, true, {}, {}, {}}}});
  EXPECT_THAT(text_of(world), HasSubstr("err_code=\"79\"")) << "it is not mended";
}

TEST(Metrics, AnotherGpusXidsAreItsOwn) {
  World world = with_xids();
  world.xids[0].slot = "0000:02:00";
  EXPECT_THAT(text_of(world),
              HasSubstr("estiva_gpu_xid_errors_total{uuid=\"GPU-1\",gpu=\"0\"} 0\n"));
}

}  // namespace
}  // namespace estiva::api
