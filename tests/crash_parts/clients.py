"""Clients that assign and release in parallel, each with its own log of what it was told."""
import os
import random
import threading
import time

from daemon import Api, NotSent, Unanswered

HELD, GONE = "held", "gone"                       # acknowledged
MAYBE_HELD, MAYBE_GONE = "maybe held", "maybe gone"  # asked, and no answer came
MOST_HELD = 4  # leases a client holds at a time


class Counts:
    """Shared by the clients; only the campaign reads it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.assigned = self.released = self.refused = self.unanswered = 0

    def add(self, what):
        with self.lock:
            setattr(self, what, getattr(self, what) + 1)

    def acknowledged(self):
        with self.lock:
            return self.assigned + self.released


class Client(threading.Thread):
    """Works while `gate` is set and stops between requests when it is not."""

    def __init__(self, number, socket, gate, counts, vram_mb, seed):
        super().__init__(daemon=True)
        self.number = number
        self.api = Api(socket)
        self.gate = gate
        self.counts = counts
        self.vram_mb = vram_mb
        self.random = random.Random(f"{seed}/{number}")
        self.log = {}      # name -> one of the four states
        self.granted = {}  # name -> the lease as it was acknowledged
        self.complaints = []
        self.made = 0
        self.idle = threading.Event()
        self.ending = False

    def run(self):
        while not self.ending:
            if not self.gate.is_set():
                self.api.close()
                self.idle.set()
                self.gate.wait(0.01)
                continue
            self.idle.clear()
            if not self.gate.is_set():
                continue
            try:
                self.step()
            except NotSent:
                time.sleep(0.002)

    def step(self):
        held = [name for name, state in self.log.items() if state == HELD]
        if held and (len(held) >= MOST_HELD or self.random.random() < 0.45):
            self.release(self.random.choice(held))
        else:
            self.made += 1
            self.assign(f"client{self.number}-model{self.made}")

    def assign(self, name):
        body = {"model": name, "vram_bytes": self.vram_mb << 20}
        if self.random.random() < 0.5:
            body["pid"] = os.getpid()  # half the leases live and die with this process
        try:
            status, document = self.api.call("POST", "/api/v1/leases", body)
        except Unanswered:
            self.log[name] = MAYBE_HELD
            self.counts.add("unanswered")
            return
        if status == 200:
            self.log[name] = HELD
            self.granted[name] = document["lease"]
            self.counts.add("assigned")
            if document.get("already_assigned"):
                self.complaints.append(f"{name} was asked for the first time and was already there")
        elif status == 504:
            self.log[name] = MAYBE_HELD
            self.counts.add("unanswered")
        else:
            self.log[name] = GONE
            self.counts.add("refused")
            time.sleep(0.005)

    def release(self, name):
        try:
            status, document = self.api.call("DELETE", f"/api/v1/leases/{name}")
        except Unanswered:
            self.log[name] = MAYBE_GONE
            self.counts.add("unanswered")
            return
        if status == 200:
            self.log[name] = GONE
            self.counts.add("released")
        elif status == 404:
            self.log[name] = GONE
            self.complaints.append(f"{name} was held, and its release was answered: {document}")
        else:
            self.log[name] = MAYBE_GONE
            self.counts.add("refused")
            time.sleep(0.005)
