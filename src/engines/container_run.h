// One run of a container, as it looks from the host: which processes are its own, and what is said
// of its end. Reads a few small files of procfs.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "container/standing.h"
#include "host/files.h"
#include "model/lease.h"

namespace estiva::engines {

// Its first process, where the kernel says that this process is in this container. An engine in
// another PID namespace (a virtual machine, rootless) tells numbers that are strangers' here: none.
std::optional<Holder> holder_of(const host::Root& root, const container::Standing& run,
                                const std::string& boot_id);

// All processes of the container of `first`, its first one; 'docker exec' makes some that are no
// children of it. Only `first` where the group can't be read.
std::vector<pid_t> processes_beside(const host::Root& root, pid_t first);

// "ended with exit code 3", "was ended by the kernel for want of RAM", "was removed".
std::string end_of(const Result<container::Standing>& run);

// The line of a log that says that GPU memory ran out (CUDA, PyTorch, llama.cpp, vLLM, TensorFlow);
// null: none does.
const std::string* line_of_gpu_memory(const std::vector<std::string>& lines);

// What adopt() needs: {"container":ID,"started_at":TEXT}.
struct ContainerRecord {
  std::string id, started_at;
};
std::string format_container_record(const ContainerRecord& record);
// Errors: it is none.
Result<ContainerRecord> parse_container_record(std::string_view text);

}  // namespace estiva::engines
