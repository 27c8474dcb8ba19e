"""Each header compiles alone, and costs a file that includes it at most 1.5 s of CPU.

The verdict is kept in the build folder under a hash of the header and of every header of ours that it
reaches, so that only what changed is compiled again.
"""
import concurrent.futures
import hashlib
import json
import os
import subprocess

from . import rooms, tree

MAX_CPU_SECONDS = 1.5
TRIES = 3  # CPU time doubles on a busy machine with two threads a core: the best of three counts.
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


def _judge(header, root):
    best, complaint = _compile(header, root)
    tries = 1
    while best > MAX_CPU_SECONDS and not complaint and tries < TRIES:
        best = min(best, _compile(header, root)[0])
        tries += 1
    return {"cpu": round(best, 3), "complaint": complaint}


def _load(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


def check_headers(root, build):
    cache_path = build / "tidy-headers.json"
    cache = _load(cache_path)
    headers = [path for path in tree.code(root, "src", "sim") if path.suffix == ".h"]
    prints = {header: _fingerprint(header, root) for header in headers}
    todo = [header for header in headers if prints[header] not in cache]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for header, verdict in zip(todo, pool.map(lambda h: _judge(h, root), todo)):
            cache[prints[header]] = verdict
    build.mkdir(parents=True, exist_ok=True)
    temporary = cache_path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps({key: cache[key] for key in prints.values()}))
    temporary.replace(cache_path)
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
