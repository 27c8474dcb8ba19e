"""GPUs asked for in the old way become CDI devices: what estiva writes into Compose files, against the real
Compose (what it reads before and after, by a rule of our own in Python) and against a real dockerd 28, where the
old way fails without NVIDIA's runtime and the new one runs."""
import json
import os
import random
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

import machine_change
from docker_place import PEERS, Docker, program
from harness import ESTIVA

COMPOSE = os.path.join(PEERS, "docker28/usr/libexec/docker/cli-plugins/docker-compose")
RESERVED = """    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: {}
              capabilities: [gpu]
"""


def compose(*words, env=None, timeout=120):
    program("docker-28")
    return subprocess.run([COMPOSE, *words], capture_output=True, text=True, env=env, timeout=timeout)


class Tree:
    """A healthy machine with two GPUs, CDI and a new Compose, in a folder; Compose files are put into /stack."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "tree")
        machine_change.make("healthy", "ubuntu-gpu", self.path)
        self.env = dict(os.environ, ESTIVA_STATE_DIR=os.path.join(folder, "state"))
        os.makedirs(self.path + "/stack")

    def at(self, name):
        return f"{self.path}/stack/{name}"

    def write(self, name, text):
        with open(self.at(name), "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def read(self, name):
        with open(self.at(name), "rb") as file:
            return file.read()

    def named(self, file, folder):
        return subprocess.run([ESTIVA, "doctor", "--root", self.path, "--compose", file], capture_output=True,
                              text=True, env=self.env, stdin=subprocess.DEVNULL, timeout=120, cwd=folder)

    def doctor(self, *words, files=()):
        named = [word for name in files for word in ("--compose", "/stack/" + name)]
        return subprocess.run([ESTIVA, "doctor", *words, "--root", self.path, *named], capture_output=True, text=True,
                              env=self.env, stdin=subprocess.DEVNULL, timeout=120)


class Case(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can make a machine's device nodes")
        self.dir = tempfile.mkdtemp(prefix="cmp", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.tree = Tree(self.dir)


class Named(Case):
    """What --compose names below --root."""
    TEXT = "services:\n  a:\n    image: x\n"

    def test_a_relative_file_is_the_callers(self):
        self.tree.write("compose.yaml", self.TEXT)
        self.assertEqual(self.tree.named("compose.yaml", self.tree.path + "/stack").returncode, 0)
        self.assertEqual(self.tree.named("/stack/compose.yaml", "/").returncode, 0)
        with open(self.dir + "/compose.yaml", "w") as file:
            file.write(self.TEXT)
        done = self.tree.named("compose.yaml", self.dir)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("is not inside", done.stderr)

    def test_one_that_is_not_there_is_said_with_its_place(self):
        done = self.tree.named("/nowhere/a.yaml", "/")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"reading {self.tree.path}/nowhere/a.yaml: No such file", done.stderr)
        self.assertNotIn("not_supported", done.stderr)


# ---- The referee: what Compose itself reads ----

def is_asked(request, by_gpus):
    driver = request.get("driver", "")
    return driver == "nvidia" or (not driver and (by_gpus or "gpu" in request.get("capabilities", [])))


def wanted(service):
    """The CDI names by the words of Docker's documentation; empty: it does not ask in the old way."""
    reserved = service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
    requests = [one for one in reserved if is_asked(one, False)]
    requests += [one for one in service.get("gpus") or [] if is_asked(one, True)]
    names = []
    for one in requests:
        if one.get("device_ids"):
            names += one["device_ids"]
        else:
            count = one.get("count", -1)
            names += ["all"] if count == -1 else [str(i) for i in range(count)]
    if not requests and service.get("runtime") == "nvidia":
        names = service.get("environment", {})["NVIDIA_VISIBLE_DEVICES"].split(",")
    names = ["all"] if "all" in names else names
    return {"nvidia.com/gpu=" + name for name in names}


def devices(service):
    return {one["source"] for one in service.get("devices") or []}


def without_gpu(value):
    """A service with all that asks for NVIDIA's GPUs taken out, and what is empty then."""
    value = json.loads(json.dumps(value))
    for key in ("gpus",) + (("runtime",) if value.get("runtime") == "nvidia" else ()):
        value.pop(key, None)
    value["devices"] = [one for one in value.get("devices") or [] if not one["source"].startswith("nvidia.com/")]
    reservations = value.get("deploy", {}).get("resources", {}).get("reservations", {})
    if "devices" in reservations:
        reservations["devices"] = [one for one in reservations["devices"] if not is_asked(one, False)]

    def bare(part):
        if not isinstance(part, dict):
            return part
        return {key: left for key, left in ((k, bare(v)) for k, v in part.items()) if left not in ({}, [], None)}

    return bare(value)


