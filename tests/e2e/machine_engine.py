"""What an engine is and answers on a machine of a test, in ways that several changes need."""
import json


def legacy(container):
    """Asks by --gpus or Compose's `driver: nvidia`."""
    container["HostConfig"]["DeviceRequests"] = [
        {"Driver": "nvidia", "Count": 1, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}}]


# What runc's caller adds around the word of a hook (dstackai/dstack#2306, lambdal/lambda-stack-dockerfiles#15).
HOOK_FAILED = ("failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
               "failed: unable to start container process: error during container init: error running prestart hook #0: "
               "exit status 1, stdout: , stderr: ")


def _id(m, service):
    for row in json.loads(m.read("/docker/containers.json")):
        if row["Labels"]["com.docker.compose.service"] == service:
            return row["Id"]
    raise AssertionError(f"{m.base}: no container of {service}")


def fails(m, service, error, change=lambda container: None):
    """The container was made and did not start. Its state is what dockerd 28.5 answers then."""
    def never_started(container):
        change(container)
        container["State"].update(Status="created", Running=False, Pid=0, ExitCode=128, Error=error,
                                  StartedAt="0001-01-01T00:00:00Z", FinishedAt="0001-01-01T00:00:00Z")
    m.container(service, never_started)

    def listed(rows):
        for row in rows:
            if row["Id"] == _id(m, service):
                row.update(State="created", Status="Created")
    m.json("/docker/containers.json", listed)


def wrote(m, service, *lines):
    """What the container's program wrote last."""
    m.append(f"/docker/logs/{_id(m, service)}.txt", "".join(line + "\n" for line in lines))


def toolkit(m, version):
    """NVIDIA's toolkit in another version; all bases have 1.18.1."""
    if m.base == "arch-gpu":
        folder = "/var/lib/pacman/local"
        for name in ("nvidia-container-toolkit", "libnvidia-container"):
            old, new = f"{folder}/{name}-1.18.1-1", f"{folder}/{name}-{version}-1"
            m.write(new + "/desc", m.read(old + "/desc").replace("1.18.1-1", version + "-1"))
            m.remove(old)
    elif m.base == "rhel-gpu":
        m.edit("/packages", "nvidia-container-toolkit 0:1.18.1-1", f"nvidia-container-toolkit 0:{version}-1")
    else:
        m.edit("/var/lib/dpkg/status", "Version: 1.18.1-1", f"Version: {version}-1")


def _without_units(m, *names):
    for name in names:
        for folder in ("/etc/systemd/system/multi-user.target.wants/", "/etc/systemd/system/sockets.target.wants/",
                       "/run/systemd/units/invocation:"):
            if m.has(folder + name):
                m.remove(folder + name)


def rootless(m, no_cgroups=True):
    """The engine is one of a user, as dockerd-rootless-setuptool.sh sets it up, and, by NVIDIA's guide, with
    no-cgroups."""
    home, runtime = "/home/ai", "/run/user/1000"
    _without_units(m, "docker.service", "docker.socket")
    m.edit("/proc/812/status", "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0", "Uid:\t1000\t1000\t1000\t1000\n"
           "Gid:\t1000\t1000\t1000\t1000")
    m.write("/proc/812/cgroup", "0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service\n")
    m.write("/proc/812/environ", f"HOME={home}\0PATH=/usr/bin:/sbin:/usr/sbin:/usr/local/sbin:/usr/local/bin\0"
            f"XDG_RUNTIME_DIR={runtime}\0")
    m.write(home + "/.config/docker/daemon.json", m.read("/etc/docker/daemon.json"))
    m.remove("/etc/docker/daemon.json")
    m.info(DockerRootDir=home + "/.local/share/docker",
           SecurityOptions=["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"],
           CDISpecDirs=["/etc/cdi", "/var/run/cdi", home + "/.config/cdi", runtime + "/cdi"])
    if no_cgroups:
        m.edit("/etc/nvidia-container-runtime/config.toml", "#no-cgroups = false", "no-cgroups = true")


def podman(m):
    """The engine is Podman with its API, as Podman 4 answers it: no CDI directories, its own runtimes, and none
    of Docker's device requests."""
    _without_units(m, "docker.service", "docker.socket")
    m.remove("/proc/812", "/usr/bin/docker", "/usr/bin/dockerd", "/etc/docker/daemon.json")
    m.write("/docker/version.json", json.dumps({
        "Platform": {"Name": "linux/amd64"}, "Version": "4.9.4", "ApiVersion": "1.41", "MinAPIVersion": "1.24",
        "Components": [{"Name": "Podman Engine", "Version": "4.9.4",
                        "Details": {"APIVersion": "4.9.4", "MinAPIVersion": "4.0.0", "Os": "linux"}},
                       {"Name": "Conmon", "Version": "conmon version 2.1.10"},
                       {"Name": "OCI Runtime (crun)", "Version": "crun version 1.14.4"}]}))

    def answers(info):
        for name in ("CDISpecDirs", "DiscoveredDevices"):
            info.pop(name, None)
        info.update(ServerVersion="4.9.4", DefaultRuntime="crun", DockerRootDir="/var/lib/containers/storage",
                    Runtimes={"crun": {"path": "/usr/bin/crun"}, "runc": {"path": "/usr/bin/runc"}}, Rootless=False,
                    SecurityOptions=["name=seccomp,profile=default"], BuildahVersion="1.33.7", Warnings=[])
    m.json("/docker/info.json", answers)

    def without_devices(container):
        container["HostConfig"].update(Runtime="oci", DeviceRequests=None, Devices=[])
        container["Config"]["Env"].append("container=podman")
        # As it stood on podman-compose's command line (_parse_compose_file of podman_compose.py).
        container["Config"]["Labels"]["com.docker.compose.project.config_files"] = "compose.yaml"
    for service in ("ollama", "vision"):
        m.container(service, without_devices)
