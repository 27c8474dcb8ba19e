// What a user reads around a Plan: setup, recover, doctor --fix.
#pragma once
#include <string_view>

namespace estiva::msg::cli {

inline constexpr std::string_view kPlanNothing = "Nothing is to be done: everything is so already.";
inline constexpr std::string_view kPlanNote = "note: {}";
inline constexpr std::string_view kPlanAsk = "Do this? [y/N] ";
inline constexpr std::string_view kPlanDone = "Done. '{}' takes it back.";
inline constexpr std::string_view kPlanNeedsRoot = "changing the machine needs root";
inline constexpr std::string_view kPlanNeedsRootRemedy = "Run: sudo {} --plan {}";
inline constexpr std::string_view kUndoNeedsRootRemedy = "Run: sudo {}";
inline constexpr std::string_view kPlanLeft = "Still to do: Docker's settings are {}";
inline constexpr std::string_view kPlanUnknown = "there is no plan with the hash {}";
inline constexpr std::string_view kPlanUnknownRemedy =
    "Something has changed since it was shown, or a digit is wrong: '{}' shows what would be done "
    "now ({})";
inline constexpr std::string_view kPlanBadHash = "'{}' is not the hash of a plan";
inline constexpr std::string_view kPlanBadHashRemedy =
    "It has 64 hexadecimal digits; the first 8 are enough";
inline constexpr std::string_view kPlanIsAnother =
    "the plan {} is not what would be done now (that is {})";
inline constexpr std::string_view kPlanIsAnotherRemedy =
    "Something has changed since it was shown: look at '{}' again";
inline constexpr std::string_view kPlanNotAgreed = "nothing was done";
inline constexpr std::string_view kPlanNobodyToAsk =
    "nothing was done: there is no terminal to ask at";
inline constexpr std::string_view kPlanNotAgreedRemedy =
    "'{} --plan {}' does what is shown above; --yes does whatever is to be done";
inline constexpr std::string_view kUndoRestarts = "taking it back restarts {}";
inline constexpr std::string_view kUndoRestartsRemedy = "'{} --yes' does it";
inline constexpr std::string_view kUndoRun = "Run {} of {}, {}:";  // id, plan, when
inline constexpr std::string_view kUndoStep = "  {}: {}";          // reason, undo
inline constexpr std::string_view kUndoAll = "nothing was taken back";
inline constexpr std::string_view kRecoverNothing =
    "Nothing here can be mended by estiva; what is left:";
inline constexpr std::string_view kPlanNoRun = "No run of '{}' stands: there is nothing to undo.";

inline constexpr std::string_view kNotSetUp =
    "estiva has not set this machine up. '{}' shows what would be done, '{}' does it";
inline constexpr std::string_view kRunLeft =
    "The run {} was undone, and {} that you made since stayed as you left it: {}";
inline constexpr std::string_view kRunElsewhere =
    "A run on another tree stands: --root {} shows it";
inline constexpr std::string_view kRunStopped =
    "It stopped after {} of its {} steps: '{}' goes on with it, '{}' takes it back.";
inline constexpr std::string_view kNothingToContinue =
    "no run of '{}' was interrupted: there is nothing to continue";
inline constexpr std::string_view kNothingToContinueRemedy = "'{}' shows what would be done now";
inline constexpr std::string_view kHelpContinue = "go on with the run that was interrupted";

inline constexpr std::string_view kVerbRecover =
    "Bring a GPU back that containers have lost: modules, specification, Docker, containers";
inline constexpr std::string_view kHelpRecreate = "make the containers again that need it";
inline constexpr std::string_view kToRecreate =
    "{} has to be made again ({}): {}, or --recreate";  // container, why, command
inline constexpr std::string_view kWillRecreate = "{} will be made again ({}): {}";
inline constexpr std::string_view kRecreated = "{} was made again.";
inline constexpr std::string_view kNotRecreated =
    "{} could not be made again: {}. {}";  // container, why, how it stands now
inline constexpr std::string_view kNotAllRecreated = "{} of {} containers could not be made again";
inline constexpr std::string_view kStandsAsItWas =
    "It is as it was; '{}' keeps it and asks for its GPU anew";  // command
inline constexpr std::string_view kStandsAnew =
    "A new one is in its place, with its volumes, and does not run ({})";  // the engine's words
inline constexpr std::string_view kStandsNot =
    "It is gone, and its named volumes are there: '{}' makes it";  // command
inline constexpr std::string_view kStandsUnknown = "How it stands now can't be seen: {}";
inline constexpr std::string_view kComposeFileGone = "its Compose file {} can't be read ({})";
inline constexpr std::string_view kComposeDirGone = "its project's folder {} is gone";
inline constexpr std::string_view kComposeChanged =
    "its Compose files say something else than when it was made, so more than the GPU would change";
inline constexpr std::string_view kRecreateOnTree =
    "--recreate is about containers that run, and --root names a folder";

inline constexpr std::string_view kDockerdFile = "making a file in memory for dockerd to check";
inline constexpr std::string_view kDockerdRefuses =
    "Docker would not start with {} as it would become: {}";
inline constexpr std::string_view kDockerdRefusesRemedy =
    "Nothing was changed. Mend the file first: 'dockerd --validate' says whether Docker reads it";

inline constexpr std::string_view kVerbSetup =
    "Set up GPUs in containers so that they survive reboots and driver upgrades, or take it back";
inline constexpr std::string_view kHelpPlanHash = "do exactly the plan that was shown";
inline constexpr std::string_view kHelpDiff = "show the text of new files, too";
inline constexpr std::string_view kHelpYes = "do it without asking";
inline constexpr std::string_view kHelpTakeOver =
    "let estiva write nvidia.com/gpu, also where NVIDIA's toolkit does";
inline constexpr std::string_view kHelpRestartDocker = "restart Docker where a change needs it";
inline constexpr std::string_view kHelpNoLogRotation = "leave the size of container logs alone";
inline constexpr std::string_view kHelpUnsetRuntime = "take \"default-runtime\": \"nvidia\" away";
inline constexpr std::string_view kHelpNoDaemon = "leave the estiva daemon's service alone";
inline constexpr std::string_view kHelpForce = "undo: also what somebody changed since";
inline constexpr std::string_view kHelpKeepGoing =
    "undo: leave alone what somebody changed since, and undo the rest";
inline constexpr std::string_view kSetupRuntimes = "{}'s runtimes: {} (default: {})";  // engine
inline constexpr std::string_view kSetupDocker = "Docker";
inline constexpr std::string_view kSetupPodman = "Podman";
inline constexpr std::string_view kSetupPodmanDevices =
    "Podman does not list CDI devices; 'estiva cdi list' says which specifications declare";
inline constexpr std::string_view kSetupDevices = "CDI devices that Docker lists: {}";
inline constexpr std::string_view kSetupNone = "none";

}  // namespace estiva::msg::cli
