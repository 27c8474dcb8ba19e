// A recorded machine's GPU answers: the sensor's own messages in a file, so that a replay passes
// through the same checks as the sensor's words. MACHINE/gpu.frames: for each message its length
// (4 bytes, host order), then the message.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "gpu/backend.h"

namespace estiva::gpu {

inline constexpr const char* kRecordingFile = "gpu.frames";
inline constexpr std::size_t kMaxRecording = 4U << 20;

// What the file holds after `snapshot`'s full inventory, samples and processes were recorded.
std::vector<std::byte> format_recording(const Snapshot& snapshot);
// The snapshot in a recording. Errors: the bytes break the protocol, or have no complete answer.
Result<Snapshot> parse_recording(std::span<const std::byte> bytes);

}  // namespace estiva::gpu
