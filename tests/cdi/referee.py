"""What must be in a CDI spec, worked out from a host tree on the disk by rules of its own: a second reading of
decide/cdi/generate.h that shares no code with the product. Standard library only."""
import fnmatch
import os
import re
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from driver_tree_files import AARCH64, I386, X86_64, read_elf  # noqa: E402

GRAPHICS = """libnvidia-eglcore libnvidia-glcore libnvidia-glsi libnvidia-tls libnvidia-fbc libnvidia-rtcore
    libnvidia-glvkspirv libnvoptix libnvidia-ngx libGLX_nvidia libEGL_nvidia libGLESv2_nvidia libGLESv1_CM_nvidia
    libnvidia-egl-gbm libnvidia-egl-wayland""".split()
VIDEO = "libnvcuvid libnvidia-encode libnvidia-opticalflow libvdpau_nvidia".split()
XORG = "nvidia_drv libglxserver_nvidia".split()
LAYOUTS = {X86_64: ["/usr/lib/x86_64-linux-gnu", "/usr/lib64"], AARCH64: ["/usr/lib/aarch64-linux-gnu", "/usr/lib64"],
           I386: ["/usr/lib/i386-linux-gnu", "/usr/lib32"]}
READ_ONLY = "ro,nosuid,nodev,rbind,rprivate"


class Host:
    """The tree, with links resolved inside it."""

    def __init__(self, root):
        self.root = root

    def real(self, path, depth=0):
        """Where a path ends, or None."""
        done, rest = "", [part for part in path.split("/") if part]
        while rest:
            part = rest.pop(0)
            if part == "..":
                done = os.path.dirname(done) if done else ""
                continue
            here = f"{done}/{part}"
            if os.path.islink(self.root + here):
                if depth > 40:
                    return None
                depth += 1
                target = os.readlink(self.root + here)
                if target.startswith("/"):
                    done = ""
                rest = [p for p in target.split("/") if p and p != "."] + rest
                continue
            if not os.path.lexists(self.root + here):
                return None
            done = here
        return done or "/"

    def exists(self, path):
        return self.real(path) is not None

    def walk(self):
        """Each path of the tree, once, without following links."""
        for folder, folders, files in os.walk(self.root):
            for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
                yield os.path.join(folder, name)[len(self.root):]

    def text(self, path):
        real = self.real(path)
        if real is None:
            return ""
        with open(self.root + real, encoding="utf-8") as file:
            return file.read()


def module_version(host):
    found = re.search(r"(?:Kernel Module|x86_64) +(\d+\.\d+(?:\.\d+)?) ", host.text("/proc/driver/nvidia/version"))
    return found[1] if found else host.text("/sys/module/nvidia/version").strip()


def stem(path):
    return os.path.basename(path).split(".so")[0]


def libraries(host, version):
    """Path -> (machine, SONAME, names of links) of each library that counts."""
    found, links = {}, {}
    own = re.compile(r"/libnvidia-(egl-(gbm|wayland)\.so\.\d+\.\d+|nvvm70\.so\.\d)")
    for path in host.walk():
        if os.path.islink(host.root + path):
            end = host.real(path)
            if end:
                links.setdefault(end, set()).add(path)
        elif path.endswith(f".so.{version}") or path.endswith("/nvidia_drv.so") or own.search(path):
            found[path] = read_elf(host.root + path)
    return {path: (*elf, links.get(path, set())) for path, elf in found.items() if elf}


def is_wanted(path, machine, options):
    if machine == I386 and "--compat32" not in options:
        return False
    name = stem(path)
    if name in GRAPHICS:
        return "--graphics" in options or "--display" in options
    if name in VIDEO:
        return "--video" in options
    return name not in XORG or "--display" in options


