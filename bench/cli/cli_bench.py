#!/usr/bin/env python3
"""Wall time of `estiva gpu` with and without a daemon, beside nvidia-smi, nvtop, gpustat and nvitop
on the same simulated machine (server-8: 8 GPUs). The peers run inside the folder that bench/peers
makes; each run of theirs is measured inside it, so that entering it costs them nothing.

  bench/cli/cli_bench.py [--build DIR] [--runs N] [--handicap 1ms]

Exit 1: a peer is missing (run bench/peers), or a figure that issue 2 asks for is not reached."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import PEERS, ROOT, build_type, milliseconds, wait_for  # noqa: E402

LIMITS_MS = {"estiva gpu, daemon": 5.0, "estiva gpu, alone": 15.0}
PEER_COMMANDS = {
    "nvidia-smi": ["/usr/lib/nvidia/current/nvidia-smi"],
    "nvtop -s": ["/usr/bin/nvtop", "-s"],
    "gpustat": ["/usr/bin/gpustat"],
    "nvitop -1": ["/usr/bin/nvitop", "-1"],
}
# Runs a command N times and prints each wall time in ms; also inside the peers' root.
TIMER = """
import json, subprocess, sys, time
runs, handicap, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
times = []
for _ in range(runs + 2):
    start = time.perf_counter()
    end = start + handicap
    while time.perf_counter() < end:
        pass
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    times.append((time.perf_counter() - start) * 1000)
    if done.returncode not in (0, 3):
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()[-300:]}")
print(json.dumps(times[2:]))
"""


def row(name, times, build):
    times = sorted(times)
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    median = statistics.median(times)
    print(f"{name:<22} n {len(times):>4}  median {median:8.2f} ms  p99 {p99:8.2f} ms  "
          f"load {os.getloadavg()[0]:.2f}  build {build}")
    return median


def measure(options, command, env):
    done = subprocess.run([sys.executable, "-c", TIMER, str(options.runs), str(options.handicap),
                           *command], env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"measuring {command[0]} failed")
    return json.loads(done.stdout)


def measure_peer(options, command, scenario_dir):
    env = dict(os.environ, ESTIVA_SIM_DIR="/sim/machine", LD_LIBRARY_PATH="/sim/lib", TERM="xterm",
               PEERS_BIND=f"{options.build}/sim:/sim/lib\n{scenario_dir}:/sim/machine")
    done = subprocess.run([PEERS, "--enter", "/usr/bin/python3", "-c", TIMER,
                           str(max(5, options.runs // 10)), "0", *command],
                          env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"measuring {command[0]} failed")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--handicap", type=milliseconds, default=0.0)
    parser.add_argument("--without-peers", action="store_true", help="only our own figures")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    peers = [] if options.without_peers else ["nvidia-smi", "nvtop", "gpustat", "nvitop"]
    if peers and subprocess.run([PEERS, "--list", *peers], stdout=subprocess.DEVNULL).returncode != 0:
        sys.exit("a peer is missing: run bench/peers first")

    estiva = os.path.join(options.build, "estiva")
    place = tempfile.mkdtemp(prefix="estiva-bench-")
    env = dict(os.environ, ESTIVA_STATE_DIR=place + "/state", ESTIVA_RUNTIME_DIR=place + "/run")
    daemon = subprocess.Popen([estiva, "daemon", "--simulate", "server-8", "--listen", "off"], env=env,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    medians = {}
    kind = build_type(options.build)
    try:
        wait_for(lambda: subprocess.run([estiva, "gpu", "--json"], env=env, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL).returncode == 0 and
                 os.path.exists(place + "/run/control/api.sock"), "the daemon sees its GPUs")
        alone = dict(env, ESTIVA_RUNTIME_DIR=place + "/none", ESTIVA_SIM_DIR=place + "/run/sim",
                     LD_LIBRARY_PATH=options.build + "/sim")
        for name, command, where in (("estiva gpu, daemon", [estiva, "gpu"], env),
                                     ("estiva gpu, alone", [estiva, "gpu"], alone),
                                     ("an empty program", ["/bin/true"], env)):
            medians[name] = row(name, measure(options, command, where), kind)
        if peers:
            for name, command in PEER_COMMANDS.items():
                row(name, measure_peer(options, command, place + "/run/sim"), kind)
    finally:
        daemon.terminate()
        daemon.wait()
        shutil.rmtree(place, ignore_errors=True)
    over = [name for name, limit in LIMITS_MS.items() if medians[name] > limit]
    for name in over:
        print(f"{name}: {medians[name]:.2f} ms is over {LIMITS_MS[name]} ms")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
