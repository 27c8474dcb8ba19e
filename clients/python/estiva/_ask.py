"""Asking for a lease: the terms, the wait, and giving the wait up."""
import http.client
import os
import socket
import threading
import time

from ._errors import Cancelled, EstivaError, NoDaemon, NoRoom, error_of
from ._wire import Channel, Connection, socket_path

# Of the daemon's 32 connections a client: the leases need some as well. Threads beyond that wait here.
_MOST_ASKING = 12
_asking = threading.BoundedSemaphore(_MOST_ASKING)


def _forked():
    global _asking
    _asking = threading.BoundedSemaphore(_MOST_ASKING)


os.register_at_fork(after_in_child=_forked)


class Ticket:
    """One wait for room. cancel() ends it from another thread; what was granted meanwhile is given back."""

    def __init__(self):
        self._lock = threading.Lock()
        self._socket, self.is_cancelled = None, False

    def cancel(self):
        with self._lock:
            self.is_cancelled = True
            if self._socket:
                _hang_up(self._socket)

    def attach(self, sock):
        with self._lock:
            self._socket = sock
            if self.is_cancelled:
                raise Cancelled("the wait for room was given up")

    def detach(self):
        with self._lock:
            self._socket = None


def _hang_up(sock):
    """Half of it: what the daemon has answered already can still be read."""
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Terms:
    """What a lease can do when its bytes are wanted."""

    def __init__(self, heartbeat, on_revoke, on_resume, on_offer, module, residue):
        self._on_revoke, self._on_resume, self._on_offer = on_revoke, on_resume, on_offer
        self._module, self.swapped = module, None
        self.residue = residue
        self.revocable = on_revoke is not None or module is not None
        self.is_enrolled = self.revocable or heartbeat is not None
        self.promised = {"revocable": self.revocable}
        if heartbeat is not None:
            self.promised["heartbeat_seconds"] = heartbeat
        self.heartbeat = heartbeat or 30.0

    def bind(self, lease, moving):
        """The lease is ours: the module goes to its GPU."""
        if self._module is None:
            return
        from .torch_swap import Swapped
        try:
            with moving:
                self.swapped = self._module if isinstance(self._module, Swapped) else Swapped(self._module)
                self.swapped.to_gpu()
        except BaseException:
            lease.release()
            raise

    def move_out(self, lease, revocation):
        """True when the bytes have left."""
        if self.swapped:
            self.swapped.to_host()
        return self._on_revoke is None or self._on_revoke(lease, revocation) is not False

    def move_in(self, lease):
        if self.swapped:
            self.swapped.to_gpu()
        if self._on_resume:
            self._on_resume(lease)

    def end(self):
        """The lease is over: what it holds leaves the GPU."""
        if self.swapped:
            self.swapped.to_host()

    def offered(self, lease):
        if self._on_offer:
            self._on_offer(lease)


def acquire(name, vram, ticket, *, wait=60.0, gpu="auto", gpus=1, heartbeat=30.0, on_revoke=None,
            on_resume=None, on_offer=None, module=None, residue=0, socket=None):
    """(the lease's document, its terms, the socket's path)."""
    terms = Terms(heartbeat, on_revoke, on_resume, on_offer, module, residue)
    body = {"model": name, "only_new": True, **terms.promised}
    body["vram" if isinstance(vram, str) else "vram_bytes"] = vram
    if gpu != "auto":
        body["gpu"] = gpu
    if gpus != 1:
        body["gpus"] = gpus
    path = socket or socket_path()
    deadline = time.monotonic() + wait
    while not _asking.acquire(timeout=0.05):
        if ticket.is_cancelled:
            raise Cancelled("the wait for room was given up")
        if time.monotonic() > deadline:
            raise NoRoom(f"{name} did not get its turn: other threads of this process wait for room as well",
                         "Wait longer, or ask for fewer leases at a time")
    try:
        body["wait_seconds"] = max(0.0, deadline - time.monotonic())
        return _ask(path, body, ticket)["lease"], terms, path
    finally:
        _asking.release()


def _ask(path, body, ticket):
    connection = Connection(path, body["wait_seconds"] + 30.0)
    try:
        connection.connect()
        ticket.attach(connection.sock)
        connection.send_json("POST", "/api/v1/leases", body)
        status, document = connection.read_json()
    except (OSError, http.client.HTTPException) as error:
        if ticket.is_cancelled:
            raise Cancelled("the wait for room was given up") from error
        raise NoDaemon(f"estiva stopped answering at {path} ({error})", "It may be restarting; ask again") from error
    except BaseException:  # an interrupt, most likely: nobody will release what comes now
        if connection.sock:
            _give_up(connection, path)
        raise
    finally:
        ticket.detach()
        connection.close()
    if status != 200:
        raise error_of(status, document)
    if ticket.is_cancelled:
        _release(path, document["lease"])
        raise Cancelled("the wait for room was given up")
    return document


def _give_up(connection, path):
    _hang_up(connection.sock)
    try:
        connection.sock.settimeout(5.0)
        status, document = connection.read_json()
        if status == 200:
            _release(path, document["lease"])
    except (OSError, EstivaError, http.client.HTTPException):
        pass


def _release(path, document):
    channel = Channel(path)
    try:
        channel.ask("DELETE", f"/api/v1/leases/{document['model']}?id={document['id']}")
    except EstivaError:
        pass
    finally:
        channel.close()
