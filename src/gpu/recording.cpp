#include "gpu/recording.h"

#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/messages/gpu.h"
#include "gpu/wire.h"

namespace estiva::gpu {
namespace {

Result<std::vector<std::byte>> read_bounded(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return fail_errno("open " + path, errno);
  std::vector<std::byte> bytes(kMaxRecording + 1);
  std::size_t size = 0;
  ssize_t n = 0;
  while (size < bytes.size() && (n = ::read(fd, bytes.data() + size, bytes.size() - size)) > 0) {
    size += static_cast<std::size_t>(n);
  }
  const int error = n < 0 ? errno : 0;
  ::close(fd);
  if (error != 0) return fail_errno("read " + path, error);
  if (size > kMaxRecording) return fail("the recording is larger than 4 MiB");
  bytes.resize(size);
  return bytes;
}

// Answers from a file: the same answer at every read. A lost GPU stays lost, a busy one busy.
class RecordedBackend final : public Backend {
 public:
  explicit RecordedBackend(std::string path) : path_(std::move(path)) {}

  void open(Snapshot& snapshot) override {
    const std::uint64_t inventory = snapshot.inventory + 1;
    auto recorded = read_bounded(path_).and_then(
        [](const std::vector<std::byte>& bytes) { return parse_recording(bytes); });
    if (recorded) {
      snapshot = std::move(*recorded);
    } else {
      snapshot = {};
      snapshot.driver.state = DriverState::failed;
      snapshot.driver.reason =
          fmt::format(fmt::runtime(msg::kGpuRecordingBad), path_, recorded.error().what);
      snapshot.driver.remedy = std::string(msg::kGpuRecordingRemedy);
    }
    snapshot.driver.source = "recorded";
    snapshot.inventory = inventory;
  }
  void read(Tiers, Snapshot& snapshot) override {
    for (Gpu& gpu : snapshot.gpus) gpu.sample.read_at = steady_now();
  }
  void close() override {}

 private:
  std::string path_;
};

}  // namespace

std::vector<std::byte> format_recording(const Snapshot& snapshot) {
  Outbox outbox;
  outbox.add_state(1, snapshot.driver);
  outbox.add_inventory(1, snapshot.gpus);
  outbox.add_samples(1, snapshot.gpus, true);
  outbox.add_wear(1, snapshot.gpus);
  outbox.add_done(1, {});
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < outbox.size(); ++i) {
    const std::span<const std::byte> message = outbox.message(i);
    const auto length = static_cast<std::uint32_t>(message.size());
    const auto* raw = reinterpret_cast<const std::byte*>(&length);
    bytes.insert(bytes.end(), raw, raw + sizeof length);
    bytes.insert(bytes.end(), message.begin(), message.end());
  }
  return bytes;
}

Result<Snapshot> parse_recording(std::span<const std::byte> bytes) {
  Assembler assembler;
  while (bytes.size() >= sizeof(std::uint32_t)) {
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    bytes = bytes.subspan(sizeof length);
    if (length > bytes.size()) return fail("the recording ends within a message");
    switch (assembler.take(bytes.first(length))) {
      case Assembler::Outcome::malformed:
        return fail("a message breaks the protocol");
      case Assembler::Outcome::done:
        return Snapshot{assembler.driver(), assembler.gpus(), 1, {}};
      default:
        break;
    }
    bytes = bytes.subspan(length);
  }
  return fail("the recording has no complete answer");
}

std::unique_ptr<Backend> make_recorded_backend(const BackendOptions& options) {
  return std::make_unique<RecordedBackend>(options.machine + "/" + kRecordingFile);
}

}  // namespace estiva::gpu