HAND = [
    "x-o: &o {image: x, labels: {a: b}}\nservices:\n  a:\n    profiles: [\"gpu-nvidia\"]\n    <<: *o\n"
    + RESERVED.format("1 # ou 'all'"),
    "services: {a: {image: x, gpus: all}}\n",
    "services:\n  a: {image: x, gpus: all, runtime: nvidia}\n",
    "services:\n  a:\n    image: x\n    runtime: nvidia\n    environment: {NVIDIA_VISIBLE_DEVICES: \"0,1\"}\n",
    "services:\n  a:\n    image: x\n    runtime: nvidia\n    environment:\n      - A=b\n      - NVIDIA_VISIBLE_DEVICES=all\n",
    "services:\n  a:\n    image: x\n    gpus: [{driver: nvidia, count: 2}]",
    "services:\n  a:\n    image: x\n    gpus:\n    - count: -1\n    - device_ids: ['0']\n",
    "\ufeffservices:\r\n  a:\r\n    image: x\r\n    gpus: all\r\n    restart: always\r\n",
    "{\"services\": {\"a\": {\"image\": \"x\", \"deploy\": {\"resources\": {\"reservations\": {\"devices\": "
    "[{\"capabilities\": [\"gpu\"], \"count\": 2}]}}}}}}\n",
    "---\n# head\nservices:\n    a:\n        image: x\n        deploy:\n            replicas: 2\n            resources:\n"
    "                limits: {memory: 1g}\n                reservations:\n                    memory: 512m\n"
    "                    devices:\n                    - capabilities: [gpu, utility]\n\n                      # here\n"
    "                      device_ids: ['1']\n        restart: always\n",
    "services:\n  a:\n    image: x\n    devices: [/dev/null, \"/dev/zero:/dev/z\", ]\n    gpus: all\n",
    "services:\n  a:\n    image: x\n    devices:\n    - /dev/null:/dev/n:r # null\n    # end\n    gpus: all\n",
    "services:\n  a:\n    image: x\n    devices: ['nvidia.com/gpu=0']\n    gpus: [{count: 1}]\n",
    "services:\n  a:\n    image: x\n    command: |\n      gpus: all\n        runtime: nvidia\n    gpus: all\n  b: {image: y}\n",
    "services:\n  a:\n    image: x\n    deploy:\n      resources:\n        reservations:\n          devices:\n"
    "            - driver: amd\n              capabilities: [gpu]\n              count: 1\n            - driver: nvidia\n"
    "              capabilities: [gpu]\n              count: 1\n",
    "services:\n  a:\n    image: x\n    \"gpus\": \"all\"   # quoted\n    'runtime': 'nvidia'\n",
    "services:\n  a:\n    image: x\n    deploy: {mode: replicated, resources: {limits: {cpus: '1'}, reservations: "
    "{devices: [{driver: nvidia, count: all, capabilities: [gpu]}], cpus: '0.5'}}}\n",
    "services:\n  a:\n    image: x\n    deploy: {resources: {reservations: {devices: [\n      {driver: nvidia, count: 1,\n"
    "       capabilities: [gpu]}\n      ]}}}\nvolumes:\n  v:\n",
    "services:\n  a:\n    image: x\n    runtime: runc\n    gpus: all\n",
    "x-l: &l [a=b]\nservices:\n  a:\n    image: x\n    labels: *l\n    gpus: all\n  b:\n    image: x\n    labels: *l\n",
]
KEPT = [  # not certain: no byte changes
    "services:\n  a:\n    image: x\n    gpus: [{count: \"${N:-1}\"}]\n",
    "x-g: &g {gpus: all}\nservices:\n  a: {<<: *g, image: x}\n  b: {<<: *g, image: x}\n",
    "services:\n  a:\n    image: x\n    gpus: all\n  b:\n    extends: {service: a}\n",
    "services:\n  a: &a\n    image: x\n    gpus: all\n  b: *a\n",
    "services:\n  a:\n    image: x\n    runtime: nvidia\n",
    "services:\n  a:\n    image: x\n    gpus: [{driver: amd, count: 1}]\n",
    "services:\n  a:\n    image: x\n    gpus: [{count: 1, options: {virtualization: 'yes'}}]\n",
    "services:\n  a:\n    image: x\n    gpus: [{count: 7}]\n",
]


