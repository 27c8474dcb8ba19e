"""Compose files, containers and applications: P1 to P14 of the catalogue."""
import re

from change_table import ALL, HOOKS, HOSTS, change
from machine_engine import legacy, podman, wrote


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


def reserves(m, service, *rows):
    """The service's `devices` in the Compose file become a reservation with these rows."""
    text = m.read("/srv/ai/compose.yaml")
    begin = text.index("    devices:\n", text.index(f"  {service}:\n"))
    end = begin + len("    devices:\n")
    while text.startswith("      - ", end):
        end = text.index("\n", end) + 1
    block = "    deploy:\n      resources:\n        reservations:\n          devices:\n"
    for i, row in enumerate(rows):
        block += ("            - " if i == 0 else "              ") + row + "\n"
    m.write("/srv/ai/compose.yaml", text[:begin] + block + text[end:])


# containers/podman#19338: the service starts, and without its GPU.
change("P2", "Podman, and a reservation with driver cdi")(lambda m: (
    podman(m), reserves(m, "ollama", "driver: cdi", "device_ids:", "  - nvidia.com/gpu=0", "capabilities: [gpu]")))


@change("P3", "a service asks by CDI and by a reservation", ALL)
def _(m):
    m.edit("/srv/ai/compose.yaml", "    volumes:\n", "    deploy:\n      resources:\n        reservations:\n"
           "          devices:\n            - driver: nvidia\n              count: 1\n"
           "              capabilities: [gpu]\n    volumes:\n")

    def both(container):
        by_cdi = container["HostConfig"]["DeviceRequests"]
        legacy(container)
        container["HostConfig"]["DeviceRequests"] += by_cdi
    m.container("ollama", both)


# The container is one of before the edit: the engine answers "cannot set both Count and DeviceIDs on device request".
change("P4", "count and device_ids in one reservation", ALL)(lambda m: reserves(
    m, "vision", "driver: nvidia", "count: 1", 'device_ids: ["0"]', "capabilities: [gpu]"))
# Ollama's own line where it found no GPU (ollama/ollama: discover/types.go, LogDetails).
change("P5", "the application computes on the CPU", ALL)(lambda m: wrote(
    m, "ollama", 'time=2026-03-02T08:00:22.900Z level=INFO source=types.go:60 msg="inference compute" id=cpu library=cpu '
    'compute="" name=cpu description=cpu libdirs=ollama driver="" pci_id="" type="" total="31.2 GiB" available="28.9 GiB"'))
change("P6", "the environment hides the GPU", ALL)(lambda m: m.container(
    "vision", lambda c: c["Config"]["Env"].append("CUDA_VISIBLE_DEVICES=-1")))
@change("P7", "a container without the driver's compute libraries", HOOKS)
def _(m):
    def graphics(container):
        legacy(container)
        container["Config"]["Env"] = ["NVIDIA_DRIVER_CAPABILITIES=graphics" if one.startswith("NVIDIA_DRIVER_CAP") else one
                                      for one in container["Config"]["Env"]]
    m.container("vision", graphics)


change("P8", "the nvidia runtime is everybody's", ("debian-gpu", "laptop-prime", "rhel-gpu", "arch-gpu"))(lambda m: (
    m.info(DefaultRuntime="nvidia"),
    m.write("/etc/docker/daemon.json", '{"default-runtime": "nvidia", "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}}\n')))
change("P9", "a second card was put in, and the GPU is chosen by its number",
       ("debian-gpu", "laptop-prime", "rhel-gpu", "arch-gpu"))(lambda m: m.second_card())
change("P10", "an env file changed after its container was made", ALL)(lambda m: m.touch("/srv/ai/vision.env", 1772440000))
change("P11", "a container has failed since before its spec was made anew", ALL)(lambda m: (
    wrote(m, "vision", "RuntimeError: No CUDA GPUs are available"), m.touch(m.spec, 1772440000)))
change("P12", "64 MB of shared memory for an image that trains", ALL)(lambda m: m.container(
    "vision", lambda c: (c["Config"].update(Image="pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime"),
                         c["HostConfig"].update(ShmSize=64 << 20)) and None))
change("P13", "an image that its maker has withdrawn", ALL)(lambda m: m.container(
    "vision", lambda c: c["Config"].update(Image="nvidia/cuda:11.0-base")))


@change("P14", "the GPU is reserved under deploy.resources, where CDI would serve it")
def _(m):
    text = m.read("/srv/ai/compose.yaml")
    asked = re.search(r"    devices:\n(      - nvidia.com/gpu=\S+\n)+", text).group()
    m.edit("/srv/ai/compose.yaml", asked, "    deploy:\n      resources:\n        reservations:\n          devices:\n"
           f"            - driver: nvidia\n              count: {asked.count('=')}  # or all\n"
           "              capabilities: [gpu]\n")
