// The part of CUDA's driver interface that moves a process off its GPUs and back, written by us
// from its published description (CUDA driver API 13.0, "CUDA Checkpointing" and the structs
// CUcheckpointLockArgs, CUcheckpointCheckpointArgs, CUcheckpointRestoreArgs,
// CUcheckpointUnlockArgs): nothing of NVIDIA's is needed to build. In libcuda.so.1 since driver
// 570. Only the helper program includes this.
#pragma once
#include <cstdint>

namespace estiva::engines::cuda {

// CUresult values that steer what we do; every other one is "failed".
enum Code : int {
  kSuccess = 0,
  kInvalidValue = 1,  // of a process: there is none, or it does not use CUDA
  kOutOfMemory = 2,
  kNotInitialized = 3,  // the process has not begun to use CUDA
  kIllegalState = 401,
  kNotReady = 600,  // the lock's time is over; the process runs on
  kNotSupported = 801,
};

// CUprocessState. FAILED is for ever: such a process can only be killed.
enum State : int { kRunning = 0, kLocked = 1, kCheckpointed = 2, kFailed = 3 };

struct LockArgs {
  unsigned timeout_ms;  // 0: none
  unsigned reserved0;
  std::uint64_t reserved1[7];
};
struct CheckpointArgs {
  std::uint64_t reserved[8];
};
struct RestoreArgs {
  void* gpu_pairs;  // to other GPUs: not used
  unsigned gpu_pairs_count;
  char reserved[52 - sizeof(void*)];
  std::uint64_t reserved1;
};
struct UnlockArgs {
  std::uint64_t reserved[8];
};
static_assert(sizeof(LockArgs) == 64 && sizeof(CheckpointArgs) == 64 && sizeof(UnlockArgs) == 64);
static_assert(sizeof(RestoreArgs) == 64);

using Init = int (*)(unsigned flags);
using GetState = int (*)(int pid, int* state);
using GetRestoreThreadId = int (*)(int pid, int* thread);
using Lock = int (*)(int pid, LockArgs*);
using Checkpoint = int (*)(int pid, CheckpointArgs*);
using Restore = int (*)(int pid, RestoreArgs*);
using Unlock = int (*)(int pid, UnlockArgs*);

}  // namespace estiva::engines::cuda
