// What a user of doctor and verify reads.
#pragma once
#include <string_view>

namespace estiva::msg::cli {

inline constexpr std::string_view kVerbDoctor =
    "Find what keeps GPUs out of containers, now or after the next reboot, and say why";
inline constexpr std::string_view kHelpSarif = "print a SARIF 2.1.0 log";
inline constexpr std::string_view kHelpExplainError =
    "name the causes of the errors in this log or text (- or none: standard input)";
inline constexpr std::string_view kHelpDoctorDocker = "ask this engine (default: as docker does)";
inline constexpr std::string_view kHelpDoctorRoot =
    "the machine is this folder: read and changed there; absolute --compose paths are inside it";
inline constexpr std::string_view kHelpRules =
    "list the signatures that are looked for, or explain one (K2)";
inline constexpr std::string_view kNoSuchRule = "there is no signature '{}'";
inline constexpr std::string_view kNoSuchRuleRemedy = "'estiva doctor --rules' lists them";
inline constexpr std::string_view kHelpPages = "write a page about each signature into this folder";

inline constexpr std::string_view kForetells = "What you see: {}";
inline constexpr std::string_view kDoIt = "To do: {}";
inline constexpr std::string_view kFixAutomatic = "'estiva doctor --fix' does it. Undo: {}";
inline constexpr std::string_view kFixAsks =
    "it stops or restarts something, so estiva leaves it to you";
inline constexpr std::string_view kFixByCommand =
    "'{}' does it, after showing what it changes and stops";  // command
inline constexpr std::string_view kFixAfterYes = "'estiva doctor --fix' does it, after a yes";
inline constexpr std::string_view kNothingFound =
    "Nothing is wrong: none of {} signatures fits this machine.";
inline constexpr std::string_view kNothingSeen =
    "None of {} signatures fits what could be looked at.";
inline constexpr std::string_view kNoNvidiaGpu = "this machine has no NVIDIA GPU";
inline constexpr std::string_view kFoundSome = "{}, {}, {}.";  // three counts with their words
inline constexpr std::string_view kErrors[] = {"error", "errors"};
inline constexpr std::string_view kWarnings[] = {"warning", "warnings"};
inline constexpr std::string_view kNotes[] = {"note", "notes"};
inline constexpr std::string_view kNotSeenTitle = "Could not be looked at:";
inline constexpr std::string_view kDisplaysTitle = "Displays:";
inline constexpr std::string_view kDisplayLine = "  {}  {}: {}";  // bus, name, what it does
inline constexpr std::string_view kDraws = "draws the desktop ({})";
inline constexpr std::string_view kDrawsUnnamed = "draws the desktop";
inline constexpr std::string_view kComputes = "computes";
inline constexpr std::string_view kIdleGpu = "neither draws nor computes";
inline constexpr std::string_view kAwakeBecause = "      awake: {}";

inline constexpr std::string_view kHelpFix = "mend what can be mended and undone, after showing it";
inline constexpr std::string_view kHelpFixUndo = "take back what --fix did, after showing it";
inline constexpr std::string_view kHelpCompose =
    "look at this Compose file, too, whether or not an engine knows it";
inline constexpr std::string_view kComposeBroken = "reading {}";  // file
inline constexpr std::string_view kComposeBrokenRemedy =
    "'docker compose -f FILE config' checks it, too";
inline constexpr std::string_view kComposeTooMany =
    "{} Compose files were named; {} are looked at in one run";  // count, limit
inline constexpr std::string_view kComposeTooManyRemedy = "Name fewer of them";
inline constexpr std::string_view kComposeUnreadRemedy =
    "Name a Compose file that is there and that you may read";
inline constexpr std::string_view kNotFixed = "{} is left: {}. {}";       // id, title, remedy
inline constexpr std::string_view kNotFixedCommand = "{}. '{}' does it";  // that, command
inline constexpr std::string_view kNothingOfOurs =
    "Nothing of it can be mended by 'doctor --fix'; what is left:";
inline constexpr std::string_view kFixOrUndo = "--fix and --undo don't go together";
inline constexpr std::string_view kOnlyWithFix = "{} is only for --fix and --undo";  // flag
inline constexpr std::string_view kOnlyWithFixRemedy = "'estiva doctor --fix {}' is meant?";

inline constexpr std::string_view kNoCause =
    "Nothing in this log is an error that the catalogue of {} signatures knows. 'estiva doctor' "
    "looks at the machine itself.";
inline constexpr std::string_view kEmptyLog =
    "There is nothing in this log. Pipe one in: journalctl -u docker -n 200 | estiva doctor "
    "--explain-error. 'estiva doctor' looks at the machine itself.";
inline constexpr std::string_view kPipeIt =
    "To explain a text rather than a file, pipe it: echo 'TEXT' | estiva doctor --explain-error";
inline constexpr std::string_view kCauseAt = "line {}: {}";               // number, text
inline constexpr std::string_view kCouldAlsoBe = "could also be {}: {}";  // id, name
inline constexpr std::string_view kLogTooLong = "the log is larger than {}";
inline constexpr std::string_view kLogTooLongRemedy =
    "Give the part around the error: journalctl -u docker --since '10 min ago'";

inline constexpr std::string_view kReadingInput = "reading standard input";

// The pages of docs/doctor/.
inline constexpr std::string_view kPageMade =
    "<!-- Made by 'estiva doctor --pages docs/doctor'; change src/decide/readiness instead. -->";
inline constexpr std::string_view kPageSeverity = "Severity";
inline constexpr std::string_view kPageSymptom = "What you see";
inline constexpr std::string_view kPageReads = "What is looked at";
inline constexpr std::string_view kPageRemedy = "What to do";
inline constexpr std::string_view kPageUndo = "To take it back";
inline constexpr std::string_view kPageUndoFix = "`estiva doctor --undo`";
inline constexpr std::string_view kPageSource = "Known from";
inline constexpr std::string_view kPageAutomatic =
    "`estiva doctor --fix` does it, after showing what it would change.";
inline constexpr std::string_view kPageAsks =
    "It stops or restarts something, so a person does it.";
inline constexpr std::string_view kPageCommand =
    "`{}` does it, after showing what it changes and stops.";  // command
inline constexpr std::string_view kPageAfterYes = "`estiva doctor --fix` does it, after a yes.";
inline constexpr std::string_view kPageGuide = "A person has to do it.";
inline constexpr std::string_view kPageTextOnly =
    "It can't be seen beforehand: `estiva doctor --explain-error` knows its text.";
inline constexpr std::string_view kIndexTitle = "What doctor looks for";
inline constexpr std::string_view kIndexIntro =
    "Each signature of what keeps GPUs out of containers, in the order in which they are looked "
    "at: "
    "what stands first causes what follows.";
inline constexpr std::string_view kIndexHead = "| id | what | severity | mended |";

inline constexpr std::string_view kVerbVerify =
    "Prove that a GPU can be used: on this machine, in a container, or in one that runs";
inline constexpr std::string_view kHelpVerifyRoot =
    "look at the machine in this folder; its containers can't be asked";
inline constexpr std::string_view kHelpWith =
    "how the container asks for the GPU (auto: CDI where the engine has it)";
inline constexpr std::string_view kHelpDevice = "the CDI device to ask for (nvidia.com/gpu=all)";
inline constexpr std::string_view kHelpNoContainer = "look at the machine only; start no container";
inline constexpr std::string_view kHelpGraphics =
    "draw with OpenGL, with and without the offload variables, and say which GPU drew";
inline constexpr std::string_view kHelpTime = "longest time for the container (30s)";
inline constexpr std::string_view kNoSuchContainer = "no container or service is called '{}'";
inline constexpr std::string_view kNoSuchContainerRemedy = "'docker ps -a' lists them";
inline constexpr std::string_view kSeveralContainers = "'{}' is the name of several containers: {}";
inline constexpr std::string_view kSeveralContainersRemedy = "Name one of them";
inline constexpr std::string_view kNoLoader = "the libraries that {} needs can't be told";
inline constexpr std::string_view kUnknownSize = "an unknown amount";
inline constexpr std::string_view kProcessOn = "{} (pid {}), {} on GPU {}";
inline constexpr std::string_view kNothingToAskFor = "this machine has no NVIDIA GPU";
inline constexpr std::string_view kNotWanted = "--no-container was given";
inline constexpr std::string_view kTreeStartsNone =
    "the machine in {} is a folder, and starts none";  // --root's value
inline constexpr std::string_view kTreeHasNone =
    "a container can't be looked into below --root, where nothing runs";
inline constexpr std::string_view kTreeHasNoneRemedy =
    "Leave one of the two out: 'estiva verify {0}' or 'estiva verify --root {1}'";
inline constexpr std::string_view kBadDevice = "'{}' is not the name of a CDI device";
inline constexpr std::string_view kBadDeviceRemedy =
    "Write vendor/class=name, such as nvidia.com/gpu=0; 'estiva cdi list' shows those there are";
inline constexpr std::string_view kDeviceIsCdi =
    "--device names a CDI device; --with {} asks otherwise";
inline constexpr std::string_view kDeviceIsCdiRemedy = "Leave one of the two out";
inline constexpr std::string_view kOneOrTheOther =
    "--graphics draws on this machine; it does not go together with a container";

inline constexpr std::string_view kDrewWithout = "without offload: {}";
inline constexpr std::string_view kDrewWith = "with offload:    {}";
inline constexpr std::string_view kDrewBy = "{} ({})";              // renderer, vendor
inline constexpr std::string_view kDrewOn = "{} ({}), through {}";  // and the device nodes
inline constexpr std::string_view kDidNotDraw = "nothing was drawn: {}";
inline constexpr std::string_view kSkippedGraphics = "Skipped: {}";
inline constexpr std::string_view kOffloadWorks =
    "Offload works: the NVIDIA GPU draws only for programs that ask for it.";
inline constexpr std::string_view kOffloadNoEffect =
    "The offload variables change nothing: the same GPU drew both times. Is NVIDIA's GL library "
    "installed (libGLX_nvidia.so.0), and the module loaded?";
inline constexpr std::string_view kNvidiaDrawsAll =
    "The NVIDIA GPU draws everything, also without the offload variables.";
inline constexpr std::string_view kGraphicsFailed = "OpenGL does not work here.";
inline constexpr std::string_view kProbeSlow = "OpenGL did not answer within {} s";

}  // namespace estiva::msg::cli
