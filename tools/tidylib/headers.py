"""Each header compiles alone, and costs a file that includes it at most 1.5 s of CPU.

CPU time doubles where two threads share a core and somebody else is busy: a header over the limit is
compiled again beside a reference, what Asio's awaitable and six standard headers cost at that moment.
On the quiet machine for which the limit was set the reference takes 0.95 s.

The verdict is kept in the build folder under a hash of the header and of every header of ours that it
reaches, so that only what changed is compiled again. In a fresh clone that is all of them, some three
minutes: there the headers that the last commits changed are looked at, and of the others an eighth that
is another one with each commit. `./test --long` (ESTIVA_LONG=1) and a tree without git look at all.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile

from . import rooms, tree

MAX_CPU_SECONDS = 1.5
MAX_OF_REFERENCE = 1.6  # about the same limit, in units of the reference
TRIES = 4  # the best of them counts
LAST_COMMITS = 20
PART = 8  # of the headers that did not change
REFERENCE = "".join(f"#include <{name}>\n" for name in (
    "boost/asio/awaitable.hpp", "chrono", "functional", "map", "memory", "string", "vector"))
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-DBOOST_ASIO_SEPARATE_COMPILATION",
         "-DBOOST_ASIO_NO_DEPRECATED", '-DESTIVA_VERSION="0"']


def reached(header, root, seen):
    """Our own headers that this one includes, directly or not."""
    for _, kind, name in rooms.includes(header):
        if kind != '"':
            continue
        for candidate in (root / "src" / name, root / name, header.parent / name):
            if candidate.is_file() and candidate not in seen:
                seen.add(candidate)
                reached(candidate, root, seen)
                break
    return seen


def _fingerprint(header, root):
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for path in sorted(reached(header, root, {header})):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _compile(header, root):
    """(CPU seconds, complaint) of compiling the header as a file of its own."""
    command = ["g++", *FLAGS, "-I", str(root if root / "sim" in header.parents else root / "src"), "-x", "c++", str(header)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    # "#pragma once in main file" is true here and means nothing.
    errors = [line for line in complaint.splitlines() if ": error:" in line or "fatal error" in line]
    return usage.ru_utime + usage.ru_stime, "" if process.returncode == 0 else "\n".join(errors[:3])


def _reference_cpu(root):
    with tempfile.NamedTemporaryFile("w", suffix=".h") as file:
        file.write(REFERENCE)
        file.flush()
        return _compile(pathlib.Path(file.name), root)[0]


def _judge(header, root):
    """The header's CPU seconds, scaled to the quiet machine where this one is busy or slow."""
    best, complaint = _compile(header, root)
    tries = 1
    while best > MAX_CPU_SECONDS and not complaint and tries < TRIES:
        cpu = _compile(header, root)[0]
        as_reference = cpu / _reference_cpu(root) / MAX_OF_REFERENCE * MAX_CPU_SECONDS
        best = min(best, cpu, as_reference)
        tries += 1
    return {"cpu": round(best, 3), "complaint": complaint}


def _git(root, *words):
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else []


def _chosen(headers, root):
    head = _git(root, "rev-parse", "HEAD")
    if os.environ.get("ESTIVA_LONG") == "1" or not head:
        return headers
    # As far back as the history goes: a clone may be shallow.
    commits = _git(root, "rev-list", f"--max-count={LAST_COMMITS + 1}", "HEAD")
    changed = set(_git(root, "diff", "--name-only", commits[-1]))
    changed.update(_git(root, "ls-files", "-o", "--exclude-standard"))
    turn = int(head[0][:8], 16) % PART

    def is_chosen(header):
        name = str(header.relative_to(root))
        return name in changed or int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % PART == turn
    return [header for header in headers if is_chosen(header)]


def _load(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


def check_headers(root, build):
    cache_path = build / "tidy-headers.json"
    cache = _load(cache_path)
    everything = [path for path in tree.code(root, "src", "sim") if path.suffix == ".h"]
    headers = _chosen(everything, root)
    prints = {header: _fingerprint(header, root) for header in everything}
    todo = [header for header in headers if prints[header] not in cache]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for header, verdict in zip(todo, pool.map(lambda h: _judge(h, root), todo)):
            cache[prints[header]] = verdict
    build.mkdir(parents=True, exist_ok=True)
    temporary = cache_path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps({key: cache[key] for key in prints.values() if key in cache}))
    temporary.replace(cache_path)
    print(f"headers: {len(headers)} of {len(everything)} looked at")
    return _violations(root, [(header, cache[prints[header]]) for header in headers])


def _violations(root, verdicts):
    violations = []
    for header, verdict in verdicts:
        if verdict["complaint"]:
            violations.append(f"{tree.where(header, root)}: does not compile alone:\n{verdict['complaint']}")
        elif verdict["cpu"] > MAX_CPU_SECONDS:
            violations.append(f"{tree.where(header, root)}: costs {verdict['cpu']} s of CPU, at most "
                              f"{MAX_CPU_SECONDS}; move what is heavy into the .cpp file")
    costs = sorted((verdict["cpu"], tree.where(header, root)) for header, verdict in verdicts)
    if costs:
        print(f"headers: {len(costs)}, median {costs[len(costs) // 2][0]} s, "
              f"dearest {costs[-1][1]} {costs[-1][0]} s")
    return violations
