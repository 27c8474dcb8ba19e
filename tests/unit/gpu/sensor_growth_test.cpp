// Nothing grows over many samples on the whole way: a child that reads the driver, the socket, and
// the daemon's client. 2,000 samples; 100,000 with ESTIVA_LONG=1.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <gtest/gtest.h>
#include <malloc.h>

#include "gpu/sensor_client.h"
#include "gpu_fixture.h"

namespace estiva::gpu {
namespace {

using std::chrono::seconds;

std::size_t descriptors(const std::string& who) {
  const auto all = std::filesystem::directory_iterator("/proc/" + who + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// "VmData: 1234 kB" of a process.
std::size_t kilobytes(int pid, std::string_view key) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stoul(line.substr(key.size()));
  return 0;
}

struct Held {
  std::size_t heap_of_client, client_descriptors, sensor_descriptors, sensor_kilobytes;
};

Held look(const Sensor& sensor) {
  return {mallinfo2().uordblks, descriptors("self"), descriptors(std::to_string(sensor.pid())),
          kilobytes(sensor.pid(), "VmData:") + kilobytes(sensor.pid(), "RssAnon:")};
}

// Reads one after the other, every tier; how many of them were good.
boost::asio::awaitable<void> read_many(Sensor& sensor, int count, int& good, bool& is_done) {
  for (int i = 0; i < count; ++i) {
    const auto view = co_await sensor.read(Tiers::all(), seconds(20));
    good += view.has_value() && (*view)->gpus.size() == 2;
  }
  is_done = true;
}

int read_samples(boost::asio::io_context& loop, Sensor& sensor, int count) {
  int good = 0;
  bool is_done = false;
  boost::asio::co_spawn(loop, read_many(sensor, count, good, is_done), boost::asio::detached);
  const SteadyTime deadline = steady_now() + seconds(1200);  // only to notice a hang
  while (!is_done && steady_now() < deadline) {
    loop.restart();
    loop.run_one_for(seconds(1));
  }
  return good;
}

TEST(SensorGrowth, ManySamplesOfAChildTakeNoMoreThanFew) {
  const char* value = std::getenv("ESTIVA_LONG");
  const int count = value != nullptr && std::string_view(value) == "1" ? 100'000 : 2'000;
  testing::StubScript stub("gpus 2\nprocesses 5\n");
  boost::asio::io_context loop;
  SensorOptions options = stub.options();
  options.interval = seconds(1);
  Sensor sensor(loop.get_executor(), options);
  sensor.start([](SensorViewPtr) {});
  ASSERT_EQ(read_samples(loop, sensor, 300), 300);
  const int pid = sensor.pid();
  const Held before = look(sensor);
  EXPECT_EQ(read_samples(loop, sensor, count), count);
  const Held after = look(sensor);
  EXPECT_EQ(sensor.pid(), pid) << "one and the same sensor";
  EXPECT_EQ(after.client_descriptors, before.client_descriptors);
  EXPECT_EQ(after.sensor_descriptors, before.sensor_descriptors);
  EXPECT_LE(after.heap_of_client, before.heap_of_client + 16384);
#ifndef __SANITIZE_ADDRESS__  // its quarantine keeps what was freed
  EXPECT_LE(after.sensor_kilobytes, before.sensor_kilobytes + 64);
#endif
}

}  // namespace
}  // namespace estiva::gpu
