// Sentences about the health of a GPU. {} are filled by fmt in the order of the comment.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kHealthHot =
    "it is at {:.0f} C; {} is {:.0f} C";  // now, which limit, limit
inline constexpr std::string_view kLimitMax = "health.max_temperature";
inline constexpr std::string_view kLimitSlowdown = "the temperature at which it slows down";
inline constexpr std::string_view kLimitShutdown =
    "the temperature at which it switches itself off";
inline constexpr std::string_view kLimitAssumed = "the limit where a device names none";
inline constexpr std::string_view kHealthHotRemedy =
    "Check its fan and the air around it, or lower its power limit with 'nvidia-smi -pl WATTS'";
inline constexpr std::string_view kHealthThrottled =
    "its hardware slowed it down for {:.0f} % of the last ten minutes (heat or its power supply)";
inline constexpr std::string_view kHealthThrottledRemedy =
    "Check its power cables and its cooling; 'nvidia-smi -q -d PERFORMANCE' names the cause";
inline constexpr std::string_view kHealthSoftThermal =
    "the driver slowed it down for {:.0f} % of the last ten minutes, because it is warm";
inline constexpr std::string_view kHealthUncorrected =
    "its memory had {} errors since the driver was loaded that ECC could not correct";
inline constexpr std::string_view kHealthUncorrectedRemedy =
    "End what runs on it and reset it ('nvidia-smi --gpu-reset', or restart the machine); if it "
    "comes back, the card has to be replaced";
inline constexpr std::string_view kHealthNarrowLink =
    "its PCIe link has {} of {} lanes under load";  // now, possible
inline constexpr std::string_view kHealthSlowLink =
    "its PCIe link runs as generation {} of {} under load";  // now, possible
inline constexpr std::string_view kHealthLinkRemedy =
    "Check that the card sits firmly in its slot, its riser cable, and the slot's setting in the "
    "firmware";
inline constexpr std::string_view kHealthFan = "its fan stands still at {:.0f} C";
inline constexpr std::string_view kHealthFanRemedy = "Check the fan and its cable";
inline constexpr std::string_view kHealthPower =
    "it draws {:.0f} W, and its limit is {:.0f} W";  // now, limit
inline constexpr std::string_view kHealthPowerRemedy =
    "Check its power supply; if the figure stays, the sensor on the card may be broken";
inline constexpr std::string_view kHealthLost = "the driver says that it is lost";
inline constexpr std::string_view kHealthLostRemedy =
    "Restart the machine; if it comes back, check the card's slot and its power cables";
inline constexpr std::string_view kHealthReset = "the driver says that it has to be reset";
inline constexpr std::string_view kHealthResetRemedy =
    "End what runs on it and reset it ('nvidia-smi --gpu-reset', or restart the machine)";
inline constexpr std::string_view kHealthFailed = "the driver does not answer for it";
inline constexpr std::string_view kHealthFailedRemedy =
    "'journalctl -k | grep NVRM' shows what the driver says";
inline constexpr std::string_view kHealthMissing =
    "GPU {} at {} was there and is not listed any more";  // index, PCI address
inline constexpr std::string_view kHealthMissingRemedy =
    "'journalctl -k | grep NVRM' may say why; restart the machine, and check the card's slot and "
    "power cables";

// The slow figures.
inline constexpr std::string_view kHealthMemoryHot =
    "its memory is at {:.0f} C; the most it may have is {:.0f} C";  // now, limit
inline constexpr std::string_view kHealthLifetimeErrors =
    "ECC could not correct {} memory errors in its life; none since the driver was loaded";
inline constexpr std::string_view kHealthLifetimeErrorsRemedy =
    "Nothing is wrong now; if there are more, have it replaced";
inline constexpr std::string_view kHealthRemapPending =
    "a row of its memory had an error and will be replaced by a spare one at the next reset; what "
    "runs now stays correct";
inline constexpr std::string_view kHealthRetiredPending =
    "a page of its memory had an error and will be left out after the next reset";
inline constexpr std::string_view kHealthRepairPendingRemedy =
    "When nothing runs on it, reset it with 'nvidia-smi --gpu-reset -i INDEX' or restart the "
    "machine";
