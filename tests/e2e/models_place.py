"""A daemon with models: the simulated machine and estivad are processes of their own here, so that
either can be killed alone; the models are stand-in engines that take memory of the simulated GPU."""
import http.client
import json
import os
import socket
import subprocess
import threading
import time

import harness

ENGINE = os.path.join(harness.BUILD, "estiva-sim-engine")
FOUR_GB = 'scenario "four"\ndriver 550.163.01\ncuda 12.4\ngpu gtx1050ti-4g\n'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def model(name, vram, more="", **options):
    """A [models.NAME] table of a stand-in engine that takes `vram`."""
    words = [ENGINE, "--port", "${PORT}", "--vram", vram, "--exit-on-oom"]
    for flag, value in options.items():
        words += ["--" + flag.replace("_", "-"), str(value)]
    return (f'[models.{name}]\nengine = "process"\ncommand = {json.dumps(words)}\n'
            f'ready = "http://127.0.0.1:${{PORT}}/health"\nvram = "{vram}"\n{more}\n')


class ModelsPlace(harness.Place):
    def __init__(self):
        super().__init__()
        self.sim = None
        self.sim_dir = os.path.join(self.dir, "sim")
        self.gateway_port = free_port()

    def begin(self, models, scenario=FOUR_GB):
        self.config = self.file("estiva.toml", models)
        self.sim = subprocess.Popen([harness.SIMULATOR, "run", self.file("scenario", scenario), "--dir",
                                     self.sim_dir, "--quiet"], stdin=subprocess.DEVNULL)
        harness.until(lambda: os.path.exists(self.sim_dir + "/control"), "the simulator is ready")
        self.env["ESTIVA_SIM_DIR"] = self.sim_dir
        self.begin_daemon()

    def begin_daemon(self, *words):
        log = open(self.log, "a")
        self.daemon = subprocess.Popen(
            [harness.ESTIVAD, "--simulated", "--nvml", harness.LIBRARY, "--listen", "127.0.0.1:0", "--gateway",
             f"127.0.0.1:{self.gateway_port}", "--config", self.config, "--interval", "200ms", *words],
            env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        harness.until(self.answers, "the daemon answers")

    def estivad_pid(self):
        return self.daemon.pid

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def remove(self):
        if self.daemon is not None and self.daemon.poll() is None:
            self.estiva("unload", "--all")
        pids = [self.gateway_pid()] + [m["pid"] for m in self.known()]
        self.stop()
        for pid in pids:
            if pid:
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
        if self.sim is not None:
            self.sim.kill()
            self.sim.wait()
        super().remove()

    def known(self):
        try:
            return list(self.models().values())
        except (OSError, AttributeError):
            return []

    def models(self):
        return {m["name"]: m for m in self.get("/api/v1/models")[1]["models"]}

    def gateway_pid(self):
        for line in subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout.splitlines():
            pid, args = line.strip().split(" ", 1)
            if "estiva-gateway" in args and self.run_dir in args:
                return int(pid)
        return None

    def ooms(self):
        said = subprocess.run([harness.SIMULATOR, "ctl", self.sim_dir, "ooms"], capture_output=True, text=True)
        return int(said.stdout.split()[0])

    def connection(self, patience=harness.PATIENCE):
        return http.client.HTTPConnection("127.0.0.1", self.gateway_port, timeout=patience)

    def speak(self, name, connection=None):
        """One speech request; (status, bytes, headers)."""
        used = connection or self.connection()
        try:
            used.request("POST", "/v1/audio/speech", json.dumps({"model": name, "input": "hello"}),
                         {"Content-Type": "application/json"})
            answer = used.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            if connection is None:
                used.close()

    def until_gateway(self):
        def there():
            used = self.connection(5)
            try:
                used.request("GET", "/v1/models")
                return used.getresponse().status == 200
            except OSError:
                return False
            finally:
                used.close()
        harness.until(there, "the gateway answers")


class Clients:
    """Clients that ask for one model again and again, overlapping."""

    def __init__(self, place, name, count):
        self.answers, self.stopped = [], threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(place, name)) for _ in range(count)]
        for i, thread in enumerate(self.threads):
            thread.start()
            time.sleep(0.05 * (i + 1))

    def ask(self, place, name):
        connection = place.connection()
        while not self.stopped.is_set():
            self.answers.append(place.speak(name, connection)[0])
        connection.close()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
