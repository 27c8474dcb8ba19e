#!/usr/bin/env python3
"""Broken machines: each is a healthy one of tests/machines with ONE named change, and the table says
which signature of the catalogue that change is.

usage: machine_change.py --list                     ids, bases and changes, one a line
       machine_change.py ID BASE DIR                makes that machine in a new folder
       machine_change.py healthy BASE DIR           the base itself
"""
import dataclasses
import os
import sys
import typing

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine_tree import BASES, Machine  # noqa: E402

HOSTS = ("debian-gpu", "ubuntu-gpu", "rhel-gpu", "arch-gpu")  # with the driver's kernel module
AWAKE = HOSTS
ALL = tuple(BASES)


@dataclasses.dataclass
class Change:
    words: str
    make: typing.Callable
    bases: tuple = HOSTS
    also: tuple = ()  # signatures that follow from it


CHANGES = {}


# What follows from a change, by the rules' own reasons: files that go missing are missed by the spec that names
# them (C8, C10, C12), a name that nobody declares any more is missed (C1), a runtime that can't be found is not one.
ALSO = {"D1": ("C8",), "D3": ("C8",), "D7": ("D2",), "D11": ("C12",), "K1": ("C10", "K11"), "K11": ("K9",),
        "K29": ("C12",), "K32": ("C1",), "P1": ("C1",)}


def change(signature, words, bases=HOSTS):
    def add(make):
        assert signature not in CHANGES, signature
        CHANGES[signature] = Change(words, make, bases, ALSO.get(signature, ()))
        return make
    return add


# Driver and kernel.

def unload(m):
    """The module is not loaded: nothing of it is in /proc and /dev."""
    m.remove("/proc/driver/nvidia", "/sys/module/nvidia", "/dev/char")
    m.write("/proc/modules", "ext4 1150976 1 - Live 0x0000000000000000\n")
    m.write("/proc/devices", "Character devices:\n  1 mem\n226 drm\n\nBlock devices:\n259 blkext\n")
    for name in os.listdir(m.at("/dev")):
        if name.startswith("nvidia"):
            m.remove("/dev/" + name)
    m.hide_gpus("no_driver", "the kernel module is not loaded")


change("D1", "the driver's libraries are not installed")(lambda m: (
    m.drop_libraries(), m.hide_gpus("no_library", "libnvidia-ml.so.1 is missing")))
change("D2", "the kernel module is not loaded")(unload)


@change("D3", "libraries of another version than the loaded module")
def _(m):
    m.drop_libraries()
    m.libraries("999.10.01")
    m.hide_gpus("mismatch", "Driver/library version mismatch")


@change("D4", "the driver's packages are not held, and the machine upgrades itself", ("debian-gpu", "ubuntu-gpu"))
def _(m):
    if m.base == "debian-gpu":
        m.edit("/var/lib/dpkg/status", "Status: hold ok installed", "Status: install ok installed")
    else:
        m.edit("/etc/apt/apt.conf.d/99-off", '"0"', '"1"')


@change("D5", "the firmware wants signatures and the module was refused", ("debian-gpu", "rhel-gpu", "arch-gpu"))
def _(m):
    unload(m)
    m.write("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", b"\x06\0\0\0\x01")
    m.say("Loading of module with unavailable key is rejected")


@change("D6", "a newer kernel was installed without the module")
def _(m):
    release = {"debian-gpu": "6.12.57+deb13-amd64", "ubuntu-gpu": "6.8.0-90-generic", "rhel-gpu":
               "5.14.0-611.5.1.el9_7.x86_64", "arch-gpu": "6.17.9-arch1-1"}[m.base]
    m.write(f"/usr/lib/modules/{release}/modules.dep", "kernel/fs/ext4/ext4.ko.xz:\n")
    m.write(f"/usr/lib/modules/{release}/vmlinuz", "stands for the kernel\n")
    m.write(f"/boot/vmlinuz-{release}", "stands for the kernel\n")


@change("D7", "nouveau drives the card")
def _(m):
    unload(m)
    m.relink(m.card + "/driver", "../../../../bus/pci/drivers/nouveau")
    m.append("/proc/modules", "nouveau 3096576 4 - Live 0x0000000000000000\n")


@change("D8", "the card is bound to vfio-pci", ("debian-gpu", "rhel-gpu", "arch-gpu"))
def _(m):
    unload(m)
    m.relink(m.card + "/driver", "../../../../bus/pci/drivers/vfio-pci")
    m.append("/proc/modules", "vfio_pci 16384 0 - Live 0x0000000000000000\n")


