// Sentences about CUDA's checkpoint. {} are filled by fmt in the order of the comment.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kCheckpointNoLibrary =
    "there is no {} to checkpoint with";  // name
inline constexpr std::string_view kCheckpointOldLibrary =
    "{} can't checkpoint a process";                                                     // library
inline constexpr std::string_view kCheckpointNoInit = "CUDA does not start (error {})";  // code
inline constexpr std::string_view kCheckpointDriverRemedy =
    "Driver 570 or newer is needed; without it set may_checkpoint to false";
inline constexpr std::string_view kCheckpointNoCuda = "none of its processes uses CUDA";
inline constexpr std::string_view kCheckpointState =
    "process {} can't be taken now: {}";  // pid, state or error
inline constexpr std::string_view kCheckpointCall =
    "the driver's {} of process {} failed: {}";  // verb, pid, error
inline constexpr std::string_view kCheckpointSlow =
    "the driver did not {} it within {} s";  // verb, limit
inline constexpr std::string_view kCheckpointCrashed =
    "the program that asks the driver ended without an answer";
inline constexpr std::string_view kCheckpointKill =
    "Its state is not known any more: it has to be stopped and started anew";
inline constexpr std::string_view kCheckpointAsBefore = "It goes on as before";
inline constexpr std::string_view kCheckpointStillFrozen = "It stays frozen until there is room";

// Why a model may not be checkpointed.
inline constexpr std::string_view kCheckpointOff = "may_checkpoint is not set for it";
inline constexpr std::string_view kCheckpointOldDriver =
    "driver {} has no checkpoint: 570 is the first";  // version
inline constexpr std::string_view kCheckpointMachine =
    "the driver's checkpoint works on x86-64 only, this is {}";  // machine
inline constexpr std::string_view kCheckpointMig =
    "it is on a MIG instance, which has no checkpoint";
inline constexpr std::string_view kCheckpointUvm =
    "it uses managed memory, which has no checkpoint";
inline constexpr std::string_view kCheckpointIpc =
    "it shares GPU memory between processes, which needs driver 610; this is {}";  // version
inline constexpr std::string_view kCheckpointRefused =
    "a trial with this engine and driver failed: {}";  // why

}  // namespace estiva::msg
