"""What the tests of the gateway share: the real program, a scripted estivad on the real socket, and
upstreams that record what they were sent. Standard library only."""
import contextlib
import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from harness import BUILD, PATIENCE, until

GATEWAY = os.path.join(BUILD, "estiva-gateway")


class Estivad:
    """The daemon's end of the socket, one packet a message, written from the protocol's header."""

    def __init__(self, path):
        self.path = path
        self.said = []
        self.connection = None
        self.server = None
        self.ended = False
        self.listen()

    def listen(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server.bind(self.path)
        self.server.listen(4)
        threading.Thread(target=self._serve, args=(self.server,), daemon=True).start()

    def _serve(self, server):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            self.connection = connection
            while True:
                try:
                    packet = connection.recv(1 << 19)
                except OSError:
                    break
                if not packet:
                    break
                self.said.append(json.loads(packet))

    def send(self, kind, **members):
        until(lambda: self.connection, "the gateway connects")
        self.connection.send(json.dumps(dict(members, kind=kind)).encode())

    def heard(self, kind, **members):
        """The first message of the kind with these members; waits for it."""
        def look():
            for one in list(self.said):
                if one["kind"] == kind and all(one.get(k, 0) == v for k, v in members.items()):
                    return one
            return None
        return until(look, f"the gateway says {kind} {members}; it said {self.said[-9:]}")

    def leave(self):
        """As a kill -9 of the daemon looks to the gateway."""
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        if self.connection:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()
        self.connection = None
        self.said = []


class Upstream:
    """An HTTP server of plain sockets. `answer(request)` is called for each request with its method,
    target, headers and a reader of its body, and writes to request.wire."""

    def __init__(self, name, answer=None):
        self.name = name
        self.answer = answer or Upstream.echo
        self.requests = []
        self.server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.endpoint = "127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                wire, _ = self.server.accept()
            except OSError:
                return
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire):
        with contextlib.suppress(OSError), wire:
            reader = wire.makefile("rb")
            while self.one(wire, reader):
                pass
            wire.shutdown(socket.SHUT_RDWR)  # the reader keeps a descriptor open

    def one(self, wire, reader):
        line = reader.readline()
        if not line:
            return False
        request = Request(line.decode().split(), reader, wire, self.name)
        self.requests.append(request)
        return self.answer(request) is not False

    @staticmethod
    def echo(request):
        request.read_body()
        request.respond(200, json.dumps({
            "engine": request.engine, "target": request.target,
            "sha256": request.sha256, "size": request.size}).encode())

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


class Request:
    def __init__(self, start, reader, wire, engine):
        self.method, self.target = start[0], start[1]
        self.reader, self.wire, self.engine = reader, wire, engine
        self.headers = {}
        while (line := reader.readline()) not in (b"\r\n", b""):
            name, value = line.decode("latin-1").split(":", 1)
            self.headers[name.lower()] = value.strip()
        self.body, self.size, self.sha256 = b"", 0, None

    def pieces(self):
        if self.headers.get("transfer-encoding") == "chunked":
            while (size := int(self.reader.readline(), 16)) > 0:
                yield self.reader.read(size)
                self.reader.readline()
            self.reader.readline()
            return
        left = int(self.headers.get("content-length", 0))
        while left > 0:
            piece = self.reader.read(min(left, 1 << 20))
            if not piece:
                raise OSError("the body broke off")
            left -= len(piece)
            yield piece

    def read_body(self):
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
            self.size += len(piece)
            if self.size <= 1 << 20:
                self.body += piece
        self.sha256 = digest.hexdigest()
        return self.body

    def respond(self, status, body, *fields):
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nContent-Type: application/json\r\n"
        self.wire.sendall(head.encode() + b"".join(f.encode() + b"\r\n" for f in fields) + b"\r\n" + body)

    def start_events(self, kind="text/event-stream"):
        self.wire.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
                          .encode())

    def send_chunk(self, data):
        self.wire.sendall(b"%x\r\n%s\r\n" % (len(data), data))


class GatewayPlace:
    """One gateway with its estivad, in a folder of its own."""

    def __init__(self, *flags, models=("a", "b"), routes=None, keys=None, wait=True):
        self.dir = tempfile.mkdtemp(prefix="estiva-gw-", dir="/tmp")
        self.socket = os.path.join(self.dir, "gateway.sock")
        self.estivad = Estivad(self.socket)
        self.log = os.path.join(self.dir, "log")
        self.generation = 0
        self.upstreams = []
        self.flags = flags or ("--listen", "127.0.0.1:0")
        self.start()
        self.routes(routes if routes is not None else [{"model": m} for m in models], keys)

    def start(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [GATEWAY, "--socket", self.socket, "--body-folder", self.dir, "--grace", "100ms",
                 *self.flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addresses = until(self._addresses, "the gateway listens")
        host = next((a for a in self.addresses if not a.startswith("unix:")), None)
        self.port = int(host.rsplit(":", 1)[1]) if host else None

    def _addresses(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the gateway ended: {self.read_log()}")
        found = [line.split("address=", 1)[1].strip() for line in self.read_log().splitlines()
                 if "address=" in line]
        wanted = max(1, sum(f.startswith("--listen") for f in self.flags))
        return found if len(found) == wanted else None

    def read_log(self):
        with open(self.log) as file:
            return file.read()

    def routes(self, routes, keys=None):
        self.estivad.send("routes", routes=routes, keys=keys or [])

    def upstream(self, name, answer=None):
        self.upstreams.append(Upstream(name, answer))
        return self.upstreams[-1]

    def open(self, model, upstream, **more):
        self.generation += 1
        self.estivad.send("open", model=model, generation=self.generation,
                          endpoint=upstream if isinstance(upstream, str) else upstream.endpoint, **more)
        return self.generation

    def serve(self, model, answer=None, **more):
        """An upstream of its own for the model, open."""
        upstream = self.upstream(model, answer)
        self.open(model, upstream, **more)
        return upstream

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def raw(self):
        wire = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return wire

    def call(self, target, body, headers=None, method="POST", connection=None):
        """(status, headers, document or bytes)"""
        own = connection is None
        connection = connection or self.connect()
        try:
            if isinstance(body, dict):
                body = json.dumps(body).encode()
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            text = response.read()
        finally:
            if own:
                connection.close()
        fields = {name.lower(): value for name, value in response.getheaders()}
        try:
            return response.status, fields, json.loads(text)
        except ValueError:
            return response.status, fields, text

    def chat(self, model, **more):
        return self.call("/v1/chat/completions", {"model": model, "messages": []}, **more)

    def close(self):
        self.process.terminate()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for upstream in self.upstreams:
            with contextlib.suppress(OSError):
                upstream.close()
        with contextlib.suppress(OSError, AttributeError):
            self.estivad.leave()
        log = self.read_log()
        shutil.rmtree(self.dir, ignore_errors=True)
        if code not in (0, -15):
            raise AssertionError(f"the gateway ended with {code}: {log}")


def in_background(work):
    """Runs work() in a thread; its result by .result()."""
    done = {}

    def run():
        try:
            done["value"] = work()
        except BaseException as failure:  # noqa: told to the test
            done["failure"] = failure
    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result(patience=PATIENCE):
        thread.join(patience)
        if thread.is_alive():
            raise AssertionError("the request did not end")
        if "failure" in done:
            raise done["failure"]
        return done["value"]
    thread.result = result
    thread.ended = lambda: bool(done)
    return thread


def pause():
    time.sleep(0.05)
