// The binary interface against a second table, typed from NVIDIA's published layout and apart from
// sim/lib/abi.h: how many bytes each call writes, which version word it wants, where its fields
// lie.
#include <array>
#include <cstring>
#include <gtest/gtest.h>

#include "library.h"

namespace estiva::sim {
namespace {

constexpr unsigned char kUntouched = 0xa5;
using Buffer = std::array<unsigned char, 512>;

struct Layout {
  const char* function;
  unsigned size;     // bytes of the struct
  unsigned version;  // the word it begins with; 0: none
};

constexpr Layout kLayouts[] = {
    {"nvmlDeviceGetPciInfo_v3", 68, 0},
    {"nvmlDeviceGetMemoryInfo", 24, 0},
    {"nvmlDeviceGetMemoryInfo_v2", 40, 0x02000028},
    {"nvmlDeviceGetBAR1MemoryInfo", 24, 0},
    {"nvmlDeviceGetUtilizationRates", 8, 0},
    {"nvmlDeviceGetRowRemapperHistogram", 20, 0},
    {"nvmlDeviceGetSramEccErrorStatus", 104, 0x01000068},
    {"nvmlDeviceGetGpuFabricInfo", 28, 0},
    {"nvmlDeviceGetGpuFabricInfoV", 36, 0x02000024},
    {"nvmlDeviceGetGpuFabricInfoV", 40, 0x03000028},
    {"nvmlDeviceGetTemperatureV", 12, 0x0100000c},
    {"nvmlDeviceGetMarginTemperature", 8, 0x01000008},
    {"nvmlDeviceGetAddressingMode", 8, 0x01000008},
    {"nvmlDeviceGetPciInfoExt", 64, 0x01000040},
};

unsigned word_at(const Buffer& buffer, std::size_t offset) {
  unsigned value = 0;
  std::memcpy(&value, buffer.data() + offset, sizeof value);
  return value;
}
std::uint64_t wide_at(const Buffer& buffer, std::size_t offset) {
  std::uint64_t value = 0;
  std::memcpy(&value, buffer.data() + offset, sizeof value);
  return value;
}

class Abi : public ::testing::Test {
 protected:
  Abi() : bed("gpu h100-80g bus 0002:3b:00.0\nprocess 4242 gpu 0 vram 3GiB sm 20\nxid 0 43\n") {
    EXPECT_EQ(lib.call("nvmlInit_v2"), 0);
    device = lib.card(0);
  }
  Testbed bed;
  Library lib;
  void* device = nullptr;
};

TEST_F(Abi, EachCallWritesItsStructAndNotAByteMore) {
  for (const Layout& row : kLayouts) {
    SCOPED_TRACE(std::string(row.function) + " " + std::to_string(row.size));
    Buffer buffer;
    buffer.fill(kUntouched);
    if (row.version != 0) std::memcpy(buffer.data(), &row.version, sizeof row.version);
    if (std::string_view(row.function) == "nvmlDeviceGetTemperatureV")
      std::memset(&buffer[4], 0, 4);
    ASSERT_EQ(lib.call(row.function, device, buffer.data()), 0);
    for (std::size_t i = row.size; i < buffer.size(); ++i) ASSERT_EQ(buffer[i], kUntouched) << i;
    bool changed = false;  // the last word of the struct is written, padding apart
    for (std::size_t i = row.size - 8; i < row.size; ++i) changed |= buffer[i] != kUntouched;
    EXPECT_TRUE(changed);
  }
}

TEST_F(Abi, AWrongVersionWordIsRefused) {
  for (const Layout& row : kLayouts) {
    if (row.version == 0) continue;
    Buffer buffer{};
    const unsigned wrong = row.version + 8;
    std::memcpy(buffer.data(), &wrong, sizeof wrong);
    EXPECT_EQ(lib.call(row.function, device, buffer.data()), 25) << row.function;
  }
}

TEST_F(Abi, FieldsLieWhereClientsReadThem) {
  Buffer b{};
  ASSERT_EQ(lib.call("nvmlDeviceGetPciInfo_v3", device, b.data()), 0);
  EXPECT_STREQ(reinterpret_cast<char*>(b.data()), "0002:3B:00.0");
  EXPECT_EQ(word_at(b, 16), 2u);     // domain
  EXPECT_EQ(word_at(b, 20), 0x3bu);  // bus
  EXPECT_EQ(word_at(b, 28), 0x233010deu);
  EXPECT_STREQ(reinterpret_cast<char*>(b.data() + 36), "00000002:3B:00.0");

  const unsigned version = 0x02000028;
  std::memcpy(b.data(), &version, sizeof version);
  ASSERT_EQ(lib.call("nvmlDeviceGetMemoryInfo_v2", device, b.data()), 0);
  const std::uint64_t total = wide_at(b, 8), reserved = wide_at(b, 16), free = wide_at(b, 24),
                      used = wide_at(b, 32);
  EXPECT_EQ(total, 81559ull << 20);
  EXPECT_EQ(used, 3ull << 30);
  EXPECT_EQ(used + free + reserved, total);
  ASSERT_EQ(lib.call("nvmlDeviceGetMemoryInfo", device, b.data()), 0);
  EXPECT_EQ(wide_at(b, 0), total);
  EXPECT_EQ(wide_at(b, 8), free);
  EXPECT_EQ(wide_at(b, 16), used + reserved);  // the first version counts reserved as used
}

TEST_F(Abi, ProcessRowsHaveTheirStride) {
  bed.does("alloc 4243 0 5MiB");
  Buffer b;
  b.fill(kUntouched);
  unsigned count = 4;
  ASSERT_EQ(lib.call("nvmlDeviceGetComputeRunningProcesses_v3", device, &count, b.data()), 0);
  ASSERT_EQ(count, 2u);
  EXPECT_EQ(word_at(b, 0), 4242u);
  EXPECT_EQ(wide_at(b, 8), 3ull << 30);
  EXPECT_EQ(word_at(b, 16), 0xffffffffu);
  EXPECT_EQ(word_at(b, 24), 4243u);
  EXPECT_EQ(wide_at(b, 32), 5ull << 20);
  EXPECT_EQ(b[48], kUntouched);
  count = 4;
  ASSERT_EQ(lib.call("nvmlDeviceGetComputeRunningProcesses", device, &count, b.data()), 0);
  EXPECT_EQ(word_at(b, 16), 4243u);  // rows of 16 bytes before v2
  count = 1;
  EXPECT_EQ(lib.call("nvmlDeviceGetComputeRunningProcesses_v3", device, &count, b.data()), 7);
  EXPECT_EQ(count, 2u);
}

TEST_F(Abi, UtilizationRowsHaveTheirStride) {
  bed.at(1'000'000'000);
  Buffer b;
  b.fill(kUntouched);
  unsigned count = 4;
  ASSERT_EQ(lib.call("nvmlDeviceGetProcessUtilization", device, b.data(), &count, 0ull), 0);
  ASSERT_EQ(count, 1u);
  EXPECT_EQ(word_at(b, 0), 4242u);
  EXPECT_EQ(word_at(b, 16), 20u);
  EXPECT_EQ(b[32], kUntouched);
  const std::uint64_t stamp = wide_at(b, 8);
  count = 4;
  EXPECT_EQ(lib.call("nvmlDeviceGetProcessUtilization", device, b.data(), &count,
                     static_cast<unsigned long long>(stamp)),
            6);

  struct {
    unsigned version = 0x01000018, count = 4;
    unsigned long long last = 0;
    void* rows = nullptr;
  } info;
  static_assert(sizeof info == 24);
  b.fill(kUntouched);
  info.rows = b.data();
  ASSERT_EQ(lib.call("nvmlDeviceGetProcessesUtilizationInfo", device, &info), 0);
  EXPECT_EQ(word_at(b, 8), 4242u);
  EXPECT_EQ(word_at(b, 12), 20u);
  EXPECT_EQ(word_at(b, 32), 0u);  // the optical flow accelerator, the last field
  EXPECT_EQ(b[40], kUntouched);
}

TEST_F(Abi, FieldValuesAreFortyBytes) {
  bed.does("recovery 0 reset");
  Buffer b;
  b.fill(kUntouched);
  const unsigned ids[] = {230, 83, 9999};
  for (std::size_t i = 0; i < 3; ++i) std::memcpy(&b[40 * i], &ids[i], 4);
  ASSERT_EQ(lib.call("nvmlDeviceGetFieldValues", device, 3, b.data()), 0);
  EXPECT_EQ(word_at(b, 24), 1u);  // type: unsigned
  EXPECT_EQ(word_at(b, 28), 0u);  // return code
  EXPECT_EQ(word_at(b, 32), 1u);  // reset
  EXPECT_EQ(word_at(b, 40 + 24), 3u);
  EXPECT_EQ(word_at(b, 80 + 28), 3u);  // not supported, and only that one
  EXPECT_EQ(b[120], kUntouched);
}

TEST_F(Abi, EventDataIsThirtyTwoBytes) {
  void* set = nullptr;
  ASSERT_EQ(lib.call("nvmlEventSetCreate", &set), 0);
  EXPECT_EQ(lib.call("nvmlDeviceRegisterEvents", device, 0x10000ull, set), 3);
  ASSERT_EQ(lib.call("nvmlDeviceRegisterEvents", device, 0x8ull, set), 0);
  Buffer b;
  b.fill(kUntouched);
  EXPECT_EQ(lib.call("nvmlEventSetWait_v2", set, b.data(), 1u), 10);  // the XID before is past
  bed.does("xid 0 79");
  ASSERT_EQ(lib.call("nvmlEventSetWait_v2", set, b.data(), 1000u), 0);
  EXPECT_EQ(wide_at(b, 0), reinterpret_cast<std::uint64_t>(device));
  EXPECT_EQ(wide_at(b, 8), 8u);
  EXPECT_EQ(wide_at(b, 16), 79u);
  EXPECT_EQ(b[32], kUntouched);
  EXPECT_EQ(lib.call("nvmlEventSetFree", set), 0);
}

}  // namespace
}  // namespace estiva::sim
