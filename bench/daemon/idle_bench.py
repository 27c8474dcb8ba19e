#!/usr/bin/env python3
"""What estiva costs when nobody asks it anything: CPU of estivad and estiva-sensor at one sample a
second, and the memory of estivad, on a simulated machine of 8 GPUs with 5 processes each (real ones, that sleep: procfs shows them).

  bench/daemon/idle_bench.py [--build DIR] [--seconds N] [--models N] [--handicap 1ms]

With --models N, what a machine with models costs instead: one GPU, N models in the configuration of which
one is loaded, and the gateway: CPU of estivad and estiva-gateway, their memory together (issue 5: 0.1 % of
a core, 24 MiB).

The simulator's own time is inside the sensor's CPU; it is printed apart (total, inside, ours). Every
ring of the history is allocated when its GPU is first seen.
Exit 1: a figure of issue 2 is not reached, or the daemon did not take its samples."""
import argparse
import http.client
import json
import os
import re
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

CPU_LIMIT = 0.001  # of a core
PSS_LIMIT_MIB = 12.0
WITH_GATEWAY_MIB = 24.0


def scenario_of(pids):
    return "gpu h100-80g times 8\n" + "".join(
        f"process {pid} gpu {at // 5} vram 8GiB name \"worker\" sm 15\n"
        for at, pid in enumerate(pids))


def status(path):
    connection = UnixConnection(path)
    connection.request("GET", "/api/v1/status")
    document = json.loads(connection.getresponse().read())
    connection.close()
    return document


def pss_mib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1)) / 1024


def inside_ns(sim, folder):
    """Time inside the simulator's functions, summed over them, without the wait for events: that one
    sleeps."""
    text = subprocess.run([sim, "ctl", folder, "stats"], capture_output=True, text=True).stdout
    total = int(re.search(r"^total calls \d+ ns (\d+)", text, re.M).group(1))
    asleep = re.search(r"^nvmlEventSetWait_v2 calls \d+ ns (\d+)", text, re.M)
    return total - (int(asleep.group(1)) if asleep else 0)


def with_models(options, folder):
    """The words that make estivad serve models, or make it serve none."""
    if not options.models:
        return []
    config = os.path.join(folder, "estiva.toml")
    engine = os.path.join(options.build, "estiva-sim-engine")
    with open(config, "w") as file:
        for i in range(options.models):
            words = [engine, "--port", "${PORT}", "--vram", "1GiB"]
            file.write(f'[models.idle{os.getpid()}-{i}]\nengine = "process"\ncommand = {json.dumps(words)}\n'
                       f'ready = "http://127.0.0.1:${{PORT}}/health"\nvram = "1GiB"\n')
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return ["--config", config, "--gateway", f"127.0.0.1:{port}", "--stop-models"]


def load_one(path):
    connection = UnixConnection(path)
    connection.request("POST", f"/api/v1/models/load?model=idle{os.getpid()}-0")
    answer = connection.getresponse()
    if answer.status != 200:
        sys.exit(f"the model was not loaded: {answer.read()}")
    connection.close()


