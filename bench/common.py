"""What the benches in Python share. Standard library only."""
import argparse
import glob
import http.client
import os
import socket
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(ROOT, "bench", "peers")


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the daemon's control socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def build_type(build):
    with open(os.path.join(build, "CMakeCache.txt")) as file:
        for line in file:
            if line.startswith("CMAKE_BUILD_TYPE"):
                return line.strip().split("=")[1]
    return "unknown"


def cpu_ns(pid):
    """CPU of all threads in ns, from the scheduler (the ticks of /proc/PID/stat are 10 ms)."""
    total = 0
    for name in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(name) as file:
            total += int(file.read().split()[0])
    return total


def child_of(pid, name):
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as file:
                text = file.read()
        except OSError:
            continue
        if f"({name}" in text and int(text.rsplit(")", 1)[1].split()[1]) == pid:
            return int(text.split()[0])
    return None


def milliseconds(text):
    """The value of --handicap, in seconds."""
    if not text.endswith("ms"):
        raise argparse.ArgumentTypeError("write it as 1ms")
    return float(text[:-2]) / 1000


def wait_for(condition, what):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"did not happen: {what}")
        time.sleep(0.05)
