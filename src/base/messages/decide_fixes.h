// What a user reads in the plan of 'estiva doctor --fix'.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kFixLoads = "it is loaded now";
inline constexpr std::string_view kFixLoadsEffect = "modprobe {}";
inline constexpr std::string_view kFixLoadsUndo = "it is unloaded, where nobody uses it";
inline constexpr std::string_view kFixLoadsAtBoot = "they are loaded at each boot";
inline constexpr std::string_view kFixFileEffect = "written to {}";
inline constexpr std::string_view kFixFileUndo = "the file is as it was, or gone";
inline constexpr std::string_view kFixNode = "its number is {}, as /proc/devices says";
inline constexpr std::string_view kFixNodeEffect = "the node is made anew";
inline constexpr std::string_view kFixNodeUndo = "the node is as it was";
inline constexpr std::string_view kFixPersistence =
    "the driver keeps what it holds while no program uses the GPU";
inline constexpr std::string_view kFixEnableEffect = "systemctl enable {}";
inline constexpr std::string_view kFixStartEffect = "systemctl start {}";
inline constexpr std::string_view kFixUnitUndo = "as it was before";
inline constexpr std::string_view kFixOvercommit =
    "the kernel grants memory that the driver reserves and never touches";
inline constexpr std::string_view kFixOvercommitEffect = "vm.overcommit_memory = 0";
inline constexpr std::string_view kFixOvercommitUndo = "the old value";
inline constexpr std::string_view kFixAtBoot = "it stays so after a reboot";
inline constexpr std::string_view kFixSpec = "{}: made anew from the driver that is loaded";
inline constexpr std::string_view kFixSpecEffect = "{} declares {}=all and each GPU";
inline constexpr std::string_view kFixDouble = "{} declares the same devices, in the same folder";
inline constexpr std::string_view kFixDoubleEffect = "{} is removed, and kept for the undo";
inline constexpr std::string_view kFixReadable = "the engine's user can read it";
inline constexpr std::string_view kFixReadableEffect = "mode 0644";
inline constexpr std::string_view kFixReadableUndo = "the old mode";
inline constexpr std::string_view kFixToolkit = "{} in {}";  // "no-cgroups = false", file
inline constexpr std::string_view kFixComposeAsks = "{} asks for {} by CDI";  // service, devices
inline constexpr std::string_view kFixComposeKeeps =
    "{} keeps the CDI device that it asks for, and the second way goes";  // service
inline constexpr std::string_view kFixComposeEffect =
    "nothing that runs is touched; '{}' makes the containers anew";  // command
inline constexpr std::string_view kFixComposeStops =
    "{}, which stops {} for a moment";  // the effect, containers
inline constexpr std::string_view kFixComposeUndo = "the file is as it was, to the byte";

}  // namespace estiva::msg
