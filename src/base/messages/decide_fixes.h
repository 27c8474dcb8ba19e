// What a user reads in the plan of 'estiva doctor --fix'.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kFixLoads = "it is loaded now";
inline constexpr std::string_view kFixLoadsEffect = "modprobe {}";
inline constexpr std::string_view kFixLoadsUndo = "it is unloaded, where nobody uses it";
inline constexpr std::string_view kFixLoadsAtBoot = "they are loaded at each boot";
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
inline constexpr std::string_view kFixSpecHooks =
    "{}; its hooks go: mounts under each library's names do what they did";  // the effect
inline constexpr std::string_view kFixSpecLost =
    "{}; containers are no longer given {}";                 // the effect, names
inline constexpr std::string_view kFixSpecMore = "{} more";  // count
inline constexpr std::string_view kFixDouble = "{} declares the same devices, in the same folder";
inline constexpr std::string_view kFixDoubleEffect = "{} is removed, and kept for the undo";
inline constexpr std::string_view kFixReadable = "the engine's user can read it";
inline constexpr std::string_view kFixReadableEffect = "mode 0644";
inline constexpr std::string_view kFixReadableUndo = "the old mode";
inline constexpr std::string_view kFixHold =
    "automatic upgrades leave the driver alone, so that libraries and loaded module stay together; "
    "security fixes of the driver then come by hand";
inline constexpr std::string_view kFixComputeMode =
    "GPU {} ({}) takes more than one program";  // index, name
inline constexpr std::string_view kFixComputeModeEffect =
    "compute mode Default, until the next boot; what runs goes on";
inline constexpr std::string_view kFixComputeModeUndo = "the mode that each GPU had";
inline constexpr std::string_view kFixBoolean = "SELinux lets containers use the GPU's nodes";
inline constexpr std::string_view kFixBooleanEffect =
    "setsebool -P {} on: for all containers that are given such devices";
inline constexpr std::string_view kFixBooleanUndo = "setsebool -P {} off";
inline constexpr std::string_view kFixJson =
    "Docker can read it again; nothing but commas, brackets and comments is changed";
inline constexpr std::string_view kFixDoubledKey =
    "the setting stays as dockerd's command line has it: {}";  // flags
inline constexpr std::string_view kFixFeatures =
    "{} is there again, from the next start of Docker on";  // names
inline constexpr std::string_view kFixCharLink =
    "systemd finds the GPU's nodes by their numbers, and leaves them to containers";
inline constexpr std::string_view kFixCharLinkEffect = "{} leads to {}";
inline constexpr std::string_view kFixRuntime = "Docker has the runtime {}";
inline constexpr std::string_view kFixRuntimePath = "the runtime's program is where the file says";
inline constexpr std::string_view kFixRuntimeRead = "Docker reads its runtimes again";
inline constexpr std::string_view kFixReloadDocker =
    "systemctl reload docker.service; nothing stops";
inline constexpr std::string_view kFixReloadDockerUndo = "it reads them once more";
inline constexpr std::string_view kFixLeft =
    "containers that this Docker can't start again by itself are started after it";
inline constexpr std::string_view kFixCycle =
    "{} waits for {}, which waits for it: systemd drops one of them at boot";  // unit, target
inline constexpr std::string_view kFixReloadEffect = "systemctl daemon-reload";
inline constexpr std::string_view kFixReload = "systemd reads the changed units";
inline constexpr std::string_view kFixToolkit = "{} in {}";  // "no-cgroups = false", file
inline constexpr std::string_view kFixComposeAsks = "{} asks for {} by CDI";  // service, devices
inline constexpr std::string_view kFixComposeKeeps =
    "{} keeps the CDI device that it asks for, and the second way goes";  // service
inline constexpr std::string_view kFixComposeEffect =
    "nothing that runs is touched; '{}' makes the containers anew";  // command
inline constexpr std::string_view kFixComposeStops =
    "{}, which stops {} for a moment";  // the effect, containers
// services, capabilities, those to generate with and those that are there, the specification
inline constexpr std::string_view kFixComposeLacks =
    "; {} asked for the driver's {}, which the CDI specification does not give: 'estiva cdi "
    "generate "
    "--capabilities {} -o {}' makes one that does";
inline constexpr std::string_view kFixComposeUndo = "the file is as it was, to the byte";

}  // namespace estiva::msg
