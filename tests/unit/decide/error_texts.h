// Errors as users meet them, with places for what differs: {V} a driver's version, {W} another,
// {U} a GPU's UUID, {L} a folder of libraries, {N} a number, {B} a PCI address, {I} a long id.
// Written from the projects' issues and sources, not from the table of patterns.
#pragma once
#include <string_view>

namespace estiva::decide {

struct ErrorText {
  std::string_view rule;
  std::string_view text;
};

inline constexpr std::string_view kRuncHook =
    "docker: Error response from daemon: failed to create task for container: failed to create "
    "shim task: OCI runtime create failed: runc create failed: unable to start container process: "
    "error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: "
    "Auto-detected mode as 'legacy' ";

inline constexpr ErrorText kErrorTexts[] = {
    // LNC #231; nvidia-smi; pynvml.
    {"D1",
     "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: "
     "cannot open shared object file: no such file or directory: unknown."},
    {"D1",
     "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that "
     "the NVIDIA Display Driver is properly installed and present in your system."},
    {"D1", "pynvml.NVMLError_LibraryNotFound: NVML Shared Library Not Found"},
    // NCT #1611.
    {"D2",
     "time=\"2026-01-25T00:45:43+11:00\" level=error msg=\"failed to generate CDI spec: "
     "failed to create device CDI specs: failed to construct device spec generators: failed "
     "to initialize NVML: Driver Not Loaded\""},
    {"D2",
     "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make "
     "sure that the latest NVIDIA driver is installed and running."},
    {"D3", "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: {V}"},
    {"D3",
     "nvidia-container-cli: initialization error: nvml error: driver/library version "
     "mismatch: unknown"},
    {"D3",
     "NVRM: API mismatch: the client has the version {V}, but\nNVRM: this kernel module has "
     "the version {W}.  Please\nNVRM: make sure that this kernel module and all NVIDIA "
     "driver\nNVRM: components have the same version."},
    {"D3",
     "NVRM: API mismatch: the client 'kwin_wayland' (pid {N})\nNVRM: has the version {V}, "
     "but this kernel module has\nNVRM: the version {W}."},
    {"D3",
     "E tensorflow/stream_executor/cuda/cuda_diagnostics.cc:313] kernel version {V} does not "
     "match DSO version {W} -- cannot find working devices in this configuration"},
    {"D4",
     "The NVIDIA driver that is being installed (version {V}) does not match the nvidia "
     "kernel module currently loaded (version {W})."},
    {"D5", "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service"},
    {"D5", "modprobe: ERROR: could not insert 'nvidia_current': Key was rejected by service"},
    {"D6", "modprobe: FATAL: Module nvidia not found in directory /lib/modules/6.1.0-{N}-amd64"},
    {"D6",
     "modprobe: FATAL: Module nvidia-current-uvm not found in directory "
     "/lib/modules/5.15.0-{N}-generic"},
    {"D6",
     "Error! Bad return status for module build on kernel: 6.8.0-{N}-generic (x86_64)\n"
     "Consult /var/lib/dkms/nvidia/{V}/build/make.log for more information."},
    {"D7", "NVRM: No NVIDIA GPU found."},
    {"D7",
     "NVRM: The NVIDIA probe routine was not called for 1 device(s).\nNVRM: This can occur "
     "when another driver was loaded and\nNVRM: obtained ownership of the NVIDIA device(s)."},
    {"D7",
     "ERROR: The Nouveau kernel driver is currently in use by your system.  This driver is "
     "incompatible with the NVIDIA driver, and must be disabled before proceeding."},
    {"D7",
     "01:00.0 VGA compatible controller [0300]: NVIDIA Corporation GP107 [GeForce GTX 1050 "
     "Ti] [10de:1c82] (rev a1)\n\tSubsystem: Device [1458:3729]\n\tKernel driver in use: "
     "nouveau"},
    {"D8", "vfio_pci: add [10de:2684[ffffffff:ffffffff]] class 0x000000/00000000"},
    {"D8",
     "0a:00.0 3D controller [0302]: NVIDIA Corporation GA100 [10de:20b0] (rev a1)\n\tKernel "
     "driver in use: vfio-pci"},
    {"D9", "NVRM: GPU {B}: RmInitAdapter failed! (0x26:0x56:1474)"},
    {"D9",
     "NVRM: The NVIDIA GPU {B} (PCI ID: 10de:2b85)\nNVRM: installed in this system requires "
     "use of the NVIDIA open kernel modules."},
    {"D9",
     "NVRM: The NVIDIA GPU {B} (PCI ID: 10de:1b81)\nNVRM: installed in this system is not "
     "supported by the\nNVRM: NVIDIA {V} driver release."},
    {"D9",
     "NVRM: The NVIDIA GeForce GT 710 GPU installed in this system is\nNVRM:  supported "
     "through the NVIDIA 470.xx Legacy drivers."},
    {"D9", "root@box:~# nvidia-smi\nNo devices were found"},
    {"D10",
     "NVRM: GPU at PCI:{B}: {U}\nNVRM: Xid (PCI:{B}): 79, pid='<unknown>', "
     "name=<unknown>, GPU has fallen off the bus."},
    {"D10", "Unable to determine the device handle for GPU {B}: Unknown Error"},
    {"D10",
     "Unable to determine the device handle for GPU0: {B}: GPU is lost.  Reboot the system "
     "to recover this GPU"},
    {"D11",
     "docker: Error response from daemon: CDI device injection failed: failed to stat CDI "
     "host device \"/dev/nvidia-uvm\": no such file or directory"},
    {"D11",
     "Error response from daemon: linux runtime spec devices: error gathering device "
     "information while adding custom device \"/dev/nvidia-uvm\": lstat /dev/nvidia-uvm: no "
     "such file or directory"},
    {"D11",
     "RuntimeError: CUDA unknown error - this may be due to an incorrectly set up "
     "environment, e.g. changing env variable CUDA_VISIBLE_DEVICES after program start."},
    {"D11",
     "2024-05-01 10:00:00.123: E tensorflow/compiler/xla/stream_executor/cuda/"
     "cuda_driver.cc:266] failed call to cuInit: CUDA_ERROR_UNKNOWN: unknown error"},
    {"D11", "cuInit(0) returned 999"},
    {"D12",
     "ERROR: [Loader Message] Code 0 : vkCreateInstance: Found no drivers!\nCannot create "
     "Vulkan instance."},
    {"D12", "failed to stat CDI host device \"/dev/nvidia-modeset\": no such file or directory"},
    {"D13", "open /dev/nvidia-uvm: No such device or address"},
    {"D14", "Failed to initialize NVML: Insufficient Permissions"},
    {"D14",
     "nvidia-container-cli: initialization error: nvml error: insufficient permissions: "
     "unknown"},
    // ollama #8647, #6647, #5464.
    {"D15",
     "cuda driver library failed to get device context 999time=2025-01-29T03:21:43.859+"
     "01:00 level=WARN source=gpu.go:449 msg=\"error looking up nvidia GPU memory\""},
    {"D15", "rmmod: ERROR: Module nvidia_uvm is in use"},
    {"D20",
     "ollama: cuda driver library failed to get device context 46time=2024-12-31T01:21:28."
     "358-05:00 level=WARN source=gpu.go:449 msg=\"error looking up nvidia GPU memory\""},
    {"D11",
     "time=2024-09-05T09:20:35.624+08:00 level=DEBUG source=gpu.go:533 msg=\"Unable to load "
     "cudart\" library={L}/libcudart.so.11.0 error=\"cudart init failure: 999\""},
    {"D16", "nvidia-uvm: Unloaded the UVM driver."},
    {"D17",
     "RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 802: system not yet "
     "initialized"},
    {"D17",
     "nv-fabricmanager: fabric manager NVIDIA GPU driver interface version {V} don't match "
     "with driver version {W}. Please update with matching NVIDIA driver package."},
    {"D18",
     "nvidia-uvm: uvm_pmm_gpu.c:2872 devmem_alloc_pagemap[pid:{N}] request_free_mem_region()"
     " err -34"},
    {"D19",
     "nvidia-container-cli: initialization error: driver rpc error: failed to process "
     "request: unknown"},
    {"D19",
     "__vm_enough_memory: pid: {N}, comm: nvc:[driver], not enough memory for the "
     "allocation"},
    {"D20", "RuntimeError: CUDA error: all CUDA-capable devices are busy or unavailable"},
    {"D20",
     "torch.AcceleratorError: CUDA error: CUDA-capable device(s) is/are busy or unavailable"},
    {"D21",
     "CUDA error 805: MPS client failed to connect to the MPS control daemon or the MPS "
     "server"},
    {"D21", "cuInit: CUDA_ERROR_MPS_CONNECTION_FAILED"},
    {"D22", "        HW Thermal Slowdown                           : Active"},
    {"D22", "            HW Power Brake Slowdown           : Active"},

    {"K1",
     "docker: Error response from daemon: could not select device driver \"\" with "
     "capabilities: [[gpu]]."},
    {"K1",
     "Error response from daemon: could not select device driver \"nvidia\" with "
     "capabilities: [[gpu compute utility]]"},
    {"K3",
     "docker: Error response from daemon: could not select device driver \"cdi\" with "
     "capabilities: []."},
    {"K4",
     "failed to start container {I}: could not select device driver \"cdi\" with "
     "capabilities: [[]]"},
    {"K6", "docker.service: Found ordering cycle on nvidia-cdi-refresh.service/start"},
    {"K6", "Unable to break cycle starting with docker.service/start"},
    {"K6",
     "docker-nvidia-setup.service: Found ordering cycle on multi-user.target/start\n"
     "docker-nvidia-setup.service: Job docker-nvidia-setup.service/start deleted to break "
     "ordering cycle starting with nvidia-cdi-generate.service/start"},
    {"K7",
     "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid "
     "character '\"' after object key:value pair"},
    {"K8",
     "unable to configure the Docker daemon with file /etc/docker/daemon.json: the following "
     "directives are specified both as a flag and in the configuration file: runtimes: "
     "(from flag: [nvidia], from file: map[nvidia:map[path:nvidia-container-runtime]])"},
    {"K9", "docker: Error response from daemon: unknown or invalid runtime name: nvidia."},
    {"K9", "docker: Error response from daemon: Unknown runtime specified nvidia."},
    {"K11",
     "failed to create shim task: exec: \"nvidia-container-runtime\": executable file not "
     "found in $PATH: unknown"},
    {"K14", "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg."},
    {"K15",
     "nvidia-container-cli: mount error: failed to add device rules: unable to find any "
     "existing device filters attached to the cgroup: bpf_prog_query(BPF_CGROUP_DEVICE) "
     "failed: operation not permitted: unknown"},
    {"K15",
     "nvidia-container-cli: mount error: failed to add device rules: write "
     "/sys/fs/cgroup/devices/docker/{I}/devices.allow: operation not permitted: unknown."},
    {"K17", "Failed to initialize NVML: Unknown Error"},
    {"K17",
     "cuda driver library failed to get device context 800time=2025-07-11T07:00:00.476Z "
     "level=WARN source=gpu.go:434 msg=\"error looking up nvidia GPU memory\""},
    {"K18",
     "failed to call BPF_PROG_ATTACH (BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI): can't attach "
     "program: invalid argument"},
    {"K19",
     "nvidia-container-cli: ldcache error: open failed: /sbin/ldconfig.real: no such file "
     "or directory: unknown"},
    {"K20",
     "nvidia-container-cli: ldcache error: process /sbin/ldconfig.real failed with error "
     "code: 1: unknown"},
    {"K21", "Error updating ldcache: error running pivot_root: pivot_root .: invalid argument"},
    {"K22",
     "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please "
     "update your driver to a newer version, or use an earlier cuda container: unknown"},
    {"K23", "CUDA error: CUDA driver version is insufficient for CUDA runtime version"},
    {"K23",
     "UserWarning: CUDA initialization: The NVIDIA driver on your system is too old (found "
     "version 11040). Please update your GPU driver"},
    {"K24",
     "RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 803: system has "
     "unsupported display driver / cuda driver combination"},
    {"K25", "Error 804: forward compatibility was attempted on non supported HW"},
    {"K26", "RuntimeError: CUDA error: no kernel image is available for execution on the device"},
    {"K26",
     "NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current "
     "PyTorch installation."},
    {"K27",
     "nvidia-container-cli: mount error: file creation failed: /var/lib/docker/overlay2/{I}/"
     "merged{L}/libnvidia-ml.so.1: file exists: unknown"},
    {"K28",
     "invoking the NVIDIA Container Runtime Hook directly (e.g. specifying the docker "
     "--gpus flag) is not supported. Please use the NVIDIA Container Runtime (e.g. specify "
     "the --runtime=nvidia flag) instead."},
    {"K29",
     "nvidia-container-cli: initialization error: WSL environment detected but no adapters "
     "were found: unknown"},
    // lxc/lxc: src/lxc/conf.c, mount_entry; canonical/lxd#8385.
    {"K30",
     "lxc-start: {N}: ../src/lxc/conf.c: mount_entry: 2459 No such file or directory - Failed to "
     "mount \"/dev/nvidia0\" on \"/usr/lib/x86_64-linux-gnu/lxc/rootfs/dev/nvidia0\""},
    {"K31",
     "type=AVC msg=audit(1700000000.123:{N}): avc:  denied  { read write } for  pid={N} "
     "comm=\"nvidia-smi\" name=\"nvidiactl\" dev=\"devtmpfs\" ino={N} "
     "scontext=system_u:system_r:container_t:s0:c1,c2 "
     "tcontext=system_u:object_r:xserver_misc_device_t:s0 tclass=chr_file permissive=0"},
    {"K32", "level=warning msg=\"Ignoring previous errors updating spec\" error=\"unresolvable\""},

    {"C1",
     "docker: Error response from daemon: CDI device injection failed: unresolvable CDI "
     "devices nvidia.com/gpu=all"},
    {"C1",
     "Error: unable to start container \"{I}\": setting up CDI devices: unresolvable CDI "
     "devices nvidia.com/gpu={U}"},
    {"C3",
     "conflicting device \"nvidia.com/gpu=all\" (specs \"/etc/cdi/nvidia.yaml\", "
     "\"/etc/cdi/nvidia-container-toolkit.json\")"},
    {"C4",
     "CDI: Error associated with spec file /etc/cdi/nvidia.yaml: invalid CDI Spec: the spec "
     "version must be at least v0.7.0"},
    {"C5",
     "CDI: Error associated with spec file /etc/cdi/nvidia.yaml: failed to parse CDI Spec "
     "\"/etc/cdi/nvidia.yaml\": error unmarshaling JSON: unknown field \"hokks\""},
    {"C6",
     "failed to read CDI Spec \"/etc/cdi/nvidia.yaml\": open /etc/cdi/nvidia.yaml: "
     "permission denied"},
    {"C7", "unresolvable CDI devices nvidia.com/gpu=MIG-41b3c6e1-8e6e-5d3b-9d1d-1c2b3a4d5e6f"},
    {"C8",
     "error mounting \"{L}/libEGL_nvidia.so.{V}\" to rootfs at \"{L}/libEGL_nvidia.so.{V}\": "
     "mount src={L}/libEGL_nvidia.so.{V}, dst={L}/libEGL_nvidia.so.{V}: no such file or "
     "directory"},
    {"C8",
     "Error: crun: cannot stat `{L}/libnvidia-ml.so.{V}`: No such file or directory: OCI "
     "runtime attempted to invoke a command that was not found"},
    {"C10",
     "error running createContainer hook #0: fork/exec /usr/bin/nvidia-cdi-hook: no such "
     "file or directory"},
    {"C11",
     "time=\"2024-05-01T10:00:00Z\" level=warning msg=\"Could not locate /dev/nvidia-uvm: "
     "pattern /dev/nvidia-uvm not found\""},
    {"C11", "WARN[0000] Could not locate libcuda.so.{V}: pattern libcuda.so.{V} not found"},
    {"C12",
     "Error: setting up CDI devices: failed to inject devices: failed to stat CDI host "
     "device \"/dev/dri/renderD{N}\": no such file or directory"},
    {"C13",
     "error mounting \"/run/nvidia-persistenced/socket\" to rootfs at "
     "\"/run/nvidia-persistenced/socket\": no such file or directory"},
    {"C14", "failed to inject CDI devices: unresolvable CDI devices management.nvidia.com/gpu={U}"},
    {"C10",
     "Error: OCI runtime error: crun: {\"msg\":\"error executing hook `/usr/bin/nvidia-ctk` "
     "(exit code: 1)\",\"level\":\"error\"}"},
    {"C15", "nvidia-ctk hook chmod --mode \"755\" --path /dev/dri"},

    {"P1",
     "Error response from daemon: error gathering device information while adding custom "
     "device \"nvidia.com/gpu={N}\": no such file or directory"},
    {"P4",
     "docker: Error response from daemon: cannot set both Count and DeviceIDs on device "
     "request."},
    {"P4",
     "services.ollama.deploy.resources.reservations.devices.0: \"count\" and \"device_ids\" "
     "attributes are exclusive"},
    {"P5",
     "time=2025-07-11T07:00:00.476Z level=INFO source=types.go:130 msg=\"inference compute\" "
     "id=0 library=cpu variant=\"\" compute=\"\" driver=0.0 name=\"\" total=\"31.2 GiB\""},
    {"P5",
     "time=2025-07-11T07:00:00.476Z level=INFO source=gpu.go:377 msg=\"no compatible GPUs "
     "were discovered\""},
    {"P5", "warning: no usable GPU found, --gpu-layers option will be ignored"},
    {"P6", "ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected"},
    {"P6", "RuntimeError: No CUDA GPUs are available"},
    {"P7", "/bin/sh: 1: nvidia-smi: not found"},
    {"P7",
     "OCI runtime exec failed: exec failed: unable to start container process: exec: "
     "\"nvidia-smi\": executable file not found in $PATH: unknown"},
    {"P7", "ImportError: libcuda.so.1: cannot open shared object file: No such file or directory"},
    // What bash says where the driver's programs are not there.
    {"D1", "bash: nvidia-smi: command not found"},
    // Triton's and PyTorch's search for the driver's library.
    {"P7",
     "AssertionError: libcuda.so cannot found!\nPossible files are located at "
     "['{L}/libcuda.so.1'].Please create a symlink of libcuda.so to any of the file."},
    // NCT: --gpus and NVIDIA_VISIBLE_DEVICES with a number that no GPU has.
    {"P9", "nvidia-container-cli: device error: {N}: unknown device: unknown"},
    // nvidia-smi in WSL.
    {"K29", "Failed to initialize NVML: GPU access blocked by the operating system"},
    // Compose before 2.30.
    {"P1", "validating /srv/compose.yaml: services.ollama Additional property gpus is not allowed"},
    {"T1",
     "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total "
     "capacity of 11.75 GiB of which {N}.81 MiB is free."},
    {"T1", "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB"},
    {"T1", "RuntimeError: CUDA error: out of memory"},
    {"T1", "ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory"},
    {"T2", "docker.service: Failed with result 'exit-code'."},
    {"T2",
     "Job for docker.service failed because the control process exited with error code.\nSee "
     "\"systemctl status docker.service\" and \"journalctl -xeu docker.service\" for details."},
    {"P12",
     "RuntimeError: DataLoader worker (pid {N}) is killed by signal: Bus error. It is "
     "possible that dataloader's workers are out of shared memory. Please try to raise your "
     "shared memory limit."},
    {"P12",
     "ERROR: Unexpected bus error encountered in worker. This might be caused by "
     "insufficient shared memory (shm)."},
    {"P13",
     "Error response from daemon: manifest for nvidia/cuda:11.0-base not found: manifest "
     "unknown: manifest unknown"},
    {"P13",
     "failed to solve: nvidia/cuda:10.2-base: failed to resolve source metadata for "
     "docker.io/nvidia/cuda:10.2-base: docker.io/nvidia/cuda:10.2-base: not found"},
};

}  // namespace estiva::decide
