// Doctor's signatures of images that don't go with the driver or the card, K22 to K27.
#pragma once
#include "base/messages/decide_doctor.h"

namespace estiva::msg {

inline constexpr DoctorWords kK22{
    "the image requires a newer driver",
    "requirement error: unsatisfied condition: cuda>=12.8, please update your driver to a newer "
    "version, or use an earlier cuda container",
    "NVIDIA_REQUIRE_CUDA of the image, and the driver's CUDA version",
    "Upgrade the driver, or use an image for an older CUDA.",
    "",
    "NVIDIA/nvidia-container-toolkit #152, ggml-org/llama.cpp #9665, TabbyML/tabby #324"};
inline constexpr DoctorWords kK23{
    "the driver is too old for the image's CUDA",
    "CUDA driver version is insufficient for CUDA runtime version",
    "CUDA_VERSION of the image, and the driver's version",
    "Upgrade the driver, or use an image for an older CUDA.",
    "",
    "CUDA 13.1 release notes, minimum drivers: 13.x 580, 12.x 525, 11.x 450; CDI does not check "
    "it; CUDA runtime API, cudaErrorInsufficientDriver (35)"};
inline constexpr DoctorWords kK24{
    "a second libcuda in the image",
    "system has unsupported display driver / cuda driver combination",
    "what the container wrote",
    "Remove libcuda and the other driver libraries from the image; the host's are mounted into it.",
    "",
    "NVIDIA/nvidia-container-toolkit #234, NVIDIA/nvidia-docker #1256"};
inline constexpr DoctorWords kK25{
    "compatibility libraries on a card that can't use them",
    "forward compatibility was attempted on non supported HW",
    "what the container wrote; the image's compatibility package, its CUDA and the driver's, the "
    "cards, and the hook enable-cuda-compat in the CDI spec",
    "Use a CDI spec without that hook (sudo estiva cdi generate), or upgrade the driver.",
    "Put the old spec back.",
    "CUDA compatibility, forward compatibility: data centre cards, some RTX and Jetson only; "
    "nvidia/container-images/cuda #183 (GitLab)"};
inline constexpr DoctorWords kK26{
    "the image has no code for this card",
    "CUDA error: no kernel image is available for execution on the device",
    "the compute capability of each GPU, and CUDA_VERSION of the image",
    "Use an image whose CUDA knows the card: 12.x for Maxwell, Pascal and Volta; 12.8 or newer for "
    "Blackwell.",
    "",
    "CUDA 13.1 release notes: 13 dropped compute capabilities below 7.5"};
inline constexpr DoctorWords kK27{
    "the image holds driver files",
    "mount error: file creation failed: /usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1: file exists",
    "the errors with which containers did not start",
    "Build the image again without the driver's libraries (they come in where it is built with the "
    "nvidia runtime, or under WSL).",
    "",
    "NVIDIA/nvidia-container-toolkit #289 and #176, NVIDIA/nvidia-docker #1551"};

inline constexpr std::string_view kUnmetRequirement =
    "{} wants {}, and driver {} offers CUDA {}";  // container, requirement, driver, CUDA
inline constexpr std::string_view kDriverTooOld =
    "{} has CUDA {}, which needs driver {} or newer; this machine has {}";
inline constexpr std::string_view kSecondLibcuda =
    "{} found a libcuda of its own image before the host's";  // container
inline constexpr std::string_view kCompatFailed =
    "{} tried its image's compatibility libraries, which this card can't use";  // container
inline constexpr std::string_view kCompatMayFail =
    "{} has CUDA {} and compatibility libraries; with driver {} they would be used, which {} "
    "can't";  // container, CUDA, driver, card
inline constexpr std::string_view kNoKernelImage =
    "{} has CUDA {}, which has no code for {} (compute capability {}.{})";
inline constexpr std::string_view kNoKernelImagePerhaps =
    "{} has CUDA {}, which is older than {} (compute capability {}.{}): only code that is compiled "
    "at the start can run";
inline constexpr std::string_view kDriverInImage =
    "{} did not start: its image holds a file of the driver";  // container
inline constexpr std::string_view kCudaVersionIs = "CUDA_VERSION={}";
inline constexpr std::string_view kRequireCuda = "NVIDIA_REQUIRE_CUDA={}";

}  // namespace estiva::msg
