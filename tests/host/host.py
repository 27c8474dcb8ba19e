"""The test host: Debian 12 with a real systemd and a real dockerd, booted by systemd-nspawn, rebooted
and stopped at will. Everything of it lives in namespaces and a cgroup of its own and dies with the
test, also when that is killed; the machine's own Docker, units and files are not touched.

    with Host() as host:
        host.boot()
        host.run("docker", "info")
        host.reboot()
"""
import ctypes
import fcntl
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "../.."))
PLACE = os.path.join(ROOT, "build/host")
# One at a time on a machine, whichever checkout starts it.
LOCK = "/run/lock/estiva-test-host.lock"
GROUP = "estiva-test-host"
# How long another test may hold the host.
LOCK_PATIENCE = 900
# Only to notice hangs: a boot takes a second or two.
PATIENCE = 180
# What nspawn ends with when the guest asked for a reboot and --keep-unit is given.
REBOOT_CODE = 133


class Skip(Exception):
    """Why there can be no test host here."""


class Ran:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


def make_root():
    """The tar file of the root, made if need be."""
    if os.geteuid() != 0:
        raise Skip("only root can boot a test host")
    for name in ("systemd-nspawn", "nsenter", "unshare"):
        if shutil.which(name) is None:
            raise Skip(f"{name} is not installed (tools/packages.test names its package)")
    done = subprocess.run([os.path.join(HERE, "make-root")], stdout=subprocess.PIPE, text=True)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    if done.returncode == 77:
        raise Skip(last.removeprefix("skipped: "))
    if done.returncode != 0:
        raise RuntimeError("the test host's root could not be made:\n" + done.stdout)
    return last


def take_lock():
    file = open(LOCK, "w")
    end = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except OSError:
            if time.monotonic() > end:
                file.close()
                raise RuntimeError(f"another test host holds {LOCK} for more than {LOCK_PATIENCE} s")
            time.sleep(0.5)


def unified_cgroup():
    with open("/proc/self/mounts") as file:
        for line in file:
            words = line.split()
            if words[2] == "cgroup2":
                return words[1]
    raise Skip("there is no cgroup v2 here")


