"""The trees that driver_tree.py can make. A row: what is special, and what differs from a plain Ubuntu with one
GPU and driver 550. `refusal` is what estiva has to say where no spec may be made; `notes` what it has to say of a
spec; `options` are those of the generator."""
from driver_tree import UUIDS, V550, V570, V580, arch, arm, debian, gpus, nixos, rhel, ubuntu, wsl

_MIGS = [f"MIG-{i}{i}{i}{i}{i}{i}{i}{i}-dddd-eeee-ffff-123456789abc" for i in range(7)]
_SEVEN = [(i + 7, 0) for i in range(7)]


def _mig_gpu(places, minor=0):
    return [{"bus": f"0000:{minor + 1:02x}:00.0", "minor": minor, "uuid": UUIDS[minor], "mig": places}]


def _mig_words(bus, index, uuid, places):
    return ([f"gpu {bus} {index} {uuid} mig"] +
            [f"mig {bus} {index} {uuid} {_MIGS[i]} {outer} {inner}" for i, (outer, inner) in enumerate(places)])


_UNKNOWN_UUID = [{"bus": "0000:01:00.0", "minor": 0}]

ROOTS = {
    "ubuntu": {"about": "libraries in the multi-arch folder", "golden": True},
    "debian": {"about": "nvidia/current and alternatives", "layout": debian, "golden": True},
    "debian-no-cache": {"about": "the same without a linker's cache", "layout": debian, "cache": "none"},
    "ubuntu-ldconfig": {"about": "cache made by ldconfig", "cache": "ldconfig"},
    "rhel-ldconfig": {"about": "cache made by ldconfig", "layout": rhel, "cache": "ldconfig"},
    "ubuntu-old-cache": {"about": "cache with the old header", "cache": "old"},
    "ubuntu-no-cache": {"about": "no linker's cache", "cache": "none"},
    "ubuntu-stale-cache": {"about": "cache of before the driver", "cache": "stale"},
    "ubuntu-graphics": {"about": "graphics on request", "options": ["--graphics"],
                        "gpus": gpus(2, drm=True), "golden": True, "notes": ["/dev/dri/card1 is only for group"]},
    "ubuntu-groups": {"about": "DRM nodes of a group, newest engine", "gpus": gpus(2, drm=True),
                      "options": ["--graphics", "--newest", "1.1.0"]},
    "ubuntu-all": {"about": "all capabilities, sockets", "options": [
        "--graphics", "--video", "--display", "--compat32", "--sockets"], "multilib": True,
        "gpus": gpus(1, drm=True), "sockets": ["/run/nvidia-persistenced/socket", "/tmp/nvidia-mps/control"],
        "notes": ["/dev/dri/renderD128"]},
    "ubuntu-video": {"about": "video on request", "options": ["--video"]},
    "ubuntu-headless": {"about": "no graphics libraries", "graphics": False},
    "rhel": {"about": "libraries in /usr/lib64", "layout": rhel, "golden": True},
    "rhel-no-cache": {"about": "the same without a linker's cache", "layout": rhel, "cache": "none"},
    "fedora-multilib": {"about": "32-bit libraries in /usr/lib", "layout": rhel, "multilib": True,
                        "options": ["--compat32"]},
    "fedora-display": {"about": "an X server on the GPU", "layout": rhel, "options": ["--display"]},
    "fedora-old-32bit": {"about": "32-bit libraries of the driver before, first in the cache", "layout": rhel,
                         "multilib": V550, "module": V570, "libraries": [V570]},
    "multilib-unasked": {"about": "32-bit libraries that nobody asked for", "multilib": True},
    "arch": {"about": "libraries in /usr/lib among hundreds", "layout": arch, "golden": True},
    "arch-multilib": {"about": "32-bit libraries in /usr/lib32", "layout": arch, "multilib": True,
                      "options": ["--compat32"]},
    "nixos": {"about": "the store and /run/opengl-driver", "layout": nixos, "cache": "none", "golden": True},
    "nixos-graphics": {"about": "graphics files in the store", "layout": nixos, "cache": "none",
                       "options": ["--graphics"]},
    "wsl": {"about": "/dev/dxg and /usr/lib/wsl", "layout": wsl, "cache": "none", "module": None, "gpus": [],
            "golden": True},
    "wsl-no-driver": {"about": "/dev/dxg without a libcuda", "layout": wsl, "cache": "none", "module": None,
                      "gpus": [], "lacks": ["libcuda"], "refusal": "/usr/lib/wsl/lib has no libcuda.so.1"},
    "aarch64": {"about": "a Grace machine", "layout": arm, "module": V580, "libraries": [V580]},
    "open-module": {"about": "the open module's wording", "open": True, "module": V580, "libraries": [V580],
                    "hides_sysfs_version": True},
    "closed-module": {"about": "the version only in procfs", "hides_sysfs_version": True},
    "eight-gpus": {"about": "eight GPUs", "gpus": gpus(8), "golden": True},
    "minors-not-in-order": {"about": "minor numbers against the order of addresses", "gpus": [
        {"bus": "0000:01:00.0", "minor": 1, "uuid": UUIDS[0]}, {"bus": "0000:02:00.0", "minor": 0, "uuid": UUIDS[1]}]},
    "vmd": {"about": "a PCI domain of five digits", "gpus": [
        {"bus": "10000:01:00.0", "minor": 1, "uuid": UUIDS[1]}, {"bus": "2000:81:00.0", "minor": 0, "uuid": UUIDS[0]}]},
    "no-uuid": {"about": "no client has initialised the GPU", "gpus": _UNKNOWN_UUID,
                "notes": ["GPU 0 has no entry by UUID"]},
    "no-uuid-nvml": {"about": "the same, and NVML knows", "gpus": _UNKNOWN_UUID,
                     "word": [f"gpu 00000000:01:00.0 0 {UUIDS[3]} whole"]},
    "nvml-order": {"about": "NVML counts in another order", "gpus": gpus(2), "word": [
        f"gpu 00000000:02:00.0 0 {UUIDS[1]} whole", f"gpu 00000000:01:00.0 1 {UUIDS[0]} whole"]},
    "mig-one": {"about": "one MIG instance, by procfs alone", "gpus": _mig_gpu([(2, 0)])},
    "mig-seven": {"about": "seven instances, NVML says which is which", "gpus": _mig_gpu(_SEVEN), "golden": True,
                  "word": _mig_words("00000000:01:00.0", 0, UUIDS[0], _SEVEN)},
    "mig-mixed": {"about": "a whole GPU, and one with two instances", "gpus": gpus(1) + _mig_gpu([(1, 0), (1, 1)], 1),
                  "word": [f"gpu 00000000:01:00.0 0 {UUIDS[0]} whole"] +
                  _mig_words("00000000:02:00.0", 1, UUIDS[1], [(1, 1), (1, 0)])},
    "mig-unknown": {"about": "two instances, and nobody says which is which",
                    "gpus": gpus(1) + _mig_gpu([(1, 0), (2, 0)], 1),
                    "word": [f"gpu 00000000:02:00.0 1 {UUIDS[1]} mig",
                             f"mig 00000000:02:00.0 1 {UUIDS[1]} {_MIGS[0]} - -",
                             f"mig 00000000:02:00.0 1 {UUIDS[1]} {_MIGS[1]} - -"],
                    "notes": [f"the MIG instance {_MIGS[0]} is left out", f"the MIG instance {_MIGS[1]} is left out"]},
    "mig-empty": {"about": "MIG mode without an instance", "gpus": _mig_gpu([]),
                  "word": [f"gpu 00000000:01:00.0 0 {UUIDS[0]} mig"], "refusal": "each GPU is in MIG mode"},
    "two-versions": {"about": "two drivers, links lead to the new one, the old module runs",
                     "libraries": [V550, V570], "notes": ["restart the machine to end an upgrade"]},
    "partial-upgrade": {"about": "new libraries, old module", "libraries": [V570],
                        "refusal": f"the loaded kernel module is {V550}, and libcuda is here in version {V570} only"},
    "split-versions": {"about": "NVML of the module's version, libcuda of the next", "libraries": [V550, V570],
                       "only": {"libcuda": V570, "libnvidia-ml": V550}, "refusal": "libcuda is here in version"},
    "old-nvml": {"about": "libcuda of the module's version, NVML of the one before", "libraries": [V550, V570],
                 "module": V570, "only": {"libcuda": V570, "libnvidia-ml": V550},
                 "refusal": "libnvidia-ml is here in version"},
    "no-libcuda": {"about": "no libcuda", "lacks": ["libcuda"], "refusal": f"libcuda.so.{V550} is not on this machine"},
    "no-nvml": {"about": "no libnvidia-ml", "lacks": ["libnvidia-ml"],
                "refusal": f"libnvidia-ml.so.{V550} is not on this machine"},
    "no-jit": {"about": "no PTX compiler", "lacks": ["libnvidia-ptxjitcompiler"],
               "notes": ["libnvidia-ptxjitcompiler.so"]},
    "no-module": {"about": "module not loaded", "module": None, "gpus": [], "refusal": "module is not loaded"},
    "no-uvm": {"about": "nvidia_uvm not loaded", "no_nodes": ["nvidia-uvm", "nvidia-uvm-tools"],
               "refusal": "/dev/nvidia-uvm is not there"},
    "no-control": {"about": "no /dev/nvidiactl", "no_nodes": ["nvidiactl"], "refusal": "/dev/nvidiactl is not there"},
    "no-modeset": {"about": "no /dev/nvidia-modeset", "no_nodes": ["nvidia-modeset"]},
    "no-gpu": {"about": "a module without a GPU", "gpus": [], "refusal": f"module {V550} has no GPU"},
    "gpu-node-missing": {"about": "one of two GPUs has no node", "gpus": gpus(2), "no_nodes": ["nvidia1"],
                         "notes": ["GPU 1 is left out"]},
    "gpu-nodes-missing": {"about": "no GPU has a node", "gpus": gpus(2), "no_nodes": ["nvidia0", "nvidia1"],
                          "refusal": "/dev/nvidia0, /dev/nvidia1 is not there"},
    "group-only-nodes": {"about": "nodes for a group only", "mode": 0o660, "group": 44, "options": ["--newest", "0.7.0"]},
    "firmware-updates": {"about": "firmware below updates/RELEASE", "firmware": "/lib/firmware/updates/6.1.0-30-amd64"},
    "cuda-compat": {"about": "a newer libcuda of CUDA's compat package", "odd_libraries": [
        (f"/usr/local/lib/libcuda.so.{V570}", "libcuda.so.1")], "cache": "none"},
    "hostile": {"about": "links that lead out, SONAMEs that are paths", "odd_libraries": [
        (f"/usr/lib/x86_64-linux-gnu/libnvidia-odd.so.{V550}", "../../etc/passwd")], "links": [
        ("/usr/lib/x86_64-linux-gnu/libcuda.so", "../../../../../../../../../etc/hostname"),
        (f"/usr/lib/x86_64-linux-gnu/libnvidia-loop.so.{V550}", f"libnvidia-loop.so.{V550}")]},
}
