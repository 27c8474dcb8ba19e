"""What the gateway costs a request, with nginx as upstream and as the proxy to compare with, in the same
run and in turns: CPU of the serving process a request at 8 connections (target: at most 30 us), the
median that each adds at 1 connection (at most 2 times nginx's), and events a second of 4 streams (at
least 0.8 of nginx's).

  gateway_bench.py [--build DIR] [--rounds N] [--seconds N]

Exit 1: a target is missed. A build without optimisation shows in the first figure.
"""
import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from common import PEERS, ROOT, build_type, cpu_ns, wait_for  # noqa: E402

EVENT = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":' \
        b'{"content":" token"},"finish_reason":null}]}\n\n'
BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 60}], "max_tokens": 16})


def program(name):
    found = shutil.which(name)
    if found:
        return found
    done = subprocess.run([PEERS, "--list", name], text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{name} is missing; fetch it with bench/peers {name}")
    return done.stdout.split()[1]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def answers(port, target="/"):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as wire:
            wire.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            return wire.recv(9) == b"HTTP/1.1 "
    except OSError:
        return False


class Nginx:
    """One worker without a master, so that its CPU is one process's."""

    def __init__(self, folder, name, server):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.port = free_port()
        paths = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(os.path.join(self.folder, "nginx.conf"), "w") as file:
            file.write("daemon off; master_process off; worker_processes 1;\n"
                       f"pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
                       "events { worker_connections 512; }\n"
                       f"http {{ access_log off; tcp_nodelay on; {paths} {server % {'port': self.port}} }}\n")
        self.process = subprocess.Popen([program("nginx"), "-p", self.folder, "-c",
                                         os.path.join(self.folder, "nginx.conf")], stderr=subprocess.DEVNULL)
        wait_for(lambda: answers(self.port), f"{name} answers")


def upstream(folder):
    body = json.dumps({"id": "x", "object": "chat.completion", "text": "y" * 180})
    return Nginx(folder, "upstream", "server { listen 127.0.0.1:%(port)d; keepalive_requests 100000000;"
                 "location / { default_type application/json; return 200 '" + body + "'; } }")


def proxy(folder, name, port):
    return Nginx(folder, name, "upstream up { server 127.0.0.1:" + str(port) + "; keepalive 64; }"
                 "server { listen 127.0.0.1:%(port)d; keepalive_requests 100000000;"
                 "location / { proxy_pass http://up; proxy_http_version 1.1;"
                 "proxy_set_header Connection \"\"; proxy_max_temp_file_size 0; proxy_buffering off; } }")


class Gateway:
    """The program, with an estivad of three packets."""

    def __init__(self, build, folder, upstreams):
        path = os.path.join(folder, "gateway.sock")
        server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server.bind(path)
        server.listen(1)
        self.port = free_port()
        self.process = subprocess.Popen([os.path.join(build, "estiva-gateway"), "--socket", path, "--listen",
                                         f"127.0.0.1:{self.port}"], stderr=subprocess.DEVNULL)
        self.estivad, _ = server.accept()
        self.estivad.send(json.dumps({"kind": "routes", "routes": [{"model": m} for m in upstreams]}).encode())
        for model, port in upstreams.items():
            self.estivad.send(json.dumps({"kind": "open", "model": model, "generation": 1,
                                          "endpoint": f"127.0.0.1:{port}"}).encode())
        threading.Thread(target=self.read, daemon=True).start()
        wait_for(lambda: answers(self.port), "the gateway answers")

    def read(self):
        while self.estivad.recv(1 << 18):
            pass


class Events:
    """An upstream that sends events as fast as they are taken, 4 KiB at a time, like a busy engine."""

    def __init__(self, count):
        self.count = count
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            wire, _ = self.server.accept()
            threading.Thread(target=self.serve, args=(wire,), daemon=True).start()

    def serve(self, wire):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chunk = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
        batch = 24
        try:
            while wire.recv(65536):
                wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                             b"Transfer-Encoding: chunked\r\n\r\n")
                for _ in range(self.count // batch):
                    wire.sendall(chunk * batch)
                wire.sendall(b"0\r\n\r\n")
        except OSError:
            pass


def wrk(folder, port, connections, seconds):
    """(requests, median in us)"""
    script = os.path.join(folder, "post.lua")
    with open(script, "w") as file:
        file.write(f"wrk.method='POST' wrk.body='{BODY}' wrk.headers['Content-Type']='application/json'")
    done = subprocess.run([program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script,
                           f"http://127.0.0.1:{port}/v1/chat/completions"], text=True, capture_output=True)
    if "Non-2xx" in done.stdout or done.returncode != 0:
        sys.exit(f"wrk: {done.stdout}{done.stderr}")
    number, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", done.stdout).groups()
    return (int(re.search(r"(\d+) requests in", done.stdout).group(1)),
            float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit])


