// What is remembered of the GPUs' health while the daemon is not there: which GPUs there are (for
// ever), and the XIDs (until the machine restarts). As two notes of the store. Pure but for the
// log.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/gpu.h"
#include "model/xid.h"

namespace estiva::daemon {

struct HealthMemory {
  std::vector<KnownGpu> gpus;
  std::vector<XidMemory> xids;
  std::uint64_t kernel_log_read = 0;  // the last record's sequence, of this boot; 0: none
};

inline constexpr const char* kGpuNote = "gpus";
inline constexpr const char* kXidNote = "xids";

// The notes' texts. Of more XIDs than a note has room for (some hundred) the newest are kept.
std::string gpu_note(const std::vector<KnownGpu>& gpus);
std::string xid_note(std::vector<XidMemory> xids, std::uint64_t kernel_log_read,
                     const std::string& boot_id);
// What the notes say; nothing of one that is missing, damaged or (XIDs) of an earlier boot.
HealthMemory read_notes(const std::map<std::string, std::string>& notes,
                        const std::string& boot_id);

}  // namespace estiva::daemon
