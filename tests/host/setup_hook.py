"""How the test host is set up: by `estiva setup apply` where the program that was built has that verb,
else by hand, with the same unit files, and with a stand-in for `estiva cdi generate` where that is
missing, too. What was done is said, so that nobody takes the one for the other."""
import hashlib
import os
import shutil
import subprocess

import driver
from host import ROOT

ESTIVA = os.path.join(driver.BUILD, "estiva")
UNITS = os.path.join(ROOT, "packaging/systemd")
FILES = {
    "estiva-cdi.service": "/etc/systemd/system/estiva-cdi.service",
    "estiva-cdi.path": "/etc/systemd/system/estiva-cdi.path",
    "estiva-cdi-resume.service": "/etc/systemd/system/estiva-cdi-resume.service",
    "estiva-cdi.rules": "/etc/udev/rules.d/60-estiva-cdi.rules",
}
ENABLED = ("estiva-cdi.service", "estiva-cdi.path", "estiva-cdi-resume.service")
SPEC = "/var/run/cdi/nvidia.yaml"


def has_verb(*words):
    return subprocess.run([ESTIVA, *words, "--help"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def install_program(host):
    """/usr/bin/estiva of the guest; says what it is."""
    if has_verb("cdi", "generate"):
        host.install(ESTIVA, "/usr/bin/estiva")
        for name in ("estivad", "estiva-sensor"):
            if os.path.exists(os.path.join(driver.BUILD, name)):
                host.install(os.path.join(driver.BUILD, name), f"/usr/libexec/estiva/{name}")
        return "the estiva that was built"
    host.install(os.path.join(driver.HERE, "driver/stand_in_estiva"), "/usr/bin/estiva")
    return "STAND-IN: estiva has no 'cdi generate' yet"


def apply(host, change=lambda text: text):
    """Sets the host up while it runs; `change` may spoil the service's text, for the proof that a test
    can fail. Returns what was done."""
    if has_verb("setup", "apply"):
        host.run("estiva", "setup", "apply", "--yes")
        done = "estiva setup apply"
        spoil(host, change)
    else:
        for name, path in FILES.items():
            with open(os.path.join(UNITS, name)) as file:
                text = file.read()
            if name == "estiva-cdi.service":
                text = change(text.replace("-o /var/run/cdi/estiva.yaml",
                                           f"--kind nvidia.com/gpu -o {SPEC}"))
            host.write(path, text)
        host.run("systemctl", "daemon-reload")
        host.run("systemctl", "enable", "--quiet", *ENABLED)
        done = "BY HAND: estiva has no 'setup apply' yet"
    host.run("systemctl", "start", "estiva-cdi.service")
    host.run("systemctl", "start", "estiva-cdi.path")
    return done


def spoil(host, change):
    path = FILES["estiva-cdi.service"]
    text = host.read(path)
    if change(text) != text:
        host.write(path, change(text))
        host.run("systemctl", "daemon-reload")


def undo(host):
    if has_verb("setup", "undo"):
        host.run("estiva", "setup", "undo", "--yes")
        return "estiva setup undo"
    host.run("systemctl", "disable", "--quiet", "--now", *ENABLED)
    for path in FILES.values():
        os.unlink(host.path(path))
    host.run("systemctl", "daemon-reload")
    return "BY HAND: estiva has no 'setup undo' yet"


def etc_sums(host):
    """The checksum, or the link's target, and the mode of everything under /etc, but for what the
    system itself keeps there."""
    sums = {}
    top = host.path("/etc")
    for folder, folders, names in os.walk(top):
        for name in folders + names:
            path = os.path.join(folder, name)
            short = path[len(host.tree):]
            if short in ("/etc/machine-id", "/etc/resolv.conf", "/etc/ld.so.cache", "/etc/.updated"):
                continue
            mode = oct(os.lstat(path).st_mode)
            if os.path.islink(path):
                sums[short] = f"{mode} -> {os.readlink(path)}"
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    sums[short] = f"{mode} {hashlib.sha256(file.read()).hexdigest()}"
            else:
                sums[short] = mode
    return sums


def unit_states(host):
    said = host.say("systemctl", "list-unit-files", "--no-legend", "--no-pager", "--full")
    return {line.split()[0]: line.split()[1] for line in said.splitlines() if line.strip()}
