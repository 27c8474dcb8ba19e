// What doctor says about CDI specs (C), Compose files, containers and applications (P). {} are
// filled by fmt in the order of the comment. The rows' texts go into docs/doctor/ too.
#pragma once
#include <string_view>

#include "base/messages/decide_doctor.h"

namespace estiva::msg {

inline constexpr std::string_view kCdiRegenerateUndo =
    "'estiva doctor --undo' puts the spec back as it was";

inline constexpr DoctorWords kC1Text{
    "no CDI spec declares the device",
    "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all",
    "the specs in the directories that the engine reads, and the devices that containers and "
    "Compose files ask for",
    "Make the spec with 'estiva cdi generate -o /etc/cdi/nvidia.yaml'; the engine needs no restart",
    kCdiRegenerateUndo,
    "NVIDIA/nvidia-container-toolkit#146, moby/moby#47633"};
inline constexpr std::string_view kC1Title =
    "{} asks for {}, and no CDI spec declares it";  // who, device
inline constexpr std::string_view kC1NoGpu =
    "{0} asks for {1}, and there is no GPU {2}";  // who, device, its name
inline constexpr std::string_view kC1NoGpuRemedy =
    "Ask for 'nvidia.com/gpu=all' or for a GPU that is there, by its number: {}";  // "0, 1"
inline constexpr std::string_view kC1NoSpec =
    "no CDI spec declares a GPU in {}, and there is no toolkit that could hand one to a "
    "container";  // directories

inline constexpr DoctorWords kC2Text{
    "the CDI spec is in a directory that the engine does not read",
    "unresolvable CDI devices nvidia.com/gpu=all, although 'nvidia-ctk cdi list' shows them",
    "the engine's own list of CDI directories, and the specs in the usual ones",
    "Move the spec into a directory that the engine reads, or add its directory to "
    "'cdi-spec-dirs' in daemon.json and restart the engine",
    "Move it back",
    "NixOS/nixpkgs#420638"};
inline constexpr std::string_view kC2Title =
    "{} is declared by {} only, and the engine reads {}";  // device, file, directories

inline constexpr DoctorWords kC3Text{
    "two CDI specs of one directory declare the same device",
    "unresolvable CDI devices nvidia.com/gpu=all; in the engine's warnings: conflicting device "
    "\"nvidia.com/gpu=all\" (specs \"/etc/cdi/a.yaml\", \"/etc/cdi/b.yaml\")",
    "the names that the specs of each directory declare",
    "Keep one of the two files: engines drop a device that two files of a directory declare",
    "Put the other file back",
    "measured with the CDI library's own code"};
inline constexpr std::string_view kC3Title =
    "{} is declared by {} files of one directory, so the engine drops it";  // device, count

inline constexpr DoctorWords kC4Text{
    "the CDI spec is newer than the engine knows",
    "unresolvable CDI devices nvidia.com/gpu=all; in the engine's warnings: invalid version",
    "cdiVersion of each spec, and the newest one that this version of the engine knows",
    "Make the spec anew with 'estiva cdi generate -o FILE', which writes the lowest version that "
    "its "
    "content needs ('nvidia-ctk cdi generate --feature-flag=no-additional-gids-for-device-nodes' "
    "does too), or upgrade the engine",
    kCdiRegenerateUndo,
    "the CDI library vendored by moby at each tag"};
inline constexpr std::string_view kC4Title =
    "{} is of version {}; this {} knows CDI up to {}, so none of its devices exist";  // file,
                                                                                      // version,
                                                                                      // engine,
                                                                                      // newest

inline constexpr DoctorWords kC5Text{
    "the CDI spec is not valid",
    "unresolvable CDI devices nvidia.com/gpu=all; in the engine's warnings: CDI: Error associated "
    "with spec file /etc/cdi/nvidia.yaml: failed to parse CDI Spec",
    "each spec by the rules of the CDI specification; the names of the files",
    "Make it anew with 'estiva cdi generate -o FILE'; 'estiva cdi check FILE' says what is wrong "
    "with one",
    kCdiRegenerateUndo,
    "measured with the CDI library's own code"};
inline constexpr std::string_view kC5Title = "{} is not valid, and the engine leaves it out: {}";
inline constexpr std::string_view kC5Ignored =
    "{} is not read by any engine: the name has to end in .yaml or .json";

inline constexpr DoctorWords kC6Text{
    "the engine may not read the CDI spec",
    "unresolvable CDI devices nvidia.com/gpu=all; failed to read CDI Spec "
    "\"/etc/cdi/nvidia.yaml\": open /etc/cdi/nvidia.yaml: permission denied",
    "mode and owner of the spec and of the folders above it, against the engine's user",
    "Let everybody read it: 'chmod a+r FILE', and 'chmod a+x' for its folder",
    "Set the former mode again",
    "NVIDIA/nvidia-container-toolkit#146"};
inline constexpr std::string_view kC6Title = "the engine's user may not read {}";  // file

inline constexpr DoctorWords kC7Text{
    "the spec and the GPU's MIG instances differ",
    "unresolvable CDI devices nvidia.com/gpu=0, or nvidia.com/gpu=MIG-...",
    "the devices that are asked for and declared, against the GPUs and MIG instances that exist",
    "Make the spec anew after each change of MIG ('estiva cdi generate -o FILE'), and ask for an "
    "instance "
    "by its UUID or as 'nvidia.com/gpu=0:0'",
    kCdiRegenerateUndo,
    "NVIDIA/nvidia-container-toolkit: pkg/nvcdi"};
inline constexpr std::string_view kC7Whole =
    "{} asks for {}, but that GPU is divided into MIG instances";  // who, device
inline constexpr std::string_view kC7Gone =
    "{} asks for {}, and there is no such MIG instance any more";  // who, device
inline constexpr std::string_view kC7Stale =
    "{} declares {}, which does not exist any more";  // file, device
inline constexpr std::string_view kC7StaleWhole =
    "{} declares {} as a whole, and that GPU is divided into MIG instances now";  // file, device

inline constexpr DoctorWords kC8Text{
    "the CDI spec names files of another driver version",
    "error mounting \"/usr/lib/x86_64-linux-gnu/libEGL_nvidia.so.580.159.04\" to rootfs: no such "
    "file or directory",
    "each mount of the spec: whether it exists, and its version against the loaded driver's",
    "Make the spec anew: 'estiva cdi generate -o FILE', or restart nvidia-cdi-refresh.service",
    kCdiRegenerateUndo,
    "HaveAGitGat/Tdarr#1423"};
inline constexpr std::string_view kC8Missing =
    "{} mounts {} files that do not exist, the first is {}";  // file, count, path
inline constexpr std::string_view kC8MissingOne =
    "{} mounts {}, which does not exist";  // file, path
inline constexpr std::string_view kC8Version =
    "{} mounts files of driver {}, and {} is loaded";  // file, version, version
inline constexpr std::string_view kC8Foretells =
    "error mounting \"{}\" to rootfs at \"{}\": no such file or directory";  // host path, path

inline constexpr DoctorWords kC9Text{
    "the CDI spec has frozen a device number that has changed",
    "cuInit: 999 in the container, while nvidia-smi works",
    "major and minor number of each node in the spec, against the node on the host",
    "Make the spec anew with 'estiva cdi generate -o FILE': it names nodes by their path only, so "
    "that "
    "their numbers may change",
    kCdiRegenerateUndo,
    "NVIDIA/nvidia-container-toolkit#1934, NVIDIA/NemoClaw#4733"};
inline constexpr std::string_view kC9Title =
    "{} gives {} the number {}:{}, and on this machine it is {}:{}";  // file, node, 4 numbers

inline constexpr DoctorWords kC10Text{
    "the CDI spec runs a hook that is not there",
    "error running hook #0: fork/exec /usr/bin/nvidia-cdi-hook: no such file or directory",
    "the path of each hook of the spec",
    "Make the spec anew with 'estiva cdi generate -o FILE', which needs no hooks, or install the "
    "NVIDIA "
    "container toolkit again",
    kCdiRegenerateUndo,
    "measured with runc"};
inline constexpr std::string_view kC10Missing = "{} runs {}, which does not exist";  // file, hook
inline constexpr std::string_view kC10NoProgram = "{} runs {}, which may not be executed";  // same
inline constexpr std::string_view kC10Foretells =
    "error running hook: fork/exec {}: no such file or directory";  // hook
inline constexpr std::string_view kC10ForetellsDenied =
    "error running hook: fork/exec {}: permission denied";  // hook

inline constexpr DoctorWords kC11Text{
    "the CDI spec lacks what CUDA needs",
    "the container starts, nvidia-smi may work, and CUDA fails (libcuda.so.1 not found, or 999)",
    "whether the spec mounts libcuda and names /dev/nvidia-uvm",
    "Load the modules ('modprobe nvidia_uvm'), see that the driver's libraries are installed, and "
    "make the spec anew with 'estiva cdi generate -o FILE', which refuses to write such a spec",
    kCdiRegenerateUndo,
    "NVIDIA/nvidia-container-toolkit#50; measured with nvidia-ctk 1.20.0"};
inline constexpr std::string_view kC11NoCuda = "{} mounts no libcuda for {}";        // file, device
inline constexpr std::string_view kC11NoUvm = "{} names no /dev/nvidia-uvm for {}";  // file, device

inline constexpr DoctorWords kC12Text{
    "the CDI spec names a device node that does not exist",
    "failed to stat CDI host device \"/dev/dri/renderD129\": no such file or directory",
    "each device node of the spec",
    "Make the spec anew with 'estiva cdi generate -o FILE'; cards and their nodes are numbered "
    "anew when "
    "hardware changes",
    kCdiRegenerateUndo,
    "NVIDIA/nvidia-container-toolkit#885"};
inline constexpr std::string_view kC12Title =
    "{} names {}, and there is no such device node";  // file, nodes
inline constexpr std::string_view kC12Foretells =
    "failed to stat CDI host device \"{}\": no such file or directory";  // node

inline constexpr DoctorWords kC13Text{
    "the CDI spec mounts the socket of a daemon that has ended",
    "error mounting \"/run/nvidia-persistenced/socket\" to rootfs: no such file or directory",
    "each socket that the spec mounts",
    "Start the daemon again, or make the spec anew without its socket: 'estiva cdi generate -o "
    "FILE'",
    kCdiRegenerateUndo,
    "measured with runc"};
inline constexpr std::string_view kC13Title =
    "{} mounts {}, which does not exist now";  // file, path

inline constexpr DoctorWords kC14Text{
    "a GPU is asked for from the management spec",
    "unresolvable CDI devices management.nvidia.com/gpu=GPU-...",
    "the devices that are asked for",
    "Ask for 'nvidia.com/gpu=...': the management spec only has the device 'all'",
    {},
    "NVIDIA/nvidia-container-toolkit#1239, #1895"};
inline constexpr std::string_view kC14Title =
    "{} asks for {}, but that kind only has the device 'all'";  // who, device

inline constexpr DoctorWords kC15Text{
    "the CDI spec has the old chmod hook",
    "error executing hook `/usr/bin/nvidia-ctk` (exit code: 1), where a container mounts the whole "
    "of /dev",
    "the arguments of the spec's hooks",
    "Make the spec anew with 'estiva cdi generate -o FILE', or with a toolkit of 1.18 or newer",
    kCdiRegenerateUndo,
    "NVIDIA/nvidia-container-toolkit#143"};
inline constexpr std::string_view kC15Title =
    "{} has a chmod hook; containers that mount the whole of /dev can't start with it";  // file

// Compose, containers and applications.
inline constexpr DoctorWords kP1Text{
    "this Compose takes a CDI device for a path",
    "error gathering device information while adding custom device \"nvidia.com/gpu=0\": no such "
    "file or directory",
    "the version of Compose, and 'devices:' of services and containers",
    "Upgrade Compose to 2.30 or newer, or ask under deploy.resources.reservations.devices with "
    "'driver: cdi' and 'device_ids'",
    "Put the former lines back",
    "docker/compose, support since v2.30.0"};
inline constexpr std::string_view kP1Title =
    "{} asks for {} in 'devices', which Compose {} takes for a path";  // service, name, version
inline constexpr std::string_view kP1Made =
    "{} was made with {} as the path of a device node";  // container, name
inline constexpr std::string_view kP1Foretells =
    "error gathering device information while adding custom device \"{}\": no such file or "
    "directory";  // name

inline constexpr DoctorWords kP2Text{
    "Podman leaves out 'driver: cdi'",
    "the service starts without a GPU, and nothing says why",
    "the engine, and the drivers of the Compose file's reservations",
    "Write the device under 'devices:' of the service ('- nvidia.com/gpu=all')",
    "Put the former lines back",
    "containers/podman#19338"};
inline constexpr std::string_view kP2Title =
    "{} reserves its GPU with 'driver: cdi', which Podman leaves out";  // service

inline constexpr DoctorWords kP3Text{
    "the GPU is asked for in two ways at once",
    "the GPU is injected twice; errors differ by the versions of engine and toolkit",
    "device requests, 'devices:' and reservations of each container and service",
    "Keep 'devices: [nvidia.com/gpu=...]' and take the GPU reservation out",
    "Put the former lines back",
    "docker/compose: pkg/compose/create.go"};
inline constexpr std::string_view kP3Title =
    "{} asks for its GPU both as a CDI device and by the NVIDIA driver's reservation";  // who

inline constexpr DoctorWords kP4Text{"'count' and 'device_ids' are both set",
                                     "cannot set both Count and DeviceIDs on device request",
                                     "the GPU reservations of Compose files",
                                     "Keep 'device_ids' where certain GPUs are meant, else 'count'",
                                     "Put the former lines back",
                                     "moby/moby: daemon/nvidia_linux.go"};
inline constexpr std::string_view kP4Title =
    "{} sets both 'count' and 'device_ids' for its GPU";  // service

inline constexpr DoctorWords kP5Text{
    "the application runs on the CPU although it has a GPU",
    "msg=\"inference compute\" id=cpu library=cpu",
    "the last 'inference compute' line of the container's log, and what it was given",
    "What else is found here is the cause; then recreate the container. 'estiva verify CONTAINER' "
    "says how far it comes",
    {},
    "ollama's documentation, troubleshooting"};
inline constexpr std::string_view kP5Title =
    "{} was given a GPU, and its log says that it computes on the CPU";  // container

inline constexpr DoctorWords kP6Text{
    "the environment hides the GPUs",
    "CUDA error: no CUDA-capable device is detected",
    "CUDA_VISIBLE_DEVICES and NVIDIA_VISIBLE_DEVICES of each container, against the GPUs that it "
    "was given",
    "Take the variable out, or give it the number or UUID of a GPU that the container has; inside, "
    "numbers begin with 0",
    "Put the former value back",
    "CUDA's documentation of CUDA_VISIBLE_DEVICES"};
inline constexpr std::string_view kP6Title =
    "{} has {}={}, which names none of the GPUs that it was given";  // container, name, value

inline constexpr DoctorWords kP7Text{
    "the container does not ask for the driver's compute libraries",
    "nvidia-smi: not found; libcuda.so.1: cannot open shared object file",
    "NVIDIA_DRIVER_CAPABILITIES of containers that get their GPU by NVIDIA's runtime",
    "Set NVIDIA_DRIVER_CAPABILITIES=compute,utility, or ask for the GPU as a CDI device, where the "
    "variable has no effect",
    "Put the former value back",
    "NVIDIA/nvidia-container-toolkit#126"};
inline constexpr std::string_view kP7Title =
    "{} has NVIDIA_DRIVER_CAPABILITIES={}, which lacks {}";  // container, value, what

inline constexpr DoctorWords kP8Text{
    "every container gets every GPU",
    "containers that never asked for a GPU see all of them",
    "the engine's default runtime, and images that set NVIDIA_VISIBLE_DEVICES",
    "Take 'default-runtime' out of daemon.json and restart the engine; ask for GPUs where they are "
    "wanted",
    "'estiva setup undo' puts daemon.json back",
    "measured: nvidia-ctk sets it and never unsets it"};
inline constexpr std::string_view kP8Title =
    "the engine's default runtime is nvidia, and {} asks for every GPU by its image";  // what

inline constexpr DoctorWords kP9Text{
    "a GPU is chosen by its number",
    "after a card was added or moved, a container uses another GPU than before",
    "the devices that are asked for, CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER, on machines with "
    "several GPUs",
    "Name the GPU by its UUID ('nvidia-smi -L' lists them), or set CUDA_DEVICE_ORDER=PCI_BUS_ID",
    "Put the former lines back",
    "CUDA's documentation of CUDA_DEVICE_ORDER"};
inline constexpr std::string_view kP9Title =
    "{} chooses its GPU by a number ({}); numbers change when cards do";  // who, text
inline constexpr std::string_view kP9Number = "GPU {}";                   // "0"

inline constexpr DoctorWords kP10Text{
    "an environment file was changed after the container was made",
    "a changed setting has no effect, also after 'docker restart'",
    "the time of each env_file against the time when its container was made",
    "Recreate the container: 'docker compose up -d SERVICE'",
    {},
    "docker/compose: variables are read when a container is made"};
inline constexpr std::string_view kP10Title =
    "{} was made before its environment file was changed; it has the old values";  // container

inline constexpr DoctorWords kP11Text{
    "the container is older than the repair",
    "the host works again, and a container that was started before goes on failing",
    "when each container was started, when the spec, the toolkit and daemon.json were changed, "
    "errors in its log, and files of the driver in it that are gone from the host",
    "Recreate it: 'docker compose up -d --force-recreate SERVICE'",
    {},
    "NVIDIA/nvidia-docker#365, #737"};
inline constexpr std::string_view kP11Title =
    "{} failed on its GPU and was started before {} was changed";  // container, what
inline constexpr std::string_view kP11Outdated =
    "{} still has {} of a driver that was replaced";  // container, path

inline constexpr DoctorWords kP12Text{
    "too little shared memory for training",
    "RuntimeError: DataLoader worker is killed by signal: Bus error. It is possible that "
    "dataloader's workers are out of shared memory",
    "the size of /dev/shm and the image of each container that has a GPU",
    "Set 'shm_size: 8gb' for the service (or 'ipc: host')",
    "Take the line out",
    "pytorch/pytorch#5040"};
inline constexpr std::string_view kP12Title =
    "{} trains with {} MiB of shared memory in /dev/shm";  // container, MiB

inline constexpr DoctorWords kP13Text{
    "a tag of nvidia/cuda that was withdrawn",
    "manifest for nvidia/cuda:11.0-base not found: manifest unknown",
    "the nvidia/cuda images of containers and Compose files",
    "Use a tag with a full version and a system, such as nvidia/cuda:12.8.1-base-ubuntu24.04",
    {},
    "NVIDIA's list of supported tags"};
inline constexpr std::string_view kP13Title =
    "{} uses {}, a tag that NVIDIA has withdrawn or no longer maintains";  // who, image

inline constexpr DoctorWords kP14Text{
    "the GPU is asked for in the old way",
    "the container works until the engine, the toolkit or the system is upgraded; then the hook in "
    "front of it fails",
    "GPU reservations under deploy.resources, 'gpus' and 'runtime: nvidia' of Compose files; "
    "whether "
    "the engine has CDI on, Compose is 2.30 or newer, and a CDI spec declares the devices",
    "Ask for the CDI device under 'devices:' of the service; then 'docker compose up -d SERVICE' "
    "makes the container anew, which stops it for a moment",
    "The former lines are put back",
    "seed 001, section 2; docker/compose, support since v2.30.0"};
inline constexpr std::string_view kP14Title =
    "{} asks for its GPU in the old way; {} would give it the same";  // service, devices
inline constexpr std::string_view kP14Refused =
    "{} asks for its GPU in the old way, and its lines can't be rewritten safely";  // service
// What stands there: "deploy.resources.reservations.devices".
inline constexpr std::string_view kP14Reservation = "deploy.resources.reservations.devices";
inline constexpr std::string_view kP14Gpus = "gpus";
inline constexpr std::string_view kP14Runtime = "runtime: nvidia";
inline constexpr std::string_view kP14ByHand =
    "Ask for the CDI device under 'devices:' of the service in place of the old lines";
inline constexpr std::string_view kP14Paste =
    "Write 'devices: [{}]' in the service in place of the old lines";  // "nvidia.com/gpu=0"
inline constexpr std::string_view kComposeByHand =
    "{}, by hand in {}. It is not done by itself: {}";  // remedy, file, why
inline constexpr std::string_view kComposeOtherFile =
    "{} also says something about the GPU of this service";  // file

}  // namespace estiva::msg
