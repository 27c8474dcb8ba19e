// What a user reads when a CDI spec can't be made, or is made without something.
#pragma once
#include <string_view>

namespace estiva::msg {

// Why there is no spec. {} as in the comment behind it.
inline constexpr std::string_view kCdiNoModule =
    "no CDI spec can be made: the NVIDIA kernel module is not loaded";
inline constexpr std::string_view kCdiNoModuleHow =
    "Run: modprobe nvidia && modprobe nvidia_uvm. If that fails, 'estiva doctor' says why";
inline constexpr std::string_view kCdiNoGpu =
    "no CDI spec can be made: the NVIDIA kernel module {} has no GPU";  // version
inline constexpr std::string_view kCdiNoGpuHow =
    "'estiva doctor' says whether a GPU is on the bus and what drives it";
inline constexpr std::string_view kCdiNoLibrary =
    "no CDI spec can be made: {}.so.{} is not on this machine";  // library, version
inline constexpr std::string_view kCdiNoLibraryHow =
    "Install the part of the driver's packages that has {0}.so.1 (Debian: {1}, Ubuntu: "
    "libnvidia-compute, RHEL and Fedora: nvidia-driver-cuda-libs, Arch: nvidia-utils), version {2}";
// library, Debian's package, version
inline constexpr std::string_view kCdiOtherLibrary =
    "no CDI spec can be made: the loaded kernel module is {0}, and {1} is here in version {2} "
    "only";  // module's version, library, versions
inline constexpr std::string_view kCdiOtherLibraryHow =
    "The driver was upgraded and its old module still runs: restart the machine. If that does not "
    "help, install all of the driver's packages in one version";
inline constexpr std::string_view kCdiNoControlNode =
    "no CDI spec can be made: {} is not there";  // node
inline constexpr std::string_view kCdiNoControlNodeHow =
    "Run: nvidia-modprobe -c 0, or nvidia-smi as root; either makes the node";
inline constexpr std::string_view kCdiNoUvmHow =
    "CUDA can't start without it. Run: modprobe nvidia_uvm && nvidia-modprobe -u -c 0";
inline constexpr std::string_view kCdiNoGpuNode =
    "no CDI spec can be made: {} is not there";                                     // node or nodes
inline constexpr std::string_view kCdiNoGpuNodeHow = "Run: nvidia-modprobe -c {}";  // minor
inline constexpr std::string_view kCdiOnlyMigMode =
    "no CDI spec can be made: each GPU is in MIG mode, and there is no instance whose nodes are "
    "known";
inline constexpr std::string_view kCdiOnlyMigModeHow =
    "Make instances (nvidia-smi mig -cgi PROFILE -C), or leave MIG mode (nvidia-smi -mig 0), and "
    "generate again";
inline constexpr std::string_view kCdiNoNames =
    "no CDI spec can be made: no device has a name of the kind that was asked for";
inline constexpr std::string_view kCdiNoNamesHow =
    "Name devices by index, or run nvidia-smi once so that the driver knows each GPU's UUID";
inline constexpr std::string_view kCdiNoWslLibrary =
    "no CDI spec can be made: /dev/dxg is there, but /usr/lib/wsl/lib has no {}";  // file
inline constexpr std::string_view kCdiNoWslLibraryHow =
    "Install the NVIDIA driver of Windows, then run 'wsl --shutdown' there and start anew";
inline constexpr std::string_view kCdiOldEngine =
    "the engine reads CDI specs up to version {}, and this one needs {}";  // newest, needed
inline constexpr std::string_view kCdiOldEngineHow =
    "Use Docker 25 or newer, or Podman 4.3 or newer";
inline constexpr std::string_view kCdiNoVersion = "'{}' is not a version of the CDI";
inline constexpr std::string_view kCdiNoVersionHow = "Write three numbers, for example 0.6.0";

// What a spec lacks.
inline constexpr std::string_view kCdiNoteNoUuid =
    "GPU {} has no entry by UUID, because the driver has not said it yet: run nvidia-smi once and "
    "generate again";  // index
inline constexpr std::string_view kCdiNoteNoNode =
    "GPU {0} is left out, because {1} is not there: run nvidia-modprobe -c {2} and generate "
    "again";  // index, node, minor
inline constexpr std::string_view kCdiNoteMigMode =
    "GPU {} is in MIG mode and has no instance, so it has no entry: make instances (nvidia-smi mig "
    "-cgi PROFILE -C), or leave MIG mode, and generate again";  // index
inline constexpr std::string_view kCdiNoteNoCaps =
    "the MIG instance {} is left out, because it is not known which nodes of /dev/nvidia-caps are "
    "its own, or they are not there";  // name
inline constexpr std::string_view kCdiNoteGroup =
    "{0} is only for group {1}, and a spec can name a group from version 0.7.0 on, which the "
    "engine "
    "does not read: a program that is not root may be refused there";  // node, gid
inline constexpr std::string_view kCdiNoteNoJit =
    "libnvidia-ptxjitcompiler.so.{} is not on this machine: programs that bring PTX code, and not "
    "code for this very GPU, will fail";  // version
inline constexpr std::string_view kCdiNoteOtherDefault =
    "programs of this machine get the driver's libraries of version {0}, but the loaded module is "
    "{1}: containers get {1}; restart the machine to end an upgrade";  // libraries, module

}  // namespace estiva::msg
