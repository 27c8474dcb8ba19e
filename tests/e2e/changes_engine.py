"""Broken engines and toolkits, and images that do not fit: K1 to K32 of the catalogue."""
import os

from change_table import ALL, HOOKS, HOSTS, change
from machine_engine import HOOK_FAILED, fails, legacy, rootless, toolkit, wrote


@change("K1", "a container asks by --gpus and the toolkit is not installed", ("debian-gpu", "rhel-gpu", "wsl-gpu"))
def _(m):
    m.remove("/usr/bin/nvidia-container-runtime-hook", "/usr/bin/nvidia-container-cli", "/usr/bin/nvidia-cdi-hook",
             "/usr/bin/nvidia-ctk", "/usr/bin/nvidia-container-runtime")
    m.container("ollama", legacy)


@change("K2", "the toolkit was installed while Docker ran", ALL)
def _(m):
    """The containers were started since, by CDI, which needs nothing of it in dockerd."""
    installed = 1772440000  # a day after dockerd's start
    for row in m.read("/times").splitlines():
        if row.split()[1].startswith("/usr/bin/nvidia-c"):
            m.touch(row.split()[1], installed)
    m.touch("/etc/nvidia-container-runtime/config.toml", installed)
    for service in ("ollama", "vision"):
        m.container(service, lambda c: c["State"].update(StartedAt="2026-03-02T09:00:00Z"))


change("K3", "CDI is switched off", ALL)(lambda m: (
    m.info(CDISpecDirs=[], DiscoveredDevices=[]), m.write("/etc/docker/daemon.json", '{"features": {"cdi": false}}\n')))
change("K4", "an engine that restores containers before it knows CDI", ("debian-gpu", "rhel-gpu", "wsl-gpu"))(
    lambda m: (m.engine("28.1.1"), m.write("/etc/docker/daemon.json", '{"features": {"cdi": true}}\n')))
change("K5", "the spec is made without an order before the engine")(lambda m: m.remove(
    "/etc/systemd/system/nvidia-cdi-refresh.service.d"))


@change("K6", "seed 001's units: an ordering cycle", ALL)
def _(m):
    m.write("/etc/systemd/system/nvidia-cdi-generate.service", "[Unit]\nDescription=Generate NVIDIA CDI\n"
            "After=multi-user.target\n\n[Service]\nType=oneshot\nExecStart=/usr/bin/nvidia-ctk cdi generate "
            "--output=/etc/cdi/nvidia.yaml\n\n[Install]\nWantedBy=multi-user.target\n")
    m.write("/etc/systemd/system/docker-nvidia-setup.service", "[Unit]\nDescription=Set Docker up for NVIDIA\n"
            "After=docker.service nvidia-cdi-generate.service\nRequires=docker.service\n\n[Service]\nType=oneshot\n"
            "ExecStart=/usr/bin/systemctl reload docker\n\n[Install]\nWantedBy=multi-user.target\n")
    for name in ("nvidia-cdi-generate.service", "docker-nvidia-setup.service"):
        m.link(f"/etc/systemd/system/multi-user.target.wants/{name}", f"/etc/systemd/system/{name}")


change("K7", "daemon.json is no JSON", ALL)(lambda m: m.write("/etc/docker/daemon.json", '{\n  "features": {\n}\n'))


@change("K8", "log options as a flag and in the file", ALL)
def _(m):
    m.write("/etc/docker/daemon.json", '{"log-opts": {"max-size": "10m"}}\n')
    m.edit("/usr/lib/systemd/system/docker.service", "ExecStart=/usr/bin/dockerd",
           "ExecStart=/usr/bin/dockerd --log-opt max-size=5m")
    m.write("/proc/812/cmdline", "/usr/bin/dockerd\0--log-opt\0max-size=5m\0-H\0fd://\0")


def uses_runtime(container):
    container["HostConfig"].update(Runtime="nvidia", DeviceRequests=None)


change("K9", "a container uses the nvidia runtime and the engine has none", ALL)(lambda m: (
    m.info(Runtimes={"runc": {"path": "runc"}}), m.write("/etc/docker/daemon.json", "{}\n"),
    m.container("ollama", uses_runtime)))
change("K10", "a set-up dropped other features", ("debian-gpu", "rhel-gpu", "wsl-gpu"))(lambda m: (
    m.write("/etc/docker/daemon.json.bak", '{"features": {"containerd-snapshotter": true, "cdi": true}}\n'),
    m.write("/etc/docker/daemon.json", '{"features": {"cdi": true}}\n')))