def keep_busy(path, pid, handicap_ns):
    """Asks for documents until the daemon spent that much more CPU."""
    end = cpu_ns(pid) + handicap_ns
    while cpu_ns(pid) < end:
        status(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--models", type=int, default=0, help="configured, with the gateway, on one GPU")
    parser.add_argument("--handicap", type=milliseconds, default=0.0, metavar="1ms",
                        help="make the daemon work this much longer in each second")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    handicap_ns = options.handicap * 1e9
    sim = os.path.join(options.build, "estiva-sim")
    folder = tempfile.mkdtemp(prefix="estiva-idle-")
    environment = dict(os.environ, ESTIVA_SIM_DIR=os.path.join(folder, "sim"))
    host = daemon = None
    workers = [subprocess.Popen(["sleep", "infinity"]) for _ in range(40)]
    try:
        scenario = os.path.join(folder, "scenario")
        with open(scenario, "w") as file:
            file.write("gpu rtx4090-24g\n" if options.models else scenario_of([worker.pid for worker in workers]))
        host = subprocess.Popen([sim, "run", scenario, "--dir", os.path.join(folder, "sim")],
                                stdout=subprocess.PIPE)
        host.stdout.readline()
        with open(os.path.join(folder, "log"), "w") as log:
            daemon = subprocess.Popen(
                [os.path.join(options.build, "estivad"), "--simulated", "--nvml",
                 os.path.join(options.build, "sim", "libnvidia-ml.so.1"), "--listen", "off",
                 "--state-dir", os.path.join(folder, "state"), "--runtime-dir",
                 os.path.join(folder, "run"), *with_models(options, folder)], env=environment, stderr=log)
        path = os.path.join(folder, "run", "control", "api.sock")
        wait_for(lambda: os.path.exists(path) and len(status(path)["gpus"]) == (1 if options.models else 8),
                 "the daemon sees its GPUs; is the build complete?")
        time.sleep(15)  # the first rounds of every tier are over
        sensor = child_of(daemon.pid, "estiva-sensor")
        if options.models:
            load_one(path)
        gateway = child_of(daemon.pid, "estiva-gateway")
        beside, gateway_pss = (cpu_ns(gateway) if gateway else 0), 0.0
        first = status(path)
        shares = []
        before = (cpu_ns(daemon.pid), cpu_ns(sensor), inside_ns(sim, os.path.join(folder, "sim")))
        mark = before
        for _ in range(options.seconds):
            started = time.monotonic()
            if handicap_ns:
                keep_busy(path, daemon.pid, handicap_ns)
            time.sleep(1)
            now = (cpu_ns(daemon.pid), cpu_ns(sensor), 0)
            elapsed = (time.monotonic() - started) * 1e9
            shares.append((now[0] + now[1] - mark[0] - mark[1]) / elapsed)
            mark = now
        after = (cpu_ns(daemon.pid), cpu_ns(sensor), inside_ns(sim, os.path.join(folder, "sim")))
        pss, sensor_pss = pss_mib(daemon.pid), pss_mib(sensor)
        if gateway:
            beside, gateway_pss = (cpu_ns(gateway) - beside) / 1e9 / options.seconds, pss_mib(gateway)
        taken = status(path)["sequence"] - first["sequence"]
    finally:
        for process in (daemon, host, *workers):
            if process:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)
    seconds = options.seconds
    loop, sense, inside = ((b - a) / 1e9 / seconds for a, b in zip(before, after))
    shares.sort()
    print(f"load {os.getloadavg()[0]:.2f}  build {build_type(options.build)}  "
          f"{seconds} s, {taken} Worlds published")
    print(f"CPU, share of a core     total {(loop + sense) * 100:.4f} %  "
          f"(estivad {loop * 100:.4f} %, sensor {sense * 100:.4f} %)")
    print(f"                         inside the simulator {inside * 100:.4f} %, "
          f"ours {(loop + sense - inside) * 100:.4f} %")
    print(f"CPU in each second       n {len(shares)}  median {statistics.median(shares) * 100:.4f} %  "
          f"p99 {shares[int(len(shares) * 0.99)] * 100:.4f} %")
    print(f"PSS                      estivad {pss:.2f} MiB, estiva-sensor {sensor_pss:.2f} MiB")
    if options.models:
        print(f"estivad and gateway      CPU {(loop + beside) * 100:.4f} % of a core (gateway {beside * 100:.4f} %), "
              f"PSS {pss + gateway_pss:.2f} MiB (gateway {gateway_pss:.2f}); {options.models} models, one loaded")
        missed = [what for what, is_so in ((f"CPU above {CPU_LIMIT * 100} %", loop + beside > CPU_LIMIT),
                                           (f"PSS above {WITH_GATEWAY_MIB} MiB", pss + gateway_pss > WITH_GATEWAY_MIB))
                  if is_so]
        sys.exit("not reached: " + ", ".join(missed) if missed else 0)
    if taken < seconds:
        sys.exit(f"error: only {taken} Worlds in {seconds} s: this was not a daemon at work")
    missed = []
    if loop + sense - inside > CPU_LIMIT:
        missed.append(f"CPU above {CPU_LIMIT * 100} % of a core")
    if pss > PSS_LIMIT_MIB:
        missed.append(f"PSS above {PSS_LIMIT_MIB} MiB")
    if missed:
        sys.exit("not reached: " + ", ".join(missed))


if __name__ == "__main__":
    main()
