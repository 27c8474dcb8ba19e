// Sentences of decide/residency that a user may see. {} are filled by fmt in the order of the
// comment.
#pragma once
#include <string_view>

namespace estiva::msg {

// Why a request is not served.
inline constexpr std::string_view kNoSuchModel = "no model is called {}";  // name
inline constexpr std::string_view kListModels = "'estiva models' lists the models";
inline constexpr char kQueueFull[] = "{} requests wait for {} already";         // count, model
inline constexpr char kWaitTooLong[] = "{} could be served within {}, and {}";  // model, time, why
inline constexpr char kMoreThanWaitLimit[] = "nobody waits longer than {}";     // time
inline constexpr std::string_view kRaiseWaitLimit =
    "try again later, or raise wait_limit of the model";
inline constexpr char kBoundIsPast[] = "{} was not ready within {}; {}";  // model, time, why
inline constexpr char kLoadFailedPause[] =
    "{} is not tried again before {} have passed: {}";            // model, time, why
inline constexpr char kModelPaused[] = "{} is paused on {}{}";    // model, where, until
inline constexpr std::string_view kPausedUntil = " for {} more";  // time
inline constexpr std::string_view kEveryGpu = "every GPU that it could use";
inline constexpr std::string_view kResumeIt = "'estiva pause --resume' ends that";
inline constexpr char kNeedNotKnown[] =
    "nobody knows how much VRAM {} needs: neither its engine nor its configuration says it";
inline constexpr std::string_view kDeclareVram = "write vram = \"...\" into its table";
inline constexpr char kModelRemoved[] = "{} was taken out of the configuration";  // model
inline constexpr char kUnloadedByHand[] = "{} was unloaded by hand";              // model
inline constexpr char kLoadFailed[] = "loading {} failed: {}";                    // model, why
inline constexpr char kRanOutOfMemory[] =
    "loading {} ran out of GPU memory twice, with {} on each GPU and nothing else evictable "
    "beside it: {}";  // model, size, why

inline constexpr char kNothingToEvict[] =
    "there is no room for {}, and nothing that may leave would make enough";  // model
inline constexpr char kGroupIsPinned[] =
    "only one of the group {} may be in, and {} is pinned";                // group, model
inline constexpr char kUnpinIt[] = "'estiva pin --off {}' lets it leave";  // model
inline constexpr char kWouldFitIf[] = "it would fit if {}";                // what

// What requests that are cut are told.
inline constexpr char kCutForRoom[] =
    "{} has to make room; requests under way had {} to end";                         // model, time
inline constexpr char kCutAtLast[] = "{} leaves; requests under way had {} to end";  // model, time

// What people are told.
inline constexpr char kLeavesForModel[] = "leaves for {}: {}";  // other model, why this one
inline constexpr std::string_view kCheapestToLose = "it is the cheapest to load again";
inline constexpr std::string_view kSameGroup = "only one of their group may be in";
inline constexpr std::string_view kRetryAlone =
    "it ran out of memory there and is tried once more alone";
inline constexpr std::string_view kLeavesUnused = "leaves: nobody asked for it for so long";
inline constexpr std::string_view kLeavesAlways = "leaves after each use, as its policy says";
inline constexpr std::string_view kLeavesByHand = "leaves: unloaded by hand";
inline constexpr std::string_view kLeavesPaused = "leaves: its GPU is paused";
inline constexpr std::string_view kLeavesRemoved = "leaves: it was taken out of the configuration";
inline constexpr std::string_view kLeavesOvercommitted =
    "leaves: its GPU holds more than it should";
inline constexpr std::string_view kLeavesRam = "is stopped in its sleep: its RAM is needed";
inline constexpr std::string_view kLeavesChanged = "is stopped in its sleep: its settings changed";
inline constexpr std::string_view kLeavesMoved =
    "is stopped in its sleep: it can't have room again where it was";
inline constexpr char kStaysAfterAll[] = "stays: nobody needs its room any more";
inline constexpr char kToldDied[] = "its engine ended: {}";                  // why
inline constexpr char kToldFailed[] = "loading failed, next try in {}: {}";  // time, why
inline constexpr char kToldOutOfMemory[] =
    "ran out of GPU memory with {} on each GPU; {} are tried next, alone";  // size, size
inline constexpr char kToldSleepFailed[] = "could not be put to sleep and is stopped: {}";  // why
inline constexpr char kNotPreloaded[] = "was not loaded at the start: {}";                  // why
inline constexpr std::string_view kNoFreeRoom = "there is no free room for it";

// What a request waits for.
inline constexpr std::string_view kWaitsForItsLoad = "it is being loaded";
inline constexpr std::string_view kWaitsForReservation = "its room is being reserved";
inline constexpr std::string_view kWaitsForItsOwnEnd = "it has to leave before it can come back";
inline constexpr std::string_view kWaitsForRetry =
    "its last load failed, and it waits for the next try";
inline constexpr std::string_view kWaitsForDriver = "the GPUs were not read yet";
inline constexpr std::string_view kWaitsForOthers =
    "programs that share the GPU by themselves were asked for room";
inline constexpr std::string_view kWaitsForTurn = "others were first";
inline constexpr std::string_view kWaitsForBytes =
    "memory that was given back is not yet seen to be free";
inline constexpr char kHolds[] = "{} holds {}{}";                // model, bytes, until when
inline constexpr char kMayServeFor[] = " and may go on for {}";  // time
inline constexpr char kEndsRequests[] = " and ends its {} requests, at most {}";  // count, time
inline constexpr std::string_view kIsLeaving = " and is leaving";
inline constexpr std::string_view kIsComing = " and was first";

}  // namespace estiva::msg
