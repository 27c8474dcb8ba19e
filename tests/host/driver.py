"""A driver for the test host that harms nobody: stub libraries with true SONAMEs, the project's
simulator as libnvidia-ml, device nodes with the numbers of /dev/null, and /proc/driver/nvidia on a
tmpfs. What the kernel would do at boot, `driver/boot` does as a unit of the guest."""
import glob
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "../.."))
BUILD = os.path.abspath(os.environ.get("ESTIVA_BUILD_DIR", os.path.join(ROOT, "build/dev")))
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
# Stubs; libnvidia-ml is the simulator.
STUBS = ("libcuda", "libnvidia-ptxjitcompiler")
LINKS = {"libcuda": ("libcuda.so",), "libnvidia-ml": ()}
UUID = "GPU-5a7e5a7e-0000-4000-8000-000000000001"

UNIT = """[Unit]
Description=The driver's modules, acted
DefaultDependencies=no
After=systemd-tmpfiles-setup-dev.service local-fs.target
Before=sysinit.target systemd-modules-load.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/testhost/boot-driver
[Install]
WantedBy=sysinit.target
"""
SMI = """#!/bin/sh
echo "NVIDIA-SMI {0}  Driver Version: {0}  (a stand-in of the test host)"
"""


def compile_c(source, target, *words):
    subprocess.run(["cc", "-O1", "-o", target, os.path.join(HERE, "driver", source), *words], check=True)


def install(host, version):
    """The driver's files of a version, in place of another's; its modules come with the next boot."""
    for path in glob.glob(host.path(LIBRARIES) + "/libcuda*") + glob.glob(
            host.path(LIBRARIES) + "/libnvidia-*"):
        os.unlink(path)
    with tempfile.TemporaryDirectory() as work:
        for name in STUBS:
            stub = os.path.join(work, name)
            compile_c("stub.c", stub, "-shared", "-fPIC", f"-Wl,-soname,{name}.so.1",
                      f'-DVERSION="{version}"')
            put_library(host, stub, name, version)
        put_library(host, os.path.join(BUILD, "sim/libnvidia-ml.so.1"), "libnvidia-ml", version)
    host.write("/usr/bin/nvidia-smi", SMI.format(version), 0o755)
    host.write("/etc/testhost/module-version", version + "\n")
    host.write("/etc/testhost/uuid", UUID + "\n")
    host.write("/etc/testhost/scenario", f'scenario "test-host"\ndriver {version}\ncuda 12.4\n'
               f"gpu rtx4090-24g uuid {UUID} bus 01:00.0\n")
    if host.guest:
        host.run("ldconfig")
        return
    # Each service of the guest that loads libnvidia-ml finds the same GPU.
    host.write("/etc/systemd/system.conf.d/testhost.conf",
               "[Manager]\nDefaultEnvironment=ESTIVA_SIM_SCENARIO=/etc/testhost/scenario\n")
    host.install(os.path.join(HERE, "driver/boot"), "/usr/lib/testhost/boot-driver")
    host.write("/etc/systemd/system/testhost-driver.service", UNIT)
    enable_offline(host, "testhost-driver.service", "sysinit.target")
    subprocess.run(["ldconfig", "-r", host.tree], check=True)


def put_library(host, source, name, version):
    real = f"{LIBRARIES}/{name}.so.{version}"
    host.install(source, real, 0o644)
    links = [(f"{name}.so.1", f"{name}.so.{version}")]
    links += [(link, f"{name}.so.1") for link in LINKS.get(name, ())]
    for link, target in links:
        os.symlink(target, host.path(f"{LIBRARIES}/{link}"))


def enable_offline(host, unit, target):
    folder = host.path(f"/etc/systemd/system/{target}.wants")
    os.makedirs(folder, exist_ok=True)
    os.symlink("../" + unit, os.path.join(folder, unit))


def make_image(host):
    """probe:test: a shell, a C library, and a program that says what it sees of a GPU."""
    with tempfile.TemporaryDirectory() as tree:
        for folder in ("usr/bin", "usr/lib/x86_64-linux-gnu", "usr/lib64", "tmp"):
            os.makedirs(os.path.join(tree, folder))
        for name in ("bin", "lib", "lib64"):
            os.symlink("usr/" + name, os.path.join(tree, name))
        compile_c("probe.c", os.path.join(tree, "usr/bin/probe"))
        shutil.copy(host.path("/usr/bin/busybox"), os.path.join(tree, "usr/bin/busybox"))
        for name in ("sh", "sleep", "ls", "cat", "stat"):
            os.symlink("busybox", os.path.join(tree, "usr/bin", name))
        shutil.copy(host.path(f"{LIBRARIES}/libc.so.6"), os.path.join(tree, "usr/lib/x86_64-linux-gnu"))
        shutil.copy(host.path("/usr/lib64/ld-linux-x86-64.so.2")
                    if os.path.exists(host.path("/usr/lib64/ld-linux-x86-64.so.2"))
                    else host.path(f"{LIBRARIES}/ld-linux-x86-64.so.2"), os.path.join(tree, "usr/lib64"))
        subprocess.run(["tar", "-C", tree, "-cf", host.path("/srv/image.tar"), "."], check=True)
    host.run("docker", "import", "/srv/image.tar", "probe:test")
