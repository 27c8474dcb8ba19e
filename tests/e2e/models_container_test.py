"""Containers that run before estivad does: found by name or by Compose's labels, charged, and served on.
A real dockerd; what the containers hold on the simulated GPU is the test's word."""
import json
import os
import subprocess
import unittest

import harness
from docker_place import Docker, busybox_tar
from models_place import ModelsPlace, model

SERVER = "mkdir -p /w && echo hello from {0} >/w/index.html && exec httpd -f -p {1} -h /w"
GIB = 1 << 30


def container(name, which, vram, port):
    return (f'[models.{name}]\nengine = "container"\ncontainer = "{which}"\nvram = "{vram}"\n'
            f'url = "http://127.0.0.1:{port}"\nstop_limit = "1s"\n')


class Inside(ModelsPlace):
    """Its estivad is in the network of the test's dockerd, where the containers answer."""

    def __init__(self):
        super().__init__()
        self.docker = Docker(os.path.join(self.dir, "dk"))

    def words(self):
        return ["nsenter", "-t", str(self.docker.process.pid), "-n"]

    def begin_daemon(self, *words):
        log = open(self.log, "a")
        self.daemon = subprocess.Popen(
            [*self.words(), harness.ESTIVAD, "--simulated", "--nvml", harness.LIBRARY, "--listen", "off",
             "--gateway", f"127.0.0.1:{self.gateway_port}", "--config", self.config, "--interval", "200ms", *words],
            env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        harness.until(self.answers, "the daemon answers")

    def serves(self, name):
        """What the gateway answers for the model."""
        ask = (f"import urllib.request; print(urllib.request.urlopen("
               f"'http://127.0.0.1:{self.gateway_port}/models/{name}/index.html', timeout=30).read().decode())")
        done = subprocess.run([*self.words(), "python3", "-c", ask], capture_output=True, text=True, timeout=60)
        return done.stdout.strip() or done.stderr[-300:]


class TakenOver(unittest.TestCase):
    def setUp(self):
        if harness.has_real_gpu():
            self.skipTest("this machine has a real GPU: simulation is refused there")
        self.place = Inside()
        self.docker = self.place.docker
        self.addCleanup(self.docker.stop)
        self.addCleanup(self.place.remove)
        self.docker.start()
        self.docker.run("import", "-", "httpd:test", input=busybox_tar(
            self.docker.folder + "/h", "sh", "httpd", "mkdir", "echo"))
        subprocess.run([*self.place.words(), "ip", "link", "set", "lo", "up"], check=True)
        self.place.env["DOCKER_HOST"] = self.docker.address

    def start(self, name, port, *words):
        self.docker.run("run", "-d", "--name", name, "--network", "host", *words, "httpd:test", "/bin/sh", "-c",
                        SERVER.format(name, port))
        return self.docker.pid(name)

    def control(self, *words):
        subprocess.run([harness.SIMULATOR, "ctl", self.place.sim_dir, *words], check=True, capture_output=True)

    def state(self, name):
        return self.docker.say("inspect", "-f", "{{.State.Status}}", name)

    def test_those_that_run_are_charged_and_served_and_leave_for_others(self):
        tts = self.start("tts", 8000)
        labels = ["--label", "com.docker.compose.project=proj", "--label", "com.docker.compose.service=voice"]
        voice = self.start("any-name", 8001, *labels)
        stranger = self.start("tts-2", 8002)  # never taken for "tts"
        place = self.place
        place.config = place.file("estiva.toml", container("tts", "tts", "1GiB", 8000) +
                                  container("voice", "proj/voice", "1GiB", 8001) +
                                  container("other", "tts-3", "1GiB", 8002) + model("big", "2500MiB"))
        place.sim = subprocess.Popen([harness.SIMULATOR, "run", place.file("scenario", (
            'scenario "four"\ndriver 550.163.01\ncuda 12.4\ngpu gtx1050ti-4g\n')), "--dir", place.sim_dir, "--quiet"],
            stdin=subprocess.DEVNULL)
        harness.until(lambda: os.path.exists(place.sim_dir + "/control"), "the simulator is ready")
        place.env["ESTIVA_SIM_DIR"] = place.sim_dir
        for pid, size in ((tts, "900MiB"), (voice, "1GiB"), (stranger, "500MiB")):
            self.control("alloc", str(pid), "0", size, "name", "httpd")
        place.begin_daemon()
        for name in ("tts", "voice"):
            harness.until(lambda: place.models()[name]["state"] == "resident", f"{name} is taken over")
        harness.until(lambda: place.models()["tts"]["vram_bytes"]["measured"] == 900 << 20, "tts is measured")
        models = place.models()
        self.assertEqual([models[m]["vram_bytes"]["charged"] for m in ("tts", "voice")], [GIB, GIB])
        self.assertEqual([models[m]["starts_total"] for m in ("tts", "voice")], [0, 0])
        self.assertEqual((models["tts"]["pid"], models["voice"]["pid"]), (tts, voice))
        self.assertEqual(models["other"]["state"], "absent")
        self.assertEqual(sorted(place.leases()), ["tts", "voice"], "the stranger has none")
        harness.until(lambda: place.serves("tts") == "hello from tts", "the gateway serves it")
        self.assertEqual(place.serves("voice"), "hello from any-name")
        place.kill_daemon()
        place.begin_daemon()
        harness.until(lambda: place.models()["voice"]["state"] == "resident", "the next daemon has it too")
        self.assertEqual((self.docker.pid("tts"), self.docker.pid("any-name")), (tts, voice), "nothing was restarted")
        self.assertEqual(place.estiva("load", "big").code, 0, place.read_log())
        self.assertIn("exited", {self.state("tts"), self.state("any-name")})
        self.assertEqual(self.state("tts-2"), "running")
        self.assertEqual(place.ooms(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
