// Sentences about the units of the set-up and their order. {} are filled by fmt in the order of the
// comment.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kUnitCycle =
    "These units wait for each other, so systemd will leave out one of them at boot: {}";  // links
inline constexpr std::string_view kUnitWaits =
    "{} waits for {} ({} in {})";  // unit, after, key, unit
inline constexpr std::string_view kUnitWaitsBySystemd = "{} waits for {} (systemd's own rule)";
inline constexpr std::string_view kUnitsTooMany =
    "Only the first {} units were looked at; the order of the others is not known";
inline constexpr std::string_view kUnitOrdersTooMany =
    "Only the first {} dependencies between units were looked at";

// Why a file is written.
inline constexpr std::string_view kWhyCdiService =
    "The GPU's CDI specification is written at each boot, before the container engine starts";
inline constexpr std::string_view kWhyCdiPath =
    "It is written anew when the driver's files change, as in an upgrade";
inline constexpr std::string_view kWhyCdiResume = "It is written anew after a suspend";
inline constexpr std::string_view kWhyCdiRules =
    "It is written anew when a module of the driver is loaded, and when a GPU comes or goes";
inline constexpr std::string_view kWhyVendor =
    "NVIDIA's own specification is there before the container engine starts, too";
inline constexpr std::string_view kWhySockets = "Clients find the daemon at the same socket always";
inline constexpr std::string_view kWhyLaunch =
    "Programs of models have limits and users of their own, not the daemon's";
inline constexpr std::string_view kWhyGateway =
    "Requests for models are answered at one address, also while the daemon is started again";
inline constexpr std::string_view kWhyDaemon = "The daemon runs from the boot on";
inline constexpr std::string_view kWhyUser = "The daemon runs as a user of its own";
inline constexpr std::string_view kWhyFolders = "The daemon's folders are there at each boot";
inline constexpr std::string_view kWhySuspend =
    "What lies in the GPU's memory outlives a suspend; without this, models are lost in it";

// Why NVIDIA's own unit is left as it is.
inline constexpr std::string_view kVendorUnitLate =
    "{} is ordered after {}, and a drop-in can't take that back: starting it before {} would make "
    "a "
    "cycle. Upgrade NVIDIA's container toolkit; estiva's own specification does not depend on it";
inline constexpr std::string_view kVendorUnitSlow =
    "{} waits before it does anything ({}), so {} must not wait for it. Upgrade NVIDIA's container "
    "toolkit; estiva's own specification does not depend on it";
}  // namespace estiva::msg
