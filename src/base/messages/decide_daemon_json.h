// Why a setting of Docker's daemon.json is changed, and what else is to be said about it. {} are
// filled by fmt in the order of the comment.
#pragma once
#include <string_view>

namespace estiva::msg {

// Reasons of changes.
inline constexpr std::string_view kDaemonCdi =
    "Docker {} can give GPUs to containers by CDI, but only where this feature is switched on; it "
    "takes effect when Docker is restarted, not reloaded";  // version
inline constexpr std::string_view kDaemonCdiWasOff =
    "CDI is on by default in Docker {}, and is switched off here, so no container can ask for "
    "nvidia.com/gpu; it takes effect when Docker is restarted, not reloaded";  // version
inline constexpr std::string_view kDaemonRuntime =
    "nvidia-container-runtime is installed as {} and Docker does not know it; containers with "
    "'runtime: nvidia' need it, and it does not become the default";  // path
inline constexpr std::string_view kDaemonRuntimeArgs =
    "the runtime is given no arguments, which is what its maker's own set-up writes";
inline constexpr std::string_view kDaemonRuntimePath =
    "without its folder the program is looked for on the PATH of dockerd, which need not have it; "
    "its arguments stay as they are";
inline constexpr std::string_view kDaemonDefaultRuntime =
    "with nvidia as the default runtime each container whose image says "
    "NVIDIA_VISIBLE_DEVICES=all gets every GPU, asked or not; it takes effect when Docker is "
    "restarted";
inline constexpr std::string_view kDaemonLogDriver =
    "Docker's own default, written down because the limits below belong to it; for containers made "
    "after Docker is restarted";
inline constexpr std::string_view kDaemonLogSize =
    "the log of a container grows without a limit until the disk is full; a new file is begun at "
    "this size, for containers made after Docker is restarted";
inline constexpr std::string_view kDaemonLogFiles =
    "so many files of a log are kept for each container, and older ones are deleted";
inline constexpr std::string_view kDaemonByteOrderMark =
    "Docker {} does not start with a file that begins with a UTF-8 byte order mark; that needs "
    "23.0";  // version
inline constexpr std::string_view kDaemonMarkName = "(byte order mark)";

// Notes, each with what to do.
inline constexpr std::string_view kDaemonNoVersion =
    "the version of Docker is not known, so its CDI feature is left as it is";
inline constexpr std::string_view kDaemonNoVersionHow = "Start Docker and try again";
inline constexpr std::string_view kDaemonNoCdi =
    "Docker {} has no CDI (that came with 25.0), so it can't give nvidia.com/gpu to a "
    "container";  // version
inline constexpr std::string_view kDaemonNoCdiHow =
    "Upgrade Docker to 28.2 or later; until then Compose files need 'runtime: nvidia' or a device "
    "reservation";
inline constexpr std::string_view kDaemonRestartLoses =
    "with Docker {} a container that has a GPU by CDI and a restart policy does not come back when "
    "Docker is restarted or the machine boots: containers are started before CDI is "
    "there";  // version
inline constexpr std::string_view kDaemonRestartLosesHow =
    "Upgrade Docker to 28.2 or later, or start such containers by a unit after docker.service";
inline constexpr std::string_view kDaemonNoSpecDirs =
    "'cdi-spec-dirs' is [\"\"] in line {}, which switches CDI off";  // line
inline constexpr std::string_view kDaemonNoSpecDirsHow =
    "Remove 'cdi-spec-dirs', or name /etc/cdi and /var/run/cdi there, and restart Docker";
inline constexpr std::string_view kDaemonFeatureFlag =
    "features are given on dockerd's command line ({}); Docker does not start when the file has "
    "some too, so 'features' is left as it is";  // the words
inline constexpr std::string_view kDaemonFeatureFlagHow =
    "Add '--feature cdi=true' there, or move the features from the unit's command line into the "
    "file";
inline constexpr std::string_view kDaemonRuntimeGone =
    "the runtime nvidia is registered as {} in line {}, and no nvidia-container-runtime was found "
    "on this machine";  // path, line
inline constexpr std::string_view kDaemonRuntimeGoneHow =
    "Install the NVIDIA container toolkit, or remove 'runtimes.nvidia' when no container uses it";
inline constexpr std::string_view kDaemonRuntimeOther =
    "the runtime nvidia is registered as {} in line {} and stays so; installed is {}";  // path,
                                                                                        // line,
                                                                                        // path
inline constexpr std::string_view kDaemonRuntimeOtherHow =
    "Nothing has to be done where that program is the one that is meant";
inline constexpr std::string_view kDaemonRuntimeOld =
    "runtimes are given on dockerd's command line, and Docker {} does not start when the file has "
    "some too, so 'runtimes' is left as it is";  // version
inline constexpr std::string_view kDaemonRuntimeOldHow =
    "Move '--add-runtime' from the unit's command line into the file";
inline constexpr std::string_view kDaemonDefaultFound =
    "nvidia is the default runtime (line {}): each container whose image says "
    "NVIDIA_VISIBLE_DEVICES=all gets every GPU, asked or not";  // line
inline constexpr std::string_view kDaemonDefaultFoundHow =
    "Have it removed with 'estiva setup apply --unset-default-runtime', after giving the services "
    "that need a GPU a device of their own";
inline constexpr std::string_view kDaemonDefaultFlag =
    "nvidia is the default runtime by dockerd's command line: each container whose image says "
    "NVIDIA_VISIBLE_DEVICES=all gets every GPU, asked or not";
inline constexpr std::string_view kDaemonDefaultFlagHow =
    "Remove '--default-runtime' from the unit's command line";
inline constexpr std::string_view kDaemonLogFlag =
    "the log driver or its options are given on dockerd's command line, so the file says nothing "
    "about them";
inline constexpr std::string_view kDaemonLogFlagHow =
    "Check that '--log-opt max-size' is among them; without it logs grow until the disk is full";
inline constexpr std::string_view kDaemonConflict =
    "'{}' is in the file and on dockerd's command line ({}); Docker does not start with "
    "both";  // key, the words
inline constexpr std::string_view kDaemonConflictHow =
    "Remove one of the two; the command line is in docker.service and its drop-ins";

// What Docker refuses of the file, behind its place.
inline constexpr std::string_view kDaemonAny = "Docker";
inline constexpr std::string_view kDaemonThis = "Docker {}";                  // version
inline constexpr std::string_view kDaemonUnknown = "{} has no setting '{}'";  // Docker, name
inline constexpr std::string_view kDaemonDidYouMean = "; did you mean '{}'?";
inline constexpr std::string_view kDaemonUnknownHow =
    "Correct or remove it and try again; the file was not changed";
inline constexpr std::string_view kDaemonMendedHow =
    "'estiva doctor --fix' mends that; then try again";

}  // namespace estiva::msg
