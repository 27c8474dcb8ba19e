// What a user reads in the plan of 'estiva setup'.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kSetupNoGpu =
    "this machine has no NVIDIA GPU, so there is nothing to set up";
inline constexpr std::string_view kSetupNoGpuRemedy =
    "'estiva doctor' shows what PCI lists; put the card in, or switch it on in the firmware";

inline constexpr std::string_view kSetupAtHome =
    "this estiva lies in a home folder ({}), where the units of the boot can't run it";
inline constexpr std::string_view kSetupAtHomeRemedy =
    "Install it first: sudo cmake --install build/release --prefix /usr";

inline constexpr std::string_view kUndoUnit = "it is enabled or not, as before";
inline constexpr std::string_view kUndoStop = "it runs again";
inline constexpr std::string_view kUndoNothing = "nothing is left of it";

inline constexpr std::string_view kReasonReload = "systemd reads the new units";
inline constexpr std::string_view kEffectReload = "systemctl daemon-reload";
inline constexpr std::string_view kReasonEnable = "it runs at each boot from now on";
inline constexpr std::string_view kEffectEnable = "systemctl enable {}";
inline constexpr std::string_view kReasonDaemonJson = "what has to be said to Docker: {}";
inline constexpr std::string_view kReasonSpec = "containers can ask for {}=all from now on";
inline constexpr std::string_view kEffectSpec = "{}, made from the driver that is loaded";
inline constexpr std::string_view kReasonStart = "it begins now, without a reboot";
inline constexpr std::string_view kEffectStart = "systemctl start {}";
inline constexpr std::string_view kReasonVendorOff =
    "estiva writes {} from now on; two files with one device take each other away";
inline constexpr std::string_view kEffectVendorOff = "systemctl disable {}";
inline constexpr std::string_view kEffectVendorStop = "systemctl stop {}";
inline constexpr std::string_view kReasonVendorSpec =
    "it declares the same devices as estiva's specification";
inline constexpr std::string_view kEffectRemoved = "{} is removed, and kept for the undo";
inline constexpr std::string_view kReasonPersistence =
    "without it the driver unloads what it holds whenever no program uses the GPU";
inline constexpr std::string_view kReasonRestart = "Docker takes {} only when it starts";
inline constexpr std::string_view kEffectRestart = "systemctl restart {}";
inline constexpr std::string_view kUndoRestart = "the undo restarts nothing";

inline constexpr std::string_view kNoteAdopted =
    "NVIDIA's specification {} is healthy and stays; estiva's own devices are {}=...";
inline constexpr std::string_view kNoteAdoptedSick =
    "NVIDIA's specification {} is not right ({}). Renew it with 'nvidia-ctk cdi generate', or let "
    "estiva take it over with --take-over";
inline constexpr std::string_view kNoteTakenOver = "estiva writes {}=... itself, into {}";
inline constexpr std::string_view kNoteRestart =
    "Docker has to be restarted before {} is in force: 'sudo systemctl restart {}', or "
    "--restart-docker. These stop meanwhile: {}";  // settings, unit, containers
inline constexpr std::string_view kNoteReload =
    "Docker takes {} with a reload: 'sudo systemctl reload {}'";  // settings, unit
// Effects of the step that writes daemon.json, for as long as a person has to do the rest.
inline constexpr std::string_view kEffectRestarted =
    "in force once Docker was restarted: 'sudo systemctl restart {}'";  // unit
inline constexpr std::string_view kEffectReloaded =
    "in force once Docker has read it again: 'sudo systemctl reload {}'";  // unit
inline constexpr std::string_view kNothingRuns = "none";
inline constexpr std::string_view kNoteNoDocker =
    "No Docker was found, so only the specification and its units are set up";
inline constexpr std::string_view kNotePodman =
    "Podman reads CDI specifications by itself; there is nothing to configure";
inline constexpr std::string_view kNotePodmanOld =
    "Podman {} has no CDI (that came with 4.1), so it takes no device of a specification: upgrade "
    "it";  // version
inline constexpr std::string_view kNoteDesktop =
    "This Docker is Docker Desktop, whose containers run in a virtual machine without the GPU. The "
    "specification and its units are set up for another engine: 'docker context use default', with "
    "docker-ce installed";
inline constexpr std::string_view kNoteDesktopWsl =
    "This Docker is Docker Desktop, which gives GPUs to containers by itself (--gpus all); its "
    "settings are in its own window, and not in this Linux";
inline constexpr std::string_view kNoteSnap =
    "This Docker is a snap: its daemon.json is {}, and it sees neither the programs of NVIDIA's "
    "toolkit nor most folders of this machine. Where GPUs don't reach containers, replace it by "
    "Docker's own packages ('estiva doctor' has the steps)";  // path
inline constexpr std::string_view kNoteRootless =
    "This Docker runs as a user, whose files are left to that user. In {} set: {}. Then "
    "'systemctl --user restart docker'";  // path, settings
inline constexpr std::string_view kNoteNotRead =
    "Docker reads specifications from {}, so it does not see {}: add {} to 'cdi-spec-dirs' in "
    "{}";  // folders, specification, folder, daemon.json
inline constexpr std::string_view kTakenAway = "(taken away)";
inline constexpr std::string_view kDaemonJsonUnread =
    "{} is there and can't be read, so nothing is set up: what is in it would be lost";
inline constexpr std::string_view kDaemonJsonDeniedHow = "Run this as root";
inline constexpr std::string_view kDaemonJsonUnreadHow =
    "Look at it: it must be a file of at most 64 MiB on a disk that can be read";
inline constexpr std::string_view kNoteNoService =
    "The estiva daemon is not installed as a service ('cmake --install' does that), so it is left "
    "out; GPUs reach containers without it";
inline constexpr std::string_view kNoteCycle =
    "The boot has a cycle already, which may keep units from starting: {}";

}  // namespace estiva::msg
