// What a user reads in the plan of 'estiva recover'.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kRecoverUnload =
    "the module that is loaded is {}, the libraries are {}; nobody uses the GPU now";
inline constexpr std::string_view kRecoverUnloadEffect = "modprobe -r {}";
inline constexpr std::string_view kRecoverLoad = "the module of the version on the disk is loaded";
inline constexpr std::string_view kRecoverLoadEffect = "modprobe {}";
inline constexpr std::string_view kRecoverModuleUndo =
    "nothing: the module that is on the disk is what can be loaded";
inline constexpr std::string_view kRecoverBusy =
    "The driver's modules are of another version than its libraries, and these use the GPU: {}. "
    "End "
    "them and run this again, or restart the machine";
inline constexpr std::string_view kRecoverHidden =
    "Who uses the GPU can only be seen by root, so its modules are left alone: run this as root";
inline constexpr std::string_view kRecoverStandsOn =
    "The driver's modules are of another version than its libraries, and the module {} stands on "
    "them: unload it first, or restart the machine";
inline constexpr std::string_view kRecoverSpec = "it is made from the driver that is loaded";
inline constexpr std::string_view kRecoverSpecEffect = "{} declares {}=all and each GPU";
inline constexpr std::string_view kRecoverSpecUndo = "the file is as it was, or gone";
inline constexpr std::string_view kRecoverRestart = "{}: Docker sees it only when it starts";
inline constexpr std::string_view kRecoverRestartEffect = "systemctl restart {}";
inline constexpr std::string_view kRecoverRestartUndo = "nothing is left of it";
inline constexpr std::string_view kRecoverNeedsRestart =
    "Docker has to be restarted ({}): --restart-docker does it. These stop meanwhile: {}";
inline constexpr std::string_view kRecoverRestartIt =
    "Docker has to be restarted ({}) by whoever runs it ('systemctl --user restart docker' where "
    "that is a user). These stop meanwhile: {}";
inline constexpr std::string_view kRecoverHalfMade =
    "Compose was ended while it made it, and left it beside the old one";
inline constexpr std::string_view kRecoverNobody = "none";

}  // namespace estiva::msg