inline constexpr std::string_view kHealthRemapFailed =
    "a row of its memory had an error and there was no spare one to replace it";
inline constexpr std::string_view kHealthManyRemaps =
    "{} rows of its memory were replaced after errors that ECC could not correct";
inline constexpr std::string_view kHealthRetiredPages =
    "{} pages of its memory were given up after errors; the most is {}";  // pages, most
inline constexpr std::string_view kHealthReplaceRemedy =
    "Have the card replaced; its maker wants the output of 'nvidia-bug-report.sh'";
inline constexpr std::string_view kHealthWantsReboot =
    "the driver says that the machine has to be restarted";
inline constexpr std::string_view kHealthRebootRemedy = "Restart the machine";
inline constexpr std::string_view kHealthWantsDrain =
    "the driver says that no more traffic between GPUs should go through it";
inline constexpr std::string_view kHealthWantsDrainRemedy =
    "Models on one GPU may go on; end those that span several GPUs, then reset it";
inline constexpr std::string_view kHealthWantsUnknown =
    "the driver asks for a recovery action that estiva does not know ({})";  // number
inline constexpr std::string_view kHealthWantsUnknownRemedy =
    "'nvidia-smi -q' names it under \"GPU Recovery Action\"";
inline constexpr std::string_view kHealthLinkDown =
    "{} NVLinks are active; there were {}";  // now, before
inline constexpr std::string_view kHealthLinkErrors =
    "its NVLinks have errors: {} replays and recoveries, {} CRC errors since the driver was loaded";
inline constexpr std::string_view kHealthLinksRemedy =
    "'nvidia-smi nvlink --status' and 'nvidia-smi nvlink -e' show which; check the bridge or the "
    "NVSwitch board";
inline constexpr std::string_view kHealthFabricMissing =
    "it has not joined the NVSwitch fabric; CUDA can't start on it";
inline constexpr std::string_view kHealthFabricFailed =
    "it could not join the NVSwitch fabric (NVML error {}); CUDA can't start on it";  // code
inline constexpr std::string_view kHealthFabricRemedy =
    "Is nvidia-fabricmanager of the driver's version installed and running? 'systemctl status "
    "nvidia-fabricmanager'";

// Errors that the driver reports by number.
inline constexpr std::string_view kXid = "XID {}: {}";  // code, what it is
inline constexpr std::string_view kXidUnknown = "an error that NVIDIA's catalogue does not explain";
inline constexpr std::string_view kNoXid = "No Error";
inline constexpr std::string_view kXidTimes = ", {} times";
inline constexpr std::string_view kXidProcess = " (process {}, pid {})";
inline constexpr std::string_view kXidContainer = " in {}";  // container
inline constexpr std::string_view kXidVictims =
    "; {} different programs met such errors within ten minutes";
inline constexpr std::string_view kXidSuspectRemedy =
    "Where different programs meet errors the card is suspect: check its cooling and power, and "
    "try "
    "them on another card";
inline constexpr std::string_view kXidContent = "; the driver says that nothing has to be done";
inline constexpr std::string_view kXidContentRemedy =
    "Nothing has to be done now; if it comes back, have the card looked at";
inline constexpr std::string_view kXidRestartRemedy =
    "Restart the program or container that used the GPU then; where different programs meet it, "
    "suspect the card";
inline constexpr std::string_view kXidRateRemedy =
    "Nothing is wrong yet; if it goes on, have the card replaced";
inline constexpr std::string_view kXidContactRemedy =
    "'journalctl -k | grep Xid' shows the driver's words; if it comes back, ask the card's maker "
    "with the output of 'nvidia-bug-report.sh'";
inline constexpr std::string_view kXidUvmRemedy =
    "'journalctl -k | grep -i -e Xid -e uvm' shows what the driver did next";
inline constexpr std::string_view kXidUpdateRemedy =
    "Update the driver; host and guest of a virtual GPU need versions that fit together";
inline constexpr std::string_view kXidRestartVmRemedy = "Restart the virtual machine";
inline constexpr std::string_view kXidPowerRemedy =
    "Switch the machine off and connect the power cables to the card";
inline constexpr std::string_view kXidReplaceRemedy =
    "Restart the machine; if it comes back, have the card replaced";

}  // namespace estiva::msg