def some_text(seed):
    """A Compose file of one to three services in a random style."""
    draw = random.Random(seed)
    step, dash = draw.choice((2, 4)), draw.choice((0, 2))
    out = [draw.choice(("", "name: p\n", "# top\n")), "services:\n"]
    for number in range(draw.randint(1, 3)):
        pad = " " * 2 * step
        lines = [f"{' ' * step}s{number}:\n", f"{pad}image: {draw.choice(('x', chr(39) + 'x' + chr(39)))}\n"]
        body = draw.sample([f"{pad}restart: always # {number}\n", f"{pad}environment: {{A: 'b'}}\n",
                            f"{pad}command: [\"a\",  'b']\n", f"{pad}# a line\n", f"{pad}labels:\n{pad}  - a=b\n", "\n"],
                           draw.randint(0, 4))
        which = draw.choice(("count: 1", "count: 2", "count: all", "device_ids: ['1']", "device_ids: [\"0\", '1']", ""))
        parts = [part for part in ("driver: nvidia", which, "capabilities: [gpu]") if part]
        draw.shuffle(parts)
        item = "{" + ", ".join(parts) + "}"
        kind = draw.randint(0, 3)
        if kind == 0:
            body.append(f"{pad}gpus: [{item}]\n")
        elif kind == 1:
            head = "".join(f"{pad}{' ' * step * i}{key}:\n" for i, key in
                           enumerate(("deploy", "resources", "reservations", "devices")))
            dent = pad + " " * (3 * step + dash)
            body.append(head + f"{dent}- " + f"\n{dent}  ".join(parts) + "\n")
        elif kind == 2:
            body.append(f"{pad}deploy: {{replicas: 1, resources: {{reservations: {{devices: [{item}]}}}}}}\n")
        draw.shuffle(body)
        out += lines + body
    text = "".join(out)
    return text.replace("\n", "\r\n") if draw.random() < 0.2 else text


class Referee(Case):
    def read_by_compose(self, name):
        done = compose("-p", "p", "-f", self.tree.at(name), "--profile", "*", "config", "--format", "json")
        self.assertEqual(done.returncode, 0, self.tree.read(name).decode() + done.stderr)
        return json.loads(done.stdout)

    def test_only_the_gpu_differs_and_it_is_the_one_that_was_asked_for(self):
        texts = HAND + [some_text(seed) for seed in range(50)]
        texts = [text for text in texts if "gpu" in text]
        self.assertGreaterEqual(len(texts), 60)
        names = [f"f{number}.yaml" for number in range(len(texts))]
        asked = 0
        for some in (names[:40], names[40:]):
            before = {}
            for name in some:
                self.tree.write(name, texts[int(name[1:-5])])
                before[name] = self.read_by_compose(name)
            done = self.tree.doctor("--fix", "--yes", files=some)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for name in some:
                after = self.read_by_compose(name)
                text = self.tree.read(name).decode()
                self.assertEqual(list(after["services"]), list(before[name]["services"]))
                for key, was in before[name]["services"].items():
                    now = after["services"][key]
                    self.assertEqual(without_gpu(now), without_gpu(was), text)
                    names_of_gpu = {one for one in devices(now) if one.startswith("nvidia.com/")}
                    had = {one for one in devices(was) if one.startswith("nvidia.com/")}
                    self.assertEqual(names_of_gpu, had or wanted(was), text)
                    self.assertEqual(wanted(now), set(), text)
                    asked += bool(wanted(was))
                rest = ({**one, "services": None} for one in (after, before[name]))
                self.assertEqual(next(rest), next(rest))
        print(f"{len(texts)} files, {asked} services that asked in the old way")
        self.assertGreater(asked, 60)

    def test_what_is_not_certain_keeps_every_byte(self):
        names = [f"k{number}.yaml" for number in range(len(KEPT))]
        for name, text in zip(names, KEPT):
            self.tree.write(name, text)
        done = self.tree.doctor("--fix", "--yes", files=names)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name, text in zip(names, KEPT):
            self.assertEqual(self.tree.read(name).decode(), text)
        findings = json.loads(self.tree.doctor("--json", files=names).stdout)["findings"]
        told = [one for one in findings if one["id"] == "P14"]
        self.assertGreaterEqual(len(told), 6)
        for one in told:
            self.assertEqual(one["remedy"]["fix"], "guide")
            self.assertRegex(one["remedy"]["text"], r"line \d+, column \d+: ")


# ---- The command line ----

