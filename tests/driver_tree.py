#!/usr/bin/python3
"""Fake host trees with an NVIDIA driver: libraries, links, linker's cache, procfs, sysfs, /dev.

usage: driver_tree.py NAME DIR [--real] [--nodes]    makes one tree in an empty or new folder
       driver_tree.py --list                         the names, one a line, and what is special

--real: libraries that can be loaded, made by gcc. --nodes: true character devices (of the numbers of
/dev/null, so that they are harmless; needs root), not ordinary files. Paths are those of the driver's
packages of each distribution. Standard library only.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver_tree_files import AARCH64, I386, X86_64, elf, ld_cache, real_stub  # noqa: E402

V550, V570, V580 = "550.163.01", "570.86.15", "580.159.04"
UUIDS = [f"GPU-{i}{i}{i}{i}{i}{i}{i}{i}-aaaa-bbbb-cccc-123456789abc" for i in range(8)]

# Name and SONAME's number; None: the SONAME has the version, as the file.
COMPUTE = [("libcuda", "1"), ("libcudadebugger", "1"), ("libnvidia-ml", "1"), ("libnvidia-cfg", "1"),
           ("libnvidia-opencl", "1"), ("libnvidia-ptxjitcompiler", "1"), ("libnvidia-nvvm", "4"),
           ("libnvidia-allocator", "1"), ("libnvidia-gpucomp", None), ("libnvidia-pkcs11-openssl3", None),
           ("libnvidia-sandboxutils", "1")]
VIDEO = [("libnvcuvid", "1"), ("libnvidia-encode", "1"), ("libnvidia-opticalflow", "1"),
         ("vdpau/libvdpau_nvidia", "1")]
GRAPHICS = [("libGLX_nvidia", "0"), ("libEGL_nvidia", "0"), ("libGLESv2_nvidia", "2"),
            ("libGLESv1_CM_nvidia", "1"), ("libnvidia-eglcore", None), ("libnvidia-glcore", None),
            ("libnvidia-glsi", None), ("libnvidia-tls", None), ("libnvidia-fbc", "1"),
            ("libnvidia-rtcore", None), ("libnvidia-glvkspirv", None), ("libnvoptix", "1"),
            ("libnvidia-ngx", "1")]
# With versions of their own.
PLATFORMS = [("libnvidia-egl-gbm.so.1.1.2", "libnvidia-egl-gbm.so.1"),
             ("libnvidia-egl-wayland.so.1.1.13", "libnvidia-egl-wayland.so.1"),
             ("libnvidia-nvvm70.so.4", "libnvidia-nvvm70.so.4")]
WSL = ["libcuda.so", "libcuda.so.1", "libcuda.so.1.1", "libdxcore.so", "libnvidia-ml.so.1", "libnvcuvid.so.1",
       "libnvidia-encode.so.1", "libnvidia-ptxjitcompiler.so.1"]
BINARIES = ["nvidia-smi", "nvidia-debugdump", "nvidia-persistenced", "nvidia-cuda-mps-control",
            "nvidia-cuda-mps-server", "nvidia-xconfig"]


class Tree:
    """One root. Paths are those inside it."""

    def __init__(self, root, real=False, nodes=False):
        self.root, self.real, self.nodes = root, real, nodes
        self.cached = []

    def at(self, path):
        return self.root + path

    def folder(self, path):
        os.makedirs(self.at(path), exist_ok=True)

    def file(self, path, content=b"", mode=0o644):
        self.folder(os.path.dirname(path))
        with open(self.at(path), "wb") as out:
            out.write(content.encode() if isinstance(content, str) else content)
        os.chmod(self.at(path), mode)

    def link(self, path, target):
        self.folder(os.path.dirname(path))
        os.symlink(target, self.at(path))

    def node(self, path, mode=0o666, group=0):
        self.folder(os.path.dirname(path))
        if self.nodes:
            os.mknod(self.at(path), 0o020000 | mode, os.makedev(1, 3))
        else:
            self.file(path)
        os.chmod(self.at(path), mode)
        if group and os.geteuid() == 0:
            os.chown(self.at(path), 0, group)

    def library(self, path, soname, machine=X86_64):
        stub = self.real and machine == X86_64
        self.file(path, real_stub(soname, os.path.basename(path), self.root) if stub else elf(soname, machine))

    def driver_library(self, folder, name, number, version, machine=X86_64, link_version=None):
        """The file, its SONAME link and, for a few, the ".so" link of a development package."""
        stem = os.path.basename(name)
        file = f"{stem}.so.{version}"
        soname = file if number is None else f"{stem}.so.{number}"
        self.library(os.path.join(folder, os.path.dirname(name), file), soname, machine)
        if number is not None and link_version in (None, version):
            place = os.path.join(folder, os.path.dirname(name))
            self.link(f"{place}/{soname}", file)
            if stem in ("libnvidia-ml", "libvdpau_nvidia", "libnvidia-nvvm"):
                self.link(f"{place}/{stem}.so", soname)
        if "/" not in name:
            self.cached.append((soname, f"{folder}/{soname}", machine))

    def write_cache(self, kind):
        if kind == "none":
            return
        if kind == "ldconfig" and os.geteuid() == 0 and shutil.which("ldconfig"):
            folders = sorted({os.path.dirname(path) for _, path, _ in self.cached})
            self.file("/etc/ld.so.conf", "".join(folder + "\n" for folder in folders))
            subprocess.run(["ldconfig", "-X", "-r", self.root], check=True, timeout=60,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return
        entries = [("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6", X86_64)]
        entries += [] if kind == "stale" else self.cached
        self.file("/etc/ld.so.cache", ld_cache(entries, with_old=kind == "old"))


def all_libraries(want):
    return COMPUTE + (VIDEO + GRAPHICS if want.get("graphics", True) else [])


def without(libraries, want):
    return [pair for pair in libraries if os.path.basename(pair[0]) not in want.get("lacks", ())]


def put_plain(tree, folder, want, machine=X86_64):
    """A folder that holds files and links of one or more versions; links lead to the last one."""
    versions = want["libraries"]
    for version in versions:
        for name, number in without(all_libraries(want), want):
            only = want.get("only", {}).get(name)
            if only in (None, version):
                tree.driver_library(folder, name, number, version, machine, only or versions[-1])
    if want.get("graphics", True):
        for file, soname in PLATFORMS:
            tree.library(f"{folder}/{file}", soname, machine)
            if file != soname:
                tree.link(f"{folder}/{soname}", file)
        tree.link(f"{folder}/gbm/nvidia-drm_gbm.so", f"../libnvidia-allocator.so.{versions[-1]}")
        tree.link(f"{folder}/libGLX_indirect.so.0", f"libGLX_nvidia.so.{versions[-1]}")


def merged_usr(tree):
    for name in ("bin", "sbin", "lib", "lib64"):
        tree.folder("/usr/" + name)
        tree.link("/" + name, "usr/" + name)


def debian(tree, want):
    """Everything in nvidia/current, reached by links through /etc/alternatives."""
    merged_usr(tree)
    usual, own = "/usr/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu/nvidia/current"
    put_plain(tree, own, want)
    tree.cached = []
    for name, number in without(COMPUTE, want):
        if number is None:
            continue
        soname = f"{name}.so.{number}"
        tree.link(f"/etc/alternatives/nvidia--{soname}-x86_64-linux-gnu", f"{own}/{soname}")
        tree.link(f"{usual}/{soname}", f"/etc/alternatives/nvidia--{soname}-x86_64-linux-gnu")
        tree.cached.append((soname, f"/lib/x86_64-linux-gnu/{soname}", X86_64))
    for name in BINARIES:
        tree.file(f"/usr/lib/nvidia/current/{name}", "#!/bin/sh\n", 0o755)
        tree.link(f"/etc/alternatives/nvidia--{name}", f"/usr/lib/nvidia/current/{name}")
        tree.link(f"/usr/bin/{name}", f"/etc/alternatives/nvidia--{name}")
    shares(tree, want, "/usr/share")


def ubuntu(tree, want):
    merged_usr(tree)
    put_plain(tree, "/usr/lib/x86_64-linux-gnu", want)
    if want.get("multilib"):
        put_plain(tree, "/usr/lib/i386-linux-gnu", want, I386)
    programs(tree)
    tree.library("/usr/lib/x86_64-linux-gnu/nvidia/xorg/nvidia_drv.so", None)
    shares(tree, want, "/usr/share")


def arm(tree, want):
    merged_usr(tree)
    put_plain(tree, "/usr/lib/aarch64-linux-gnu", want, AARCH64)
    programs(tree)
    shares(tree, want, "/usr/share")


def rhel(tree, want):
    merged_usr(tree)
    if want.get("multilib"):  # True, or the version that the 32-bit ones have
        version = want["multilib"]
        put_plain(tree, "/usr/lib", want if version is True else {**want, "libraries": [version]}, I386)
    put_plain(tree, "/usr/lib64", want)
    programs(tree)
    version = want["libraries"][-1]
    tree.library("/usr/lib64/xorg/modules/drivers/nvidia_drv.so", None)
    tree.library(f"/usr/lib64/xorg/modules/extensions/libglxserver_nvidia.so.{version}", "libglxserver_nvidia.so")
    shares(tree, want, "/usr/share")


def arch(tree, want):
    tree.folder("/usr/lib")
    tree.folder("/usr/bin")
    for path, target in (("/lib", "usr/lib"), ("/lib64", "usr/lib"), ("/usr/lib64", "lib"), ("/bin", "usr/bin"),
                         ("/sbin", "usr/bin"), ("/usr/sbin", "bin")):
        tree.link(path, target)
    for i in range(200):  # a large folder that is not the driver's
        tree.link(f"/usr/lib/libother{i}.so", f"libother{i}.so.1")
    put_plain(tree, "/usr/lib", want)
    if want.get("multilib"):
        put_plain(tree, "/usr/lib32", want, I386)
    programs(tree)
    shares(tree, want, "/usr/share")


def nixos(tree, want):
    """The driver in the store; a folder of links in another store path; /run leads there."""
    version = want["libraries"][-1]
    store, links = f"/nix/store/aaaa-nvidia-x11-{version}", "/nix/store/bbbb-graphics-drivers"
    put_plain(tree, store + "/lib", want)
    shares(tree, want, store + "/share")
    for folder, _, files in os.walk(tree.at(store)):
        inside = folder[len(tree.at(store)):]
        for name in files:
            tree.link(f"{links}{inside}/{name}", f"{store}{inside}/{name}")
    tree.link("/run/opengl-driver", links)
    tree.file(f"{store}/bin/nvidia-smi", "#!/bin/sh\n", 0o755)
    tree.link("/nix/store/cccc-system-path/bin/nvidia-smi", f"{store}/bin/nvidia-smi")
    tree.link("/run/current-system/sw", "/nix/store/cccc-system-path")


def wsl(tree, want):
    merged_usr(tree)
    for name in WSL:
        if name.split(".so")[0] not in want.get("lacks", ()):
            stem = name.split(".so")[0]
            tree.library(f"/usr/lib/wsl/lib/{name}", "libcuda.so.1" if stem == "libcuda" else name)
    tree.file("/usr/lib/wsl/lib/nvidia-smi", "#!/bin/sh\n", 0o755)
    tree.file("/usr/lib/wsl/drivers/nv_dispi.inf_amd64_0123456789abcdef/nvcubins.bin", "x")


def programs(tree):
    for name in BINARIES:
        tree.file(f"/usr/bin/{name}", "#!/bin/sh\n", 0o755)


def shares(tree, want, share):
    if not want.get("graphics", True):
        return
    library = '{"ICD": {"library_path": "libGLX_nvidia.so.0"}}\n'
    tree.file("/etc/OpenCL/vendors/nvidia.icd", "libnvidia-opencl.so.1\n")
    tree.file(f"{share}/glvnd/egl_vendor.d/10_nvidia.json", library)
    tree.file(f"{share}/glvnd/egl_vendor.d/50_mesa.json", library)
    tree.file(f"{share}/egl/egl_external_platform.d/15_nvidia_gbm.json", library)
    tree.file(f"{share}/vulkan/icd.d/nvidia_icd.json", library)
    tree.file(f"{share}/vulkan/implicit_layer.d/nvidia_layers.json", library)
    tree.file(f"{share}/nvidia/nvoptix.bin", "x")
    tree.file(f"{share}/X11/xorg.conf.d/10-nvidia.conf", "")


def procfs(tree, want):
    version = want["module"]
    if version is None:
        return
    kind = "Open Kernel Module for x86_64" if want.get("open") else "x86_64 Kernel Module"
    tail = "Release Build  (root@build)" if want.get("open") else "Tue Apr  8 12:41:17 UTC 2025"
    tree.file("/proc/driver/nvidia/version",
              f"NVRM version: NVIDIA UNIX {kind}  {version}  {tail}\nGCC version:  gcc version 12.2.0\n")
    if not want.get("hides_sysfs_version"):
        tree.file("/sys/module/nvidia/version", version + "\n")
    tree.file("/proc/sys/kernel/osrelease", "6.1.0-30-amd64\n")
    firmware = want.get("firmware", "/lib/firmware")
    for name in ("gsp_ga10x.bin", "gsp_tu10x.bin"):
        tree.file(f"{firmware}/nvidia/{version}/{name}", "x")
    for gpu in want["gpus"]:
        uuid = gpu.get("uuid") or "GPU-" + "-".join("?" * n for n in (8, 4, 4, 4, 12))
        tree.file(f"/proc/driver/nvidia/gpus/{gpu['bus']}/information",
                  f"Model: \t\t NVIDIA RTX A2000\nIRQ:   \t\t 41\nGPU UUID: \t {uuid}\nBus Type: \t PCIe\n"
                  f"Bus Location: \t {gpu['bus']}\nDevice Minor: \t {gpu['minor']}\n")
        instances(tree, gpu)


def instances(tree, gpu):
    """A MIG GPU: what exists below capabilities, and the numbers of all nodes that may exist."""
    base = f"/proc/driver/nvidia/capabilities/gpu{gpu['minor']}/mig"
    for outer, inner in gpu.get("mig", ()):
        tree.file(f"{base}/gi{outer}/access", "DeviceFileMinor: 0\nDeviceFileMode: 256\n")
        tree.file(f"{base}/gi{outer}/ci{inner}/access", "DeviceFileMinor: 0\nDeviceFileMode: 256\n")


def mig_minors():
    """The file as the driver writes it, for two GPUs with 14 GPU instances of 8 compute instances each."""
    lines, minor = ["config 1", "monitor 2"], 3
    for gpu in range(2):
        for outer in range(15):
            lines.append(f"gpu{gpu}/gi{outer}/access {minor}")
            minor += 1
            for inner in range(8):
                lines.append(f"gpu{gpu}/gi{outer}/ci{inner}/access {minor}")
                minor += 1
    return lines


def devices(tree, want):
    lacks, mode, group = want.get("no_nodes", ()), want.get("mode", 0o666), want.get("group", 0)
    names = [] if want["module"] is None else ["nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset"]
    names += [f"nvidia{gpu['minor']}" for gpu in want["gpus"]]
    names += ["dxg"] if want["layout"] is wsl else []
    for name in names:
        if name not in lacks:
            tree.node("/dev/" + name, mode, group)
    tree.folder("/dev/nvidia0-is-a-folder")
    for number, gpu in enumerate(want["gpus"]):
        if gpu.get("drm"):
            for kind, node in (("card", f"card{number + 1}"), ("render", f"renderD{128 + number}")):
                tree.folder(f"/sys/bus/pci/devices/{gpu['bus']}/drm/{node}")
                tree.node(f"/dev/dri/{node}", 0o660, 44)
                tree.link(f"/dev/dri/by-path/pci-{gpu['bus']}-{kind}", f"../{node}")
    if any(gpu.get("mig") is not None for gpu in want["gpus"]):
        lines = mig_minors()
        tree.file("/proc/driver/nvidia-caps/mig-minors", "\n".join(lines) + "\n")
        present = {f"gpu{gpu['minor']}/gi{outer}{inner}/access" for gpu in want["gpus"]
                   for outer, ci in gpu.get("mig") or () for inner in ("", f"/ci{ci}")}
        for path, minor in (line.split() for line in lines):
            if path in present or path in ("config", "monitor"):
                tree.node(f"/dev/nvidia-caps/nvidia-cap{minor}", 0o444)


def gpus(count, **more):
    return [{"bus": f"0000:{i + 1:02x}:00.0", "minor": i, "uuid": UUIDS[i], **more} for i in range(count)]


def make(name, root, real=False, nodes=False):
    """Makes the tree of that name; returns its row of the table."""
    from driver_tree_table import ROOTS  # the table needs the layouts above
    want = {"layout": ubuntu, "module": V550, "libraries": [V550], "gpus": gpus(1), "cache": "new", **ROOTS[name]}
    tree = Tree(root, real, nodes)
    os.makedirs(root, exist_ok=True)
    want["layout"](tree, want)
    tree.write_cache(want["cache"])
    procfs(tree, want)
    devices(tree, want)
    tree.file("/etc/os-release", f"ID={want['layout'].__name__}\n")
    for word in want.get("word", ()):
        with open(tree.at("/word"), "a", encoding="utf-8") as out:
            out.write(word + "\n")
    for path, target in want.get("links", ()):
        tree.link(path, target)
    for path, soname in want.get("odd_libraries", ()):
        tree.library(path, soname)
    for path in want.get("sockets", ()):
        tree.file(path)
    return want


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    if "--list" in sys.argv:
        from driver_tree_table import ROOTS
        for name, row in ROOTS.items():
            print(f"{name:<22} {row['about']}")
        return 0
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    make(*words, real="--real" in sys.argv, nodes="--nodes" in sys.argv)
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    # The table imports this file by its name: both must be one module.
    sys.modules["driver_tree"] = sys.modules["__main__"]
    sys.exit(main())
