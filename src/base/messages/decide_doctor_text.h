// Errors that doctor knows by their text in a log alone: nothing of the machine foretells them.
#pragma once
#include <string_view>

#include "base/messages/decide_doctor.h"

namespace estiva::msg {

inline constexpr DoctorWords kT1Text{
    "the GPU's memory is full",
    "torch.cuda.OutOfMemoryError: CUDA out of memory",
    "the text alone; containers reach the GPU, or there would be no such error",
    "Nothing is broken. 'estiva status' shows who holds the memory. A smaller or more quantised "
    "model, a shorter context or a smaller batch needs less; 'estiva run --vram SIZE -- COMMAND' "
    "starts when there is room",
    "",
    "PyTorch's CUDA caching allocator; CUDA_ERROR_OUT_OF_MEMORY of cuda.h"};
inline constexpr DoctorWords kT2Text{
    "Docker does not start",
    "Job for docker.service failed because the control process exited with error code",
    "the text alone; why it does not start stands further up in Docker's log",
    "Run: journalctl -u docker -n 100 --no-pager | estiva doctor --explain-error. 'estiva doctor' "
    "looks at daemon.json and the units",
    "",
    "systemd's texts for a unit that failed"};

}  // namespace estiva::msg