def library_mounts(host, version, options):
    """Container path -> host path."""
    mounts = {}
    for path, (machine, soname, links) in libraries(host, version).items():
        if not is_wanted(path, machine, options):
            continue
        folder = os.path.dirname(path)
        folders = [] if machine == I386 and folder == "/usr/lib" else [folder]
        if stem(path) not in XORG:
            folders += [layout + ("/vdpau" if folder.endswith("/vdpau") else "") for layout in LAYOUTS[machine]]
        if soname in ("", None) or stem(path) in ("libcuda", *XORG):
            mounts[f"{folders[0]}/{os.path.basename(path)}"] = path
        for place in folders:
            mounts[f"{place}/{soname or os.path.basename(path)}"] = path
            if stem(path) == "libcuda":
                mounts[f"{place}/libcuda.so"] = path
            for link in links:
                if stem(link) == "nvidia-drm_gbm":
                    if "--graphics" in options or "--display" in options:
                        mounts[f"{place}/gbm/nvidia-drm_gbm.so"] = path
                elif os.path.basename(link) == os.path.basename(path):
                    continue
                elif link.startswith(("/usr/lib", "/nix", "/run")):
                    mounts[f"{place}/{os.path.basename(link)}"] = path
    return mounts


def wsl_mounts(host):
    mounts = {"/usr/lib/wsl": "/usr/lib/wsl"}
    paths = [p for p in host.walk() if p.startswith("/usr/lib/wsl/lib/lib")]
    for by_soname in (True, False):  # the file of the name itself wins
        for path in paths:
            machine, soname = read_elf(host.root + path)
            for layout in LAYOUTS[machine]:
                mounts[f"{layout}/{soname if by_soname else os.path.basename(path)}"] = path
    return mounts


def other_mounts(host, version, options):
    mounts = {}
    for name in ("smi", "debugdump", "persistenced", "cuda-mps-control", "cuda-mps-server", "xconfig"):
        for folder in ("/usr/bin", "/run/current-system/sw/bin", "/usr/lib/wsl/lib"):
            path = f"{folder}/nvidia-{name}"
            if host.exists(path) and (name != "xconfig" or "--display" in options):
                mounts[f"/usr/bin/nvidia-{name}"] = path
                break
    for folder in ("/lib/firmware", "/lib/firmware/updates/6.1.0-30-amd64"):
        for name in ("gsp_ga10x.bin", "gsp_tu10x.bin"):
            path = f"{folder}/nvidia/{version}/{name}"
            if version and host.exists(path):
                mounts[path] = path
    if host.exists("/etc/OpenCL/vendors/nvidia.icd"):
        mounts["/etc/OpenCL/vendors/nvidia.icd"] = "/etc/OpenCL/vendors/nvidia.icd"
    for share in ("/usr/share", "/run/opengl-driver/share"):
        for pattern, place, needs in (
                ("glvnd/egl_vendor.d/10_nvidia.json", "/usr/share/", "graphics"),
                ("egl/egl_external_platform.d/15_nvidia_gbm.json", "/usr/share/", "graphics"),
                ("vulkan/icd.d/nvidia_icd.json", "/etc/", "graphics"),
                ("vulkan/implicit_layer.d/nvidia_layers.json", "/etc/", "graphics"),
                ("nvidia/nvoptix.bin", "/usr/share/", "graphics"),
                ("X11/xorg.conf.d/10-nvidia.conf", "/usr/share/", "display")):
            asked = f"--{needs}" in options or "--display" in options
            if asked and host.exists(f"{share}/{pattern}"):
                mounts[place + pattern] = f"{share}/{pattern}"
    return mounts


def socket_mounts(host, options):
    if "--sockets" not in options:
        return {}
    return {p: p for p in ("/run/nvidia-persistenced/socket", "/tmp/nvidia-mps") if host.exists(p)}


def mounts(host, options):
    """Container path -> (host path, options)."""
    version = module_version(host)
    if host.exists("/dev/dxg"):
        plain = wsl_mounts(host)
    else:
        plain = library_mounts(host, version, options)
    plain.update(other_mounts(host, version, options))
    out = {place: (source, READ_ONLY) for place, source in plain.items()}
    out.update({p: (p, "nosuid,nodev,rbind,rprivate,noexec") for p in socket_mounts(host, options)})
    return out


