// Doctor's signatures of the driver and the kernel, D1 to D22: the words of each row, then the
// titles for one machine.
#pragma once
#include "base/messages/decide_doctor.h"

namespace estiva::msg {

inline constexpr DoctorWords kD1{
    "the driver is not installed",
    "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot "
    "open shared object file: no such file or directory",
    "PCI devices of NVIDIA, and the libraries that the loader finds",
    "Install NVIDIA's driver for this distribution and restart the machine.",
    "",
    "NVIDIA/libnvidia-container #231, NVIDIA/nvidia-container-toolkit #154"};
inline constexpr DoctorWords kD2{
    "the driver's kernel module is not loaded",
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that "
    "the latest NVIDIA driver is installed and running.",
    "/proc/driver/nvidia/version, and modules.dep of the running kernel",
    "Load it now and at each boot: sudo modprobe -a nvidia nvidia_uvm && printf "
    "'nvidia\\nnvidia_uvm\\n' | sudo tee /etc/modules-load.d/nvidia.conf",
    "Remove /etc/modules-load.d/nvidia.conf.",
    "NVIDIA/nvidia-container-toolkit #1611"};
inline constexpr DoctorWords kD3{
    "driver and library versions differ",
    "Failed to initialize NVML: Driver/library version mismatch",
    "/proc/driver/nvidia/version, and the version in the libraries' file names",
    "Restart the machine; or stop what uses the GPU and reload the modules: sudo modprobe -r "
    "nvidia_uvm nvidia_drm nvidia_modeset nvidia && sudo modprobe -a nvidia nvidia_uvm",
    "Nothing to undo: the module that is on the disk is loaded.",
    "NVIDIA/nvidia-container-toolkit #394 and #171"};
inline constexpr DoctorWords kD4{
    "the next boot or upgrade brings a version mismatch",
    "Failed to initialize NVML: Driver/library version mismatch",
    "the version of the module on the disk, of the libraries, held packages, automatic upgrades",
    "Bring module and libraries to the same version, then restart the machine when it suits you. "
    "On Debian and Ubuntu, list the driver's packages in Unattended-Upgrade::Package-Blacklist.",
    "Remove /etc/apt/apt.conf.d/52estiva-nvidia, or release the packages that were held.",
    "pando85/homelab pull request #4110"};
inline constexpr DoctorWords kD5{
    "Secure Boot refuses the module",
    "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service",
    "the SecureBoot variable of the firmware, the module's signature, the kernel log",
    "Enrol the key that signs the module, and confirm it at the next boot.",
    "",
    "acidanthera/bugtracker #2237; kernel documentation, admin-guide/module-signing"};
inline constexpr DoctorWords kD6{
    "no module for a kernel",
    "modprobe: FATAL: Module nvidia not found in directory /lib/modules/",
    "modules.dep of each kernel that can be booted",
    "Install the kernel's headers and build the module.",
    "Nothing to undo: only the module is built.",
    "modprobe(8) and dkms(8): a module belongs to one kernel release"};
inline constexpr DoctorWords kD7{
    "another driver holds the GPU",
    "NVRM: The NVIDIA probe routine was not called for 1 device(s).",
    "the driver that each PCI device is bound to",
    "Blacklist the other driver, make a new initramfs and restart the machine.",
    "Remove /etc/modprobe.d/blacklist-nouveau.conf, make the initramfs again and restart.",
    "the open kernel module's source, nv.c (nv_printf \"probe routine was not called\")"};
inline constexpr DoctorWords kD8{
    "the GPU is handed to a virtual machine",
    "nvidia-smi: No devices were found",
    "the driver that each PCI device is bound to",
    "If no virtual machine needs it, take it out of vfio-pci's list in /etc/modprobe.d or on the "
    "kernel's command line and restart the machine.",
    "",
    "kernel documentation, driver-api/vfio: vfio-pci owns a device that is passed through"};
inline constexpr DoctorWords kD9{
    "the driver can't start the GPU",
    "NVRM: GPU 0000:01:00.0: RmInitAdapter failed!",
    "the kernel log, the kind of the module (open or not), its branch, the GPU's PCI id",
    "Install the kind and branch of driver that this GPU needs; 'journalctl -k | grep NVRM' shows "
    "the driver's words.",
    "",
    "NVIDIA/open-gpu-kernel-modules #789 and #116; its source, nv.c (not supported by open "
    "nvidia.ko)"};
inline constexpr DoctorWords kD10{
    "the GPU has fallen off the bus",
    "Unable to determine the device handle for GPU 0000:01:00.0: Unknown Error",
    "the kernel log (Xid 79), the device's configuration space, NVML",
    "Switch the machine off, wait a minute and switch it on; if it comes back, check the card's "
    "slot, its power cables and its temperature.",
    "",
    "NVIDIA's list of Xid errors, 79; nvidia-modprobe and NVML name the state the same way"};
inline constexpr DoctorWords kD11{
    "device nodes that CUDA needs are missing",
    "failed to stat CDI host device \"/dev/nvidia-uvm\": no such file or directory",
    "/dev/nvidia*, and /proc/devices",
    "Load the module and make the nodes, now and at each boot: sudo modprobe nvidia_uvm && sudo "
    "nvidia-modprobe -c 0 -u; a line nvidia_uvm in a file of /etc/modules-load.d keeps it so",
    "Remove the file from /etc/modules-load.d.",
    "NVIDIA/nvidia-docker #139; measured with nvidia-ctk 1.20.0"};
inline constexpr DoctorWords kD12{
    "the CDI spec lacks /dev/nvidia-modeset",
    "vkCreateInstance: ERROR_INCOMPATIBLE_DRIVER, while CUDA works",
    "/dev/nvidia-modeset, and the nodes of the effective CDI spec",
    "Load nvidia_modeset and make the spec again: sudo modprobe nvidia_modeset && sudo estiva cdi "
    "generate -o PATH",
    "The spec that was there is kept beside the new one.",
    "NVIDIA/nvidia-container-toolkit #1982"};
inline constexpr DoctorWords kD13{
    "a device node has the wrong numbers",
    "CUDA_ERROR_UNKNOWN (999) while the device node is there",
    "the numbers of /dev/nvidia*, and /proc/devices",
    "Make the node again: remove it, then sudo nvidia-modprobe -c 0 -u",
    "The driver makes the old node again if it is asked to.",
    "lf-edge/eve pull request #6387"};
inline constexpr DoctorWords kD14{
    "device nodes are for a group only",
    "Failed to initialize NVML: Insufficient Permissions",
    "mode and group of /dev/nvidia*, and additionalGids of the effective CDI spec",
    "Let the CDI spec name the nodes' group (Docker 27 and newer read it): sudo estiva cdi "
    "generate; "
    "or make them usable for everybody: options nvidia NVreg_DeviceFileMode=0666 in "
    "/etc/modprobe.d/nvidia.conf, then restart.",
    "Put the old spec back, or remove the line from /etc/modprobe.d/nvidia.conf.",
    "NVIDIA/nvidia-docker #284 and #1608, NVIDIA/nvidia-container-toolkit #268 and #580"};
inline constexpr DoctorWords kD15{
    "the GPU does not survive suspend",
    "CUDA_ERROR_UNKNOWN (999) after suspend, while nvidia-smi works",
    "whether the machine slept since the module was loaded, /proc/driver/nvidia/params, the "
    "nvidia-suspend and nvidia-resume units, cuInit",
    "Keep the GPU's memory over suspend: options nvidia NVreg_PreserveVideoMemoryAllocations=1 in "
    "/etc/modprobe.d/nvidia.conf, and sudo systemctl enable nvidia-suspend nvidia-resume "
    "nvidia-hibernate",
    "Remove the line from /etc/modprobe.d/nvidia.conf and disable the units.",
    "ollama/ollama #3282, #2934, #5464 and #10053; NVIDIA/nvidia-container-toolkit #1155"};
inline constexpr DoctorWords kD16{
    "nothing keeps the driver awake",
    "CUDA_ERROR_NO_DEVICE (100) some time after the last client left",
    "nvidia-persistenced, persistence mode of each GPU, who else holds it",
    "sudo systemctl enable --now nvidia-persistenced",
    "sudo systemctl disable --now nvidia-persistenced",
    "ollama/ollama #5035; NVIDIA's driver persistence document"};
inline constexpr DoctorWords kD17{
    "the NVSwitch fabric is not up",
    "CUDA_ERROR_SYSTEM_NOT_READY (802): system not yet initialized",
    "NVSwitches on PCI, nvidia-fabricmanager and its version, the fabric's state by NVML, cuInit",
    "Install nvidia-fabricmanager of exactly the driver's version and start it: sudo systemctl "
    "enable --now nvidia-fabricmanager",
    "sudo systemctl disable --now nvidia-fabricmanager",
    "pytorch/pytorch #35710, ollama/ollama #12136"};
inline constexpr DoctorWords kD18{
    "nvidia_uvm can't reserve addresses (HMM)",
    "uvm_pmm_gpu.c: request_free_mem_region() err -34",
    "the kernel log, and the options of nvidia_uvm",
    "Switch HMM off: echo 'options nvidia_uvm uvm_disable_hmm=1' | sudo tee "
    "/etc/modprobe.d/nvidia-uvm-hmm.conf, then restart the machine.",
    "Remove /etc/modprobe.d/nvidia-uvm-hmm.conf and restart.",
    "CUDA 13.1 release notes, known issues"};
inline constexpr DoctorWords kD19{
    "strict memory accounting breaks NVIDIA's hook",
    "nvidia-container-cli: initialization error: driver rpc error: failed to process request",
    "vm.overcommit_memory, the kernel log, and whether NVIDIA's hook is installed",
    "sudo sysctl vm.overcommit_memory=0, and the same in /etc/sysctl.d",
    "sudo sysctl vm.overcommit_memory=2, and remove the file from /etc/sysctl.d.",
    "NVIDIA/nvidia-container-toolkit #1324"};
inline constexpr DoctorWords kD20{
    "the compute mode keeps programs away",
    "CUDA_ERROR_DEVICE_UNAVAILABLE (46): all CUDA-capable devices are busy or unavailable",
    "the compute mode of each GPU, and whether MPS runs",
    "sudo nvidia-smi -c DEFAULT",
    "sudo nvidia-smi -c with the mode that was set.",
    "CUDA runtime API, cudaErrorDevicesUnavailable: compute modes prohibited and exclusive"};
inline constexpr DoctorWords kD21{
    "containers get a dead MPS",
    "Error 805: MPS client failed to connect to the MPS control daemon or the MPS server",
    "/tmp/nvidia-mps, its daemon, and the mounts of the effective CDI spec",
    "Start the daemon (sudo nvidia-cuda-mps-control -d), or make the CDI spec again without it.",
    "The spec that was there is kept beside the new one.",
    "NVIDIA/nvidia-container-toolkit #714"};
inline constexpr DoctorWords kD22{
    "the GPU slows itself down",
    "SW Thermal Slowdown, HW Thermal Slowdown or HW Power Brake Slowdown: Active",
    "NVML's reasons for the clocks, the temperature and the device's own limit",
    "Check the fan, the air around the card and its power cables; or lower its limit: sudo "
    "nvidia-smi -pl WATTS",
    "",
    "NVML API, nvmlClocksEventReasons; the limit is the device's own (slowdown threshold)"};

// D1
inline constexpr std::string_view kDriverMissing =
    "no NVIDIA driver is installed for the GPU at {}";  // addresses
inline constexpr PerDistribution kInstallDriver{
    "Install it (contrib and non-free must be switched on) and restart: sudo apt install "
    "linux-headers-amd64 nvidia-driver",
    "Install it and restart: sudo ubuntu-drivers install",
    "Install it from NVIDIA's repository and restart: sudo dnf install nvidia-open",
    "Install it and restart: sudo pacman -S nvidia-open nvidia-utils",
    "Install NVIDIA's driver for this distribution and restart the machine."};
// D2
inline constexpr std::string_view kModuleNotLoaded =
    "the driver's module is on the disk for kernel {} and is not loaded";  // release
inline constexpr std::string_view kNotLoadedBlacklist =
    "the driver's module is not loaded: {} line {} forbids it";  // path, line
inline constexpr std::string_view kUnblacklist =
    "If that is not what you want, remove line {} of {}, make the initramfs again and "
    "restart.";  // line, path
inline constexpr std::string_view kNotLoadedCommandLine =
    "the driver's module is not loaded: the kernel's command line forbids it";
inline constexpr std::string_view kUnblacklistCommandLine =
    "If that is not what you want, remove it from the boot loader's configuration and restart.";
inline constexpr std::string_view kProcCommandLine = "/proc/cmdline";
// D3
inline constexpr std::string_view kMismatch =
    "the loaded kernel module is {} and the driver's libraries are {}: nothing that starts now can "
    "use the GPU";  // module, libraries
inline constexpr std::string_view kMismatchInContainer =
    "this container has libraries of {}, and the machine's module is {} now";  // libraries, module
inline constexpr std::string_view kMismatchRecreate =
    "Recreate the container; it takes the libraries that the machine has now.";
// D4
inline constexpr std::string_view kMismatchAtBoot =
    "after the next boot module and libraries will differ: kernel {} has module {}, the libraries "
    "are {}";  // release, module, libraries
inline constexpr PerDistribution kAlignDriver{
    "Finish the upgrade before you restart: sudo apt update && sudo apt full-upgrade && sudo dkms "
    "autoinstall",
    "Finish the upgrade before you restart: sudo apt update && sudo apt full-upgrade",
    "Finish the upgrade before you restart: sudo dnf upgrade",
    "Finish the upgrade before you restart: sudo pacman -Syu",
    "Bring module and libraries to the same version before you restart."};
inline constexpr std::string_view kDriverNotHeld =
    "automatic upgrades may replace the running driver {}: {} is not held";  // version, package
inline constexpr PerDistribution kHoldDriver{
    "Hold the packages and upgrade when a restart suits you: sudo apt-mark hold {}",
    "Hold the packages and upgrade when a restart suits you: sudo apt-mark hold {}",
    "Leave it out of automatic upgrades: exclude={} in /etc/dnf/automatic.conf",
    "Leave it out of upgrades: IgnorePkg = {} in /etc/pacman.conf",
    "Leave {} out of automatic upgrades."};
// D5
inline constexpr std::string_view kSecureBootNow =
    "Secure Boot is on and the driver's module for kernel {} is not accepted";  // release
inline constexpr std::string_view kSecureBootNext =
    "Secure Boot is on and the module of the next kernel {} is not signed: the GPU is gone after "
    "the next boot";  // release
inline constexpr std::string_view kSecureBootVariable = "SecureBoot variable";
inline constexpr std::string_view kSecureBootOn = "it is on";
inline constexpr std::string_view kModuleUnsigned = "nvidia.ko has no signature";
inline constexpr PerDistribution kEnrolKey{
    "Enrol DKMS's key, restart and confirm it: sudo mokutil --import /var/lib/dkms/mok.pub",
    "Enrol the key, restart and confirm it: sudo update-secureboot-policy --enroll-key; or install "
    "the signed modules: sudo ubuntu-drivers install",
    "Enrol the key, restart and confirm it: sudo mokutil --import /var/lib/dkms/mok.pub (DKMS) or "
    "/etc/pki/akmods/certs/public_key.der (akmods)",
    "Sign the module with your own keys (sbctl, sbsigntools) or switch Secure Boot off in the "
    "firmware.",
    "Enrol the key that signs the module (mokutil --import), or switch Secure Boot off."};
// D6
inline constexpr std::string_view kNoModuleRunning =
    "there is no NVIDIA module for the running kernel {}";  // release
inline constexpr std::string_view kNoModuleNext =
    "there is no NVIDIA module for kernel {}, which starts at the next boot";  // release
inline constexpr std::string_view kKernelReplaced =
    "the modules of the running kernel were removed by an upgrade: {} can't be loaded any "
    "more";  // module
inline constexpr std::string_view kModulesDepLacks = "modules.dep does not list nvidia.ko";
inline constexpr std::string_view kNoRunningFolder = "no folder of the running kernel is there";
inline constexpr std::string_view kRestartMachine = "Restart the machine.";
inline constexpr PerDistribution kBuildModule{
    "sudo apt install linux-headers-{0} && sudo dkms autoinstall -k {0}",
    "sudo apt install linux-headers-{0} && sudo dkms autoinstall -k {0}; with the ready-made "
    "modules: sudo ubuntu-drivers install",
    "sudo dnf install kernel-devel-{0} && sudo dkms autoinstall -k {0} (with akmods: sudo akmods "
    "--kernels {0})",
    "sudo pacman -S --needed linux-headers nvidia-open-dkms, for kernel {0}",
    "Install the headers of kernel {0} and build the module (dkms autoinstall -k {0})."};
// D7, D8
inline constexpr std::string_view kHeldBy =
    "the GPU at {} is held by {}, so NVIDIA's driver can't have it";  // addresses, driver
inline constexpr PerDistribution kBlacklistNouveau{
    "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' | sudo tee "
    "/etc/modprobe.d/blacklist-nouveau.conf && sudo update-initramfs -u, then restart",
    "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' | sudo tee "
    "/etc/modprobe.d/blacklist-nouveau.conf && sudo update-initramfs -u, then restart",
    "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' | sudo tee "
    "/etc/modprobe.d/blacklist-nouveau.conf && sudo dracut --force, then restart",
    "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' | sudo tee "
    "/etc/modprobe.d/blacklist-nouveau.conf && sudo mkinitcpio -P, then restart",
    "Blacklist nouveau in /etc/modprobe.d, make the initramfs again and restart."};
inline constexpr std::string_view kPassedThrough =
    "the GPU at {} is bound to vfio-pci: no container of this machine can use it";  // addresses
// D9
inline constexpr std::string_view kNeedsOpenModule =
    "the GPU at {} works only with NVIDIA's open kernel modules, and the closed one ({}) is "
    "loaded";  // address, version
inline constexpr std::string_view kNeedsClosedModule =
    "the GPU at {} is too old for the open kernel modules ({}) that are loaded";  // address,
                                                                                  // version
inline constexpr std::string_view kNeedsOldBranch =
    "the GPU at {} is no longer supported by driver {}; {} is the last branch that knows "
    "it";  // address, version, branch
inline constexpr std::string_view kInitFailed = "the driver could not start the GPU at {}";  // ids
inline constexpr PerDistribution kInstallOpen{
    "Install the open modules and restart: sudo apt install nvidia-open-kernel-dkms",
    "Install the open modules and restart: sudo apt install nvidia-driver-{}-open",
    "Install the open modules and restart: sudo dnf install nvidia-open --allowerasing",
    "Install the open modules and restart: sudo pacman -S nvidia-open",
    "Install NVIDIA's open kernel modules and restart."};
inline constexpr PerDistribution kInstallOld{
    "Install the closed modules of branch {0} and restart: sudo apt install nvidia-driver "
    "nvidia-kernel-dkms",
    "Install the closed modules of branch {0} and restart: sudo apt install nvidia-driver-{0}",
    "Install the closed modules of branch {0} and restart (RPM Fusion: akmod-nvidia-{0}xx)",
    "Install the closed modules of branch {0} and restart (AUR: nvidia-{0}xx-dkms)",
    "Install the closed modules of branch {0} and restart."};
// D10
inline constexpr std::string_view kOffTheBus = "the GPU at {} has fallen off the bus";  // address
inline constexpr std::string_view kSilentDevice = "its configuration space reads 0xff";
inline constexpr std::string_view kNvmlLost = "NVML says that it is lost";
// D11
inline constexpr std::string_view kNodesMissing = "{} missing: CUDA can't start";  // nodes + verb
inline constexpr std::string_view kOneIs = "{} is";
inline constexpr std::string_view kManyAre = "{} are";
inline constexpr std::string_view kUvmNotLoaded =
    "nvidia_uvm is not loaded, so /dev/nvidia-uvm is missing or dead: CUDA can't start";
inline constexpr std::string_view kUvmNotListed = "nvidia-uvm is not listed";
inline constexpr std::string_view kNodeIsMissing = "it does not exist";
// D12
inline constexpr std::string_view kSpecLacksModeset =
    "{} has graphics libraries and no /dev/nvidia-modeset: Vulkan and EGL fail in "
    "containers";  // spec
inline constexpr std::string_view kSpecModesetRemedy =
    "Make the spec again: sudo estiva cdi generate -o {}";  // spec
// D13
inline constexpr std::string_view kWrongNumbers =
    "{} is device {}:{} and should be {}:{}";             // path, is, should
inline constexpr std::string_view kDevicesSay = "{} {}";  // major, name
inline constexpr std::string_view kMakeNode =
    "sudo rm {0} && sudo mknod -m 666 {0} c {1} {2}";  // path, major, minor
inline constexpr std::string_view kRecreateContainer =
    "Recreate the container; it takes the device that the machine has now.";
// D14
inline constexpr std::string_view kNodesForGroup =
    "{} has mode {:04o}, group {}: programs in containers that are not root can't open it";
inline constexpr std::string_view kNodeModeIs = "mode {:04o}, owner {}, group {}";
// D15
inline constexpr std::string_view kBrokenAfterSleep =
    "CUDA does not start since the machine slept (cuInit {})";  // number
inline constexpr std::string_view kReloadUvm =
    "Stop what uses the GPU, reload the module and start the containers again: sudo modprobe -r "
    "nvidia_uvm && sudo modprobe nvidia_uvm";
inline constexpr std::string_view kLosesMemory =
    "the machine sleeps, and the driver is not set to keep the GPU's memory: what runs then fails "
    "when it wakes";
inline constexpr std::string_view kNvidiaParams = "/proc/driver/nvidia/params";
inline constexpr std::string_view kUnitNotEnabled = "{} is not enabled";  // unit
// D16
inline constexpr std::string_view kNotPersistent =
    "neither a screen nor nvidia-persistenced keeps the driver awake: it forgets the GPU's state "
    "whenever the last program leaves";
inline constexpr std::string_view kPersistenceOff = "persistence mode is off";
// D17
inline constexpr std::string_view kFabricManagerStopped =
    "this machine has NVSwitches and nvidia-fabricmanager does not run: CUDA can't start";
inline constexpr std::string_view kFabricManagerOther =
    "nvidia-fabricmanager is {} and the driver is {}: they have to be the same";  // versions
inline constexpr std::string_view kFabricNotReady =
    "cuInit says that the system is not ready (802): the NVSwitch fabric is not up";
inline constexpr std::string_view kFabricVersion = "nvidia-fabricmanager";
inline constexpr std::string_view kDoesNotRun = "it does not run";
// D18
inline constexpr std::string_view kHmmFails =
    "nvidia_uvm could not reserve addresses for HMM, so CUDA can't start";
inline constexpr std::string_view kHmmOffAfterBoot =
    "The option is set in {} already; it counts after a restart.";  // path
// D19
inline constexpr std::string_view kOvercommitFails =
    "vm.overcommit_memory is 2 and the kernel refused memory to NVIDIA's container hook";
inline constexpr std::string_view kOvercommitMay =
    "vm.overcommit_memory is 2: the kernel may refuse memory to NVIDIA's container hook";
inline constexpr std::string_view kOvercommitFile = "/proc/sys/vm/overcommit_memory";
// D20
inline constexpr std::string_view kComputeProhibited =
    "the compute mode of a GPU is 'prohibited': no CUDA program can use it";
inline constexpr std::string_view kComputeExclusive =
    "the compute mode of a GPU is 'exclusive' and MPS does not run: a second program is refused";
inline constexpr std::string_view kComputeMode = "compute mode";
// D21
inline constexpr std::string_view kMpsDead =
    "{} mounts {}, and no MPS daemon runs: programs in containers fail";  // spec, path
// D22
inline constexpr std::string_view kTooHot =
    "GPU {} ({}) is at {:.0f} C, and slows itself down at {:.0f} C";  // index, name, now, limit
inline constexpr std::string_view kBraked =
    "GPU {} ({}) is slowed down by its hardware: heat or its power supply";  // index, name
inline constexpr std::string_view kClockReasons = "clock reasons 0x{:x}";

}  // namespace estiva::msg
