// What the gpu room says to users: why GPUs can't be read, and what to do. {} are filled by fmt.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kGpuAbsent = "no NVIDIA GPU is present on the PCI bus";
inline constexpr std::string_view kGpuAbsentRemedy =
    "Use a machine with an NVIDIA GPU, or try simulated ones with 'estiva daemon --simulate'";

inline constexpr std::string_view kGpuNoDriver =
    "an NVIDIA GPU is present ({}), and its kernel module is not loaded";
inline constexpr std::string_view kGpuOtherDriver =
    "an NVIDIA GPU is present ({}), and it is bound to the driver {} instead of nvidia";
inline constexpr std::string_view kGpuNoDriverRemedy =
    "Install the NVIDIA driver (Debian: nvidia-driver), or load it with: modprobe nvidia";

inline constexpr char kGpuLibraryNotOpened[] = "the driver's library {} could not be opened: {}";
inline constexpr char kGpuLibraryIsNotNvml[] =
    "the library {} is not a usable NVML: it has no function {}";
inline constexpr std::string_view kGpuNoLibraryRemedy =
    "Install the library that belongs to the driver (Debian: libnvidia-ml1), or name it with "
    "--nvml FILE";

inline constexpr char kGpuMismatchPredicted[] =
    "the NVIDIA kernel module is version {} and the library {} is version {}: they must be the "
    "same";
inline constexpr std::string_view kGpuMismatch =
    "the NVIDIA kernel module and the driver's library are of different versions";
inline constexpr std::string_view kGpuMismatchRemedy =
    "The driver was upgraded under a running kernel: restart the machine, or stop every GPU "
    "program and reload the nvidia modules";

inline constexpr std::string_view kGpuModuleGone = "the NVIDIA kernel module was unloaded";
inline constexpr char kGpuInitFailed[] = "NVML could not be initialised: {} (error {})";
inline constexpr std::string_view kGpuInitFailedRemedy =
    "Look at the kernel log for lines with NVRM or Xid: journalctl -k -g 'NVRM|Xid'";
inline constexpr std::string_view kGpuInitDenied =
    "NVML could not be initialised: no permission for the NVIDIA device files";
inline constexpr std::string_view kGpuInitDeniedRemedy =
    "Run as a user who may open /dev/nvidiactl and /dev/nvidia0 (often the groups video or "
    "render)";
inline constexpr std::string_view kGpuNoneFound =
    "the NVIDIA driver is loaded, and it found no GPU it can use";
inline constexpr std::string_view kGpuSomeLost = "lost or to be reset: {}";
inline constexpr std::string_view kGpuSomeLostRemedy =
    "Look at the kernel log for Xid lines, stop what uses these GPUs, and reset them or restart "
    "the machine";
inline constexpr std::string_view kGpuAllAsleep =
    "every NVIDIA GPU is asleep to save power, and reading it would wake it";
inline constexpr std::string_view kGpuAllAsleepRemedy = "It is read as soon as a program wakes it";

inline constexpr std::string_view kGpuInitialising = "the GPU driver is being initialised";
inline constexpr std::string_view kGpuUnresponsive =
    "the GPU driver did not answer in time: {} ms; the last values are shown";
inline constexpr std::string_view kGpuUnresponsiveRemedy =
    "The sensor is replaced by itself; when this stays, look at the kernel log for Xid lines and "
    "restart the machine";
inline constexpr std::string_view kGpuStuck =
    "the GPU driver hangs inside the kernel: the sensor (process {}) can't be ended";
inline constexpr std::string_view kGpuStuckRemedy =
    "No other sensor is started meanwhile; restart the machine if it does not come back";
inline constexpr std::string_view kGpuCrashed = "the sensor ended in a driver call: {}";
inline constexpr std::string_view kGpuMalformed = "the sensor sent a message that makes no sense";
inline constexpr std::string_view kGpuCrashedRemedy =
    "It is started again by itself; when this repeats, look at the kernel log and at the driver's "
    "version";
inline constexpr std::string_view kGpuReleased =
    "every handle on the GPU driver was given up on request";
inline constexpr std::string_view kGpuReleasedRemedy = "Restart the daemon to read GPUs again";
inline constexpr std::string_view kGpuNoSensor = "the sensor program could not be started";
inline constexpr std::string_view kGpuNoSensorRemedy =
    "Install estiva-sensor beside estiva, or name it in the configuration";
inline constexpr std::string_view kGpuRecordingBad = "the recorded answers in {} can't be used: {}";
inline constexpr std::string_view kGpuRecordingRemedy =
    "Record the machine again with this version of estiva";
inline constexpr std::string_view kGpuNoRecording = "it is no recording of GPUs";
inline constexpr std::string_view kGpuReadTimedOut = "the GPUs were not read within {} ms";
inline constexpr std::string_view kGpuTooManyReaders =
    "{} requests for a reading of the GPUs are already waiting";

}  // namespace estiva::msg
