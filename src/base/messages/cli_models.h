// What the verbs about models say: models, load, unload, pin, pause, resume, explain, stress.
#pragma once
#include <string_view>

namespace estiva::msg::cli {

inline constexpr std::string_view kVerbModels =
    "the models of the configuration: what is loaded, who waits, why";
inline constexpr std::string_view kVerbLoad = "load models now";
inline constexpr std::string_view kVerbUnload = "unload models; nothing is deleted";
inline constexpr std::string_view kVerbPin = "keep a model loaded whatever others need";
inline constexpr std::string_view kVerbFreeMemory =
    "unload every model that nobody uses; nothing is deleted";
inline constexpr std::string_view kVerbPause =
    "empty a GPU for something else, a game or a training run, and hold new loads";
inline constexpr std::string_view kVerbResume = "let models come back after a pause";
inline constexpr std::string_view kVerbExplain =
    "what a model or a request waits for, who holds the bytes, and until when";

inline constexpr std::string_view kHelpPinOff = "it may be unloaded for others again";
inline constexpr std::string_view kHelpPauseFor = "resume by itself after this time";
inline constexpr std::string_view kHelpAllModels = "all that are loaded";
inline constexpr std::string_view kHelpFreeDry = "say what would be unloaded, and unload nothing";
inline constexpr std::string_view kHelpReloadDry = "show what would change, and change nothing";

inline constexpr std::string_view kNoDocument =
    "the daemon's answer about models is not understood";
inline constexpr std::string_view kNoSuchGpu = "there is no GPU '{}'";
inline constexpr std::string_view kNoSuchGpuHow =
    "Write an index, a UUID or its beginning, or 'all'; 'estiva gpu' lists them";
inline constexpr std::string_view kNoModelsYet =
    "No model is configured. 'estiva models discover' finds those on this machine and writes a "
    "configuration.\n";
inline constexpr std::string_view kEngineColumn = "Engine";
inline constexpr std::string_view kOnGpuColumn = "On GPU";
inline constexpr std::string_view kNeedColumn = "Needs";
inline constexpr std::string_view kPolicyColumn = "Policy";
inline constexpr std::string_view kActiveColumn = "Active";
inline constexpr std::string_view kWaitingColumn = "Waiting";
inline constexpr std::string_view kIdleColumn = "Idle";
inline constexpr std::string_view kPinnedMark = "{}, pinned";
inline constexpr std::string_view kPinnedLiveMark = "{}, pinned by command";
inline constexpr std::string_view kUnpinnedLiveMark = "{}, unpinned by command";
inline constexpr std::string_view kLiveMark = "{} (by command; configured: {})";

// Models in `status`.
inline constexpr std::string_view kInForceColumn = "Policy in force";
inline constexpr std::string_view kSetByColumn = "Set by";
inline constexpr std::string_view kIdleLeaveColumn = "Leaves when idle";
inline constexpr std::string_view kNeverLeaves = "never";
inline constexpr std::string_view kNeverPinned = "never (pinned)";
inline constexpr std::string_view kAfterEach = "after each request";
inline constexpr std::string_view kForRoomOnly = "for others only";
inline constexpr std::string_view kAfterTtl = "after {} ({})";
inline constexpr std::string_view kKeptAwake = "GPU {} is kept awake by {}, {}\n";
inline constexpr std::string_view kAwakeLeaves = "which leaves in {} if nobody asks for it ({})";
inline constexpr std::string_view kAwakeBusy = "which works ({} under way)";
inline constexpr std::string_view kAwakeStays = "which stays: {}";

inline constexpr std::string_view kModelReason = "{}: {}\n";
inline constexpr std::string_view kWaitLine =
    "Waiting for {}, place {}: {}; since {}, expected in {}, at the latest in {}\n";
inline constexpr std::string_view kPausedAll = "Paused: all GPUs{}\n";
inline constexpr std::string_view kPausedOne = "Paused: {}{}\n";
inline constexpr std::string_view kPausedLeft = ", for {} more";

inline constexpr std::string_view kLoaded = "{} is loaded\n";
inline constexpr std::string_view kUnloaded = "{} is unloaded\n";
inline constexpr std::string_view kNothingLoaded = "No model is loaded.\n";
inline constexpr std::string_view kFreeDid = "{}: unloaded, {} of GPU memory\n";
inline constexpr std::string_view kFreeWould = "{}: would be unloaded, {} of GPU memory\n";
inline constexpr std::string_view kFreeKept = "{}: kept, {}\n";
inline constexpr std::string_view kFreeNothing =
    "No model holds memory: there is nothing to unload.\n";
inline constexpr std::string_view kFreeRam = "RAM available: {} (before: {})\n";
inline constexpr std::string_view kPinned = "{} stays loaded\n";
inline constexpr std::string_view kUnpinned = "{} may be unloaded for others\n";
inline constexpr std::string_view kPolicySet = "{}: {} now\n";
inline constexpr std::string_view kPauseDone = "{} empty of models; 'estiva resume' ends it\n";
inline constexpr std::string_view kPauseDoneFor =
    "{} empty of models for {}; 'estiva resume' ends it before\n";
inline constexpr std::string_view kAllGpusAre = "All GPUs are";
inline constexpr std::string_view kGpuIs = "GPU {} is";
inline constexpr std::string_view kResumed = "Models may load again.\n";
inline constexpr std::string_view kReloadNothing = "Nothing changed.\n";
inline constexpr std::string_view kReloadLine = "{} {}\n";
inline constexpr std::string_view kModelsWhat = "'models {}' is not understood";
inline constexpr std::string_view kModelsHow =
    "Write 'estiva models', 'models discover', 'models policy NAME POLICY', 'models log NAME' or "
    "'models reload'";
inline constexpr std::string_view kLoadWhat = "no model was named";
inline constexpr std::string_view kLoadHow = "Name models, or write --all";
inline constexpr std::string_view kNothingCalled = "nothing is called '{}'";
inline constexpr std::string_view kNothingCalledHow =
    "'estiva models' lists the models and the requests that wait, 'estiva leases' the leases";

// stress
inline constexpr std::string_view kVerbStress =
    "alternate requests between models; exit 1 on any error or memory that does not come back";
inline constexpr std::string_view kHelpStressMinutes = "how long, in minutes (default 1)";
inline constexpr std::string_view kHelpStressSeconds = "how long, as a time";
inline constexpr std::string_view kHelpStressPath =
    "what to ask for; {model} becomes the model's name";
inline constexpr std::string_view kHelpStressBody =
    "the request's body; {model} becomes the model's name";
inline constexpr std::string_view kModelNameColumn = "Model";
inline constexpr std::string_view kRequestsColumn = "Requests";
inline constexpr std::string_view kErrorsColumn = "Errors";
inline constexpr std::string_view kOomsColumn = "Out of memory";
inline constexpr std::string_view kSwapsColumn = "Swaps";
inline constexpr std::string_view kSwapMedianColumn = "Median";
inline constexpr std::string_view kSwapMostColumn = "Longest";
inline constexpr std::string_view kStressVram = "VRAM: {} before, {} at most, {} after: {}\n";
inline constexpr std::string_view kVramReturned = "all of it came back";
inline constexpr std::string_view kVramStays = "not all of it came back";
inline constexpr std::string_view kStressAnswer = "answered {}: {}";
inline constexpr std::string_view kNoGateway = "there is no gateway";
inline constexpr std::string_view kNoGatewayHow =
    "Set gateway.listen in the configuration, and start the daemon again";

// explain
inline constexpr std::string_view kExplainState = "{} is {}{}.\n";
inline constexpr std::string_view kExplainSince = " since {}";
inline constexpr std::string_view kExplainBytes =
    "It needs {} of each GPU ({}); it holds {} and is charged {}.\n";
inline constexpr std::string_view kExplainDeclared = "declared {}";
inline constexpr std::string_view kExplainLearned = "learned {}";
inline constexpr std::string_view kExplainUnknown = "nobody said how much";
inline constexpr std::string_view kExplainPolicy = "Policy: {}{}.\n";
inline constexpr std::string_view kExplainUse = "{} under way, {} waiting, loaded {} so far.\n";
inline constexpr std::string_view kExplainLoad = "Loading took {} (median of what was measured).\n";
inline constexpr std::string_view kExplainHolders = "On the GPU now:\n";
inline constexpr std::string_view kExplainHolder = "  {}: {} charged, {}, {}\n";
inline constexpr std::string_view kExplainIdle = "idle for {}";
inline constexpr std::string_view kExplainBusy = "{} under way";
inline constexpr std::string_view kTimes = "{} times";
inline constexpr std::string_view kOnce = "once";

}  // namespace estiva::msg::cli
