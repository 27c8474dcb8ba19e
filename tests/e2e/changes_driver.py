"""Broken drivers and kernels: D1 to D22 of the catalogue. Texts of the kernel are those of the driver's own source
or of the issues that docs/doctor/ names for each signature."""
import os

from change_table import change


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


@change("D4", "the driver's packages are not held, and the machine upgrades itself", ("debian-gpu", "ubuntu-gpu", "rhel-gpu"))
def _(m):
    if m.base == "rhel-gpu":
        m.remove("/etc/dnf/plugins/versionlock.list")
        m.link("/etc/systemd/system/timers.target.wants/dnf-automatic-install.timer",
               "/usr/lib/systemd/system/dnf-automatic-install.timer")
    elif m.base == "debian-gpu":
        m.edit("/var/lib/dpkg/status", "Status: hold ok installed", "Status: install ok installed")
    else:
        m.edit("/etc/apt/apt.conf.d/99-off", '"0"', '"1"')


@change("D5", "the firmware wants signatures and the module was refused",
        ("debian-gpu", "laptop-prime", "rhel-gpu", "arch-gpu"))
def _(m):
    """The kernel's text: kernel/module/signing.c."""
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


@change("D8", "the card is bound to vfio-pci", ("debian-gpu", "laptop-prime", "rhel-gpu", "arch-gpu"))
def _(m):
    unload(m)
    m.relink(m.card + "/driver", "../../../../bus/pci/drivers/vfio-pci")
    m.append("/proc/modules", "vfio_pci 16384 0 - Live 0x0000000000000000\n")


# What the driver writes when a GPU does not start (NVIDIA/open-gpu-kernel-modules: src/nvidia/arch/nvalloc/unix/src/osinit.c
# and kernel-open/nvidia/nv.c).
change("D9", "the driver can't start the card", ("debian-gpu", "ubuntu-gpu", "arch-gpu"))(lambda m: (
    m.say("NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x22:0x56:894)",
          "NVRM: GPU 0000:01:00.0: rm_init_adapter failed, device minor number 0"),
    m.hide_gpus("ok", "")))


@change("D10", "the card has fallen off the bus")
def _(m):
    """Xid 79 as in NVIDIA's documentation of XID errors."""
    address = os.path.basename(m.card)
    m.say(f"NVRM: Xid (PCI:{address[:-2]}): 79, pid=1234, name=python3, GPU has fallen off the bus.",
          f"NVRM: GPU {address}: GPU has fallen off the bus.")
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


@change("D12", "a spec with graphics, made before nvidia_modeset was loaded")
def _(m):
    """NVIDIA/nvidia-container-toolkit#1982: nvidia-ctk leaves a node out that is not there yet."""
    library = f"{m.driver['folder']}/libEGL_nvidia.so.{m.version}"
    m.write(library, "stands for the library\n")
    m.edit(m.spec, "  - path: /dev/nvidia-modeset\n", "")
    m.append(m.spec, f"  - hostPath: {library}\n    containerPath: {library}\n    options:\n    - ro\n    - rbind\n")


change("D13", "a node has another major than the module")(lambda m: m.node("/dev/nvidia-uvm", 99, 0))
change("D14", "only root and a group may open the nodes")(lambda m: [
    m.node(path, 195, minor, 0o660, 0, 44) for path, minor in (("/dev/nvidia0", 0), ("/dev/nvidiactl", 255))])


@change("D15", "the machine slept without keeping what is in VRAM")
def _(m):
    """The kernel's text: kernel/power/suspend.c."""
    m.write("/sys/power/suspend_stats/success", "1\n")
    m.say("PM: suspend entry (deep)", "PM: suspend exit")
    m.edit("/proc/driver/nvidia/params", "PreserveVideoMemoryAllocations: 1", "PreserveVideoMemoryAllocations: 0")
    m.remove("/etc/modprobe.d/nvidia-power.conf")
    for target, verb in (("suspend", "suspend"), ("hibernate", "hibernate"), ("suspend", "resume"), ("hibernate", "resume")):
        m.remove(f"/etc/systemd/system/systemd-{target}.service.wants/nvidia-{verb}.service")
    m.cuda(999)


@change("D16", "nothing keeps the driver loaded when no program uses it")
def _(m):
    """A screen on the card would keep it; only Debian's has one."""
    drm = m.at(m.card + "/drm")
    for name in (f"{card}/{port}" for card in os.listdir(drm) for port in os.listdir(f"{drm}/{card}") if "-" in port):
        m.write(f"{m.card}/drm/{name}/status", "disconnected\n")
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


# CUDA 13.1's release notes, known issues of UVM with HMM.
change("D18", "UVM can't have its memory region")(lambda m: (
    m.say("nvidia-uvm: uvm_pmm_gpu.c:3285 devmem_alloc_pagemap[pid:1] request_free_mem_region() err -34"),
    m.cuda(999)))
# The kernel's text: mm/util.c, __vm_enough_memory; NVIDIA/nvidia-container-toolkit#1324.
change("D19", "memory is not overcommitted")(lambda m: (
    m.write("/proc/sys/vm/overcommit_memory", "2\n"),
    m.say("__vm_enough_memory: pid: 4242, comm: nvc:[driver], bytes: 34359738368 not enough memory for the allocation")))
change("D20", "a GPU's compute mode is prohibited")(lambda m: m.cuda(0, 2))
change("D21", "what MPS left behind is in the spec")(lambda m: (
    m.write("/tmp/nvidia-mps/log", ""),
    m.append(m.spec, "  - hostPath: /tmp/nvidia-mps\n    containerPath: /tmp/nvidia-mps\n    options:\n    - rbind\n")))
change("D22", "a GPU is too hot and slows down")(lambda m: m.gpus(
    lambda gpu: gpu["sample"].update(temperature_celsius=99, clock_event_reasons=0x40)))
