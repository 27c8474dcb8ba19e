// What the command line says to a person. Templates are fmt's; the printer fills them in.
#pragma once
#include <array>
#include <string_view>

namespace estiva::msg::cli {

// --- usage -------------------------------------------------------------------------------------
inline constexpr std::string_view kIntro =
    "estiva keeps GPU memory, RAM and disk of a machine in order for containerised AI models.";
inline constexpr std::string_view kUsageHint = "Run 'estiva help' for the verbs";
inline constexpr std::string_view kVerbHint = "Run 'estiva help {}' for its options";
inline constexpr std::string_view kUnknownVerb = "estiva has no verb '{}'";
inline constexpr std::string_view kUnknownFlag = "'estiva {}' has no option '{}'";
inline constexpr std::string_view kDidYouMean = "Did you mean '{}'? {}";
inline constexpr std::string_view kNoVerb = "No verb was given";
inline constexpr std::string_view kMissingWord = "'estiva {}' needs {}";
inline constexpr std::string_view kTooManyWords = "'estiva {}' does not take '{}'";
inline constexpr std::string_view kFlagNeedsValue = "{} needs a value";
inline constexpr std::string_view kFlagTakesNone = "{} takes no value";
inline constexpr std::string_view kFlagTwice = "{} is given more than once";
inline constexpr std::string_view kMissingFlag = "'estiva {}' needs {}";
inline constexpr std::string_view kBadChoice = "'{}' is not a value of {}";
inline constexpr std::string_view kChoices = "Choose one of: {}";
inline constexpr std::string_view kMissingCommand = "'estiva {}' needs a command after '--'";
inline constexpr std::string_view kExampleRun = "For example: estiva run --vram 6GiB -- ./serve";
inline constexpr std::string_view kStrayCommand = "'estiva {}' takes nothing after '--'";
inline constexpr std::string_view kTwoSizes = "--vram and --vram-mb were both given";
inline constexpr std::string_view kGiveOneSize = "Give one of them";
inline constexpr std::string_view kBadVram = "'{}' is not an amount of VRAM for {}";
inline constexpr std::string_view kVramForms =
    "Write a size above 0 with its unit, such as 3500MiB, 3.5GiB or 3.5GB";
inline constexpr std::string_view kVramMbForms =
    "Write a whole number of MiB above 0, such as 3500";
inline constexpr std::string_view kBadNumber = "'{}' is not a number that {} takes";
inline constexpr std::string_view kNumberRange = "Write a number from {} to {}";
inline constexpr std::string_view kBadDuration = "'{}' is not a time that {} takes";
inline constexpr std::string_view kDurationForms = "Write it with a unit, such as 500ms, 30s or 2h";
inline constexpr std::string_view kDurationLeast =
    "Write {} or more, with a unit, such as 500ms, 30s or 5m";
inline constexpr std::string_view kBadName = "'{}' can't be the name of a model";
inline constexpr std::string_view kNameForms =
    "Use 1 to 256 bytes of UTF-8 text without control characters";
inline constexpr std::string_view kRepeatedName = "'{}' is named twice";
inline constexpr std::string_view kNameOnce = "Name each model once";
inline constexpr std::string_view kAutoWithGpus = "--gpus {} can't be used together with --gpu {}";
inline constexpr std::string_view kLeaveGpuOut = "Leave --gpu out, or write --gpu auto";

// --- help: verbs (a phrase with a capital, no full stop) and options (a phrase) ------------------
inline constexpr std::string_view kHelpUsage = "Usage: estiva VERB [OPTIONS]";
inline constexpr std::string_view kHelpExitCodes =
    "Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 degraded, 4 timed out, 5 refused.";
inline constexpr std::string_view kHelpMore = "'estiva help VERB' shows the options of a verb.";
inline constexpr std::string_view kHelpMan = "print the manual page (for man -l -)";
inline constexpr std::string_view kManualName = "GPU memory, RAM and disk in order for AI models";
inline constexpr char kManualFiles[] =
    "/etc/estiva/estiva.toml, ~/.config/estiva/estiva.toml    settings\n"
    "/var/lib/estiva                                          state; ESTIVA_STATE_DIR names "
    "another\n"
    "/run/estiva                                              sockets; ESTIVA_RUNTIME_DIR names "
    "another\n";
inline constexpr std::string_view kVerbStatus =
    "Show the machine, its GPUs, their health and what is placed on them";
inline constexpr std::string_view kVerbGpu =
    "Show every GPU: VRAM, utilisation, temperature, power, processes";
inline constexpr std::string_view kVerbAssign = "Place a model by the VRAM it needs";
inline constexpr std::string_view kVerbRelease = "Give back what models were promised";
inline constexpr std::string_view kVerbLeases = "Show who was promised how much VRAM";
inline constexpr std::string_view kVerbRun =
    "Run a command with VRAM of its own, for as long as it runs";
inline constexpr std::string_view kVerbDaemon = "Run the daemon in the foreground";
inline constexpr std::string_view kVerbSimulate =
    "Run simulated GPUs that estiva and other programs can use";
inline constexpr std::string_view kVerbEvents =
    "Show what happened and why: leases, GPU errors, health, driver";
inline constexpr std::string_view kVerbReport =
    "Pack what a bug report needs into one file, listed before it is written";
inline constexpr std::string_view kHelpReportYes = "write it without asking";
inline constexpr std::string_view kHelpReportList = "only list what a report holds";
inline constexpr std::string_view kReportNames =
    "The report will hold, with names, UUIDs and paths as they are:";
inline constexpr std::string_view kReportNoNames =
    "The report will hold (names, UUIDs, serial numbers and paths are replaced; --names keeps "
    "them):";
inline constexpr std::array<std::string_view, 5> kReportDocuments = {
    "status.json (the machine as estiva sees it)",
    "daemon.json (whether a daemon runs, its driver's state, how many GPUs and leases it has)",
    "journal.json (the newest 5000 records: kinds, times, sizes, GPUs; no sentences)",
    "leases.json (what is promised to which numbered model)",
    "estiva.toml (settings: numbers and words of ours; other texts are replaced)"};
inline constexpr std::string_view kReportAsk = "Write it? [Y/n] ";
inline constexpr std::string_view kReportNotAsked =
    "Nothing was written: there is nobody to ask whether this may be packed";
inline constexpr std::string_view kReportNotAskedRemedy = "--yes says so";
inline constexpr std::string_view kReportStopped = "Stopped; nothing was written";
inline constexpr std::string_view kReportDeclined = "Nothing was written";
inline constexpr std::string_view kReportThere = "{} is there already";
inline constexpr std::string_view kReportThereRemedy = "Name another file: 'estiva report FILE'";
inline constexpr std::string_view kReportTar = "tar could not pack the report (exit {})";
inline constexpr std::string_view kReportTarRemedy = "Is the disk full, or the folder read-only";
inline constexpr std::string_view kReportWritten =
    "Wrote {} ({}). Look through it before you give it away.";  // file, size
inline constexpr std::string_view kVerbReplay =
    "Make the journal's decisions again, or show a recorded machine reading by reading";
inline constexpr std::string_view kVerbRecord =
    "Record this machine into a folder, for a bug report or a test";
inline constexpr std::string_view kHelpRecordSeconds = "for how long (3s)";
inline constexpr std::string_view kHelpRecordInterval = "time between two readings (1s)";
inline constexpr std::string_view kHelpRecordNames =
    "keep names, UUIDs and paths, which are replaced otherwise";
inline constexpr std::string_view kHelpRecordList = "only list what a recording holds";
inline constexpr std::string_view kHelpRecordDocker = "the container engine's address, or off";
inline constexpr std::string_view kRecordNames = "A recording with names holds:";
inline constexpr std::string_view kRecordNoNames =
    "A recording holds (names, UUIDs and serial numbers are replaced; --names keeps them):";
inline constexpr std::array<std::string_view, 4> kRecordDocuments = {
    "recording.json (what is in the folder)",
    "gpus.json (readings of the GPUs, and what each call to the driver took)",
    "machine.json (CPU, memory, disks, largest processes; containers; errors of GPUs in the kernel "
    "log)",
    "machine.scenario (the same GPUs for 'estiva simulate')"};
inline constexpr std::string_view kRecordWhere = "no folder is named";
inline constexpr std::string_view kRecordWhereRemedy =
    "'estiva record DIR' makes DIR; 'estiva record --list' shows what it will hold";
inline constexpr std::string_view kRecordTooMany = "{} readings are more than {}";
inline constexpr std::string_view kRecordTooManyRemedy = "Give a longer --interval";
inline constexpr std::string_view kRecordProgress = "Reading {} of {}";
inline constexpr std::string_view kRecordDone =
    "Recorded {} of {} in {}: {}, {}.";  // readings, GPUs, folder, files, size
inline constexpr std::string_view kReadingNoun = "reading", kGpuNoun = "GPU", kFileNoun = "file",
                                  kDecisionNoun = "decision", kDifferenceNoun = "difference";
inline constexpr std::string_view kRecordLeftOut = "Could not be read:";
inline constexpr std::string_view kRecordEngine = "container engine: {} {}";  // state, reason
inline constexpr std::string_view kNoRecordingThere = "There is no recording in {}";
inline constexpr std::string_view kNoRecordingThereRemedy =
    "Name a folder that 'estiva record DIR' made";
inline constexpr std::string_view kRecordNext =
    "'estiva status --machine {0}' shows it, 'estiva simulate {0}/machine.scenario' plays it.";
inline constexpr std::string_view kVerbNotify =
    "Send a notification now, to see whether it arrives";
inline constexpr std::string_view kNotifyWhat = "'{}' is nothing that notify does";
inline constexpr std::string_view kNotifyWhatRemedy = "'estiva notify test' sends a notification";
inline constexpr std::string_view kNotifySent = "Sent. Did it arrive?";
inline constexpr std::string_view kVerbToken = "Show the token for the API over TCP";
inline constexpr std::string_view kVerbLogin =
    "Let a browser of this machine in, by a link for once";
inline constexpr std::string_view kVerbCompletion = "Print the completion script for a shell";
inline constexpr std::string_view kVerbVersion = "Show the version";
inline constexpr std::string_view kVerbHelp = "Show the verbs, or the options of one";
inline constexpr std::string_view kHelpHelp = "show this";
inline constexpr std::string_view kHelpJson = "print one JSON document";
inline constexpr std::string_view kHelpWatch = "print again and again";
inline constexpr std::string_view kHelpDismiss =
    "what was wrong with it is over: errors that stay, or a GPU that was taken out (a number, a "
    "UUID, or PCI:SLOT)";
inline constexpr std::string_view kDismissedDone = "Dismissed what was wrong with {}.\n";
inline constexpr std::string_view kHelpSince = "not older than TIME, such as 2h";
inline constexpr std::string_view kHelpGrep = "only those with this in kind, subject or text";
inline constexpr std::string_view kHelpLimit = "the newest N (100; with --since all)";
inline constexpr std::string_view kHelpSave = "also writes the journal that was read into FILE";
inline constexpr std::string_view kReplayGranted = "granted";
inline constexpr std::string_view kReplayRefused = "refused";
inline constexpr std::string_view kReplayDifference =
    "decision {} about {}: the {} would not be the same";  // position, model, what differs
inline constexpr std::string_view kReplayThen = "then {}";
inline constexpr std::string_view kReplayNow = "now  {}";
inline constexpr std::string_view kReplaySum =
    "{}, {} made again, {}";  // decisions in the journal, how many, differences
inline constexpr std::string_view kReplayReading =
    "+{:6.2f} s  GPU {}  {}  {} of {}  {}  {}";  // time, index, use, memory, heat, power
inline constexpr std::string_view kReplayNoGpu = "+{:6.2f} s  no GPU: {} {}";
inline constexpr std::string_view kReplayNotKept =
    "{} not made again: the journal does not hold what they rest on";
inline constexpr std::string_view kReplayNoChain =
    "{} not made again: a change before them is not in the journal";
inline constexpr std::string_view kFollowEnded = "The daemon ended, and its events with it";
inline constexpr std::string_view kFollowEndedRemedy =
    "Start it again; 'estiva events --since 10m' shows what happened meanwhile";
inline constexpr std::string_view kNoEvents = "Nothing of that kind is in the journal.";
inline constexpr std::string_view kRecordDamaged = "(damaged)";
inline constexpr std::string_view kHelpInterval = "time between two reports, such as 5s";
inline constexpr std::string_view kHelpSeconds = "watch, and stop after N seconds";
inline constexpr std::string_view kHelpVram = "VRAM needed, such as 3500MiB, 3.5GiB or 3.5GB";
inline constexpr std::string_view kHelpVramMb = "the same as a number of MiB";
inline constexpr std::string_view kHelpGpu = "index or UUID of the GPU, or auto (the default)";
inline constexpr std::string_view kHelpGpus = "that much on each of N GPUs, all or none";
inline constexpr std::string_view kHelpPolicy = "how to choose among GPUs with room";
inline constexpr std::string_view kHelpPid =
    "release when this process ends; a placed NAME needs no --vram";
inline constexpr std::string_view kHelpGpuNames = "print indices and UUIDs only, one a line";
inline constexpr std::string_view kHelpNames = "print the names only, one a line";
inline constexpr std::string_view kHelpRunName = "name of the lease (default: made of the command)";
inline constexpr std::string_view kHelpWait = "how long to wait for room (default: 60s; 0: not)";
inline constexpr std::string_view kHelpSimulate = "use simulated GPUs, as the scenario says";
inline constexpr std::string_view kHelpConfig = "the configuration file";
inline constexpr std::string_view kHelpGateway =
    "address and port where requests for models are answered, or off";
inline constexpr std::string_view kHelpKeepModels =
    "leave models running at the end; the next daemon goes on with them";
inline constexpr std::string_view kHelpListen = "address and port of the API, or off";
inline constexpr std::string_view kHelpStateDir = "where leases and history are kept";
inline constexpr std::string_view kHelpRuntimeDir = "where the sockets are";
inline constexpr std::string_view kHelpSampling = "time between two readings, such as 1s";
inline constexpr std::string_view kHelpFreshState =
    "set an unreadable database aside and start anew";
inline constexpr std::string_view kHelpNvml = "use this NVML library";
inline constexpr std::string_view kHelpRoot = "read /proc and /sys below this folder";
inline constexpr std::string_view kHelpRootToChange =
    "the machine is this folder: it is read and changed there";
inline constexpr std::string_view kHelpMachine = "read a recorded machine instead of this one";
inline constexpr std::string_view kHelpKernelLog =
    "read a file in the form of /dev/kmsg instead of the kernel's log";
inline constexpr std::string_view kHelpSimulateList = "show the scenarios that come with estiva";
inline constexpr std::string_view kHelpSimulateDir =
    "where the simulated machine is kept while it runs";
inline constexpr std::string_view kHelpEndAll =
    "log every browser out, and void links not used yet";
inline constexpr std::string_view kHelpFollow = "go on with what happens until stopped";

inline constexpr std::string_view kOwnTable = "Reading the options of '{}': {}";
inline constexpr std::string_view kBug =
    "estiva: something went wrong inside: {}. Please report this with the command you ran.\n";

// --- output ------------------------------------------------------------------------------------
inline constexpr std::string_view kWriting = "Writing the output";
inline constexpr std::string_view kWritingRemedy =
    "Make room where the output goes, then run it again";

// --- the daemon --------------------------------------------------------------------------------
inline constexpr std::string_view kNoDaemon =
    "The estiva daemon is not running (nobody listens on {})";
inline constexpr std::string_view kStartDaemon =
    "Start it with 'systemctl start estiva', or 'estiva daemon' in a terminal";
inline constexpr std::string_view kSocketDenied = "You may not use the estiva daemon's socket {}";
inline constexpr std::string_view kReadsItself =
    "estiva: {} So this is one reading by this command.";  // the sentence before
inline constexpr std::string_view kJoinGroup =
    "Run this as root, or add yourself to the socket's group ('sudo usermod -aG {} $USER') and log "
    "in again";  // the group's name
inline constexpr std::string_view kBeRoot = "Run this as root";
inline constexpr std::string_view kAskOwner =
    "Run this as root or as {}, whose socket it is";  // the owner's name
inline constexpr std::string_view kDaemonMute = "The estiva daemon on {} did not answer in time";
inline constexpr std::string_view kDaemonMuteRemedy =
    "Look at its log ('journalctl -u estiva'), then restart it";
inline constexpr std::string_view kDaemonTalk = "Talking to the estiva daemon on {}: {}";
inline constexpr std::string_view kDaemonStrange =
    "The estiva daemon answered with something this estiva {} can't read ({})";
inline constexpr std::string_view kDaemonOlder =
    "The estiva daemon does not know {} {}; it is of another version than this estiva {}";
inline constexpr std::string_view kDaemonSchema =
    "The estiva daemon speaks '{}', this estiva {} reads '{}'";
inline constexpr std::string_view kSameVersion =
    "Restart the daemon after an upgrade, so that both are of the same version";
inline constexpr std::string_view kDaemonSaid = "The estiva daemon answered with status {}";

// --- gpu, status -------------------------------------------------------------------------------
inline constexpr std::string_view kSimulated =
    "SIMULATED: the GPUs below do not exist; memory and disk are this machine's own.";
inline constexpr std::string_view kRecorded = "RECORDED: the GPUs below are from a recording.";
inline constexpr std::string_view kStale = "STALE: the GPU figures are {} old.";
inline constexpr std::string_view kStaleUnknown = "STALE: the GPU figures are old.";
inline constexpr std::string_view kNoGpus = "No GPU can be used here: {}.";
inline constexpr std::string_view kDriverNote = "Driver: {}: {}.";
inline constexpr std::string_view kNoReason = "the driver gave no reason";
inline constexpr std::string_view kRemedy = "What to do: {}.";
inline constexpr std::string_view kMissing = "GPU {}: {} n/a ({})";
inline constexpr std::string_view kNoDaemonNote =
    "No daemon is running: this is one reading by this command.";

// --- assign, release, leases -------------------------------------------------------------------
inline constexpr std::string_view kAssigned = "{} is placed on {} with {} ({} bytes), lease {}";
inline constexpr std::string_view kAssignEndsAtOnce =
    "Only the lease socket is here, where a lease ends with the process that asks for it: this one "
    "would end at once";
inline constexpr std::string_view kAssignEndsAtOnceRemedy =
    "Use 'estiva run --vram SIZE -- COMMAND', which holds the lease while the command runs";
inline constexpr std::string_view kAlready =
    "{} was placed already: it keeps {} with {} ({} bytes), lease {}";
inline constexpr std::string_view kOnGpu = "GPU {} ({}, {})";
inline constexpr std::string_view kWhy = "Why: {}.";
inline constexpr std::string_view kNoRoom = "{} does not fit now: {}";
inline constexpr std::string_view kNotPlaced = "{} is not granted: {}";
inline constexpr std::string_view kGpuRoom = "  GPU {}: {} free, {} missing{}";
inline constexpr std::string_view kWouldFit = "It would fit if:";
inline constexpr std::string_view kReleased = "{} is released; its VRAM can be used again";
inline constexpr std::string_view kNoOwnLeases =
    "You hold no lease; those of others are not shown.\n";
inline constexpr std::string_view kNoLeases = "No leases: no model holds VRAM by promise.";

inline constexpr std::string_view kHeldByProcess = "process {}";
inline constexpr std::string_view kHeldByName = "until released";
inline constexpr std::string_view kLargest = "Largest by CPU and by RAM";

// --- tables and figures -----------------------------------------------------------------------
inline constexpr const char* kGpuColumn = "GPU";
inline constexpr const char* kNameColumn = "Name";
inline constexpr const char* kVramOfColumn = "VRAM used / total";
inline constexpr const char* kFreeColumn = "Free";
inline constexpr const char* kCanPlaceColumn = "Can place";
inline constexpr const char* kUtilColumn = "Util";
inline constexpr const char* kTempColumn = "Temp";
inline constexpr const char* kPowerColumn = "Power";
inline constexpr const char* kHealthColumn = "Health";
inline constexpr const char* kPidColumn = "PID";
inline constexpr const char* kVramColumn = "VRAM";
inline constexpr const char* kProcessColumn = "Process";
inline constexpr const char* kContainerColumn = "Container";
inline constexpr const char* kModelColumn = "Model";
inline constexpr const char* kCpuColumn = "CPU";
inline constexpr const char* kRamColumn = "    RAM";
inline constexpr const char* kLeaseColumn = "Lease";
inline constexpr const char* kStateColumn = "State";
inline constexpr const char* kHeldByColumn = "Held by";
inline constexpr std::string_view kUnknown = "n/a";
inline constexpr std::string_view kIdentityLine = "GPU {}: {}  {}\n";
inline constexpr std::string_view kGpuNumber = "GPU {}";
inline constexpr std::string_view kConditionLine = "{}: {}";
inline constexpr std::string_view kConditionSince = " (for {})";
inline constexpr std::string_view kConditionRemedy = "    What to do: {}.\n";
inline constexpr std::string_view kCpuLine = "CPU          {} of {} {}\n";
inline constexpr std::string_view kCore = "core";
inline constexpr std::string_view kCores = "cores";
inline constexpr std::string_view kRamLine = "RAM          {} of {} used ({})\n";
inline constexpr std::string_view kRamUnknown = "RAM          n/a\n";
inline constexpr std::string_view kEngineLine = "Containers   {} running of {} ({} {})\n";
inline constexpr std::string_view kEngineTrouble = "Containers   unknown: {}\n";
inline constexpr std::string_view kSwapLine = "Swap         {} of {} used\n";
inline constexpr std::string_view kNoSwap = "Swap         none\n";
inline constexpr std::string_view kDiskLine = "Disk {:<7} {} of {} used ({}), {}\n";
inline constexpr std::string_view kSecondsAgo = "{:.0f} s";
inline constexpr std::string_view kMinutesAgo = "{:.0f} min";
inline constexpr std::string_view kHoursAgo = "{:.0f} h";
inline constexpr std::string_view kWay = "  - {}\n";

// --- run ---------------------------------------------------------------------------------------
inline constexpr std::string_view kWaiting =
    "estiva run: waiting up to {} for {} of VRAM on {}: {}";
inline constexpr std::string_view kWaitOver =
    "No room for {} of VRAM came free within {}; {} was not started";
inline constexpr std::string_view kWaitLonger =
    "Wait longer with --wait, or release a model ('estiva leases' shows them)";
inline constexpr std::string_view kCantStart = "Starting '{}': {}";
inline constexpr std::string_view kCheckCommand =
    "Check the command's name and that it is executable";
inline constexpr std::string_view kAnyGpu = "any GPU";
inline constexpr std::string_view kStarting = "Starting {}";
inline constexpr std::string_view kMakingPipe = "Making a pipe for the command";
inline constexpr std::string_view kMakingProcess = "Starting a process for the command";
inline constexpr std::string_view kReleaseFailed =
    "estiva run: the lease {} was not released by name ({}); it ends with the process";

// --- login -------------------------------------------------------------------------------------
inline constexpr std::string_view kLoginOpen =
    "Open this in a browser on this machine within {:.0f} s; it lets one browser in, once:\n";
inline constexpr std::string_view kLoginFar =
    "From another machine, forward the port first: ssh -L {}:{} THIS-MACHINE\n";
inline constexpr std::string_view kLoginEnded = "Logged out: {} {}.\n";
inline constexpr std::string_view kBrowser = "browser";
inline constexpr std::string_view kBrowsers = "browsers";

// --- daemon, simulate, token -------------------------------------------------------------------
inline constexpr std::string_view kNoProgram = "The program {} is not beside estiva ({})";
inline constexpr std::string_view kNoProgramRemedy =
    "Install estiva whole, or set ESTIVA_LIBEXEC to the folder that holds it";
inline constexpr std::string_view kSimRefusedPci =
    "Simulation is refused: PCI shows an NVIDIA device ({})";
inline constexpr std::string_view kSimRefusedDriver =
    "Simulation is refused: the NVIDIA driver {} is loaded on this machine";
inline constexpr std::string_view kSimulateAlone = "--simulate brings its own library and machine";
inline constexpr std::string_view kSimulateAloneRemedy = "Leave out --nvml and --machine";
inline constexpr std::string_view kSimRefusedRemedy =
    "Start without --simulate; the real GPUs are used";
inline constexpr std::string_view kSimRuns = "A simulator is running in {} already";
inline constexpr std::string_view kSimRunsRemedy =
    "Stop its daemon first, or give this one folders of its own with --runtime-dir and --state-dir";
inline constexpr std::string_view kSimLate = "The simulator did not start within {} s";
inline constexpr std::string_view kSimEnded = "The simulator ended at once with status {}";
inline constexpr std::string_view kSimRemedy =
    "Its own message is above; 'estiva simulate --list' shows the scenarios";
inline constexpr std::string_view kSimulateUse =
    "SIMULATED GPUs. Programs see them with\n"
    "  export ESTIVA_SIM_DIR={} LD_LIBRARY_PATH={}\n"
    "End them with Ctrl-C.\n";
inline constexpr std::string_view kNoToken = "There is no token: {}";
inline constexpr std::string_view kNoTokenRemedy =
    "The daemon makes it at its first start; start it, or run this as the user it runs as";

}  // namespace estiva::msg::cli
