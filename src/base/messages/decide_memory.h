// What is said of memory: settings of the kernel, the seed's values, levers, and why swap does not
// grow.
#pragma once
#include <string_view>

namespace estiva::msg {

// 'estiva memory tune'.
inline constexpr std::string_view kTuneReason = "{}: {}";  // device, why
inline constexpr std::string_view kTuneEffect = "{} = {}";
inline constexpr std::string_view kTuneUndo = "{} = {}, as it was";
inline constexpr std::string_view kTuneAtBoot = "it stays so after a reboot";
inline constexpr std::string_view kTuneFile =
    "# Written by estiva memory tune; 'estiva memory tune undo' takes it back.\n";
inline constexpr std::string_view kTuneHdd = "swap on a disk that turns";
inline constexpr std::string_view kTuneSata = "swap on a SATA SSD";
inline constexpr std::string_view kTuneNvme = "swap on NVMe";
inline constexpr std::string_view kTuneZram = "swap in zram";
inline constexpr std::string_view kTuneZswap = "zswap before the swap files";
inline constexpr std::string_view kTuneSeedSsd = "the profile 'seed-ssd'";
inline constexpr std::string_view kTuneSeedHdd = "the profile 'seed-hdd'";
inline constexpr std::string_view kTuneSwapHdd =
    "to read a page back costs far more there than to read a file on";
inline constexpr std::string_view kTuneSwapSata =
    "the kernel's own value: files are read back a little sooner than pages";
inline constexpr std::string_view kTuneSwapNvme =
    "to swap a page costs what it costs to drop one of a file, so both are treated alike";
inline constexpr std::string_view kTuneSwapPacked =
    "to pack a page costs less than to read a file, so pages go first";
inline constexpr std::string_view kTuneSwapOld =
    "this kernel knows values to 100; later ones, 5.8 and on, to 200";
inline constexpr std::string_view kTuneCache =
    "the kernel's own value; no other has shown a benefit";
inline constexpr std::string_view kTuneScale =
    "with more than 64 GiB the kernel begins to reclaim too late to be ahead of a burst";
inline constexpr std::string_view kTuneScalePacked =
    "packing takes time, so the kernel begins earlier";
inline constexpr std::string_view kTuneCluster =
    "to read pages ahead gains nothing where nothing has to be sought";
inline constexpr std::string_view kTuneAsked = "as the profile says";
inline constexpr std::string_view kTuneUnread = "{} can't be read here, so it is left as it is";
inline constexpr std::string_view kObjectSwapSsd =
    "vm.swappiness = 10 drops nineteen pages of model weights before one idle page is swapped. On "
    "an "
    "SSD swap is cheaper than on a disk, so the value belongs above the disk's, not below it; "
    "estiva's own is {}";
inline constexpr std::string_view kObjectCache =
    "vm.vfs_cache_pressure = 50 keeps names of files in memory that programs want; no benefit was "
    "measured. Near 0 it can end in out-of-memory; estiva's own is 100";
inline constexpr std::string_view kObjectWrongDevice =
    "the profile is for {}, and swap here is on {}";
inline constexpr std::string_view kDeviceHdd = "a disk that turns";
inline constexpr std::string_view kDeviceSata = "a SATA SSD";
inline constexpr std::string_view kDeviceNvme = "NVMe";
inline constexpr std::string_view kDeviceZram = "zram";
inline constexpr std::string_view kDeviceZswap = "zswap";
inline constexpr std::string_view kDeviceSsd = "an SSD";

// 'estiva memory start --config FILE'.
inline constexpr std::string_view kSeedFolder =
    "a program with root's rights writes only where no other user can rename or replace its files";
inline constexpr std::string_view kSeedMin =
    "it stands ready from the start, in two areas; estiva's own is {}";
inline constexpr std::string_view kSeedMax =
    "never above it, and never so much that the disk's free space falls below its floor";
inline constexpr std::string_view kSeedIncrement =
    "'memory expand' without a size adds it; by itself swap grows in steps in proportion to what "
    "is "
    "there, because the kernel takes only {} areas or so";
inline constexpr std::string_view kSeedThreshold =
    "crossing it leaves an event; swap grows by how fast memory fills, because a high use that "
    "does "
    "not grow needs none";
inline constexpr std::string_view kSeedInterval =
    "memory is looked at each 5 ms to 1 s, by how long it lasts: in {} s one thread fills {}";
inline constexpr std::string_view kSeedByRate = "by rate";
inline constexpr std::string_view kSeedInProportion = "in proportion";
inline constexpr std::string_view kSeedUnknown =
    "'{}' is none of the six settings that are known: {}";
inline constexpr std::string_view kSeedSize = "{} = '{}' is not a size; write 2G or 512M";
inline constexpr std::string_view kSeedNumber = "{} = '{}' is not a whole number from {} to {}";
inline constexpr std::string_view kSeedOrder =
    "MIN_SWAP_SIZE ({}) is larger than MAX_SWAP_SIZE ({}), so both are estiva's own";

// The ladder: reason, effect and undo of each lever.
inline constexpr std::string_view kLeverShort =
    "{} of memory and swap are left, {} are needed; it fills at {} a second";
inline constexpr std::string_view kLeverUnload = "model '{}' is unloaded: idle for {}, it holds {}";
inline constexpr std::string_view kLeverUnloadUndo = "the next request loads it again";
inline constexpr std::string_view kLeverReclaim = "{} of the idle group {} are reclaimed";
inline constexpr std::string_view kLeverReclaimUndo =
    "pages that are wanted come back by themselves";
inline constexpr std::string_view kLeverGrow = "swap grows by {}";
inline constexpr std::string_view kLeverGrowUndo = "it goes when it was empty for a while";
inline constexpr std::string_view kLeverBrake =
    "{} grows by {} a second and is slowed at {} (memory.high)";
inline constexpr std::string_view kLeverBrakeUndo = "memory.high as it was, after {} at most";
inline constexpr std::string_view kLeverFreeze = "{} grows by {} a second and is frozen";
inline constexpr std::string_view kLeverFreezeUndo = "it is thawed, after {} at most";
inline constexpr std::string_view kLeverPause = "no further model is loaded";
inline constexpr std::string_view kLeverPauseUndo = "models are loaded again, after {} at most";
inline constexpr std::string_view kLeverKill =
    "{} is ended, {} and {}; by the declared order it is the first";  // bytes, processes
inline constexpr std::string_view kLeverKillUndo = "none; what it had not saved is lost";
inline constexpr std::string_view kLeverCpu =
    "tasks waited for a CPU {} of the last minute; {} takes the most of it";
inline constexpr std::string_view kLeverIo =
    "tasks waited for disks {} of the last minute; {} takes the most of it";
inline constexpr std::string_view kLeverWeight = "{} of {} becomes {}, it was {}";
inline constexpr std::string_view kLeverWeightUndo = "{} again, after {} at most or at a reboot";
inline constexpr std::string_view kDiskPressure = "the disk of {} is used to {}";
inline constexpr std::string_view kDiskPressureRemedy =
    "See what can go: 'estiva clean plan'. Volumes and models are never touched";
inline constexpr std::string_view kOneProcess = "1 process";
inline constexpr std::string_view kProcesses = "{} processes";
inline constexpr std::string_view kSpareProtected = "it is protected";
inline constexpr std::string_view kSpareForeign = "estiva did not make it";
inline constexpr std::string_view kSpareUndeclared = "no order is declared for it";
inline constexpr std::string_view kSpareLarge = "it has {}, and at most {} may be ended at once";

// Why swap does not grow, and what to do.
inline constexpr std::string_view kHaltNothing = "nothing is in the way";
inline constexpr std::string_view kHaltSwappable =
    "what grows can't be swapped: it is locked, pinned or mapped from files; only {} could move";
inline constexpr std::string_view kHaltSwappableDo =
    "Unload a model that is idle (estiva free-memory), or give the program less to lock";
inline constexpr std::string_view kHaltDisk =
    "the disk's free space is at its floor; {} more of swap are wanted";
inline constexpr std::string_view kHaltDiskDo =
    "Free some of it (estiva clean plan), or set a lower floor";
inline constexpr std::string_view kHaltCap = "all that may be taken is taken; {} more are wanted";
inline constexpr std::string_view kHaltCapDo =
    "Set a larger cap; it is three times the RAM or an eighth of the volume, whichever is less";
inline constexpr std::string_view kHaltSlots =
    "the kernel takes no more swap areas, or eight of estiva's are there; {} more are wanted";
inline constexpr std::string_view kHaltSlotsDo =
    "Switch off swap of others that is small or empty: 'swapon --show' lists it";
inline constexpr std::string_view kHaltFiles =
    "the file system of the swap folder can't hold swap; {} more are wanted";
inline constexpr std::string_view kHaltFilesDo = "Give a folder on ext4, xfs or btrfs";
inline constexpr std::string_view kHaltFailed =
    "the last swap file could not be made; {} more are wanted";
inline constexpr std::string_view kHaltFailedDo =
    "See the events for the error: a quota, a disk that is full or broken; it is tried again";
inline constexpr std::string_view kHaltRoot = "only root can add swap; {} more are wanted";
inline constexpr std::string_view kHaltRootDo =
    "Install the service (estiva setup apply), or run estiva-memd as root";
inline constexpr std::string_view kHaltStopped = "it was stopped; {} more are wanted";
inline constexpr std::string_view kHaltStoppedDo = "Start it again: estiva memory start";

}  // namespace estiva::msg
