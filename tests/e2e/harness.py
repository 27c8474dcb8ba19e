"""What the end-to-end tests share: a daemon of its own for each test, in folders of its own, on a
port of its own; and ways to run the command line and to speak to the API without our own client.
Standard library only."""
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

BUILD = os.environ.get("ESTIVA_BUILD_DIR", os.path.join(os.path.dirname(__file__), "../../build/dev"))
BUILD = os.path.abspath(BUILD)
ESTIVA = os.path.join(BUILD, "estiva")
ESTIVAD = os.path.join(BUILD, "estivad")
SIMULATOR = os.path.join(BUILD, "estiva-sim")
LIBRARY = os.path.join(BUILD, "sim", "libnvidia-ml.so.1")
MIB = 1 << 20
GIB = 1 << 30
# Only to notice hangs: nothing here measures time.
PATIENCE = 60

ONE_GPU = """scenario "one-gpu"
driver 550.163.01
cuda 12.4
gpu rtx4090-24g
"""


def has_real_gpu():
    for vendor in glob.glob("/sys/bus/pci/devices/*/vendor"):
        with open(vendor) as file:
            if file.read().strip() == "0x10de":
                return True
    return os.path.exists("/proc/driver/nvidia/version")


def until(condition, what, patience=PATIENCE):
    """Waits for a condition; its value when it holds."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {patience} s: {what}")
        time.sleep(0.02)


def process_lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


class Ran:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


class Place:
    """Folders and environment of one estiva."""

    def __init__(self):
        # Short: a socket's path has at most 107 bytes.
        self.dir = tempfile.mkdtemp(prefix="estiva-e2e-", dir="/tmp")
        self.state = os.path.join(self.dir, "state")
        self.run_dir = os.path.join(self.dir, "run")
        self.socket = os.path.join(self.run_dir, "control", "api.sock")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("ESTIVA_")}
        self.env.update(ESTIVA_STATE_DIR=self.state, ESTIVA_RUNTIME_DIR=self.run_dir,
                        XDG_CONFIG_HOME=os.path.join(self.dir, "config"), NO_COLOR="1")
        self.daemon = None
        self.log = os.path.join(self.dir, "log")

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def estiva(self, *words, **more):
        options = dict(env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        options.update(more)
        return Ran(subprocess.run([ESTIVA, *words], **options))

    def spawn(self, *words, **more):
        options = dict(env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True)
        options.update(more)
        return subprocess.Popen([ESTIVA, *words], **options)

    def start(self, *words, wait=True, program=ESTIVA):
        log = open(self.log, "a")
        self.daemon = subprocess.Popen([program, "daemon", *words], env=self.env,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        if wait:
            until(self.answers, f"the daemon answers; its log:\n{self.read_log()}")
        return self.daemon

    def start_simulated(self, scenario=ONE_GPU, *words):
        path = self.file("scenario", scenario) if "\n" in scenario else scenario
        self.start("--simulate", path, "--listen", "127.0.0.1:0", *words)
        until(lambda: self.gpus(), "the simulated GPUs are seen")

    def gpus(self):
        return self.get("/api/v1/gpu")[1]["gpus"]

    def answers(self):
        if self.daemon is not None and self.daemon.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.daemon.returncode}: {self.read_log()}")
        try:
            return self.get("/healthz")[0] in (200, 503)
        except OSError:
            return False

    def read_log(self):
        with open(self.log) as file:
            return file.read()

    def request(self, method, target, body=None, headers=None, connection=None):
        connection = connection or UnixConnection(self.socket)
        try:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, text

    def get(self, target):
        return self.request("GET", target)

    def leases(self):
        return {lease["model"]: lease for lease in self.get("/api/v1/leases")[1]["leases"]}

    def children(self, parent=None):
        """Process numbers of the daemon's children, by program name."""
        found = {}
        parent = parent or self.daemon.pid
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as file:
                    head, tail = file.read().rsplit(")", 1)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(tail.split()[1]) == parent:
                pid, name = head.split(" (", 1)
                found[name] = int(pid)
        return found

    def estivad_pid(self):
        return self.children().get("estivad", self.daemon.pid)

    def tcp_port(self):
        """The port in use, as the kernel knows it: estivad's listening sockets."""
        inodes = set()
        folder = f"/proc/{self.estivad_pid()}/fd"
        for name in os.listdir(folder):
            try:
                target = os.readlink(os.path.join(folder, name))
            except FileNotFoundError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        with open("/proc/net/tcp") as file:
            for line in file.readlines()[1:]:
                cells = line.split()
                if cells[3] == "0A" and cells[9] in inodes:
                    return int(cells[1].split(":")[1], 16)
        raise AssertionError("estivad listens on no TCP port")

    def stop(self, how=signal.SIGTERM):
        if self.daemon is None:
            return None
        if self.daemon.poll() is None:
            self.daemon.send_signal(how)
        try:
            return self.daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            raise AssertionError(f"the daemon did not end: {self.read_log()}")
        finally:
            self.daemon = None

    def kill_daemon(self):
        """kill -9 of estivad; what started it ends by itself."""
        os.kill(self.estivad_pid(), signal.SIGKILL)
        self.daemon.wait(PATIENCE)
        self.daemon = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Case(unittest.TestCase):
    """A test with a place of its own."""

    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.remove)
        self.estiva = self.place.estiva

    def simulated(self, scenario=ONE_GPU, *words):
        if has_real_gpu():
            self.skipTest("this machine has a real GPU: simulation is refused there")
        self.place.start_simulated(scenario, *words)

    def simulate(self, *words, folder=None):
        """Tells the simulator of this place's daemon something, or the one in a folder of its own."""
        subprocess.run([SIMULATOR, "ctl", folder or os.path.join(self.place.run_dir, "sim"), *words], check=True,
                       capture_output=True, timeout=PATIENCE)

    def process_on_gpu(self, pid):
        for gpu in self.place.gpus():
            for process in gpu["processes"] or []:
                if process["pid"] == pid:
                    return process
        return None

    def until_in(self, pid, name):
        """Waits until a process on a GPU is known to be in a container."""
        return until(lambda: (lambda p: p and p["container"] == name and p)(self.process_on_gpu(pid)),
                     f"{pid} is in {name}: {self.process_on_gpu(pid)}")

    def expect(self, ran, code, *parts):
        """An exit code, and parts of what was said (on stderr for errors)."""
        self.assertEqual(ran.code, code, ran)
        said = ran.out + ran.err
        for part in parts:
            self.assertIn(part, said)
        self.assertNotIn("terminate called", said)
        return ran


def main():
    unittest.main(verbosity=2)
