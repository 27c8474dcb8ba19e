"""HTTP over the lease socket: where it is, one question at a time, and the stream of events."""
import http.client
import json
import os
import socket
import threading
import weakref

from ._errors import NoDaemon, error_of

# The daemon answers at once what it need not wait for.
PATIENCE = 30.0


def socket_path():
    """ESTIVA_LEASE_SOCKET, or where the daemon makes it: for this machine, or for this user."""
    named = os.environ.get("ESTIVA_LEASE_SOCKET")
    if named:
        return named
    folders = [os.environ.get("ESTIVA_RUNTIME_DIR"), "/run/estiva"]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    folders += [runtime and os.path.join(runtime, "estiva"), os.path.join(state, "estiva", "run")]
    paths = [os.path.join(folder, "lease", "estiva.sock") for folder in folders if folder]
    return next((path for path in paths if os.path.exists(path)), paths[0])


class Connection(http.client.HTTPConnection):
    """One connection; `timeout` is in seconds for each wait on it."""

    def __init__(self, path, timeout=PATIENCE):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self.path)
        except OSError as error:
            self.sock.close()
            self.sock = None
            raise NoDaemon(f"estiva does not answer at {self.path} ({error.strerror or error})",
                           "Start it ('estiva daemon', or its systemd unit); in a container mount its folder "
                           "/run/estiva/lease; ESTIVA_LEASE_SOCKET names another socket") from error

    def send_json(self, method, target, body):
        text = None if body is None else json.dumps(body)
        self.request(method, target, text, {"Content-Type": "application/json"} if text else {})

    def read_json(self):
        """(status, document)."""
        answer = self.getresponse()
        text = answer.read()
        try:
            document = json.loads(text) if text else {}
        except ValueError:
            document = {}
        return answer.status, document


_channels = weakref.WeakSet()
os.register_at_fork(after_in_child=lambda: [channel.forked() for channel in list(_channels)])


class Channel:
    """Questions of one process, one after another over one connection that is kept. A forked child opens
    its own: the daemon goes by who connected."""

    def __init__(self, path=None):
        self.path = path or socket_path()
        self._lock = threading.Lock()
        self._connection = None
        _channels.add(self)

    def forked(self):
        self._lock = threading.Lock()
        self._connection = None  # its descriptor is closed here; the parent's stays open

    def ask(self, method, target, body=None, timeout=PATIENCE):
        """The document of a 200; raises what else was answered."""
        with self._lock:
            status, document = self._ask(method, target, body, timeout)
        if status != 200:
            raise error_of(status, document)
        return document

    def _ask(self, method, target, body, timeout):
        for attempt in (1, 2):
            kept = self._connection is not None
            connection = self._connection or Connection(self.path, timeout)
            self._connection = None
            try:
                if connection.sock:
                    connection.sock.settimeout(timeout)
                connection.send_json(method, target, body)
                answer = connection.read_json()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                # A connection that was kept may be of a daemon that has ended since.
                if kept and attempt == 1 and not isinstance(error, socket.timeout):
                    continue
                raise NoDaemon(f"estiva stopped answering at {self.path} ({error})",
                               "Its journal ('journalctl -u estiva') says why") from error
            self._connection = connection
            return answer
        raise AssertionError("unreachable")

    def close(self):
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None


class Events:
    """The events of one lease. HTTP/1.0, so that what comes is the stream itself, unframed."""

    def __init__(self, path, lease_id, timeout):
        self._connection = Connection(path, timeout)
        self._connection.connect()
        self._socket = self._connection.sock
        self._text = b""
        self._socket.sendall(f"GET /api/v1/leases/{lease_id}/events HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())

    def next(self):
        """(name, document) of the next event, None when the time is over. EOFError: the stream is at its end."""
        while b"\n\n" not in self._text.replace(b"\r\n", b"\n"):
            try:
                piece = self._socket.recv(65536)
            except socket.timeout:
                return None
            if not piece:
                raise EOFError
            self._text += piece
        event, _, self._text = self._text.replace(b"\r\n", b"\n").partition(b"\n\n")
        lines = event.decode(errors="replace").split("\n")
        if lines[0].startswith("HTTP/"):
            if " 200" not in lines[0]:
                raise EOFError
            return self.next()
        fields = dict(line.split(": ", 1) for line in lines if ": " in line and not line.startswith(":"))
        return (fields.get("event", ""), json.loads(fields["data"])) if "data" in fields else self.next()

    def cut(self):
        """Thread-safe: next() ends."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self._connection.close()


def status():
    """Who the daemon takes this process for, the GPUs that it uses, and its leases."""
    channel = Channel()
    try:
        return channel.ask("GET", "/api/v1/self")
    finally:
        channel.close()
