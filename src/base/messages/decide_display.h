// What a user reads about which GPU draws, which computes and what keeps one awake.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kOtherGpu = "{} GPU {:04x}:{:04x}";  // maker, PCI vendor, device
inline constexpr std::string_view kAwakeScreen = "a screen is connected to it ({})";
inline constexpr std::string_view kAwakePowerOn =
    "its power management is off (power/control is \"on\")";
inline constexpr std::string_view kAwakeUser = "{} (pid {}) has it open";  // process
inline constexpr std::string_view kAwakeUsers = "{} more processes have it open";
inline constexpr std::string_view kAwakeHidden =
    "{} processes could not be looked at; run this as root to see them";

inline constexpr std::string_view kDesktopOnNvidia =
    "The desktop is drawn by the NVIDIA GPU, and holds {} of its memory. On a machine with two "
    "GPUs the other one can draw: 'prime-select on-demand' (Ubuntu), or the desktop's own setting, "
    "then log in again";
inline constexpr std::string_view kDesktopHolds =
    "Programs of the desktop hold {} of the NVIDIA GPU's memory: {}. Start them without the "
    "offload variables (__NV_PRIME_RENDER_OFFLOAD, DRI_PRIME) to have it for models";
inline constexpr std::string_view kPowerRule =
    "The NVIDIA GPU never sleeps: its power management is off. A udev rule turns it on: "
    "ACTION==\"bind\", SUBSYSTEM==\"pci\", DRIVER==\"nvidia\", ATTR{power/control}=\"auto\"";
inline constexpr std::string_view kPrimeInContainer =
    "{} sets {}, which means nothing inside a container: what it sees of the GPU is what Docker "
    "gives it. Take the variable out";  // container, variable

}  // namespace estiva::msg
