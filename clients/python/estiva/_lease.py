"""A lease, from the first question to its end."""
import contextlib
import dataclasses
import logging
import os
import threading
import time

from ._ask import Ticket, acquire
from ._errors import EstivaError, LeaseLost, NoDaemon, Refused
from ._wire import Channel, Events

_log = logging.getLogger("estiva")

# A revocation that says nothing of its deadline has so many seconds.
_USUAL_DEADLINE = 30.0
_LONGEST_PAUSE = 2.0


@dataclasses.dataclass(frozen=True)
class Revocation:
    """Why the bytes of a lease are wanted, and by when (time.monotonic()). `is_lost`: the lease is gone
    already, and what it holds on the GPU is counted against nobody's promise."""
    reason: str
    deadline: float
    is_lost: bool = False


class Lease:
    """What lease() gives. Thread-safe. In a forked child it can't be used, and ends with its parent's."""

    def __init__(self, document, terms, channel):
        self.id = document["id"]
        self.name = document["model"]
        self.gpus = list(document["gpus"])
        self._each = document["shares"][0]["vram_bytes"]
        self._terms, self._channel, self._pid = terms, channel, os.getpid()
        self._changed = threading.Condition(threading.RLock())
        # in: the bytes are ours; leaving: they were asked for; out: given back; lost; released
        self._state = "in"
        self._users = 0
        self._entering = threading.Lock()
        # Held while bytes are on their way in or out: never both at a time.
        self._moving = threading.RLock()
        self._events, self._watcher = None, None
        if terms.is_enrolled:
            self._watcher = threading.Thread(target=self._watch, name=f"estiva-{self.name}", daemon=True)
            self._watcher.start()

    @property
    def vram_bytes(self):
        """Of all its GPUs, while it is resident."""
        return self._each * len(self.gpus)

    @property
    def cuda_visible_devices(self):
        """For the environment of a process that is to use these GPUs and no others."""
        return ",".join(self.gpus)

    @property
    def is_resident(self):
        return self._state in ("in", "leaving")

    @property
    def is_lost(self):
        return self._state == "lost"

    # ---- use -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def using(self, wait=60.0):
        """Inside, the bytes are on the GPU and are not asked for. Waits until they are back where they were
        given away. May be nested, and entered by many threads. Raises NoRoom, LeaseLost."""
        self._enter(wait)
        try:
            yield self
        finally:
            self._leave()

    def _enter(self, wait):
        self._check_ours()
        deadline = time.monotonic() + wait
        with self._entering:
            while True:
                with self._changed:
                    if self._state in ("lost", "released"):
                        raise LeaseLost(f"the lease {self.name} is gone", "Ask for it again")
                    if self._state == "in" and (self._users or not self._terms.revocable):
                        self._users += 1
                        return
                    state = self._state
                    if state == "leaving":
                        self._changed.wait(max(0.01, deadline - time.monotonic()))
                if state == "in" and self._say_busy():
                    with self._changed:
                        self._users += 1
                    return
                if state == "out" and self._resume(max(0.0, deadline - time.monotonic()), True):
                    return
                if time.monotonic() > deadline:
                    raise Refused(f"{self.name} did not give its GPU memory back in time")

    def _say_busy(self):
        try:
            self._post("use", {"busy": True})
            return True
        except Refused:  # it was asked meanwhile: the event is on its way, or its answer was lost
            with self._changed:
                if self._state == "in":
                    self._changed.wait(0.2)
            return False

    def _leave(self):
        with self._entering:  # or who enters now would be told busy first, and idle then
            with self._changed:
                self._users -= 1
                last = self._users == 0
            if not last or not self._terms.revocable or self._pid != os.getpid():
                return
            if self._state == "lost":  # meanwhile: what it holds leaves now
                self._leave_the_gpu()
            with contextlib.suppress(EstivaError):
                self._post("use", {"busy": False})

    def give_back(self):
        """Moves the bytes off the GPU and says so, without having been asked: for a long idle time."""
        self._check_ours()
        self._yield(Revocation("this process has no use for it", time.monotonic() + _USUAL_DEADLINE))

    def resume(self, wait=60.0):
        """Asks for the bytes again and moves them in; waits its turn. Nothing where they are in."""
        self._check_ours()
        self._resume(wait, False)

    def _resume(self, wait, busy):
        """True: they are in, and with `busy` in use at once, so that nobody asks for them in between."""
        with self._moving:
            if self._state != "out":
                return False
            self._post("resume", {"vram_bytes": self._each, "wait_seconds": wait, "busy": busy}, wait)
            self._terms.move_in(self)
            with self._changed:
                if self._state == "out":
                    self._state = "in"
                self._users += busy
                self._changed.notify_all()
        return True

    def release(self):
        """Ends it. Idempotent."""
        if self._pid != os.getpid():
            return  # a child's copy: it is its parent's
        with self._changed:
            was, self._state = self._state, "released"
            self._changed.notify_all()
            events = self._events
        if was == "released":
            return
        if events:
            events.cut()
        try:
            with self._moving:
                self._terms.end()
        finally:
            self._say_released()

    def _say_released(self):
        try:
            with contextlib.suppress(LeaseLost, NoDaemon):
                self._channel.ask("DELETE", f"/api/v1/leases?model={_quoted(self.name)}&id={self.id}")
        finally:
            self._channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    # ---- what the daemon says --------------------------------------------------------------------

    def _post(self, action, body, wait=0.0):
        return self._channel.ask("POST", f"/api/v1/leases/{self.id}/{action}", body, wait + 30.0)

    def _check_ours(self):
        if self._pid != os.getpid():
            raise Refused(f"the lease {self.name} belongs to the process that asked for it ({self._pid})",
                          "A forked child asks for one of its own")

    def _is_over(self):
        return self._state in ("released", "lost")

    def _watch(self):
        """Listens, and says at a third of the time that it may be silent that this process lives."""
        pause = 0.1
        while not self._is_over():
            try:
                self._post("heartbeat", self._terms.promised)
                self._listen()
                pause = 0.1
            except LeaseLost:
                return self._lose()
            except (EstivaError, EOFError, OSError, ValueError) as error:
                # The daemon is being restarted, most likely. It keeps the lease.
                _log.debug("the lease %s is not heard of: %s", self.name, error)
            with self._changed:
                if not self._is_over():
                    self._changed.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _listen(self):
        beat = self._terms.heartbeat / 3
        events = Events(self._channel.path, self.id, beat)
        with self._changed:
            self._events = events
        try:
            said = time.monotonic()
            while not self._is_over():
                event = events.next()
                if event and event[0] == "revoke":
                    self._start_to_yield(event[1])
                elif event and event[0] == "resume":
                    self._terms.offered(self)
                if time.monotonic() - said >= beat:
                    self._post("heartbeat", {})
                    said = time.monotonic()
        finally:
            with self._changed:
                self._events = None
            events.close()

    def _start_to_yield(self, told):
        deadline = time.monotonic() + told.get("deadline_seconds", _USUAL_DEADLINE)
        revocation = Revocation(told.get("reason", ""), deadline)
        threading.Thread(target=self._yield, args=(revocation,), name=f"estiva-yield-{self.name}",
                         daemon=True).start()

    def _yield(self, revocation):
        with self._moving:
            self._yield_now(revocation)

    def _yield_now(self, revocation):
        with self._changed:
            was = self._state
            if was not in ("in", "out") or self._users:
                return
            self._state = "leaving"
        moved = False
        try:
            # Out already: a daemon that is new asks again.
            moved = was == "out" or self._terms.move_out(self, revocation)
            if moved:
                self._post("yielded", {"vram" if isinstance(self._terms.residue, str) else "vram_bytes": self._terms.residue})
        except Exception:  # a callback's; the bytes are where they were
            _log.exception("the lease %s could not give its GPU memory back", self.name)
        with self._changed:
            if self._state == "leaving":
                self._state = "out" if moved else "in"
            self._changed.notify_all()

    def _lose(self):
        with self._changed:
            if self._is_over():
                return
            self._state = "lost"
            self._changed.notify_all()
        _log.warning("the lease %s is lost", self.name)
        if not self._users:
            self._leave_the_gpu()

    def _leave_the_gpu(self):
        try:
            with self._moving:
                self._terms.move_out(self, Revocation("the lease is lost", time.monotonic(), True))
        except Exception:
            _log.exception("the lease %s is lost and its GPU memory could not be given back", self.name)


