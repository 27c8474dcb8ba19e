// What users read about models that are loaded for requests and leave again.
#pragma once

namespace estiva::msg {

inline constexpr char kModelLeft[] = "the model is leaving the GPU";
inline constexpr char kUnknownModel[] = "there is no model '{}' in the configuration";
inline constexpr char kUnknownModelNear[] = "Did you mean '{}'?";
inline constexpr char kUnknownModelRemedy[] = "'estiva models' lists those that there are";
inline constexpr char kStillThere[] = "'{}' is still on the GPU: {}";
inline constexpr char kRunsElsewhere[] = "it runs elsewhere, and estiva can't unload it";
inline constexpr char kIsPinned[] = "it is pinned";
inline constexpr char kIsInUse[] = "it is in use (requests under way: {})";
inline constexpr char kIsWaitedFor[] = "it is waited for (requests: {})";
inline constexpr char kIsChanging[] = "it is {}";
inline constexpr char kLeavesStill[] = "it was told to leave and is still there";
inline constexpr char kNotPaused[] = "nothing is paused there";

// The routes.
inline constexpr char kNoModels[] = "no model is configured";
inline constexpr char kNoModelsRemedy[] =
    "'estiva models discover' finds models on this machine and writes a configuration";
inline constexpr char kModelAction[] = "'{}' can't be done to a model";
inline constexpr char kModelActionRemedy[] = "Known: load, unload, pin, unpin, policy, log";
inline constexpr char kPolicyWanted[] = "the body must be {\"policy\":\"keep|swap|always-unload\"}";
inline constexpr char kMustPost[] = "{} wants POST";
inline constexpr char kPauseWanted[] =
    "the body must be {\"device\":UUID or \"\",\"seconds\":a number or null}";

}  // namespace estiva::msg
