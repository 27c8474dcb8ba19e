// Sentences of decide/ that a user may see. {} are filled by fmt in the order of the comment.
#pragma once
#include <string_view>

namespace estiva::msg {

// Why a lease or a GPU changed.
inline constexpr std::string_view kReleasedUnused =
    "released; none of its processes was on the GPU, so its room is free at once";
inline constexpr std::string_view kReleasedUnseen =
    "released; the driver does not say what processes hold, so what it may have left counts as "
    "foreign";
inline constexpr std::string_view kReleasedByName =
    "released; what its processes still hold stays charged until they have left the GPU";
inline constexpr std::string_view kShrunk =
    "it needs less for now; what its processes still hold stays charged";
inline constexpr std::string_view kHolderDied =
    "its process ended; what is left of it stays charged until it has left the GPU";
inline constexpr std::string_view kHolderDiedUnwatched =
    "its process ended while estiva was not running";
inline constexpr std::string_view kVoidAfterBoot =
    "granted before the machine was started anew; its process can't exist any more";
inline constexpr std::string_view kLeftTheGpu = "none of its processes is on the GPU any more";
inline constexpr std::string_view kSeenOnGpu = "its processes hold memory on the GPU";
inline constexpr std::string_view kOvercommitted =
    "what is in use and what was promised are together more than the GPU has; nothing more is "
    "granted there until that is over";
inline constexpr std::string_view kOvercommitOver =
    "what is in use and what was promised fit on the GPU again";

// Why a grant went where it went.
inline constexpr char kWhyOnlyOne[] = "GPU {} is the only one with room ({} free)";
inline constexpr char kWhyLeastBusy[] = "GPU {} is the least busy of {} with room ({} free)";
inline constexpr char kWhyPacked[] = "GPU {} is the fullest of {} with room ({} free)";
inline constexpr char kWhyAsked[] = "GPU {} was asked for ({} free)";
inline constexpr char kWhySame[] = "the model has this GPU already";
inline constexpr char kWhyGrown[] = "the model has this GPU already, and its lease has grown";
inline constexpr char kWhyBound[] = "the model has this GPU already; the process is its holder now";
inline constexpr char kWhySeveral[] = "{} GPUs, all granted together";

// Faults of a request.
inline constexpr std::string_view kNoModelName = "the request names no model";
inline constexpr std::string_view kBadModelName =
    "the model's name is longer than {} bytes or holds control characters";  // limit
inline constexpr std::string_view kBadShareCount =
    "the request asks for {} shares; 1 to {} are possible";  // asked, limit
inline constexpr std::string_view kNoSize = "the request asks for 0 bytes of VRAM";
inline constexpr std::string_view kSameGpuTwice =
    "GPU {} is named twice; the shares of a model are on different GPUs";       // name
inline constexpr std::string_view kNoSuchGpu = "no GPU is called {}";           // name
inline constexpr std::string_view kManyGpusCalled = "{} may mean {} GPUs: {}";  // name, count, keys
inline constexpr std::string_view kListGpus = "'estiva gpu' lists the GPUs";
inline constexpr std::string_view kWriteMore = "write more of the UUID";

// Why a request was refused.
inline constexpr std::string_view kDriverNotReady = "the NVIDIA driver is not ready: {}";  // reason
inline constexpr std::string_view kDriverState = "its state is {}";                        // state
inline constexpr std::string_view kNoGpuAtAll = "there is no GPU to place a model on";
inline constexpr std::string_view kNoUsableGpu = "no GPU that was asked for can be used now";
inline constexpr std::string_view kNeedsFreshReading =
    "the GPUs were not read since the request arrived";
inline constexpr std::string_view kAskAgain = "ask again";
inline constexpr std::string_view kNoRoomOne = "no room for {} ({}) on {}";  // model, size, where
inline constexpr std::string_view kNoRoomMany =
    "no room for {} ({} shares of up to {} on different GPUs)";                    // model, n, size
inline constexpr std::string_view kNoRoomToGrow = "no room for {} to grow to {}";  // model, size
inline constexpr std::string_view kAnyGpu = "any GPU";
inline constexpr std::string_view kGpuNamed = "GPU {}";  // index or key
inline constexpr std::string_view kAssignedElsewhere =
    "{} is already assigned to {}";  // model, GPUs
inline constexpr std::string_view kReleaseFirst =
    "release it first with 'estiva release {}', or ask for the same GPU";  // model
inline constexpr std::string_view kHeldByAnother =
    "{} is already assigned to the process {}";  // model, pid
inline constexpr std::string_view kReleaseHolder =
    "stop that process or release the lease with 'estiva release {}'";  // model

// Why one GPU would not do.
inline constexpr std::string_view kGpuNotSeen = "the driver does not show it any more";
inline constexpr std::string_view kGpuUnfit = "nothing more is placed on it: {}";  // the condition
inline constexpr std::string_view kGpuUnfitUnnamed =
    "nothing more is placed on it: it is not healthy";
inline constexpr std::string_view kGpuLost = "it is lost: it fell off the bus";
inline constexpr std::string_view kGpuReset = "it needs a reset";
inline constexpr std::string_view kGpuAsleep = "it is asleep, and reading it would wake it";
inline constexpr std::string_view kGpuFailed = "the driver can't read it";
inline constexpr std::string_view kGpuSplit = "MIG is on: ask for one of its instances";
inline constexpr std::string_view kGpuNoMemory = "the driver does not say how much memory it has";
inline constexpr std::string_view kGpuOvercommitted =
    "overcommitted: {} are in use or promised, and it has {}";        // committed, capacity
inline constexpr std::string_view kGpuTooSmall = "it has {} in all";  // capacity
inline constexpr std::string_view kGpuFull =
    "of {}, {} are in use and {} more are promised";  // capacity, used, remainder
inline constexpr std::string_view kGpuHasRoom = "it has room";
inline constexpr std::string_view kGpuMargin = "{} are kept free by setting";  // margin
inline constexpr std::string_view kGpuDesktop =
    "{} are kept for the desktop";                                     // highest and reserve
inline constexpr std::string_view kGpuStranger = "{} are held by {}";  // size, process
inline constexpr std::string_view kMayBeModel =
    "{} are held by {}, which may be {}: bind it with 'estiva assign {} --pid {}'";
// size, process, model, model, pid

// What would make it fit.
inline constexpr std::string_view kFitIfBound =
    "pid {} ({}) is {}: bind it with 'estiva assign {} --pid {}'";  // pid, size, model, model, pid
inline constexpr std::string_view kFitIfSmaller = "the request were at most {}";  // size
inline constexpr std::string_view kFitIfReleasedOne =
    "model {} ({}, {}) were released";  // model, size, state
inline constexpr std::string_view kFitIfReleasedMany =
    "the models {} ({} together) were released";  // models, size
inline constexpr std::string_view kFitIfLeft =
    "{} ({}), which was released, had left the GPU";  // model, size
inline constexpr std::string_view kFitIfUnnamedReleased =
    "{} that other models hold were released";  // size
inline constexpr std::string_view kFitIfUnnamedLeft =
    "{} that were released had left the GPU";  // size
inline constexpr std::string_view kFitIfStrangersEnded =
    "the processes outside estiva on GPU {} ({}) ended";  // index, size
inline constexpr std::string_view kFitIfAnotherGpu =
    "there were a GPU with at least {} free";  // size
inline constexpr std::string_view kFitIfMoreGpus =
    "there were {} GPUs with at least {} free each";  // n, size
inline constexpr std::string_view kIdle = "idle";
inline constexpr std::string_view kNotLoaded = "not loaded yet";
inline constexpr std::string_view kInUse = "in use";
inline constexpr std::string_view kLeaving = "leaving";

}  // namespace estiva::msg
