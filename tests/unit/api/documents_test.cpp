// The JSON documents: their members are a promise (DESIGN section 3), unknown is null with a
// reason, and hostile names stay text.
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "api/backend.h"
#include "api/json.h"

namespace estiva::api {
namespace {

namespace json = boost::json;

World one_gpu() {
  World world;
  world.made_at = {10'000'000'000};
  world.gpus_read_at = {9'500'000'000};
  world.wall = {1'700'000'000'000'000'000};
  world.driver.state = DriverState::ready;
  world.driver.version = "550.163.01";
  Gpu gpu;
  gpu.identity.id.uuid = "GPU-1";
  gpu.identity.name = "NVIDIA \"X\"\n\x1b[31m";
  gpu.identity.pci_bus_id = "00000000:01:00.0";
  gpu.sample.memory = GpuMemory{mib(4096), mib(1024), mib(3000), mib(72), true};
  gpu.sample.utilization = Ratio{0.5};
  gpu.sample.temperature = Celsius{60};
  gpu.sample.power = Missing::not_supported;
  GpuProcess process;
  process.pid = 77;
  process.used = Missing::not_permitted;
  process.name = "\xff bad utf8";
  gpu.sample.processes = std::vector<GpuProcess>{process};
  world.gpus.push_back(gpu);
  world.process_models.push_back({77, "xtts"});
  world.rooms.push_back({"GPU-1", mib(100), mib(2900)});
  return world;
}

json::object parse(const std::string& text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  EXPECT_FALSE(error) << text;
  return value.as_object();
}

TEST(GpuDocument, HasThePromisedMembers) {
  const json::object document = parse(gpu_json(one_gpu()));
  EXPECT_EQ(document.at("schema").as_string(), "estiva/gpu/1");
  EXPECT_FALSE(document.at("simulated").as_bool());
  EXPECT_EQ(document.at("source").as_string(), "nvml");
  EXPECT_EQ(document.at("driver").at("state").as_string(), "ok");
  EXPECT_EQ(document.at("driver").at("version").as_string(), "550.163.01");
  EXPECT_FALSE(document.at("stale").as_bool());
  // Half a second before 2023-11-14T22:13:20Z.
  EXPECT_EQ(document.at("sampled_at").as_string(), "2023-11-14T22:13:19.500Z");
  const json::object& gpu = document.at("gpus").at(0).as_object();
  EXPECT_EQ(gpu.at("uuid").as_string(), "GPU-1");
  EXPECT_EQ(gpu.at("memory").at("total_bytes").to_number<std::uint64_t>(), 4294967296u);
  EXPECT_EQ(gpu.at("memory").at("reserved_bytes").to_number<std::uint64_t>(), 75497472u);
  EXPECT_EQ(gpu.at("memory").at("promised_bytes").to_number<std::uint64_t>(), 104857600u);
  EXPECT_EQ(gpu.at("utilization_ratio").to_number<double>(), 0.5);
  EXPECT_EQ(gpu.at("temperature_celsius").to_number<double>(), 60);
  EXPECT_EQ(gpu.at("health").at("state").as_string(), "OK");
}

TEST(GpuDocument, NamesWhatHoldsTheClocksDownTheGravestFirst) {
  World world = one_gpu();
  world.gpus[0].sample.clock_event_reasons =
      std::uint64_t{0x8000000000000065};  // and a bit to come
  const json::value reasons =
      parse(gpu_json(world))["gpus"].as_array()[0].as_object()["clock_event_reasons"];
  EXPECT_EQ(json::serialize(reasons),
            R"(["hw_thermal_slowdown","sw_thermal_slowdown","sw_power_cap","gpu_idle"])");
  world.gpus[0].sample.clock_event_reasons = Missing::not_supported;
  json::object gpu = parse(gpu_json(world))["gpus"].as_array()[0].as_object();
  EXPECT_TRUE(gpu["clock_event_reasons"].is_null());
  EXPECT_EQ(gpu["missing"].as_object()["clock_event_reasons"].as_string(), "not_supported");
}

TEST(GpuDocument, UnknownIsNullWithItsReason) {
  const json::object document = parse(gpu_json(one_gpu()));
  const json::object& gpu = document.at("gpus").at(0).as_object();
  EXPECT_TRUE(gpu.at("power_watts").is_null());
  EXPECT_EQ(gpu.at("missing").at("power_watts").as_string(), "not_supported");
  const json::object& process = gpu.at("processes").at(0).as_object();
  EXPECT_TRUE(process.at("used_bytes").is_null());
  EXPECT_EQ(process.at("missing").at("used_bytes").as_string(), "not_permitted");
  EXPECT_EQ(process.at("model").as_string(), "xtts");
  EXPECT_TRUE(process.at("container").is_null());
}

TEST(GpuDocument, NoMemoryFigureIsNullAndNotZero) {
  World world = one_gpu();
  world.gpus[0].sample.memory = Missing::lost;
  world.gpus[0].sample.state = GpuState::lost;
  const SteadyTime since{world.made_at.ns - 2'000'000'000};
  world.health = {{"GPU-1",
                   HealthState::unhealthy,
                   {{"lost", HealthState::unhealthy, true, since, "it is lost", "Restart"}}}};
  const json::object document = parse(gpu_json(world));
  const json::object& gpu = document.at("gpus").at(0).as_object();
  EXPECT_TRUE(gpu.at("memory").is_null());
  EXPECT_EQ(gpu.at("missing").at("memory").as_string(), "lost");
  EXPECT_EQ(gpu.at("health").at("state").as_string(), "UNHEALTHY");
  const json::object& condition = gpu.at("health").at("conditions").at(0).as_object();
  EXPECT_EQ(condition.at("id").as_string(), "lost");
  EXPECT_EQ(condition.at("state").as_string(), "UNHEALTHY");
  EXPECT_TRUE(condition.at("blocks_placement").as_bool());
  EXPECT_EQ(condition.at("since_seconds").to_number<double>(), 2);
  EXPECT_EQ(condition.at("reason").as_string(), "it is lost");
  EXPECT_EQ(condition.at("remedy").as_string(), "Restart");
}

struct CheckCase {
  const char* name;
  std::function<void(World&)> change;
  const char* state;
};

std::vector<GpuHealth> ill(HealthState state) {
  Condition condition{"temperature", state,           state == HealthState::unhealthy,
                      SteadyTime{1}, "it is at 95 C", "Check its fan"};
  return {{"GPU-1", state, {condition}}};
}

TEST(StatusCheck, SaysTheStateOfTheGpus) {
  const CheckCase cases[] = {
      {"all well", [](World&) {}, "OK"},
      {"no device", [](World& w) { w.driver.state = DriverState::absent; }, "UNKNOWN"},
      {"no driver", [](World& w) { w.driver.state = DriverState::no_driver; }, "UNHEALTHY"},
      {"hung driver", [](World& w) { w.driver.state = DriverState::unresponsive; }, "UNHEALTHY"},
      {"one GPU lost", [](World& w) { w.driver.state = DriverState::partial; }, "DEGRADED"},
      {"old reading", [](World& w) { w.stale = true; }, "UNKNOWN"},
      {"a driver replaced on disk", [](World& w) { w.driver.installed_version = "560.35.03"; },
       "DEGRADED"},
      {"overcommitted", [](World& w) { w.overcommitted = {"GPU-1"}; }, "DEGRADED"},
      {"a warm GPU", [](World& w) { w.health = ill(HealthState::warn); }, "WARN"},
      {"a slow one", [](World& w) { w.health = ill(HealthState::degraded); }, "DEGRADED"},
      {"a broken one", [](World& w) { w.health = ill(HealthState::unhealthy); }, "UNHEALTHY"},
      {"a broken one of several",
       [](World& w) {
         w.driver.state = DriverState::partial;
         w.health = ill(HealthState::unhealthy);
       },
       "UNHEALTHY"},
      {"a warm GPU and old readings",
       [](World& w) {
         w.health = ill(HealthState::warn);
         w.stale = true;
       },
       "UNKNOWN"},
      {"what was known before the driver went",
       [](World& w) {
         w.health = ill(HealthState::warn);
         w.driver.state = DriverState::unresponsive;
       },
       "UNHEALTHY"},
  };
  for (const CheckCase& one : cases) {
    World world = one_gpu();
    one.change(world);
    EXPECT_EQ(gpu_status(world).state, one.state) << one.name;
    const json::object document = parse(status_json(world));
    EXPECT_EQ(document.at("checks").at(0).at("name").as_string(), "gpu_status");
    EXPECT_EQ(document.at("checks").at(0).at("state").as_string(), one.state) << one.name;
  }
}

TEST(AssignDocument, GrantAndRefusal) {
  AssignAnswer answer;
  answer.lease.id = "l-1";
  answer.lease.model = "xtts";
  answer.lease.shares = {{{"nvidia", "GPU-1", ""}, mib(3500)}};
  const json::object granted = parse(assign_json(answer, true));
  EXPECT_TRUE(granted.at("simulated").as_bool());
  EXPECT_EQ(granted.at("lease").at("gpus").at(0).as_string(), "GPU-1");
  EXPECT_EQ(granted.at("lease").at("vram_bytes").to_number<std::uint64_t>(), 3670016000u);
  EXPECT_EQ(granted.at("lease").at("state").as_string(), "reserved");
  EXPECT_TRUE(granted.at("lease").at("holder").is_null());

  answer.refusal = decide::Explanation{
      ErrorKind::no_room, "no room", "", {{"GPU-1", 0, mib(10), mib(90), "full"}}, {"less"}};
  const json::object refused = parse(assign_json(answer, false));
  EXPECT_FALSE(refused.contains("lease"));
  EXPECT_EQ(refused.at("refused").at("gpus").at(0).at("missing_bytes").to_number<int>(), 94371840);
  EXPECT_EQ(refused.at("refused").at("would_fit_if").at(0).as_string(), "less");
}

}  // namespace
}  // namespace estiva::api
