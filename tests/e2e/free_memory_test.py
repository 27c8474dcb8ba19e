"""free-memory against a stand-in Ollama: what nobody uses is unloaded, what is in use stays, nothing is deleted, and
no cache is dropped: the daemon's system calls are watched from outside."""
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest

import harness
from models_place import ModelsPlace

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "../stands")))
from ollama_stand import Model, OllamaStand  # noqa: E402

MIB = 1 << 20


class Watched:
    """The files that a process opens, changes or removes while this is open."""

    def __init__(self, pid):
        self.file = tempfile.NamedTemporaryFile(mode="r", prefix="estiva-strace-")
        self.tool = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", "trace=open,openat,openat2,creat,unlink,unlinkat,rename,renameat2,truncate,connect",
             "-o", self.file.name, "-p", str(pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        harness.until(lambda: self.tool.poll() is not None or self.is_attached(pid), "strace is attached")
        if self.tool.poll() is not None:
            raise AssertionError(self.tool.stderr.read())

    @staticmethod
    def is_attached(pid):
        with open(f"/proc/{pid}/status") as status:
            return int(re.search(r"TracerPid:\s+(\d+)", status.read()).group(1)) != 0

    def end(self):
        self.tool.terminate()
        self.tool.wait()
        self.tool.stderr.close()
        with self.file:
            return self.file.read()


class FreeMemory(unittest.TestCase):
    def setUp(self):
        self.place = ModelsPlace()
        self.addCleanup(self.place.remove)
        self.server = OllamaStand(self.place.dir + "/o", {"idle:latest": Model(8 * MIB), "busy:latest": Model(8 * MIB)})
        self.addCleanup(self.server.close)
        self.place.begin("".join(
            f'[models.{name}]\nengine = "ollama"\nmodel = "{name}"\nurl = "{self.server.url}"\nvram = "64MiB"\n'
            for name in ("idle", "busy")))
        self.place.until_gateway()

    def estiva(self, *words):
        return self.place.estiva(*words)

    def states(self):
        return {name: model["state"] for name, model in self.place.models().items()}

    def ask(self, name):
        connection = self.place.connection()
        connection.request("POST", "/api/generate", json.dumps({"model": name, "prompt": "hello", "stream": False}),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        self.answers.append((name, answer.status, json.loads(answer.read())["response"]))
        connection.close()

    def unloads(self):
        return [request["model"] for path, request in self.server.calls
                if path == "/api/generate" and request.get("keep_alive") == 0]

    def test_one_idle_and_one_busy(self):
        self.answers = []
        self.assertEqual(self.estiva("load", "idle", "busy").code, 0)
        self.server.answer_seconds = 4
        asking = threading.Thread(target=self.ask, args=("busy",))
        asking.start()
        harness.until(lambda: self.place.models()["busy"]["in_flight"] == 1, "a request is under way")
        shown = self.estiva("free-memory", "--dry-run")
        self.assertEqual(shown.out, "busy: kept, it is in use (requests under way: 1)\n"
                                    "idle: would be unloaded, 64.0 MiB of GPU memory\n")
        self.assertEqual(self.unloads(), [])
        watched = Watched(self.place.estivad_pid())
        done = self.estiva("free-memory", "--json")
        calls = watched.end()
        asking.join()
        self.assertEqual(done.code, 0, done.err)
        models = {one["name"]: one for one in json.loads(done.out)["models"]}
        self.assertEqual([models[name]["unloaded"] for name in ("idle", "busy")], [True, False])
        self.assertEqual(self.unloads(), ["idle"])
        self.assertEqual(self.states(), {"idle": "absent", "busy": "resident"})
        self.assertEqual(self.answers, [("busy", 200, "echo: hello")])
        self.assertNotIn("/api/delete", [path for path, _ in self.server.calls])
        self.assertIn("connect(", calls, "it was watched while it spoke to Ollama")
        self.assertNotIn("drop_caches", calls)
        self.assertNotIn(self.server.folder + "/blobs", calls)

    def test_pinned_ones_stay_and_without_any_it_says_so(self):
        self.assertEqual(self.estiva("free-memory").out, "No model holds memory: there is nothing to unload.\n")
        self.estiva("load", "idle")
        self.estiva("pin", "idle")
        self.assertEqual(self.estiva("free-memory").out.splitlines()[0], "idle: kept, it is pinned")
        self.estiva("pin", "--off", "idle")
        self.assertRegex(self.estiva("free-memory").out, r"^idle: unloaded, .*\nRAM available: .* \(before: .*\)\n$")


if __name__ == "__main__":
    unittest.main()
