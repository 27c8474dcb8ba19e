// What 'estiva verify' says of each rung.
#pragma once
#include <string_view>

namespace estiva::msg {

// Names of the rungs.
inline constexpr std::string_view kRungPci = "PCI device";
inline constexpr std::string_view kRungModule = "kernel module";
inline constexpr std::string_view kRungFiles = "driver files";
inline constexpr std::string_view kRungNodes = "device nodes";
inline constexpr std::string_view kRungNvml = "NVML";
inline constexpr std::string_view kRungCuda = "CUDA";
inline constexpr std::string_view kRungSpec = "CDI spec";
inline constexpr std::string_view kRungEngine = "container engine";
inline constexpr std::string_view kRungContainer = "container";
inline constexpr std::string_view kRungInside = "devices inside";
inline constexpr std::string_view kRungCudaInside = "CUDA inside";
inline constexpr std::string_view kRungProcesses = "processes on the GPU";
inline constexpr std::string_view kRungApplication = "application";

inline constexpr std::string_view kNoNvidiaDevice = "PCI shows no NVIDIA GPU";
inline constexpr std::string_view kNoNvidiaDeviceRemedy =
    "Seat the card and its power cable, or pass it through to this virtual machine; 'lspci -d "
    "10de:' has to show it";
inline constexpr std::string_view kPciDevices = "{} NVIDIA GPU(s): {}";  // count, addresses
inline constexpr std::string_view kWslAdapter = "/dev/dxg, the adapter of Windows";
inline constexpr std::string_view kVerifyNoModule = "the driver's kernel module is not loaded";
inline constexpr std::string_view kModuleLoaded = "version {}{}";  // version, kModuleOpen
inline constexpr std::string_view kModuleOpen = ", open";
inline constexpr std::string_view kFilesNone = "no libcuda is installed";
inline constexpr std::string_view kFilesMissing = "no libcuda of version {}";  // the module's
inline constexpr std::string_view kFilesOfVersion = "{} libraries of version {}";
inline constexpr std::string_view kVerifyNoNodes = "missing: {}";
inline constexpr std::string_view kNodesThere = "{}";  // paths
inline constexpr std::string_view kNvmlSays = "{} GPU(s), driver {}";
inline constexpr std::string_view kCudaStarts = "cuInit returned 0";
inline constexpr std::string_view kCudaFails = "cuInit returned {}";
inline constexpr std::string_view kNotAsked = "not asked: {}";  // why
inline constexpr std::string_view kWhyNotRead = "nobody looked";
inline constexpr std::string_view kWhyNotSupported = "there is nothing here that could answer";
inline constexpr std::string_view kWhyNotPermitted = "this user may not";
inline constexpr std::string_view kWhyLost = "the GPU is lost";
inline constexpr std::string_view kWhyAsleep = "that would wake a sleeping GPU";
inline constexpr std::string_view kWhyUnresponsive = "no answer came in time";
inline constexpr std::string_view kWhyFailed = "the question failed";
inline constexpr std::string_view kSpecNone = "no spec declares an NVIDIA device";
inline constexpr std::string_view kSpecIn = "{} ({} devices)";  // path, count
inline constexpr std::string_view kEngineIs = "{} {}{}";        // name, version, kEngineCdi...
inline constexpr std::string_view kEngineCdiOn = ", reads CDI specs in {}";
inline constexpr std::string_view kEngineNone = "no container engine answers";
inline constexpr std::string_view kNoEngineNoContainer = "not tried without a container engine";
inline constexpr std::string_view kStarted = "started with {}";
inline constexpr std::string_view kRuns = "{} runs, asked for with {}";
inline constexpr std::string_view kRunsWithout = "{} runs, and asks for no GPU";
inline constexpr std::string_view kNotRunning = "{} does not run";
inline constexpr std::string_view kRunsAgain = "Start it: docker start {}";
inline constexpr std::string_view kInsideNone = "no /dev/nvidia* node";
inline constexpr std::string_view kInsideNode = "{} can't be opened: {}";  // path, why
inline constexpr std::string_view kInsideNoLibrary = "libcuda.so.1 can't be loaded: {}";
inline constexpr std::string_view kInsideCuda = "cuInit returned 0; {}";  // devices
inline constexpr std::string_view kInsideNoDevices = "cuInit returned 0, and CUDA offers no device";
inline constexpr std::string_view kNoProcessOnGpu =
    "none of its processes is on a GPU; it may not have loaded a model yet";
inline constexpr std::string_view kProcessesHidden =
    "the driver's list of processes can't be seen from here";
inline constexpr std::string_view kNothingToldBy = "neither Ollama's log nor torch says anything";
inline constexpr std::string_view kTorchSays = "torch: {}";

inline constexpr std::string_view kUsable = "The GPU is usable in containers";
inline constexpr std::string_view kUsableThere = "{} can use the GPU";  // container
inline constexpr std::string_view kCpuOnlyHere = "Only the CPU: {}";
inline constexpr std::string_view kUnproven =
    "The GPU works on this machine; no container was tried: {}";
inline constexpr std::string_view kBrokenAt = "Broken at \"{}\": {}";  // rung, what was seen

}  // namespace estiva::msg
