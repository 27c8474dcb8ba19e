// The messages between estivad and estiva-sensor: one SEQPACKET message is one header and rows of
// one kind, of fixed size. Both programs come from one build; the version is there for the moment
// in which an old sensor meets a new daemon. Host byte order: both ends are on one machine.
#pragma once
#include <cstddef>
#include <cstdint>

namespace estiva::gpu {

inline constexpr int kSensorFd = 3;                  // the sensor's end of the socket pair
inline constexpr std::uint32_t kMagic = 0x31535345;  // "ESS1"
inline constexpr std::uint16_t kProtocolVersion = 5;

// Limits. 64 GPUs, each cut into at most 7 MIG instances.
inline constexpr std::size_t kMaxGpus = 64;
inline constexpr std::size_t kMaxDevices = kMaxGpus * 8;
inline constexpr std::size_t kMaxProcesses = 1024;  // of one device, and of one answer
inline constexpr std::size_t kNameLength = 15;      // of a process: TASK_COMM_LEN - 1
inline constexpr std::size_t kMaxCalls = kMaxDevices * 64;
// One message; an answer of the largest machine is 44 of them, far below what makes a problem:
// the reader drains while the sensor writes, and a full socket only makes the sensor wait.
inline constexpr std::size_t kMaxMessage = 16384;

enum class Kind : std::uint16_t {
  // daemon -> sensor
  read = 1,       // id, argument = tiers
  release = 2,    // id; give up the driver
  reacquire = 3,  // id; take it again (at the next read)
  quit = 4,
  // sensor -> daemon
  hello = 16,      // first message; argument = process id
  state = 17,      // one StateRow
  inventory = 18,  // InventoryRows; argument = number of devices in all; first chunk starts anew
  samples = 19,    // SampleRows
  processes = 20,  // ProcessRows; follow the SampleRow that opened their list
  done = 21,       // one CostRow: the answer to `id` is complete
  wear = 22,       // WearRows
  xids = 23,       // XidRows; at any time, answers nothing
  calls = 24,      // CallRows; all of them, before `done`
};

struct Header {
  std::uint32_t magic = kMagic;
  std::uint16_t version = kProtocolVersion;
  Kind kind{};
  std::uint64_t id = 0;        // of the read that this answers; 0: none
  std::uint32_t count = 0;     // rows that follow
  std::uint32_t argument = 0;  // by kind
};

struct StateRow {
  std::uint8_t state, cuda_why, reserved[6];
  std::uint64_t cuda;
  char source[16], version[80], nvml_version[80], installed_version[80], reason[640], remedy[320];
};

// Readings: the value's bits, and 0 for known or 1 + Missing.
inline constexpr std::size_t kIdentityReadings = 14;
inline constexpr std::size_t kSampleReadings = 18;
inline constexpr std::size_t kWearReadings = 15;

struct InventoryRow {
  std::uint32_t device, index;
  std::uint8_t unified_memory, mig_enabled, reserved[6];
  char vendor[16], uuid[96], instance[96], name[96], pci_bus_id[32], serial[48], vbios[48],
      architecture[32];
  std::uint64_t values[kIdentityReadings];
  std::uint8_t why[kIdentityReadings], reserved2[2];
};

struct SampleRow {
  std::uint32_t device;
  std::uint8_t state, memory_why, reserved_known, processes_why;
  std::int64_t read_at;
  std::uint64_t memory[4];  // total, used, free, reserved
  std::uint64_t values[kSampleReadings];
  std::uint8_t why[kSampleReadings];
  std::uint8_t processes_fresh;  // the list starts anew here; 0: keep the last one
  std::uint8_t reserved[5];
};

struct ProcessRow {
  std::uint32_t device;
  std::int32_t pid;
  std::uint64_t used;
  double sm;
  std::uint8_t used_why, sm_why, kinds, reserved[5];  // kinds: 1 compute, 2 graphics, 4 MPS
  char name[16];
};

struct WearRow {
  std::uint32_t device, reserved;
  std::int64_t read_at;
  std::uint64_t values[kWearReadings];
  std::uint8_t why[kWearReadings], reserved2;
};

struct XidRow {
  std::uint32_t code, reserved;
  std::uint64_t count;
  std::int64_t at;
  char slot[16];
};

// Microseconds that each tier took in the read that this answers; 0: not read.
struct CostRow {
  std::uint32_t tiers[8];
};

struct CallRow {
  std::uint32_t device;
  std::int32_t code;
  std::uint64_t count, total_ns, longest_ns;
  char call[48];
};

static_assert(sizeof(CostRow) == 32 && sizeof(CallRow) == 80);
static_assert(sizeof(Header) == 24 && sizeof(StateRow) == 1232 && sizeof(InventoryRow) == 608);
static_assert(sizeof(SampleRow) == 216 && sizeof(ProcessRow) == 48 && sizeof(WearRow) == 152);
static_assert(sizeof(XidRow) == 40);

// How many rows of a kind fit into one message.
template <class Row>
inline constexpr std::size_t kRowsPerMessage = (kMaxMessage - sizeof(Header)) / sizeof(Row);

}  // namespace estiva::gpu
