#!/usr/bin/env python3
"""How long it takes from an XID to the API saying that the GPU is UNHEALTHY, on a simulated machine of
8 GPUs: from the order to the simulator (its own few hundred microseconds count) to the first answer
of GET /api/v1/gpu that has the condition, asked again and again over one connection. And what a storm
of 10,000 XIDs costs, told by the kernel log.

  bench/daemon/xid_bench.py [--build DIR] [--times N] [--handicap 1ms]

Exit 1: the figure of issue 3 (50 ms) is not reached at the 99th percentile, or an XID was lost."""
import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import ROOT, UnixConnection, build_type, child_of, cpu_ns, milliseconds, wait_for  # noqa: E402

LIMIT_MS = 50.0
STORM = 10_000
# All but the last need a reset: a state that stays.
CODES = (46, 48, 62, 64, 79, 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158)


class Simulator:
    """The control socket of estiva-sim, one connection."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def tell(self, line):
        self.socket.sendall(line.encode() + b"\n")
        answer = self.socket.recv(4096)
        if not answer.startswith(b"ok"):
            sys.exit(f"the simulator says {answer!r} to {line!r}")


def gpus(connection):
    connection.request("GET", "/api/v1/gpu")
    return json.loads(connection.getresponse().read())["gpus"]


def count(gpu, code):
    return sum(one["count"] for one in gpu["xid_errors"] if one["code"] == code)


def measure(options, simulator, connection):
    """Milliseconds, one a time; each XID is another GPU's or another number."""
    taken, told = [], {}
    for i in range(options.times):
        gpu, code = i % 8, CODES[i // 8 % len(CODES)]
        told[gpu, code] = told.get((gpu, code), 0) + 1
        time.sleep(0.013)  # not in step with anything
        start = time.perf_counter()
        simulator.tell(f"xid {gpu} {code}")
        while True:
            end = time.perf_counter() + options.handicap
            while time.perf_counter() < end:
                pass
            seen = gpus(connection)[gpu]
            if count(seen, code) >= told[gpu, code]:
                break
            if time.perf_counter() - start > 10:
                sys.exit(f"XID {code} of GPU {gpu} never arrived")
        taken.append((time.perf_counter() - start) * 1000)
        if seen["health"]["state"] != "UNHEALTHY":
            sys.exit(f"GPU {gpu} is {seen['health']['state']} after XID {code}")
    return sorted(taken)


def storm(log, connection, pid):
    """CPU of the daemon for one XID of the log, and how long all took, in seconds."""
    line = "3,1,1,-;NVRM: Xid (PCI:0000:01:00): 13, pid=7, name=storm, Graphics Exception\n"
    before, start = cpu_ns(pid), time.perf_counter()
    with open(log, "a") as file:
        file.write(line * STORM)
    while count(gpus(connection)[0], 13) < STORM:
        if time.perf_counter() - start > 60:
            sys.exit("the storm never arrived whole")
        time.sleep(0.05)
    return (cpu_ns(pid) - before) / STORM / 1000, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--handicap", type=milliseconds, default=0.0, metavar="1ms",
                        help="let this much more pass before each question")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="estiva-xid-")
    run = os.path.join(folder, "run")
    path = os.path.join(run, "control", "api.sock")
    env = dict(os.environ, ESTIVA_STATE_DIR=folder + "/state", ESTIVA_RUNTIME_DIR=run)
    daemon = subprocess.Popen([os.path.join(options.build, "estiva"), "daemon", "--simulate", "server-8",
                               "--listen", "off"], env=env, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: os.path.exists(path) and len(gpus(UnixConnection(path))) == 8,
                 "the daemon sees its GPUs; is the build complete?")
        connection = UnixConnection(path)
        simulator = Simulator(os.path.join(run, "sim", "control"))
        time.sleep(1)
        taken = measure(options, simulator, connection)
        cost, whole = storm(os.path.join(run, "sim", "kmsg.log"), connection,
                            child_of(daemon.pid, "estivad"))
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)
    p99 = taken[int(len(taken) * 0.99)]
    print(f"load {os.getloadavg()[0]:.2f}  build {build_type(options.build)}")
    print(f"XID to state             n {len(taken)}  median {statistics.median(taken):.2f} ms  "
          f"p99 {p99:.2f} ms  max {taken[-1]:.2f} ms")
    print(f"storm of {STORM} in the log  CPU of estivad {cost:.2f} us each, all counted after {whole:.2f} s")
    if p99 > LIMIT_MS:
        sys.exit(f"error: {p99:.1f} ms are more than {LIMIT_MS:.0f} ms")


if __name__ == "__main__":
    main()