change("D9", "the driver can't start the card", ("debian-gpu", "ubuntu-gpu", "arch-gpu"))(lambda m: (
    m.say("NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x22:0x56:894)",
          "NVRM: GPU 0000:01:00.0: rm_init_adapter failed, device minor number 0"),
    m.hide_gpus("ok", "")))


@change("D10", "the card has fallen off the bus")
def _(m):
    m.say("NVRM: Xid (PCI:0000:01:00): 79, pid=1234, name=python3, GPU has fallen off the bus.",
          "NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.")
    m.write(m.card + "/config", b"\xff" * 64)
    m.gpus(lambda gpu: gpu.update(sample={"state": "lost"}))
    m.cuda(100)


@change("D11", "nvidia_uvm is not loaded")
def _(m):
    major = m.major("nvidia-uvm")
    m.edit("/proc/devices", f"{major} nvidia-uvm\n", "")
    m.edit("/proc/modules", "nvidia_uvm 4935680 6 - Live 0x0000000000000000 (OE)\n", "")
    m.remove("/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", f"/dev/char/{major}:0")
    m.cuda(999)


change("D13", "a node has another major than the module")(lambda m: m.node("/dev/nvidia-uvm", 99, 0))
change("D14", "only root and a group may open the nodes")(lambda m: [
    m.node(path, 195, minor, 0o660, 0, 44) for path, minor in (("/dev/nvidia0", 0), ("/dev/nvidiactl", 255))])


@change("D15", "the machine slept without keeping what is in VRAM")
def _(m):
    m.write("/sys/power/suspend_stats/success", "1\n")
    m.say("PM: suspend entry (deep)", "PM: suspend exit")
    m.edit("/proc/driver/nvidia/params", "PreserveVideoMemoryAllocations: 1", "PreserveVideoMemoryAllocations: 0")
    m.remove("/etc/modprobe.d/nvidia-power.conf")
    for target, verb in (("suspend", "suspend"), ("hibernate", "hibernate"), ("suspend", "resume"), ("hibernate", "resume")):
        m.remove(f"/etc/systemd/system/systemd-{target}.service.wants/nvidia-{verb}.service")
    m.cuda(999)


@change("D16", "nothing keeps the driver loaded when no program uses it", ("rhel-gpu",))
def _(m):
    m.remove("/proc/701", "/run/systemd/units/invocation:nvidia-persistenced.service", "/run/nvidia-persistenced",
             "/etc/systemd/system/multi-user.target.wants/nvidia-persistenced.service")
    m.gpus(lambda gpu: gpu["wear"].update(persistence_mode=0))


@change("D17", "NVSwitches without a fabric manager")
def _(m):
    folder = "/sys/bus/pci/devices/0000:c1:00.0"
    for name, text in (("vendor", "0x10de"), ("device", "0x22a3"), ("class", "0x068000"),
                       ("power/control", "on"), ("power/runtime_status", "active")):
        m.write(f"{folder}/{name}", text + "\n")
    m.gpus(lambda gpu: gpu["wear"].update(fabric_state=1))
    m.cuda(802)


change("D18", "UVM can't have its memory region")(lambda m: (
    m.say("nvidia-uvm: uvm_pmm_gpu.c:3285 devmem_alloc_pagemap[pid:1] request_free_mem_region() err -34"),
    m.cuda(999)))
change("D19", "memory is not overcommitted")(lambda m: (
    m.write("/proc/sys/vm/overcommit_memory", "2\n"),
    m.say("__vm_enough_memory: pid: 4242, comm: nvc:[driver], bytes: 34359738368 not enough memory for the allocation")))
change("D20", "a GPU's compute mode is prohibited")(lambda m: m.cuda(0, 2))
change("D21", "what MPS left behind is in the spec")(lambda m: (
    m.write("/tmp/nvidia-mps/log", ""),
    m.append(m.spec, "  - hostPath: /tmp/nvidia-mps\n    containerPath: /tmp/nvidia-mps\n    options:\n    - rbind\n")))
change("D22", "a GPU is too hot and slows down")(lambda m: m.gpus(
    lambda gpu: gpu["sample"].update(temperature_celsius=99, clock_event_reasons=0x40)))

# Engine and toolkit.


def legacy(container):
    container["HostConfig"]["DeviceRequests"] = [
        {"Driver": "nvidia", "Count": 1, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}}]


@change("K1", "a container asks by --gpus and the toolkit is not installed", ("debian-gpu", "rhel-gpu", "wsl-gpu"))
def _(m):
    m.remove("/usr/bin/nvidia-container-runtime-hook", "/usr/bin/nvidia-container-cli", "/usr/bin/nvidia-cdi-hook",
             "/usr/bin/nvidia-ctk", "/usr/bin/nvidia-container-runtime")
    m.container("ollama", legacy)


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


