"""estiva-memd in folders of its own, and a client of its socket. Whatever happens, no swap area and
no file of a test stays: each place cleans up, and reports what the program itself left."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

from harness import BUILD, MIB, until

MEMD = os.path.join(BUILD, "estiva-memd")
HEADER = struct.Struct("<IHHQII")
MAGIC, VERSION = 0x314D5345, 1
ASK, EXPAND, RETIRE, TICKS = 2, 3, 4, 5
EVENT, ANSWER, TICK_ROWS = 17, 18, 19
# Real swap is added to the machine that runs the tests: only where somebody asked for that.
ALLOWED = os.environ.get("CI") == "true" or os.environ.get("ESTIVA_LONG") == "1"
LONG = os.environ.get("ESTIVA_LONG") == "1"


def needs_swap(case):
    reason = "real swap is used only with CI=true or --long"
    if ALLOWED and os.geteuid() != 0:
        reason = "not root: swap can only be added by root"
    return unittest.skipUnless(ALLOWED and os.geteuid() == 0, reason)(case)


def announce(text):
    print(f"memd_test: {text}", file=sys.stderr)


def swaps(folder):
    """Active areas below a folder -> bytes used; a removed file keeps the kernel's mark in its name."""
    with open("/proc/swaps") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return {row[0]: int(row[3]) * 1024 for row in rows if row[0].startswith(folder + "/")}


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(30)
        self.socket.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, kind, argument=0, rows=b""):
        """(kind, argument, rows) of the answer; events in between are passed over."""
        self.socket.send(HEADER.pack(MAGIC, VERSION, kind, 7, 1 if rows else 0, argument) + rows)
        while True:
            message = self.socket.recv(65536)
            _, _, got, _, _, said = HEADER.unpack_from(message)
            if got != EVENT:
                return got, said, message[HEADER.size:]


class Place:
    def __init__(self, parent=None, **options):
        self.path = os.path.realpath(tempfile.mkdtemp(prefix="memd-test.", dir=parent or BUILD))
        self.swap, self.run = os.path.join(self.path, "swap"), os.path.join(self.path, "run")
        self.options = {"folder": self.swap, "run": self.run, "floor": "0", "min_file": "16M",
                        "cap": "512M", "disk_floor": "64M", **options}
        self.process = None

    def __enter__(self):
        if ALLOWED:
            announce(f"swap files below {self.swap}, at most {self.options['cap']}, removed at the end")
        return self

    def __exit__(self, *_):
        self.kill()
        for path in swaps(self.swap):
            subprocess.run(["swapoff", path], check=False, timeout=60)
        shutil.rmtree(self.path, ignore_errors=True)

    def words(self, *more):
        given = [w for name, value in self.options.items() for w in ("--" + name.replace("_", "-"), value)]
        return [MEMD, *given, *more]

    def start(self, *more):
        self.log = open(os.path.join(self.path, "log"), "ab")
        self.process = subprocess.Popen(self.words(*more), stderr=self.log, stdout=subprocess.DEVNULL)
        return self.process

    def begin(self, *more):
        """Starts it and waits until it answers."""
        self.start(*more)
        until(lambda: self.status()["running"], "estiva-memd runs")

    def kill(self, number=signal.SIGKILL):
        if self.process is None:
            return None
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.log.close()
        self.process = None
        return code

    def once(self, *words):
        return subprocess.run(self.words(*words), capture_output=True, text=True, timeout=60)

    def status(self):
        return json.loads(self.once("--once", "--json").stdout)

    def clean(self):
        return until(lambda: self.once("--clean").returncode == 0, "all swap is given back")

    def client(self):
        return Client(os.path.join(self.run, "memd.sock"))

    def files(self):
        return sorted(os.listdir(self.swap)) if os.path.isdir(self.swap) else []

    def said(self):
        with open(os.path.join(self.path, "log")) as file:
            return file.read()

    def areas(self):
        return {area["id"]: area for area in self.status()["areas"]}


def expand(place, mib):
    with place.client() as client:
        return client.ask(EXPAND, mib)[1]


def size_of(mib):
    return mib * MIB