def events_per_second(port, count, streams=4):
    """Of that many streams at once, read by one process."""
    request = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               f"Content-Length: {len(SSE_BODY)}\r\n\r\n{SSE_BODY}").encode()

    def read():
        with socket.create_connection(("127.0.0.1", port)) as wire:
            wire.sendall(request)
            tail, total = b"", 0
            while not tail.endswith(b"\r\n0\r\n\r\n"):
                piece = wire.recv(1 << 18)
                if not piece:
                    sys.exit("a stream broke off")
                total += len(piece)
                tail = (tail + piece)[-7:]
            if total < count * len(EVENT):
                sys.exit("events are missing")
    threads = [threading.Thread(target=read) for _ in range(streams)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return streams * count / (time.monotonic() - started)


SSE_BODY = json.dumps({"model": "e", "stream": True})


def pss_mib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024


def middle(values):
    return statistics.median(values)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    given = options.parse_args()
    folder = tempfile.mkdtemp(prefix="estiva-bench-gateway-")
    children = []
    try:
        count = 96_000
        engine, events = upstream(folder), Events(count)
        children.append(engine.process)
        peer = proxy(folder, "peer", engine.port)
        event_peer = proxy(folder, "event-peer", events.port)
        ours = Gateway(given.build, folder, {"m": engine.port, "e": events.port})
        children += [peer.process, event_peer.process, ours.process]
        sys.exit(measure(given, folder, engine, peer, event_peer, ours, count))
    finally:
        for child in children:
            child.terminate()
        shutil.rmtree(folder, ignore_errors=True)


def measure(given, folder, engine, peer, event_peer, ours, count):
    print(f"gateway: build {build_type(given.build)}, load {os.getloadavg()[0]:.2f}, rounds {given.rounds}")
    cpu, added, rate = {"ours": [], "nginx": []}, {"ours": [], "nginx": []}, {"ours": [], "nginx": []}
    for _ in range(given.rounds):
        direct = wrk(folder, engine.port, 1, given.seconds)[1]
        for name, side, event_side in (("ours", ours, ours), ("nginx", peer, event_peer)):
            before = cpu_ns(side.process.pid)
            requests, _ = wrk(folder, side.port, 8, given.seconds)
            cpu[name].append((cpu_ns(side.process.pid) - before) / 1e3 / requests)
            added[name].append(wrk(folder, side.port, 1, given.seconds)[1] - direct)
            rate[name].append(events_per_second(event_side.port, count))
    for name in ("ours", "nginx"):
        print(f"{name:6} CPU a request, 8 connections: median {middle(cpu[name]):6.1f} us "
              f"({min(cpu[name]):.1f} to {max(cpu[name]):.1f}); added median at 1: {middle(added[name]):6.1f} us "
              f"({min(added[name]):.1f} to {max(added[name]):.1f}); events/s: {middle(rate[name]):9.0f} "
              f"({min(rate[name]):.0f} to {max(rate[name]):.0f})")
    print(f"ours   PSS after that: {pss_mib(ours.process.pid):.2f} MiB")
    verdicts = [(middle(cpu["ours"]) <= 30, f"CPU a request {middle(cpu['ours']):.1f} us (target <= 30)"),
                (middle(added["ours"]) <= 2 * middle(added["nginx"]),
                 f"added median {middle(added['ours']) / middle(added['nginx']):.2f} x nginx's (target <= 2)"),
                (middle(rate["ours"]) >= 0.8 * middle(rate["nginx"]),
                 f"events/s {middle(rate['ours']) / middle(rate['nginx']):.2f} x nginx's (target >= 0.8)")]
    for good, text in verdicts:
        print(("ok      " if good else "MISSED  ") + text)
    return 0 if all(good for good, _ in verdicts) else 1


main()