change("K11", "the runtime's program is not where daemon.json says", ALL)(lambda m: m.write(
    "/etc/docker/daemon.json", '{"runtimes": {"nvidia": {"path": "/opt/nvidia/nvidia-container-runtime"}}}\n'))


@change("K12", "Docker of snap", ("debian-gpu", "ubuntu-gpu", "laptop-prime", "arch-gpu"))
def _(m):
    m.info(DockerRootDir="/var/snap/docker/common/var-lib-docker", CDISpecDirs=[], DiscoveredDevices=[],
           Runtimes={"runc": {"path": "runc"}})
    m.relink("/proc/812/exe", "/snap/docker/2963/bin/dockerd")


change("K13", "Docker Desktop", HOSTS)(lambda m: m.info(
    OperatingSystem="Docker Desktop", CDISpecDirs=[], DiscoveredDevices=[]))


@change("K14", "Podman in Docker's clothes", ALL)
def _(m):
    m.write("/usr/bin/docker", "#!/bin/sh\nexec /usr/bin/podman \"$@\"\n", 0o755)
    m.remove("/proc/812")
    m.json("/docker/version.json", lambda v: v.update(
        Version="4.9.4", Components=[{"Name": "Podman Engine", "Version": "4.9.4"}]))


# LNC #154.
change("K15", "a rootless engine with the legacy path, and device cgroups", HOOKS)(lambda m: (
    rootless(m, no_cgroups=False),
    fails(m, "ollama", HOOK_FAILED + "Auto-detected mode as 'legacy'\nnvidia-container-cli: mount error: failed to add "
          "device rules: unable to find any existing device filters attached to the cgroup: "
          "bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted: unknown", legacy)))
change("K16", "no-cgroups with an engine of root", ALL)(lambda m: (
    m.edit("/etc/nvidia-container-runtime/config.toml", "#no-cgroups = false", "no-cgroups = true"),
    m.container("ollama", legacy)))
change("K17", "systemd would take the nodes away at a reload", ("debian-gpu", "laptop-prime", "rhel-gpu"))(lambda m: (
    m.remove("/dev/char"), m.container("ollama", legacy)))
@change("K18", "toolkit 1.8.0 and a kernel of before 5.6")
def _(m):
    toolkit(m, "1.8.0")
    new = {"debian-gpu": "5.4.0-0.bpo.4-amd64", "ubuntu-gpu": "5.4.0-216-generic", "rhel-gpu":
           "5.4.290-1.el9.elrepo.x86_64", "arch-gpu": "5.4.290-1-lts"}[m.base]
    m.kernel(new)


change("K19", "ldconfig of another distribution", ALL)(lambda m: m.edit(
    "/etc/nvidia-container-runtime/config.toml", "@/sbin/ldconfig", "@/sbin/ldconfig.missing"))


# NVIDIA/nvidia-docker#1616: the word of nvidia-container-cli, as an older glibc in the image brings it about.
change("K20", "ldconfig fails in a container that goes by the legacy path", HOOKS)(lambda m: fails(
    m, "ollama", HOOK_FAILED + "Auto-detected mode as 'legacy'\nnvidia-container-cli: ldcache error: process "
    "/sbin/ldconfig.real failed with error code: 1: unknown", legacy))


@change("K21", "toolkit 1.18.0 on a root file system in memory")
def _(m):
    """What the kernel shows of a root that was never switched away from the initramfs."""
    toolkit(m, "1.18.0")
    rows = m.read("/proc/self/mountinfo").splitlines(keepends=True)
    assert rows[0].split()[4] == "/", rows[0]
    m.write("/proc/self/mountinfo", "1 1 0:2 / / rw - rootfs rootfs rw,size=32768000k,nr_inodes=8192000\n" + "".join(rows[1:]))


@change("K22", "an image requires a newer CUDA, by the legacy path", HOOKS)
def _(m):
    def require(value):
        value["Config"]["Env"] = [e for e in value["Config"]["Env"] if not e.startswith("NVIDIA_REQUIRE_CUDA")]
        value["Config"]["Env"].append("NVIDIA_REQUIRE_CUDA=cuda>=13.9")
    m.container("vision", lambda c: (require(c), legacy(c)) and None)
    m.image("example/vision:1", require)


def set_cuda(version):
    def edit(value):
        value["Config"]["Env"] = [e for e in value["Config"]["Env"] if not e.startswith(("CUDA_VERSION", "NVIDIA_REQUIRE"))]
        value["Config"]["Env"].append("CUDA_VERSION=" + version)
    return edit


@change("K23", "an image of a CUDA that the driver is too old for")
def _(m):
    if m.base != "debian-gpu":  # which has 550
        m.older_driver("570.195.03", 12080)
    m.container("vision", set_cuda("13.0.0"))
    m.image("example/vision:1", set_cuda("13.0.0"))


