"""One engine of ours, driven by hand: see engine_by_hand.cpp."""
import json
import os
import queue
import subprocess
import sys
import threading

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "../e2e")))
from harness import BUILD, PATIENCE  # noqa: E402


class Hand:
    def __init__(self, kind, env=None, inside=(), **spec):
        words = [*inside, os.path.join(BUILD, "engine-by-hand"), kind, *(f"{name}={value}" for name, value in spec.items())]
        self.process = subprocess.Popen(words, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = queue.Queue()
        self.told = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def next(self, key, value):
        """The next line with that member; what is told before it is kept in `told`."""
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line is None:
                raise AssertionError(f"engine-by-hand ended with {self.process.wait()}")
            if "told" in line:
                self.told.append(line)
            if line.get(key) == value:
                return line

    def do(self, line):
        self.say(line)
        return self.next("did", line.split()[0])

    def ended(self):
        for line in self.told:
            if line["told"] == "ended":
                return line["why"]
        return self.next("told", "ended")["why"]

    def times_told(self, what):
        return sum(line["told"] == what for line in self.told)

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stdout.close()
