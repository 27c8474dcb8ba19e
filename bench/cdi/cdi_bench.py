#!/usr/bin/python3
"""What making a CDI spec for 8 GPUs costs, on a tree as large as a desktop's: 3,000 libraries that are not the
driver's beside it, and in the linker's cache.

usage: cdi_bench.py [--build DIR] [--calls N] [--handicap 1ms]

The peer, nvidia-ctk 1.20, can't be fetched: no distribution's free archive has it. Its figure is the one that was
measured with it elsewhere, for 8 GPUs on a mock NVML: 20.8 ms, a program of 22 MB.
"""
import argparse
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
sys.dont_write_bytecode = True
import driver_tree  # noqa: E402

OTHERS = 3000
GOAL_MS = 5.0


def make(root):
    """The tree "eight-gpus", and what else lies in its folder and cache."""
    folder = "/usr/lib/x86_64-linux-gnu"
    tree = driver_tree.Tree(root)
    want = driver_tree.make("eight-gpus", root)
    for i in range(OTHERS):
        tree.file(f"{folder}/libother{i}.so.1.0")
        tree.link(f"{folder}/libother{i}.so.1", f"libother{i}.so.1.0")
        tree.cached.append((f"libother{i}.so.1", f"{folder}/libother{i}.so.1", driver_tree.X86_64))
    for name, number in driver_tree.all_libraries(want):
        if "/" not in name:
            soname = f"{name}.so.{number or want['module']}"
            tree.cached.append((soname, f"{folder}/{soname}", driver_tree.X86_64))
    tree.write_cache("new")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--calls", default="1000")
    parser.add_argument("--handicap", default="0ms")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="estiva-bench-") as root:
        make(root)
        done = subprocess.run([os.path.join(options.build, "bench_cdi"), root, "--calls", options.calls,
                               "--handicap", options.handicap], check=False)
    print(f"goal: {GOAL_MS} ms without NVML; the peer's measured figure (not of this run): 20.8 ms")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
