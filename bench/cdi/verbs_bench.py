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
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(ROOT, "build/peers")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))


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


def as_on_host(spec, tree):
    """The spec made of a tree, with the host paths of that tree."""
    for edits in [spec["containerEdits"], *[device["containerEdits"] for device in spec["devices"]]]:
        for node in edits.get("deviceNodes", []):
            node["hostPath"] = tree + node.get("hostPath", node["path"])
        for mount in edits.get("mounts", []):
            mount["hostPath"] = tree + mount["hostPath"]
    return spec


def usual_folders(folder, docker):
    """busybox in the folders that every image of a distribution has: 'dirs:test'. Returns its root file system."""
    root = folder + "/image"
    for name in ("bin", "etc", "lib/firmware", "usr/bin", "usr/lib64", "usr/lib/x86_64-linux-gnu"):
        os.makedirs(os.path.join(root, name))
    shutil.copy(os.path.join(PEERS, "docker/bin/busybox"), root + "/bin/busybox")
    os.symlink("busybox", root + "/bin/true")
    tar = subprocess.run(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
    docker.run("import", "-", "dirs:test", input=tar)
    return root


def timed(call, *words, **more):
    begun = time.perf_counter()
    call(*words, **more)
    return (time.perf_counter() - begun) * 1e3


def in_turn(calls, kinds):
    """Medians in ms of each kind, and of the differences to the first; each returns what it took, one after the
    other."""
    times = {kind: [] for kind in kinds}
    for _ in range(calls):
        for kind, run in kinds.items():
            times[kind].append(run())
    first = next(iter(kinds))
    return {kind: (statistics.median(seen), statistics.median(a - b for a, b in zip(seen, times[first])))
            for kind, seen in times.items()}


def bare_runtime(folder, root, edits, calls):
    """runc alone, as the peer was measured: a container is made of the spec's edits, runs, and is gone."""
    runc = os.path.join(PEERS, "docker/usr/sbin/runc")
    environment = {**os.environ, "LD_LIBRARY_PATH": os.path.join(PEERS, "docker/usr/lib/x86_64-linux-gnu")}
    kinds = {}
    for kind, mounts, nodes in (("without", [], []), ("with", *edits)):
        bundle = f"{folder}/{kind}"
        os.makedirs(bundle)
        subprocess.run([runc, "spec"], cwd=bundle, env=environment, check=True)
        with open(bundle + "/config.json") as file:
            config = json.load(file)
        config["process"].update(args=["/bin/true"], terminal=False)
        config["root"] = {"path": "rootfs", "readonly": False}
        config["mounts"] += [{"destination": mount["containerPath"], "source": mount["hostPath"],
                              "options": mount["options"]} for mount in mounts]
        numbers = [(node["path"], os.stat(node["hostPath"]).st_rdev) for node in nodes]
        config["linux"]["devices"] = [{"path": path, "type": "c", "major": os.major(n), "minor": os.minor(n)}
                                      for path, n in numbers]
        config["linux"]["resources"]["devices"] += [{"allow": True, "type": "c", "major": os.major(n),
                                                     "minor": os.minor(n), "access": "rwm"} for _, n in numbers]
        with open(bundle + "/config.json", "w") as file:
            json.dump(config, file)

        def run(bundle=bundle):
            shutil.rmtree(bundle + "/rootfs", ignore_errors=True)
            shutil.copytree(root, bundle + "/rootfs", symlinks=True)  # as fresh as a container's own layer
            return timed(subprocess.run, [runc, "--root", folder + "/state", "run", "bench"], cwd=bundle,
                         env=environment, stdin=subprocess.DEVNULL, check=True)
        kinds[kind] = run
    return in_turn(calls, kinds)


def containers(build, tree, calls):
    os.environ.setdefault("ESTIVA_BUILD_DIR", build)
    from docker_place import Docker
    with tempfile.TemporaryDirectory(prefix="bch", dir="/tmp") as folder:
        docker = Docker(folder + "/d", "-28")
        os.makedirs(folder + "/cdi")
        docker.configure(features={"cdi": True}, **{"cdi-spec-dirs": [folder + "/cdi"]})
        path = folder + "/cdi/nvidia.json"
        with open(path, "w") as file:
            subprocess.run([build + "/estiva", "cdi", "generate", "--root", tree, "--json"], stdout=file, check=True)
        with open(path) as file:
            spec = as_on_host(json.load(file), tree)
        with open(path, "w") as file:
            json.dump(spec, file)
        device = next(one for one in spec["devices"] if one["name"] == "0")["containerEdits"]
        mounts = spec["containerEdits"]["mounts"]
        docker.start()
        try:
            root = usual_folders(folder, docker)
            seen = bare_runtime(folder, root, (mounts, spec["containerEdits"]["deviceNodes"] + device["deviceNodes"]),
                                calls)
            report(f"runc alone, {len(mounts)} mounts", seen, calls)
            base = ["run", "--rm", "--network", "none"]
            gpu = ["--device", "nvidia.com/gpu=0"]
            report("a container of Docker", in_turn(calls, {
                "without": lambda: timed(docker.run, *base, "dirs:test", "/bin/true"),
                "with": lambda: timed(docker.run, *base, *gpu, "dirs:test", "/bin/true")}), calls)
        finally:
            docker.stop()


def report(name, seen, calls):
    print(f"{name:<28} without a GPU {seen['without'][0]:.1f} ms, with our specification {seen['with'][0]:.1f} ms, the "
          f"median pair {seen['with'][1]:+.1f} ms   goal 10, n={calls}, in turn")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--containers", type=int, default=0, metavar="N")
    args = parser.parse_args()
    estiva = os.path.join(os.path.abspath(args.build), "estiva")
    with tempfile.TemporaryDirectory() as folder:
        tree, machine = folder + "/eight", folder + "/machine"
        spec = "/etc/cdi/made.yaml"  # inside the tree
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