# What PyTorch says of cudaGetDeviceCount: intelligent-machine-learning/atorch#2, AIR-DISCOVER/ICRA2024-Sim2Real-AXS#5.
TORCH = ("/opt/conda/lib/python3.11/site-packages/torch/cuda/__init__.py:138: UserWarning: CUDA initialization: Unexpected "
         "error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that might have "
         "already set an error? Error {} (Triggered internally at ../c10/cuda/CUDAFunctions.cpp:108.)")

change("K24", "an image has a libcuda of its own", ALL)(lambda m: wrote(
    m, "vision", TORCH.format("803: system has unsupported display driver / cuda driver combination"),
    "  return torch._C._cuda_getDeviceCount() > 0"))
change("K25", "a container tried compatibility libraries", ALL, "in a log")(lambda m: wrote(
    m, "vision", TORCH.format("804: forward compatibility was attempted on non supported HW")))


@change("K25", "the spec's hook would use an image's compatibility libraries on a GeForce",
        ("debian-gpu", "ubuntu-gpu", "arch-gpu", "laptop-prime"))
def _(m):
    """The hook is as nvidia-ctk 1.18 writes it (docker/buildx#3295)."""
    m.hook("enable-cuda-compat", "--host-driver-version=" + m.version)
    newer, package = ("12.8.1", "cuda-compat-12-8") if m.base == "debian-gpu" else ("13.1.0", "cuda-compat-13-1")

    def compatible(value):
        set_cuda(newer)(value)
        value["Config"]["Env"].append("NV_CUDA_COMPAT_PACKAGE=" + package)
    m.container("vision", compatible)
    m.image("example/vision:1", compatible)


@change("K26", "a card that CUDA 13 has dropped")
def _(m):
    m.gpus(lambda gpu: gpu["identity"].update(compute_capability=61, architecture="Pascal"))
    m.container("vision", set_cuda("13.0.0"))
    m.image("example/vision:1", set_cuda("13.0.0"))


# lambdal/lambda-stack-dockerfiles#15, NCT #371: the image was built under WSL, or with a driver's package.
change("K27", "an image holds a library of the driver", HOOKS)(lambda m: fails(
    m, "vision", HOOK_FAILED + "Auto-detected mode as 'legacy'\nnvidia-container-cli: mount error: file creation failed: "
    "/var/lib/docker/overlay2/40c7fccee0aa8659243a8180389b333c9a6b85fac895a95207bfddca46df4fc6/merged/usr/lib/"
    "x86_64-linux-gnu/libnvidia-ml.so.1: file exists: unknown", legacy))
# dstackai/dstack#2306; a Jetson says the same of its mode csv.
change("K28", "--gpus with the toolkit in mode cdi", HOOKS)(lambda m: (
    m.edit("/etc/nvidia-container-runtime/config.toml", 'mode = "auto"', 'mode = "cdi"'),
    fails(m, "ollama", HOOK_FAILED + "Using requested mode 'cdi'\ninvoking the NVIDIA Container Runtime Hook directly "
          "(e.g. specifying the docker --gpus flag) is not supported. Please use the NVIDIA Container Runtime (e.g. specify "
          "the --runtime=nvidia flag) instead.: unknown", legacy)))
change("K29", "WSL without its GPU device", ("wsl-gpu",))(lambda m: (
    m.remove("/dev/dxg"), m.hide_gpus("absent", "")))
@change("K30", "an LXC container that was not given the nodes")
def _(m):
    """Its /proc and /sys are the host's, and /dev is its own (Proxmox)."""
    m.write("/run/systemd/container", "lxc\n")
    m.write("/proc/1/environ", "container=lxc\0TERM=linux\0")
    m.remove("/dev/char", "/dev/dri")
    for name in os.listdir(m.at("/dev")):
        if name.startswith("nvidia"):
            m.remove("/dev/" + name)
    m.hide_gpus("failed", "Insufficient Permissions")




@change("K31", "SELinux forbids containers the devices")
def _(m):
    """RHEL's own; on the others as their package of the policy sets it up."""
    m.write("/sys/fs/selinux/enforce", "1")
    m.write("/sys/fs/selinux/booleans/container_use_devices", "0 0")
    m.info(SecurityOptions=["name=seccomp,profile=builtin", "name=selinux"])


@change("K32", "the engine can't make CDI devices of --gpus", ("debian-gpu", "ubuntu-gpu", "arch-gpu"))
def _(m):
    m.engine("29.2.0")
    m.container("ollama", legacy)
    m.info(DiscoveredDevices=[])
    m.remove(m.spec)
