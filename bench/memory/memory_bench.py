#!/usr/bin/env python3
"""Who keeps a program alive that takes three times the RAM there is? In a host of 1 GiB (see small_host.py), at
paced rates: no swap, the seed's rule (2 GiB first, then 1 GiB each 30 s at 80 % of RAM), 4 GiB from the start (the
oracle), swapspace and earlyoom (of bench/peers), estiva-memd, and any manager that is named.

  bench/memory/memory_bench.py [--build DIR] [--rates 50,100,...] [--columns none,seed,...] [--at DIR]
                               [--floor SIZE] [--manager 'NAME=COMMAND'] ...

COMMAND is run by sh, with /proc/meminfo of the small host; {folder} is the folder for its swap files, {group} the
control group, {meminfo} the file of its figures, {run} a folder for what it keeps while it runs. Rate 0: unpaced.

Needs root, a v1 memory controller, and 9 GiB of disk. Adds swap to this machine while it runs, at most 8 GiB, and
takes it away. Exit 1: a word was corrupt, or the oracle died, which makes the run void."""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import ROOT, build_type  # noqa: E402
from small_host import MIB, SmallHost  # noqa: E402

LIMIT, DEMAND = 1024 * MIB, 3072 * MIB
PATIENCE = 300
PLAIN = ("none", "seed", "oracle")
MANAGERS = {
    "swapspace": "{peers}/swapspace --swappath={folder} --pidfile={run}.pid",
    "earlyoom": "{peers}/earlyoom",
    # Of the disk it may take more than on a machine of its own: the bench bounds the swap by itself.
    "estiva": "{build}/estiva-memd --folder {folder} --run {run} --group {group} --meminfo {meminfo} "
              "--disk-floor 4G --floor {floor}",
}


def seeds_rule(host, hog):
    """One look each 30 s, until the hog ends."""
    next_look = time.monotonic() + 30
    while hog.poll() is None:
        time.sleep(0.05)
        if time.monotonic() >= next_look:
            next_look += 30
            if host.used_share() >= 0.8:
                host.add_swap(1024 * MIB)


def run_one(options, column, rate):
    """One cell of the matrix, as a dict."""
    load = os.path.join(options.build, "bench_memory_load")
    with SmallHost(options.at, LIMIT) as host:
        if column in ("seed", "oracle"):
            host.add_swap((2048 if column == "seed" else 4096) * MIB)
        elif column != "none":
            host.start_manager(options.managers[column], options.places)
            time.sleep(2)  # until it has read its settings; the standing swap of one that has some is there
        neighbour = host.start(load, "neighbour", stdin=subprocess.PIPE)
        hog = host.start(load, "hog", str(DEMAND), str(rate * 1_000_000))
        if column == "seed":
            seeds_rule(host, hog)
        end = time.monotonic() + PATIENCE
        while hog.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        told = hog.communicate()[0] if hog.poll() is not None else ""
        late = neighbour.communicate(timeout=PATIENCE)[0]
        return {"column": column, "rate": rate, "hog": json.loads(told) if told else None, "code": hog.returncode,
                "neighbour": json.loads(late) if late else None, "reserved": host.most_reserved, "needed": host.most_used,
                "oom_kills": host.oom_kills()}


def print_cell(cell):
    hog, late = cell["hog"], cell["neighbour"]
    fate = "alive" if hog else "dead" if cell["code"] is not None else "not done"
    figures = f"fill {hog['filled_seconds']:6.1f} s  corrupt {hog['corrupt_words']}" if hog else " " * 24
    stall = f"p99.9 {late['p999_ms']:6.1f} ms  max {late['max_ms']:6.1f} ms  n {late['samples']}" if late else "neighbour dead"
    print(f"{cell['rate']:>5} MB/s  {cell['column']:<10} {fate:<9}{figures}  {stall}  "
          f"reserved {cell['reserved'] // MIB} MiB  used {cell['needed'] // MIB} MiB  oom_kills {cell['oom_kills']}", flush=True)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--at", default=os.path.join(ROOT, "build"), help="a folder on the disk that takes the swap files")
    parser.add_argument("--rates", default="50,100,250,500,1000,2000,0")
    parser.add_argument("--columns", default=",".join([*PLAIN, *MANAGERS]))
    parser.add_argument("--floor", default="1G", help="what estiva keeps ready at rest; 0: nothing")
    parser.add_argument("--peers", default=os.environ.get("ESTIVA_PEERS_DIR", os.path.join(ROOT, "build", "peers")))
    parser.add_argument("--manager", action="append", default=[], metavar="NAME=COMMAND")
    options = parser.parse_args()
    named = dict(one.split("=", 1) for one in options.manager)
    options.columns = [one for one in options.columns.split(",") if one] + list(named)
    options.managers = MANAGERS | named
    options.places = {"peers": os.path.join(options.peers, "bin"), "build": os.path.abspath(options.build),
                      "floor": options.floor}
    for peer in ("swapspace", "earlyoom"):
        if peer in options.columns and not os.path.exists(os.path.join(options.peers, "bin", peer)):
            sys.exit(f"{peer} is not there; bench/peers {peer} fetches it")
    unknown = [one for one in options.columns if one not in PLAIN and one not in options.managers]
    if unknown:
        parser.error(f"no column is named {unknown[0]}: {', '.join(PLAIN)}, or one of --manager")
    return options


def main():
    options = read_options()
    if os.geteuid() != 0:
        sys.exit("the bench needs root: it adds swap, and makes a control group")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was added is taken away
    print(f"demand {DEMAND // MIB} MiB in a host of {LIMIT // MIB} MiB; build {build_type(options.build)}; "
          f"load {os.getloadavg()[0]:.1f}; swap files in {options.at}", flush=True)
    bad = []
    for rate in map(int, options.rates.split(",")):
        for column in options.columns:
            cell = run_one(options, column, rate)
            print_cell(cell)
            if cell["hog"] and cell["hog"]["corrupt_words"]:
                bad.append(f"{rate} MB/s, {column}: words were corrupt")
            if column == "oracle" and not cell["hog"]:
                bad.append(f"{rate} MB/s: the oracle died, so the run is void")
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
