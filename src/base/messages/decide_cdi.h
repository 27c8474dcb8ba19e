// What a user reads when a CDI spec does not fit the host, or a file of CDI specs counts for
// nothing.
#pragma once
#include <string_view>

namespace estiva::msg {

// Files that engines leave aside.
inline constexpr char kCdiIgnored[] =
    "engines read only files whose names end in .json or .yaml, so nobody reads this one";
inline constexpr char kCdiTooNew[] =
    "its version is {}, and the engine reads {} at most, so it leaves the whole file aside";

// A spec against the host.
inline constexpr char kCdiNodeMissing[] = "the device node {} is not on this machine";
inline constexpr char kCdiUvmMissing[] =
    "the device node {} is not on this machine, and CUDA can't start without it";
inline constexpr char kCdiNoDevice[] = "{} stands where a device node should be, and is none";
inline constexpr char kCdiMajorZero[] = "the device node {} has no driver: its numbers are {}:{}";
inline constexpr char kCdiFrozen[] =
    "the spec says that {} is {}:{}, and on this machine it is {}:{}; containers get the wrong "
    "device";  // path, spec's, host's
inline constexpr char kCdiOtherGpu[] =
    "the device '{}' is {} on this machine, and the spec gives it {}";  // name, node, node
inline constexpr char kCdiMountMissing[] = "{}, which the spec mounts, is not on this machine";
inline constexpr char kCdiMountVersion[] =
    "{} is of driver version {}, and the loaded kernel module is {}";  // path, its, module's
inline constexpr char kCdiMountMissingVersion[] =
    "{}, which the spec mounts, is not on this machine: it is of driver version {}, and the loaded "
    "kernel module is {}";
inline constexpr char kCdiSocketGone[] = "the socket {}, which the spec mounts, is gone";
inline constexpr char kCdiHookMissing[] = "the hook {} is not on this machine";
inline constexpr char kCdiHookNotRun[] = "the hook {} can't be executed";
inline constexpr char kCdiChmodHook[] =
    "the spec has the chmod hook of old toolkits, which fails in containers that mount all of /dev";
inline constexpr char kCdiNoLibcuda[] = "no libcuda.so is mounted, so CUDA can't be used";
inline constexpr char kCdiLacksNode[] = "the spec does not give {}, so CUDA can't start";
inline constexpr char kCdiDeviceLacks[] = "the device '{}': {}";  // name, one of the two above
inline constexpr char kCdiNoModeset[] =
    "the spec has graphics libraries but not {}, which is on this machine: Vulkan and EGL fail";
inline constexpr char kCdiIndexInMig[] =
    "the device '{}' is a GPU in MIG mode, which can only be used through its instances";
inline constexpr char kCdiIndexGone[] = "no GPU of this machine has the index of the device '{}'";
inline constexpr char kCdiUuidGone[] = "no GPU of this machine is called '{}'";
inline constexpr char kCdiMigGone[] = "no MIG instance of this machine is called '{}'";

}  // namespace estiva::msg