def gpus(host):
    """(index, node, UUID, bus, words of its MIG devices or None) of each GPU whose node is there."""
    words = [line.split() for line in host.text("/word").splitlines()]
    base, found = "/proc/driver/nvidia/gpus", []
    buses = os.listdir(host.root + base) if host.exists(base) else []
    for place, bus in enumerate(sorted(buses, key=lambda b: [int(x, 16) for x in re.split("[:.]", b)])):
        text = host.text(f"{base}/{bus}/information")
        uuid = re.search(r"GPU UUID:\s*(GPU-[0-9a-f-]{36})", text)
        minor = int(re.search(r"Minor:\s*(\d+)", text)[1])
        said = [w for w in words if w[0] == "gpu" and w[1][4:] == bus]
        index = int(said[0][2]) if said else place
        exists = host.exists(f"/proc/driver/nvidia/capabilities/gpu{minor}/mig")
        is_mig = exists or bool(said and said[0][4] == "mig")
        migs = [w for w in words if w[0] == "mig" and w[1][4:] == bus] if is_mig else None
        if host.exists(f"/dev/nvidia{minor}"):
            found.append((index, minor, said[0][3] if said else uuid and uuid[1], bus, migs))
    return sorted(found)


def cap_nodes(host, minor, outer, inner):
    lines = dict(line.split() for line in host.text("/proc/driver/nvidia-caps/mig-minors").splitlines())
    return [f"/dev/nvidia-caps/nvidia-cap{lines[f'gpu{minor}/gi{outer}{rest}/access']}" for rest in ("", f"/ci{inner}")]


def drm_nodes(host, bus):
    """Path -> host path."""
    out, folder = {}, f"/sys/bus/pci/devices/{bus}/drm"
    for node in sorted(os.listdir(host.root + folder)) if host.exists(folder) else []:
        out[f"/dev/dri/{node}"] = f"/dev/dri/{node}"
        kind = "card" if node.startswith("card") else "render"
        out[f"/dev/dri/by-path/pci-{bus}-{kind}"] = f"/dev/dri/{node}"
    return out


def devices(host, options):
    """Name -> {path: host path}, without "all" where nobody has a name."""
    if host.exists("/dev/dxg"):
        return {"all": {"/dev/dxg": "/dev/dxg"}}
    out, everything = {}, {}
    for index, minor, uuid, bus, migs in gpus(host):
        own = {f"/dev/nvidia{minor}": f"/dev/nvidia{minor}"}
        if migs is None:
            if "--graphics" in options or "--display" in options:
                own.update(drm_nodes(host, bus))
            parts = [(str(index), uuid, own)]
        else:
            parts = []
            places = [(w[4], w[5], w[6]) for w in migs] or instances_of(host, minor)
            for number, (name, outer, inner) in enumerate(places):
                if outer != "-":
                    caps = cap_nodes(host, minor, outer, inner)
                    parts.append((f"{index}:{number}", name, {**own, **{cap: cap for cap in caps}}))
        for short, long, nodes in parts:
            everything.update(nodes)
            out.update({name: nodes for name in (short, long) if name})
    return {**out, "all": everything}


def instances_of(host, minor):
    base = f"/proc/driver/nvidia/capabilities/gpu{minor}/mig"
    found = [re.search(r"gi(\d+)/ci(\d+)/", p).groups() for p in host.walk()
             if fnmatch.fnmatch(p, f"{base}/gi*/ci*/access")]
    return [("", *found[0])] if len(found) == 1 else []


def common_nodes(host):
    return {p: p for p in ("/dev/nvidiactl", "/dev/nvidia-modeset", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
            if host.exists(p)}


def groups(host, nodes):
    """Of the nodes that not everybody may read and write."""
    found = set()
    for path in nodes.values():
        info = os.stat(host.root + host.real(path))
        if info.st_gid != 0 and stat.S_IMODE(info.st_mode) & 6 != 6:
            found.add(info.st_gid)
    return sorted(found)