def remove_group(path):
    """Kills what is in a cgroup and removes it; True when it is gone."""
    end = time.monotonic() + 20
    while os.path.isdir(path) and time.monotonic() < end:
        try:
            with open(os.path.join(path, "cgroup.kill"), "w") as file:
                file.write("1")
        except OSError:
            pass
        for folder, _, _ in os.walk(path, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass
        if os.path.isdir(path):
            time.sleep(0.05)
    return not os.path.isdir(path)


def private_tmpfs(folder):
    """A tmpfs on `folder` that only this process and its children see: it ends with them."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(name, *words):
        if getattr(libc, name)(*words) != 0:
            raise OSError(ctypes.get_errno(), f"{name} for the test host's files")
    call("unshare", 0x20000)  # CLONE_NEWNS
    call("mount", None, b"/", None, 0x44000, None)  # MS_REC | MS_PRIVATE
    call("mount", b"tmpfs", folder.encode(), b"tmpfs", 0, b"mode=0755,size=3g")


def die_with_parent():
    """In the child before exec: it ends when the test does, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Host:
    def __init__(self, name="testhost"):
        self.name = name
        self.tar = make_root()
        self.lock = take_lock()
        self.group = os.path.join(unified_cgroup(), GROUP)
        self.process = None
        self.guest = None  # process number of the guest's first process, seen from here
        self.tree = None
        try:
            self.clean_up()
            # In memory: unlinking the tree from a disk takes ten times as long as making it.
            self.dir = tempfile.mkdtemp(prefix="run-", dir=PLACE)
            private_tmpfs(self.dir)
            self.tree = os.path.join(self.dir, "root")
            self.log = os.path.join(self.dir, "console.log")
            os.mkdir(self.tree)
            subprocess.run(["tar", "-C", self.tree, "--numeric-owner", "-xf", self.tar], check=True)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Life.

    def boot(self, wait=True):
        """Starts it. With `wait` returns when systemd says that the boot is over."""
        assert self.process is None
        os.makedirs(self.group, exist_ok=True)
        log = open(self.log, "a")
        self.boot_at = log.tell()
        env = dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1",
                   SYSTEMD_NSPAWN_API_VFS_WRITABLE="yes")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
             "--mount-proc", "systemd-nspawn", "-q", "-D", self.tree, "--boot", "--register=no",
             "--keep-unit", "-M", self.name, "--private-network", "--capability=all",
             "--system-call-filter=bpf keyctl add_key @mount", "--console=read-only"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, preexec_fn=self.enter_group)
        log.close()
        self.guest = self.until(self.find_guest, "systemd starts in the test host")
        if wait:
            self.wait_running()

    def enter_group(self):
        die_with_parent()
        with open(os.path.join(self.group, "cgroup.procs"), "w") as file:
            file.write(str(os.getpid()))

    def find_guest(self):
        """The guest's first process: it is process 1 of the innermost of its PID namespaces, two
        below ours (unshare's and nspawn's)."""
        if self.process.poll() is not None:
            raise RuntimeError(f"nspawn ended with {self.process.returncode}:\n{self.read_log()}")
        for path in glob.glob(self.group + "/**/cgroup.procs", recursive=True):
            try:
                with open(path) as file:
                    pids = [int(line) for line in file]
            except OSError:
                continue
            for pid in pids:
                if len(namespace_pids(pid)) == 3 and namespace_pids(pid)[2] == 1:
                    with open(f"/proc/{pid}/comm") as file:
                        if file.read().strip() == "systemd":
                            return pid
        return None

    def wait_running(self):
        """What `systemctl is-system-running --wait` says: running, degraded, ..."""
        def state():
            self.check_alive()
            done = self.run("systemctl", "is-system-running", check=False)
            said = done.out.strip()
            return said if said in ("running", "degraded", "maintenance") else None
        return self.until(state, "the test host has booted")

    def wait_end(self):
        code = self.process.wait(PATIENCE)
        self.process = None
        self.guest = None
        return code

    def reboot(self, wait=True):
        """`systemctl reboot`, and the boot that follows."""
        self.run("systemctl", "--no-block", "reboot")
        code = self.wait_end()
        if code != REBOOT_CODE:
            raise RuntimeError(f"a reboot ended with {code}, not {REBOOT_CODE}:\n{self.read_log()}")
        remove_group(self.group)
        self.boot(wait)

    def power_off(self):
        self.run("systemctl", "--no-block", "poweroff")
        code = self.wait_end()
        remove_group(self.group)
        return code

    def kill(self):
        """As when the power goes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        remove_group(self.group)

    def close(self):
        self.kill()
        if self.tree is not None:
            subprocess.run(["umount", "-l", self.dir], check=False)
            os.rmdir(self.dir)
            self.tree = None
        self.lock.close()

    def clean_up(self):
        """What a test that was killed has left. We hold the lock, so it is nobody's."""
        if not remove_group(self.group):
            raise RuntimeError(f"{self.group} can't be removed: processes of a test host are stuck in it")
        for folder in glob.glob(os.path.join(PLACE, "run-*")):
            os.rmdir(folder)

    # Work.

    def run(self, *words, check=True, input=None, timeout=PATIENCE):
        """A command inside, as root; with `check` it must end with 0."""
        done = subprocess.run(
            ["nsenter", "-t", str(self.guest), "-a", "/usr/bin/env", "-i", "HOME=/root", "LANG=C.UTF-8",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *words], stdin=None if input else subprocess.DEVNULL,
            input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)
        ran = Ran(done)
        if check and ran.code != 0:
            raise RuntimeError(f"{' '.join(words)}: {ran}")
        return ran

    def say(self, *words):
        return self.run(*words).out.strip()

    def path(self, name):
        """Where a file of the guest is seen from here."""
        return os.path.join(self.tree, name.lstrip("/"))

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)

    def install(self, source, name, mode=0o755):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(source, path)
        os.chmod(path, mode)

    def boot_id(self):
        """Of the guest: the kernel's own is the machine's, so it is the journal's."""
        return self.say("journalctl", "-b", "-n", "1", "-o", "json", "--output-fields=_BOOT_ID").split(
            '"_BOOT_ID":"')[1].split('"')[0]

    def until(self, condition, what, patience=PATIENCE):
        end = time.monotonic() + patience
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise RuntimeError(f"did not happen within {patience} s: {what}\n{self.read_log()}")
            time.sleep(0.05)

    def check_alive(self):
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError("the test host has ended:\n" + self.read_log())

    def console(self):
        """What systemd said since this boot began: its first words are in no journal."""
        with open(self.log, errors="replace") as file:
            file.seek(self.boot_at)
            return re.sub(r"\x1b\[[0-9;]*m", "", file.read())

    def read_log(self):
        with open(self.log, errors="replace") as file:
            return file.read()[-4000:]


def namespace_pids(pid):
    """A process's numbers, in our PID namespace first."""
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith("NSpid:"):
                    return [int(word) for word in line.split()[1:]]
    except OSError:
        pass
    return []


def skip(reason):
    """Ends the program as a test that was skipped."""
    print(f"skipped: {reason}")
    sys.exit(77)