class Rewriting(Case):
    TEXT = "services:\n  a:\n    image: x\n" + RESERVED.format(1) + "    restart: always\n"

    def test_the_plan_is_shown_then_done_then_taken_back(self):
        self.tree.write("compose.yaml", self.TEXT)
        os.chown(self.tree.at("compose.yaml"), 1234, 1235)
        os.chmod(self.tree.at("compose.yaml"), 0o640)
        shown = self.tree.doctor("--fix", files=["compose.yaml"])
        self.assertEqual(shown.returncode, 5, shown.stderr)
        self.assertIn("+      - nvidia.com/gpu=0\n", shown.stdout)
        self.assertIn("docker compose -f /stack/compose.yaml up -d a", shown.stdout)
        self.assertEqual(self.tree.read("compose.yaml").decode(), self.TEXT)
        done = self.tree.doctor("--fix", "--yes", files=["compose.yaml"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.tree.read("compose.yaml").decode(),
                         "services:\n  a:\n    image: x\n    devices:\n      - nvidia.com/gpu=0\n    restart: always\n")
        made = os.stat(self.tree.at("compose.yaml"))
        self.assertEqual((made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)), (1234, 1235, 0o640))
        again = self.tree.doctor("--fix", "--yes", files=["compose.yaml"])
        self.assertIn("Nothing is to be done", again.stdout)
        self.assertEqual(self.tree.doctor("--undo", "--yes").returncode, 0)
        self.assertEqual(self.tree.read("compose.yaml").decode(), self.TEXT)

    def test_a_file_that_is_not_there(self):
        done = self.tree.doctor(files=["nowhere.yaml"])
        self.assertEqual(done.returncode, 1)
        self.assertIn("/stack/nowhere.yaml", done.stderr)


# ---- A real engine ----

STACK = """services:
  one:
    image: busybox:test
    profiles: [gpu-nvidia]   # as seed 000 has it
    network_mode: none
    command: [/bin/sleep, "1000"]
    stop_grace_period: 1s
""" + RESERVED.format(1) + """  two:
    image: busybox:test
    network_mode: none
    command: [/bin/sleep, "1000"]
    stop_grace_period: 1s
""" + RESERVED.format(2) + """  every:
    image: busybox:test
    network_mode: none
    command: [/bin/sleep, "1000"]
    stop_grace_period: 1s
    gpus: all
"""


class Engine(Case):
    def setUp(self):
        super().setUp()
        self.docker = Docker(self.dir + "/d", "-28")
        os.makedirs(self.dir + "/cdi")
        self.docker.configure(features={"cdi": True}, **{"cdi-spec-dirs": [self.dir + "/cdi"]})
        nodes = [[f"/dev/nvidia{number}"] for number in range(3)]
        named = [*enumerate(nodes), ("all", [path for one in nodes for path in one])]
        spec = {"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu", "devices": [
            {"name": str(name), "containerEdits": {"deviceNodes": [{"path": path, "hostPath": "/dev/null"} for path in paths]}}
            for name, paths in named]}
        with open(self.dir + "/cdi/nvidia.json", "w") as file:
            json.dump(spec, file)
        self.addCleanup(self.docker.stop)

    def up(self, *words):
        return compose("-p", "stack", "-f", self.tree.at("compose.yaml"), *words, env=self.docker.env)

    def nodes_in(self, service):
        name = self.docker.say("ps", "--format", "{{.Names}}", "--filter", f"label=com.docker.compose.service={service}")
        listed = self.docker.say("exec", name, "/bin/busybox", "ls", "/dev").split()
        return sorted(one for one in listed if re.fullmatch(r"nvidia\d", one))

    def test_what_failed_runs_after_the_rewriting(self):
        self.docker.start()
        self.docker.import_image()
        self.tree.write("compose.yaml", STACK)
        for service in ("one", "two", "every"):
            failed = self.up("--profile", "gpu-nvidia", "up", "-d", service)
            self.assertNotEqual(failed.returncode, 0)
            self.assertIn("could not select device driver", failed.stderr)
        self.up("--profile", "gpu-nvidia", "down")
        self.assertIn("P14", self.tree.doctor(files=["compose.yaml"]).stdout)
        done = self.tree.doctor("--fix", "--yes", files=["compose.yaml"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        ran = self.up("up", "-d")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(self.nodes_in("two"), ["nvidia0", "nvidia1"])
        self.assertEqual(self.nodes_in("every"), ["nvidia0", "nvidia1", "nvidia2"])
        self.assertEqual(self.docker.say("ps", "-q", "--filter", "label=com.docker.compose.service=one"), "")
        ran = self.up("--profile", "gpu-nvidia", "up", "-d")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(self.nodes_in("one"), ["nvidia0"])


if __name__ == "__main__":
    unittest.main()
