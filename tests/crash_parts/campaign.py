"""The run: start, let clients work, kill, start again, judge; and so on."""
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from clients import Client, Counts
from daemon import CRASH_POINTS, Daemon, Unanswered
from judge import forget_settled, judge
from plant import Planter

ROUND_LIMIT = 20.0  # seconds a round may take to reach its kill
NTH = 12            # a crash point is armed for its 1st to NTH-th passing
ACKNOWLEDGED = 40   # a random kill comes after at most so many answers


@dataclass
class Outcome:
    seed: int
    kills: int = 0
    random_kills: int = 0
    points: Counter = field(default_factory=Counter)
    missing: int = 0
    present: int = 0
    assigned: int = 0
    released: int = 0
    refused: int = 0
    unanswered: int = 0
    seconds: float = 0
    complaints: list = field(default_factory=list)


class Campaign:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.folder = options.keep or tempfile.mkdtemp(prefix="estiva-crash-")
        os.makedirs(self.folder, exist_ok=True)
        self.daemon = Daemon(options, self.folder)
        self.planter = Planter(options.plant, self.daemon.state)
        self.gate = threading.Event()
        self.counts = Counts()
        self.outcome = Outcome(options.seed)
        self.clients = [Client(number, self.daemon.socket, self.gate, self.counts,
                               options.vram_mb, options.seed)
                        for number in range(options.clients)]

    def run(self):
        begun = time.monotonic()
        for client in self.clients:
            client.start()
        try:
            self.rounds()
        except RuntimeError as error:
            self.outcome.complaints.append(str(error))
        finally:
            self.finish()
        self.outcome.seconds = time.monotonic() - begun
        return self.outcome

    def rounds(self):
        plan = self.plan()
        while self.outcome.kills < self.options.kills:
            crash = plan[self.outcome.kills]
            armed = f"{crash}:{1 + self.random.randrange(NTH)}" if crash else None
            if self.daemon.start(armed):
                if self.judged_before(crash):
                    self.gate.set()
                    self.wait_for_end(crash)
            elif not (crash and self.daemon.died_by_kill(0)):
                raise RuntimeError(f"the daemon ended while starting\n{self.daemon.tail()}")
            self.outcome.kills += 1
            if crash:
                self.outcome.points[crash] += 1
            else:
                self.outcome.random_kills += 1
            self.pause_clients()
            self.planter.between(self.clients)
            self.say(crash)
        if not self.daemon.start():
            raise RuntimeError(f"the daemon did not start again\n{self.daemon.tail()}")
        self.check()

    def judged_before(self, crash):
        """Judges what is there now; False when an armed point went off meanwhile: the daemon writes
        records of its own. The next start is judged then; nothing happened in between."""
        try:
            self.check()
        except Unanswered:
            if not crash or not self.daemon.died_by_kill(ROUND_LIMIT):
                raise
            return False
        return True

    def plan(self):
        """Half the kills at crash points, each of them in turn; half at random instants."""
        points = list(CRASH_POINTS)
        self.random.shuffle(points)
        return [points[i // 2 % len(points)] if i % 2 == 0 else None
                for i in range(self.options.kills)]

    def wait_for_end(self, crash):
        if crash:
            by_kill = self.daemon.died_by_kill(ROUND_LIMIT)
            if not by_kill:
                raise RuntimeError(f"crash point {crash} was not reached"
                                   if by_kill is None else
                                   f"the daemon ended by itself\n{self.daemon.tail()}")
            return
        target = self.counts.acknowledged() + self.random.randrange(ACKNOWLEDGED)
        end = time.monotonic() + ROUND_LIMIT
        while self.counts.acknowledged() < target and time.monotonic() < end:
            time.sleep(0.0005)
        time.sleep(self.random.random() * 0.01)
        if self.daemon.process.poll() is not None:
            raise RuntimeError(f"the daemon ended by itself\n{self.daemon.tail()}")
        self.daemon.kill()

    def pause_clients(self):
        self.gate.clear()
        for client in self.clients:
            client.idle.clear()
            if not client.idle.wait(60):
                raise RuntimeError("a client hangs")

    def check(self):
        """The clients are idle and the daemon has just started."""
        leases = self.daemon.leases()
        missing, present, complaints = judge(self.clients, leases)
        forget_settled(self.clients, leases)
        self.outcome.missing += len(missing)
        self.outcome.present += len(present)
        self.outcome.complaints += missing + present + complaints

    def finish(self):
        self.gate.clear()
        for client in self.clients:
            client.ending = True
        for client in self.clients:
            client.join(60)
        self.daemon.sweep()
        for what in ("assigned", "released", "refused", "unanswered"):
            setattr(self.outcome, what, getattr(self.counts, what))
        self.judge_the_run()
        if not self.options.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def judge_the_run(self):
        """A run that did nothing proves nothing."""
        outcome = self.outcome
        if self.options.plant and not self.planter.done:
            outcome.complaints.append("nothing was planted: too few kills")
        if outcome.complaints:
            return
        unreached = [point for point in CRASH_POINTS if not outcome.points[point]]
        if unreached and self.options.kills >= 2 * len(CRASH_POINTS):
            outcome.complaints.append(f"boundaries never reached: {', '.join(unreached)}")
        if outcome.assigned < outcome.kills or outcome.released < outcome.kills // 4:
            outcome.complaints.append("too few answers between the kills to mean anything")

    def say(self, crash):
        if self.options.verbose:
            print(f"kill {self.outcome.kills} at {crash or 'a random instant'}: "
                  f"{self.counts.acknowledged()} answers so far", file=sys.stderr)