def _quoted(text):
    from urllib.parse import quote
    return quote(text, safe="")


def lease(name, vram, **options):
    """A lease of `vram` ("2GiB", or bytes) under `name`, which no other live lease may have. A context
    manager; or call release(). Options:

    wait       seconds to wait for room, in the order in which processes asked (60; 0: not at all)
    gpu, gpus  "auto", an index or a UUID; or a number of GPUs with as much on each
    heartbeat  the lease is lost when this process is silent for so many seconds (30; it is busy with C
               code that keeps the interpreter's lock, or stopped). None: it lives as long as the process
    on_revoke  called with (lease, Revocation) in a thread of its own when the bytes are wanted and nobody is
               inside using(). Moves them off the GPU and returns; returning False keeps them
    on_resume  called with (lease) when they are ours again, before using() goes on
    on_offer   called with (lease) when there may be room again
    module     a torch module: moved to RAM and back in place of the two callbacks (estiva.torch_swap)
    residue    what stays on the GPU after on_revoke, for the daemon's books (0; what is seen counts anyway)
    socket     another socket than socket_path()

    With on_revoke or module the bytes may be asked for whenever nobody is inside lease.using(). Raises NoRoom,
    NoDaemon, Denied, Refused; Cancelled by Ticket.cancel()."""
    ticket = options.pop("ticket", None) or Ticket()
    document, terms, path = acquire(name, vram, ticket, **options)
    channel = Channel(path)
    held = Lease(document, terms, channel)
    terms.bind(held, held._moving)
    return held
