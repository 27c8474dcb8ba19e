// What the command line says about plans and their runs. Templates are fmt's.
#pragma once
#include <string_view>

namespace estiva::msg::cli {

inline constexpr std::string_view kPlanEmpty = "Nothing has to be done.";
inline constexpr std::string_view kPlanTitle = "Plan {}: {}, hash {}";
inline constexpr std::string_view kPlanWhy = "     Why: {}";
inline constexpr std::string_view kPlanEffect = "     Effect: {}";
inline constexpr std::string_view kPlanUndo = "     Undo: {}";
inline constexpr std::string_view kPlanStops = "     Stops for a while: {}";
inline constexpr std::string_view kPlanInterrupts = "     Stops what runs in it for a while";
inline constexpr std::string_view kPlanNewFile = "     New: {}, mode {:04o}";
inline constexpr std::string_view kPlanNewFilesHow = "--diff shows the text of the new files.";
inline constexpr std::string_view kPlanExactUndo =
    "The undo brings files back to the byte, and units to what they were.";
inline constexpr std::string_view kPlanReboot = "     Takes effect after a reboot";

// One a kind of step, "{}" is its target.
inline constexpr std::string_view kStepWrite = "write {}";
inline constexpr std::string_view kStepLink = "link {} to {}";
inline constexpr std::string_view kStepRemove = "remove {}";
inline constexpr std::string_view kStepEnable = "start {} at each boot";
inline constexpr std::string_view kStepDisable = "start {} no more at boot";
inline constexpr std::string_view kStepStart = "start {}";
inline constexpr std::string_view kStepStop = "stop {}";
inline constexpr std::string_view kStepRestart = "restart {}";
inline constexpr std::string_view kStepReload = "let systemd read its unit files again";
inline constexpr std::string_view kStepLoad = "load the kernel module {}";
inline constexpr std::string_view kStepUnload = "unload the kernel module {}";
inline constexpr std::string_view kStepSysctl = "set {} to {}";
inline constexpr std::string_view kStepNode = "make the device node {} ({})";
inline constexpr std::string_view kStepMode = "set the mode of {} to {}";
inline constexpr std::string_view kStepGenerate = "make {} from the machine as it is";
inline constexpr std::string_view kStepComputeMode = "set the compute mode of {} to {}";
inline constexpr std::string_view kStepReloadUnit = "let {} read its settings again";
inline constexpr std::string_view kStepBoolean = "switch SELinux's boolean {} {}";

// One a state of a step.
inline constexpr std::string_view kStatePending = "not done";
inline constexpr std::string_view kStateDone = "done";
inline constexpr std::string_view kStateUnchanged = "was so";
inline constexpr std::string_view kStateFailed = "failed";
inline constexpr std::string_view kStateStands = "stands";
inline constexpr std::string_view kStateDrifted = "changed";
inline constexpr std::string_view kStateUndone = "undone";
inline constexpr std::string_view kStateLeftAlone = "left alone";
inline constexpr std::string_view kStateKept = "kept";
inline constexpr std::string_view kRunTitle = "Run {} of the plan {}";

}  // namespace estiva::msg::cli
