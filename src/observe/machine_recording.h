// A recorded machine: a folder that holds what the GPUs, the machine, the container engine and the
// kernel log told, and the small files of /proc, /sys and /etc that estiva reads.
//
//   recording.json   what is in the folder; written last, so that one that was cut off is known
//   gpus.json        readings of the GPUs and what each question cost (gpu/recording.h)
//   machine.json     readings of CPU, memory, disks; containers; errors by number
//   machine.scenario the same for the simulator (observe/scenario.h)
//   proc/ sys/ etc/  the files, for --root
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "gpu/recording.h"
#include "host/files.h"
#include "model/container.h"
#include "model/world.h"
#include "observe/record_tree.h"
#include "observe/redact.h"

namespace estiva::observe {

struct MachineRecording {
  std::string version;  // of the estiva that wrote it
  WallTime wall;        // of the first reading
  bool names_kept = false;
  std::string node_id;
  gpu::GpuRecording gpus;
  std::vector<HostSample> host;  // one a reading of the GPUs
  EngineStatus engine;
  std::vector<Container> containers;        // by id
  std::vector<ProcessContainer> processes;  // of processes on GPUs, by pid
  std::vector<XidReport> xids;              // the oldest first
  // "path: why" of what could not be read.
  std::vector<std::string> left_out;
};

// Writes the folder: beside its place first, and moved there when it is whole. Copies the files of
// `root` that tree_contents() lists, redacted like everything else by `redactor`; of the processes
// those in `recording` and what started them. Errors: the folder is there and not empty; disk full,
// no permission: nothing is left then.
Result<std::vector<RecordedFile>> write_machine(const std::string& dir, MachineRecording recording,
                                                const host::Root& root, Redactor& redactor);

// Errors: no recording, or one that was cut off or changed (a file is missing or has another size);
// the sentence names the file.
Result<MachineRecording> read_machine(const std::string& dir);

// The World of one reading as it was then, without what needs earlier ones (health): every time in
// it is the recording's own. `i` is below recording.gpus.readings.size().
World world_at(const MachineRecording& recording, std::size_t i);

}  // namespace estiva::observe
