#!/usr/bin/python3
"""What the verbs around GPU containers cost, as whole programs: 'cdi generate' and 'cdi check' for 8 GPUs, 'doctor' on
a machine with one, and, with --containers, how much later a container starts with the GPU than without.

usage: verbs_bench.py [--build DIR] [--calls N] [--containers N]     (root: device nodes; --containers: bench/peers
                      dockerd dockerd-28 docker-28 busybox)

Goals: generate 5 ms beside NVML, check 10 ms, doctor 150 ms without a container, a container 10 ms later. The peer,
nvidia-ctk, can't be fetched: 20.8 ms for the specification and 44 ms later for a container with its six hooks were
measured elsewhere.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True


def measure(name, goal, command, calls):
    walls, cpus = [], []
    for _ in range(calls):
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        walls.append((time.perf_counter() - begun) * 1e3)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3)
    print(f"{name:<28} {statistics.median(walls):7.1f} ms wall {statistics.median(cpus):7.1f} ms CPU   goal {goal}, "
          f"n={calls}")


def containers(build, tree, calls):
    sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
    os.environ.setdefault("ESTIVA_BUILD_DIR", build)
    from docker_place import Docker
    with tempfile.TemporaryDirectory(prefix="bch", dir="/tmp") as folder:
        docker = Docker(folder + "/d", "-28")
        os.makedirs(folder + "/cdi")
        docker.configure(features={"cdi": True}, **{"cdi-spec-dirs": [folder + "/cdi"]})
        spec = folder + "/cdi/nvidia.yaml"
        subprocess.run([build + "/estiva", "cdi", "generate", "--root", tree, "-o", spec], check=True,
                       stdout=subprocess.DEVNULL)
        with open(spec) as file:  # the tree's paths are those of a root that it is not
            text = file.read()
        for word in ("hostPath: /", "- path: /dev/nvidia"):
            if word.startswith("hostPath"):
                text = text.replace(word, f"hostPath: {tree}/")
        text = "\n".join(line + (f"\n{line.split('- ')[0]}  hostPath: {tree}{line.split('path: ')[1]}"
                                 if line.strip().startswith("- path: /dev/") else "") for line in text.split("\n"))
        with open(spec, "w") as file:
            file.write(text)
        docker.start()
        try:
            docker.import_image()
            base = ["run", "--rm", "--network", "none"]
            times = {"without": [], "with": []}
            for _ in range(calls):
                for kind, more in (("without", []), ("with", ["--device", "nvidia.com/gpu=0"])):
                    begun = time.perf_counter()
                    docker.run(*base, *more, "busybox:test", "/bin/true")
                    times[kind].append((time.perf_counter() - begun) * 1e3)
            bare, given = (statistics.median(times[kind]) for kind in ("without", "with"))
            print(f"a container without a GPU {bare:.1f} ms, with our specification {given:.1f} ms: {given - bare:+.1f} ms   "
                  f"goal 10, n={calls}, in turn")
        finally:
            docker.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--containers", type=int, default=0, metavar="N")
    args = parser.parse_args()
    estiva = os.path.join(os.path.abspath(args.build), "estiva")
    with tempfile.TemporaryDirectory() as folder:
        tree, machine, spec = folder + "/eight", folder + "/machine", folder + "/made.yaml"
        subprocess.run([sys.executable, ROOT + "/tests/driver_tree.py", "eight-gpus", tree, "--nodes"], check=True)
        subprocess.run([sys.executable, ROOT + "/tests/e2e/machine_change.py", "healthy", "debian-gpu", machine],
                       check=True)
        print(f"load {os.getloadavg()[0]:.2f}, {estiva}")
        measure("starting the program", "-", [estiva, "version"], args.calls)
        measure("cdi generate, 8 GPUs", 5, [estiva, "cdi", "generate", "--root", tree, "-o", spec], args.calls)
        measure("cdi check of it", 10, [estiva, "cdi", "check", spec, "--root", tree], args.calls)
        measure("doctor, a machine in a tree", 150, [estiva, "doctor", "--root", machine, "--json"], args.calls)
        measure("doctor, this machine", 150, [estiva, "doctor", "--json"], args.calls)
        if args.containers:
            containers(os.path.abspath(args.build), tree, args.containers)


if __name__ == "__main__":
    main()
