"""Machines of tests/machines in a folder of the test's own, completed with what git can't keep (device
nodes, sockets, ELF libraries and the linker's cache), and the edits that a test makes to them.

A base says what is missing in its files `nodes` ("PATH c MAJOR MINOR MODE UID GID", "PATH s ...") and
`driver.json` (the driver's libraries and firmware). Device nodes need root: without it an ordinary file
stands for each, as host/driver_files takes it.
"""
import json
import os
import shutil
import socket
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
MACHINES = os.path.join(ROOT, "tests/machines")
BASES = ["debian-gpu", "ubuntu-gpu", "rhel-gpu", "arch-gpu", "wsl-gpu", "laptop-prime"]
_SONAMES = {"libnvidia-nvvm.so": "libnvidia-nvvm.so.4", "libnvidia-gpucomp.so": None}


def _elf(soname):
    sys.path.insert(0, os.path.join(ROOT, "tests"))
    from driver_tree_files import elf
    return elf(soname)


def _ld_cache(entries):
    from driver_tree_files import X86_64, ld_cache
    return ld_cache([(name, path, X86_64) for name, path in entries])


class Machine:
    """One tree. Paths are those inside it; what is not there is an error, so that no change is void."""

    def __init__(self, base, folder):
        self.base, self.root = base, folder
        shutil.copytree(os.path.join(MACHINES, base), folder, symlinks=True, dirs_exist_ok=True)
        os.remove(self.at("/readiness.txt"))
        self.driver = json.loads(self.read("/driver.json"))
        self._nodes()
        self.libraries(self.driver["version"])

    @property
    def version(self):
        return self.driver["version"]

    def at(self, path):
        return self.root + path

    def has(self, path):
        return os.path.lexists(self.at(path))

    def read(self, path):
        with open(self.at(path), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()

    def write(self, path, content, mode=0o644):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        with open(self.at(path), "wb") as file:
            file.write(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)
        os.chmod(self.at(path), mode)

    def append(self, path, text):
        self.write(path, (self.read(path) if os.path.exists(self.at(path)) else "") + text)

    def edit(self, path, old, new):
        text = self.read(path)
        assert old in text, f"{self.base}: {path} has no {old!r}"
        self.write(path, text.replace(old, new), os.stat(self.at(path)).st_mode & 0o7777)

    def remove(self, *paths):
        for path in paths:
            if os.path.isdir(self.at(path)) and not os.path.islink(self.at(path)):
                shutil.rmtree(self.at(path))
            else:
                os.remove(self.at(path))

    def link(self, path, target):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        os.symlink(target, self.at(path))

    def relink(self, path, target):
        os.remove(self.at(path))
        self.link(path, target)

    def touch(self, path, seconds):
        """The time of a file, as the tree's own file `times` says it."""
        rows = [row for row in self.read("/times").splitlines() if row.split()[1] != path]
        self.write("/times", "\n".join(rows + [f"{seconds} {path}"]) + "\n")

    def node(self, path, major, minor, mode=0o666, uid=0, gid=0):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        if os.path.lexists(self.at(path)):
            os.remove(self.at(path))
        if os.geteuid() != 0:
            self.write(path, "")
            return
        os.mknod(self.at(path), 0o020600, os.makedev(major, minor))
        os.chown(self.at(path), uid, gid)
        os.chmod(self.at(path), mode)

    def socket(self, path):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        here = os.getcwd()
        os.chdir(os.path.dirname(self.at(path)))  # the whole path may be too long for a socket
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.bind(os.path.basename(path))
        finally:
            os.chdir(here)

    def _nodes(self):
        for row in self.read("/nodes").splitlines():
            path, kind, major, minor, mode, uid, gid = row.split()
            if kind == "s":
                self.socket(path)
            else:
                self.node(path, int(major), int(minor), int(mode, 8), int(uid), int(gid))

    def libraries(self, version):
        """The driver's files of a version, with links and the linker's cache."""
        cached = []
        for name in self.driver.get("libraries", []):
            path = f"{self.driver['folder']}/{name}.{version}"
            soname = _SONAMES.get(name, name + ".1")
            self.write(path, _elf(soname or os.path.basename(path)))
            for alias in {soname or os.path.basename(path), name}:
                link = f"{self.driver['folder']}/{alias}"
                if link == path:
                    continue
                if os.path.lexists(self.at(link)):
                    os.remove(self.at(link))
                self.link(link, os.path.basename(path))
            cached.append((soname or os.path.basename(path), f"{self.driver['folder']}/{soname or os.path.basename(path)}"))
        for path in self.driver.get("files", []):
            self.write(path, _elf(os.path.basename(path)))
            cached.append((os.path.basename(path), path))
        for path in self.driver.get("firmware", []):
            self.write(path.replace(self.version, version), "firmware")
        self.write("/etc/ld.so.cache", _ld_cache(cached))

    def drop_libraries(self):
        folder = self.driver["folder"]
        for name in os.listdir(self.at(folder)):
            if name.startswith(("libcuda", "libnvidia")):
                os.remove(self.at(f"{folder}/{name}"))
        self.write("/etc/ld.so.cache", _ld_cache([("libc.so.6", "/lib/libc.so.6")]))

    def older_driver(self, version, cuda):
        """The whole machine with another version of the driver: module, libraries, packages, spec."""
        old = self.version
        self.drop_libraries()
        for folder, names, files in os.walk(self.root, topdown=False):
            for path in (os.path.join(folder, name) for name in files):
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as file:
                        text = file.read()
                    if old.encode() in text:
                        self.write(path[len(self.root):], text.replace(old.encode(), version.encode()),
                                   os.stat(path).st_mode & 0o7777)
            for name in (*names, *files):
                if old in name:
                    os.rename(os.path.join(folder, name), os.path.join(folder, name.replace(old, version)))
        self.driver = json.loads(self.read("/driver.json"))
        self.libraries(version)
        self.json("/gpus.json", lambda value: value["readings"][-1]["driver"].update(cuda_version=cuda))

    def json(self, path, change):
        """Calls `change` with a JSON document and writes it back."""
        value = json.loads(self.read(path))
        changed = change(value)
        self.write(path, json.dumps(value if changed is None else changed, indent=1) + "\n")

    def info(self, **members):
        self.json("/docker/info.json", lambda info: info.update(members))

    def engine(self, version):
        def change(value):
            value["Version"] = value["Components"][0]["Version"] = version
        self.json("/docker/version.json", change)
        self.info(ServerVersion=version)

    def container(self, service, change):
        """Calls `change` with what inspect says of a service's container."""
        for name in sorted(os.listdir(self.at("/docker/inspect"))):
            path = "/docker/inspect/" + name
            if json.loads(self.read(path))["Config"]["Labels"]["com.docker.compose.service"] == service:
                self.json(path, change)
                return
        raise AssertionError(f"{self.base}: no container of {service}")

    def image(self, tag, change):
        for name in os.listdir(self.at("/docker/images")):
            path = "/docker/images/" + name
            if tag in json.loads(self.read(path))["RepoTags"]:
                self.json(path, change)
                return
        raise AssertionError(f"{self.base}: no image {tag}")

    def gpus(self, change):
        """Calls `change` with each GPU that the driver named."""
        def each(value):
            for gpu in value["readings"][-1]["gpus"]:
                change(gpu)
        self.json("/gpus.json", each)

    def hide_gpus(self, state, reason):
        """What NVML says where it can't start."""
        def change(value):
            value["readings"][-1]["gpus"] = []
            value["readings"][-1]["driver"].update(state=state, reason=reason)
        self.json("/gpus.json", change)
        self.cuda(100)

    def cuda(self, init, mode=None):
        self.write("/cuda", f"init {init}\n" + (f"mode {mode}\n" if mode is not None else ""))

    def say(self, *lines):
        """The kernel says it, an hour after it started."""
        self.append("/kmsg", "".join(f"[ 3600.{i:06}] {line}\n" for i, line in enumerate(lines)))

    @property
    def spec(self):
        path = "/etc/cdi/nvidia.yaml" if self.base == "wsl-gpu" else "/run/cdi/nvidia.yaml"
        return path

    @property
    def card(self):
        """The sysfs folder of the first NVIDIA GPU."""
        devices = "/sys/bus/pci/devices"
        for name in sorted(os.listdir(self.at(devices))):
            if self.read(f"{devices}/{name}/vendor").strip() == "0x10de":
                return f"{devices}/{name}"
        raise AssertionError(f"{self.base}: no NVIDIA GPU on PCI")

    @property
    def release(self):
        return self.read("/proc/sys/kernel/osrelease").strip()

    def major(self, name):
        for row in self.read("/proc/devices").splitlines():
            if row.split()[1:] == [name]:
                return int(row.split()[0])
        raise AssertionError(f"{self.base}: no major of {name}")

    def hook(self, *words):
        """One more hook of NVIDIA's in the spec."""
        rows = "".join(f"    - {json.dumps(word) if word.isdigit() else word}\n" for word in ("nvidia-cdi-hook", *words))
        self.edit(self.spec, "  mounts:\n", "  - hookName: createContainer\n    path: /usr/bin/nvidia-cdi-hook\n"
                  f"    args:\n{rows}    env:\n    - NVIDIA_CTK_DEBUG=false\n  mounts:\n")

    def kernel(self, release):
        """The running kernel is another, with the same modules; it is the only one."""
        old, modules = self.release, "/usr/lib/modules/"
        for other in os.listdir(self.at(modules)):
            if other != old:
                self.remove(modules + other)
        os.rename(self.at(modules + old), self.at(modules + release))
        for image in os.listdir(self.at("/boot")) if self.has("/boot") else ():
            self.remove("/boot/" + image)
            self.write("/boot/vmlinuz-" + release, "stands for the kernel\n")
        for path in ("/proc/sys/kernel/osrelease", "/proc/version"):
            self.edit(path, old, release)
        self.info(KernelVersion=release)
        self.json("/docker/version.json", lambda version: version.update(KernelVersion=release))

    def divide(self, name, instances):
        """What NVML says of the first GPU when it is divided: the GPU, and each of its instances."""
        def change(value):
            gpus = value["readings"][-1]["gpus"]
            gpus[0]["identity"].update(name=name, architecture="Ampere", compute_capability=80, mig_enabled=True)
            for place, uuid in enumerate(instances, 1):
                one = json.loads(json.dumps(gpus[0]))
                one["identity"].update(name=name + " MIG 3g.40gb", mig_enabled=False, gpu_instance=place, compute_instance=0)
                one["identity"]["id"]["instance"] = uuid
                gpus.append(one)
        self.json("/gpus.json", change)

    def second_card(self):
        """One more card like the first, behind it on the bus; the spec was made anew since."""
        old, new = os.path.basename(self.card), "0000:42:00.0"
        folder, uuid = f"/sys/bus/pci/devices/{new}", "GPU-50600000-0000-4000-8000-000000000002"
        for name in ("vendor", "device", "class", "power/control", "power/runtime_status"):
            self.write(f"{folder}/{name}", self.read(f"{self.card}/{name}"))
        self.write(f"{folder}/boot_vga", "0\n")
        self.link(f"{folder}/driver", "../../../../bus/pci/drivers/nvidia")
        self.write(f"/proc/driver/nvidia/gpus/{new}/information", "".join(
            f"GPU UUID: \t {uuid}\n" if row.startswith("GPU UUID") else row.replace(old, new).replace("Minor: \t 0", "Minor: \t 1")
            for row in self.read(f"/proc/driver/nvidia/gpus/{old}/information").splitlines(keepends=True)))
        self.node("/dev/nvidia1", 195, 1)
        self.link("/dev/char/195:1", "../nvidia1")

        def add(value):
            one = json.loads(json.dumps(value["readings"][-1]["gpus"][0]))
            one["identity"].update(index=1, minor_number=1, pci_bus_id="0000" + new)
            one["identity"]["id"]["uuid"] = uuid
            value["readings"][-1]["gpus"].append(one)
        self.json("/gpus.json", add)
        one = "  containerEdits:\n    deviceNodes:\n    - path: /dev/nvidia1\n"
        self.edit(self.spec, "- name: all\n", f'- name: "1"\n{one}- name: {uuid}\n{one}- name: all\n')
        self.edit(self.spec, "\ncontainerEdits:\n", "\n    - path: /dev/nvidia1\ncontainerEdits:\n")
        self.json("/docker/info.json", lambda info: info["DiscoveredDevices"].extend(
            {"Source": "cdi", "ID": "nvidia.com/gpu=" + device} for device in ("1", uuid)))