@change("K12", "Docker of snap", ("debian-gpu", "ubuntu-gpu", "laptop-prime"))
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


change("K15", "a rootless engine with the legacy path", ("debian-gpu", "rhel-gpu"))(lambda m: (
    m.info(SecurityOptions=["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"]),
    m.container("ollama", legacy)))
change("K16", "no-cgroups with an engine of root", ALL)(lambda m: (
    m.edit("/etc/nvidia-container-runtime/config.toml", "#no-cgroups = false", "no-cgroups = true"),
    m.container("ollama", legacy)))
change("K17", "systemd would take the nodes away at a reload", ("debian-gpu", "rhel-gpu"))(lambda m: (
    m.remove("/dev/char"), m.container("ollama", legacy)))
change("K19", "ldconfig of another distribution", ALL)(lambda m: m.edit(
    "/etc/nvidia-container-runtime/config.toml", "@/sbin/ldconfig", "@/sbin/ldconfig.missing"))


@change("K21", "the toolkit's hook can't pivot where the root is in memory", ("debian-gpu",))
def _(m):
    m.edit("/proc/self/mountinfo", " - ext4 ", " - rootfs ")
    m.edit("/var/lib/dpkg/status", "Version: 1.18.1-1\n", "Version: 1.18.0-1\n")


change("K28", "a Jetson's mode on a PC, and a container that asks by --gpus", ("debian-gpu", "rhel-gpu"))(lambda m: (
    m.edit("/etc/nvidia-container-runtime/config.toml", 'mode = "auto"', 'mode = "csv"'),
    m.container("ollama", legacy)))


@change("K22", "an image requires a newer CUDA, by the legacy path", ("debian-gpu", "rhel-gpu"))
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


@change("K23", "an image of a CUDA that the driver is too old for", ("debian-gpu",))
def _(m):
    m.container("vision", set_cuda("13.0.0"))
    m.image("example/vision:1", set_cuda("13.0.0"))


@change("K25", "compatibility libraries that this card can't use", ("debian-gpu", "arch-gpu"))
def _(m):
    def newer(value):
        set_cuda("12.9.1" if m.base == "debian-gpu" else "13.4.0")(value)
        value["Config"]["Env"].append("NV_CUDA_COMPAT_PACKAGE=cuda-compat")
    m.container("vision", newer)
    m.image("example/vision:1", newer)
    m.edit(m.spec, "  hooks:\n", "  hooks:\n  - hookName: createContainer\n    path: /usr/bin/nvidia-cdi-hook\n"
           "    args:\n    - nvidia-cdi-hook\n    - enable-cuda-compat\n")


@change("K26", "a card that CUDA 13 has dropped", ("ubuntu-gpu", "rhel-gpu", "arch-gpu"))
def _(m):
    m.gpus(lambda gpu: gpu["identity"].update(compute_capability=61, architecture="Pascal"))
    m.container("vision", set_cuda("13.0.0"))
    m.image("example/vision:1", set_cuda("13.0.0"))


change("K29", "WSL without its GPU device", ("wsl-gpu",))(lambda m: (
    m.remove("/dev/dxg"), m.hide_gpus("absent", "")))
change("K31", "SELinux forbids containers the devices", ("rhel-gpu",))(lambda m: (
    m.write("/sys/fs/selinux/booleans/container_use_devices", "0 0"),
    m.info(SecurityOptions=["name=seccomp,profile=builtin", "name=selinux"])))
change("K32", "the engine can't make CDI devices of --gpus", ("ubuntu-gpu", "arch-gpu"))(lambda m: (
    m.container("ollama", legacy), m.info(DiscoveredDevices=[]), m.remove(m.spec)))

# CDI specs.

change("C1", "there is no spec", ALL)(lambda m: (m.remove(m.spec), m.info(DiscoveredDevices=[])))


@change("C2", "the spec lies where the engine does not look", HOSTS)
def _(m):
    m.info(CDISpecDirs=["/srv/cdi"], DiscoveredDevices=[])
    m.write("/etc/docker/daemon.json", '{"cdi-spec-dirs": ["/srv/cdi"]}\n')


change("C3", "two specs of one directory have the same device", ALL)(lambda m: (
    m.write(os.path.dirname(m.spec) + "/copy.yaml", m.read(m.spec)), m.info(DiscoveredDevices=[])))
