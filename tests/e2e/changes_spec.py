"""CDI specs that do not fit: C1 to C15 of the catalogue."""
import os

from change_table import ALL, HOSTS, change
from machine_engine import rootless


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
# What `nvidia-ctk cdi transform` wrote, 0600, before NVIDIA/nvidia-container-toolkit#528.
change("C6", "a spec that only root may read, and an engine of a user", ALL)(lambda m: (
    rootless(m), os.chmod(m.at(m.spec), 0o600), m.info(DiscoveredDevices=[])))


def divided(m):
    """The first card is an A100 (others can't), as the driver shows it with two instances of 3g.40gb."""
    name, base = "NVIDIA A100 80GB PCIe", "/proc/driver/nvidia/capabilities/gpu0/mig"
    m.write(m.card + "/device", "0x20b5\n")
    m.write(m.card + "/class", "0x030200\n")
    information = f"/proc/driver/nvidia/gpus/{os.path.basename(m.card)}/information"
    m.write(information, "".join(f"Model: \t\t {name}\n" if row.startswith("Model:") else row
                                 for row in m.read(information).splitlines(keepends=True)))
    minors = ["config 1", "monitor 2"]
    for place in range(15):
        minors += [f"gpu0/gi{place}/access {3 + place * 9}"]
        minors += [f"gpu0/gi{place}/ci{inner}/access {4 + place * 9 + inner}" for inner in range(8)]
    m.write("/proc/driver/nvidia-caps/mig-minors", "\n".join(minors) + "\n")
    for place in (1, 2):
        for path, minor in ((f"{base}/gi{place}/access", 3 + place * 9), (f"{base}/gi{place}/ci0/access", 4 + place * 9)):
            m.write(path, f"DeviceFileMinor: {minor}\nDeviceFileMode: 292\nDeviceFileModify: 1\n")
            m.node(f"/dev/nvidia-caps/nvidia-cap{minor}", m.major("nvidia-caps"), minor, 0o444)
    m.divide(name, ("MIG-41b3c6e1-8e6e-5d3b-9d1d-1c2b3a4d5e6f", "MIG-5d0a1c7f-2f1e-5a0c-8f0d-6b7c8d9e0f1a"))


change("C7", "a GPU was divided since the spec was made")(divided)


@change("C7", "the instances of a GPU were made anew since the spec was", variant="instances")
def _(m):
    divided(m)
    old = "MIG-7d1c9a52-0b3e-5f4d-8a6b-2c1d0e9f8a7b"
    name = next(row for row in m.read(m.spec).splitlines() if row.startswith("- name: GPU-"))
    m.edit(m.spec, name, "- name: " + old)
    m.edit(m.spec, '- name: "0"', '- name: "0:0"')
    for service in ("ollama", "vision"):
        m.container(service, lambda c: c["HostConfig"]["DeviceRequests"][0].update(DeviceIDs=["nvidia.com/gpu=" + old]))
    text = m.read("/srv/ai/compose.yaml").replace("      - nvidia.com/gpu=1\n", "")
    m.write("/srv/ai/compose.yaml", text.replace("nvidia.com/gpu=0", "nvidia.com/gpu=" + old))


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
# The hook as toolkits before 1.18 wrote it (NVIDIA/nvidia-container-toolkit#143).
change("C15", "a spec with the chmod hook", ALL)(lambda m: m.hook("chmod", "--mode", "755", "--path", "/dev/dri"))