change("C4", "a spec of a version that the engine does not know", ("debian-gpu", "rhel-gpu", "wsl-gpu"))(lambda m: (
    m.edit(m.spec, "cdiVersion: 0.5.0", "cdiVersion: 1.1.0"), m.info(DiscoveredDevices=[])))
change("C5", "a spec with a field that CDI has not", ALL)(lambda m: (
    m.edit(m.spec, "kind: nvidia.com/gpu\n", "kind: nvidia.com/gpu\nvendor: nvidia\n"), m.info(DiscoveredDevices=[])))
change("C8", "a library of the spec is gone", HOSTS)(lambda m: m.edit(
    m.spec, f"libnvidia-opencl.so.{m.version}", "libnvidia-opencl.so.500.10.01"))
change("C9", "the spec has froze a major that is another now", HOSTS)(lambda m: m.edit(
    m.spec, "  - path: /dev/nvidia-uvm\n", "  - path: /dev/nvidia-uvm\n    type: c\n    major: 239\n    minor: 0\n"))
change("C10", "the spec's hook is gone", ALL)(lambda m: m.remove("/usr/bin/nvidia-cdi-hook"))
change("C11", "a spec without nvidia-uvm", HOSTS)(lambda m: m.edit(
    m.spec, "  - path: /dev/nvidia-uvm\n  - path: /dev/nvidia-uvm-tools\n", ""))
change("C12", "a render node of the spec is gone", HOSTS)(lambda m: m.edit(m.spec, "/dev/dri/renderD128", "/dev/dri/renderD135"))
change("C13", "the spec has a socket that is gone", HOSTS)(lambda m: m.append(
    m.spec, "  - hostPath: /run/nvidia-fabricmanager/socket\n    containerPath: /run/nvidia-fabricmanager/socket\n"
    "    options:\n    - rbind\n"))
change("C14", "a device of the management spec by its UUID", HOSTS)(lambda m: m.container(
    "ollama", lambda c: c["HostConfig"]["DeviceRequests"][0].update(DeviceIDs=["management.nvidia.com/gpu=GPU-1"])))

# Compose, containers, applications.


def old_devices(container):
    container["HostConfig"].update(DeviceRequests=None, Devices=[
        {"PathOnHost": "nvidia.com/gpu=0", "PathInContainer": "nvidia.com/gpu=0", "CgroupPermissions": "rwm"}])


@change("P1", "a Compose that takes a CDI name for a path", ("debian-gpu", "rhel-gpu", "wsl-gpu"))
def _(m):
    old = {"debian-gpu": ("/var/lib/dpkg/status", "2.40.3-1~debian.13~trixie", "2.26.1-1"),
           "wsl-gpu": ("/var/lib/dpkg/status", "2.40.3-1~ubuntu.24.04~noble", "2.26.1-1"),
           "rhel-gpu": ("/packages", "0:2.40.3-1.el9", "0:2.26.1-1.el9")}[m.base]
    m.edit(*old)
    m.container("ollama", old_devices)


change("P6", "the environment hides the GPU", ALL)(lambda m: m.container(
    "vision", lambda c: c["Config"]["Env"].append("CUDA_VISIBLE_DEVICES=-1")))
change("P8", "the nvidia runtime is everybody's", ("debian-gpu", "rhel-gpu", "arch-gpu"))(lambda m: (
    m.info(DefaultRuntime="nvidia"),
    m.write("/etc/docker/daemon.json", '{"default-runtime": "nvidia", "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}}\n')))
change("P10", "an env file changed after its container was made", ALL)(lambda m: m.touch("/srv/ai/vision.env", 1772440000))
change("P12", "64 MB of shared memory for an image that trains", ALL)(lambda m: m.container(
    "vision", lambda c: (c["Config"].update(Image="pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime"),
                         c["HostConfig"].update(ShmSize=64 << 20)) and None))
change("P13", "an image that its maker has withdrawn", ALL)(lambda m: m.container(
    "vision", lambda c: c["Config"].update(Image="nvidia/cuda:11.0-base")))


def make(signature, base, folder):
    """A machine with that change, ready for `estiva doctor --root FOLDER`."""
    machine = Machine(base, folder)
    if signature != "healthy":
        CHANGES[signature].make(machine)
    return machine


def main(words):
    if words == ["--list"]:
        for signature, row in CHANGES.items():
            print(f"{signature}\t{','.join(row.bases)}\t{row.words}")
        return 0
    if len(words) != 3 or words[0] not in (*CHANGES, "healthy") or words[1] not in BASES:
        print(__doc__, file=sys.stderr)
        return 2
    make(*words)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
