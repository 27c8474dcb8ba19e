"""doctor against broken machines: each is a healthy one with ONE named change (machine_change.py), and it must
name that change's signature, what follows from it, and nothing else. Healthy machines get no error and no
warning. Pasted errors are named, and healthy logs name nothing."""
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
import unittest

import machine_change
from change_table import CHANGES
from docker_place import Docker, program
from harness import BUILD, ESTIVA, until
from machine_tree import BASES

PAGES = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../docs/doctor"))
COMPOSE = """version: "3"
services:
  chat:
    image: busybox:test
    network_mode: none
    command: ["/bin/sleep", "100000"]
    environment: {CUDA_VERSION: 12.4.1}
"""
BOTH = """    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: 1
              device_ids: ["0"]
              capabilities: [gpu]
"""


def doctor(*words, text=None):
    return subprocess.run([ESTIVA, "doctor", *words], text=True, capture_output=True, input=text, timeout=120)


class Machines(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can make a device node")
        self.dir = tempfile.mkdtemp(prefix="estiva-doctor-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.made = 0

    def look(self, change, base):
        self.made += 1
        folder = os.path.join(self.dir, str(self.made))
        machine_change.make(change, base, folder)
        ran = doctor("--root", folder, "--json")
        shutil.rmtree(folder)
        findings = json.loads(ran.stdout)["findings"]
        seen = 3 if json.loads(ran.stdout)["not_seen"] else 0
        self.assertEqual(ran.returncode, 1 if any(f["severity"] == "error" for f in findings) else seen)
        if change == "healthy" and base != "cpu-only":
            self.assertEqual(seen, 0, ran.stdout)
        return findings

    def test_healthy_machines_have_neither_errors_nor_warnings(self):
        for base in BASES:
            with self.subTest(base):
                self.assertEqual([f for f in self.look("healthy", base) if f["severity"] != "info"], [])

    def test_each_change_is_named_with_what_follows_and_nothing_else(self):
        at_rest = {base: {f["id"] for f in self.look("healthy", base)} for base in BASES}
        wrong, count = [], 0
        for key, change in CHANGES.items():
            for base in change.bases:
                count += 1
                found = {f["id"] for f in self.look(key, base)}
                meant = {change.signature} | change.also(base)
                if found - at_rest[base] != meant - at_rest[base] or not meant <= found:
                    wrong.append(f"{key} on {base}: {sorted(found)}, not {sorted(meant | at_rest[base])}")
        print(f"{len(CHANGES)} changes, {count} machines")
        self.assertEqual(wrong, [])

    def test_each_signature_is_changed_into_on_three_layouts(self):
        rules = {line.split()[1] for line in doctor("--rules").stdout.splitlines()}
        self.assertEqual({change.signature for change in CHANGES.values()}, rules)
        for key, change in CHANGES.items():
            bases = set(change.bases)
            if key == "K29":  # there is one base of WSL
                continue
            for layout in ({"debian-gpu"}, {"ubuntu-gpu", "laptop-prime", "wsl-gpu"}, {"rhel-gpu", "arch-gpu", "wsl-gpu"}):
                self.assertTrue(bases & layout, f"{key}: none of {sorted(layout)}")
            self.assertGreaterEqual(len(bases), 3, key)

    def test_a_finding_says_where_what_and_how(self):
        for finding in self.look("D3", "debian-gpu"):
            for member in ("id", "severity", "title", "foretells", "evidence", "remedy"):
                self.assertIn(member, finding)
            self.assertTrue(finding["remedy"]["text"])
            self.assertIn(finding["remedy"]["fix"], ("automatic", "asks", "guide"))

    def test_sarif_names_each_finding_and_its_file(self):
        folder = os.path.join(self.dir, "sarif")
        machine_change.make("K7", "debian-gpu", folder)
        log = json.loads(doctor("--root", folder, "--sarif").stdout)
        self.assertEqual(log["version"], "2.1.0")
        run = log["runs"][0]
        results = {result["ruleId"]: result for result in run["results"]}
        self.assertEqual(results["K7"]["level"], "error")
        uri = results["K7"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        self.assertEqual(uri, "file:///etc/docker/daemon.json")
        self.assertIn("K7", [rule["id"] for rule in run["tool"]["driver"]["rules"]])


class Fixing(unittest.TestCase):
    """What can be mended and undone is mended after it was shown, and taken back to the byte."""

    def setUp(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can make a device node")
        self.dir = tempfile.mkdtemp(prefix="estiva-fix-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.tree = os.path.join(self.dir, "tree")
        self.env = dict(os.environ, ESTIVA_STATE_DIR=os.path.join(self.dir, "state"))

    def run_on(self, *words):
        return subprocess.run([ESTIVA, "doctor", *words, "--root", self.tree], text=True, capture_output=True,
                              env=self.env, timeout=120, stdin=subprocess.DEVNULL)

    def found(self):
        return {one["id"] for one in json.loads(self.run_on("--json").stdout)["findings"]}

    def read(self, path):
        with open(self.tree + path) as file:
            return file.read()

    def test_a_line_of_the_toolkits_settings(self):
        machine_change.make("K16", "debian-gpu", self.tree)
        path = "/etc/nvidia-container-runtime/config.toml"
        before = self.read(path)
        self.assertIn("no-cgroups = true", before)
        asked = self.run_on("--fix")
        self.assertEqual(asked.returncode, 5, asked.stdout)
        self.assertIn("-no-cgroups = true\n", asked.stdout)
        self.assertRegex(asked.stderr, rf"'estiva doctor --fix --root {self.tree} --plan [0-9a-f]{{64}}' does what is")
        self.assertEqual(self.read(path), before)
        done = self.run_on("--fix", "--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.read(path), before.replace("no-cgroups = true", "no-cgroups = false"))
        self.assertIn(f"'estiva doctor --undo --root {self.tree}' takes it back", done.stdout)
        self.assertNotIn("K16", self.found())
        asked = self.run_on("--undo")
        self.assertEqual(asked.returncode, 5, asked.stdout)
        self.assertRegex(asked.stdout, r"Run 0+1 of doctor, 20..-.*:\n  K16: ")
        self.assertIn(f"'estiva doctor --undo --root {self.tree} --yes' does it", asked.stderr)
        self.assertNotEqual(self.read(path), before)
        self.assertEqual(self.run_on("--undo", "--yes").returncode, 0)
        self.assertEqual(self.read(path), before)
        self.assertIn("K16", self.found())

    def test_a_specification_that_is_stale(self):
        machine_change.make("C8", "debian-gpu", self.tree)
        self.assertIn("C8", self.found())
        done = self.run_on("--fix", "--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.found() & {"C8", "C1", "C5", "C11"}, set())

    def test_the_document_has_the_plan_and_its_hash_is_agreed_to(self):
        machine_change.make("K16", "debian-gpu", self.tree)
        findings = json.loads(self.run_on("--json").stdout)["findings"]
        plan = next(one for one in findings if one["id"] == "K16")["remedy"]["plan"]
        self.assertEqual([step["kind"] for step in plan["steps"]], ["write_file"])
        self.assertIn("+no-cgroups = false\n", plan["steps"][0]["diff"])
        self.assertEqual(self.run_on("--fix", "--plan", "0" * 64).returncode, 5)
        done = self.run_on("--fix", "--plan", plan["hash"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("K16", self.found())

    # What only a running system has: a module, a unit that runs, a GPU's mode. In a tree nothing of it is done.
    # P3: the file is mended, and its container is made anew by a person.
    RUNNING = {"D2", "D11", "D16", "D20", "K9", "K31", "P3"}

    def snapshot(self):
        """Everything of the tree: type, mode, owner, and bytes, target or device number."""
        seen = {}
        for folder, names, files in os.walk(self.tree):
            for name in names + files:
                path = os.path.join(folder, name)
                info = os.lstat(path)
                what = ""
                if stat.S_ISLNK(info.st_mode):
                    what = os.readlink(path)
                elif stat.S_ISREG(info.st_mode):
                    with open(path, "rb") as file:
                        what = file.read()
                seen[path[len(self.tree):]] = (info.st_mode, info.st_uid, info.st_gid, info.st_rdev, what)
        return seen

    def mend(self, signature, base):
        """What is wrong with how one change is mended and taken back; empty: nothing. None: a guide."""
        machine_change.make(signature, base, self.tree)
        found = json.loads(self.run_on("--json").stdout)["findings"]
        mine = [one for one in found if one["id"] == signature]
        if not mine or mine[0]["remedy"]["fix"] != "automatic":
            return None
        before = self.snapshot()
        done = self.run_on("--fix", "--yes", "--json")
        if done.returncode not in (0, 1) or done.stderr:
            return f"--fix: {done.stderr}"
        changed = self.snapshot() != before
        left = self.found()
        undone = self.run_on("--undo", "--yes")
        if self.snapshot() != before:
            return f"--undo left something: {undone.stdout}{undone.stderr}"
        if signature not in self.RUNNING and (not changed or signature in left):
            return f"not mended: {done.stdout}"
        return "" if signature in self.found() else "after --undo it is not found again"

    def test_each_that_is_mended_by_itself_is_gone_and_comes_back_to_the_byte(self):
        wrong, mended = [], set()
        for signature, change in machine_change.CHANGES.items():
            for base in change.bases[:2]:
                self.env["ESTIVA_STATE_DIR"] = os.path.join(self.dir, "state", signature + base)
                trouble = self.mend(signature, base)
                shutil.rmtree(self.tree)
                if trouble is not None:
                    mended.add(signature)
                if trouble:
                    wrong.append(f"{signature} on {base}: {trouble}")
        print(f"{len(mended)} signatures are mended: {' '.join(sorted(mended))}")
        self.assertEqual(wrong, [], "\n".join(wrong))
        self.assertLessEqual({"D4", "D13", "D14", "D19", "D21", "C4", "C8", "K4", "K5", "K6", "K7", "K8", "K10", "K16",
                              "K17", "K19", "K21", "K25", "K31"}, mended)

    def test_without_anything_to_mend(self):
        machine_change.make("healthy", "debian-gpu", self.tree)
        done = self.run_on("--fix")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Nothing is to be done", done.stdout)

    def test_what_only_a_person_can_mend_is_not_called_done(self):
        machine_change.make("K3", "debian-gpu", self.tree)
        done = self.run_on("--fix")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertNotIn("everything is so already", done.stdout)
        self.assertIn("what is left:\nnote: K3 is left", done.stdout)
        self.assertIn("'estiva setup apply --restart-docker' does it", done.stdout)
        self.assertIn("'estiva setup apply --restart-docker' does it", self.run_on().stdout)

    def test_recover_does_not_call_a_dead_gpu_done(self):
        for signature in ("D7", "D10"):
            machine_change.make(signature, "debian-gpu", self.tree)
            for words in (["plan"], ["apply", "--yes"]):
                ran = subprocess.run([ESTIVA, "recover", *words, "--root", self.tree], text=True,
                                     capture_output=True, env=self.env, timeout=60, stdin=subprocess.DEVNULL)
                self.assertEqual(ran.returncode, 3, f"{signature} {words}: {ran.stdout}{ran.stderr}")
                self.assertIn(f"{signature} is left", ran.stdout)
                self.assertNotIn("everything is so already", ran.stdout)
            shutil.rmtree(self.tree)

    def test_flags_that_would_be_passed_over_are_refused(self):
        machine_change.make("K16", "debian-gpu", self.tree)
        for words in (["--fix", "--undo"], ["--yes"], ["--plan", "0" * 64]):
            self.assertEqual(self.run_on(*words).returncode, 2, words)

    def test_a_compose_file_that_is_no_yaml_is_told_with_its_line(self):
        machine_change.make("healthy", "debian-gpu", self.tree)
        path = os.path.join(self.dir, "broken.yaml")
        os.makedirs(self.tree + self.dir)
        with open(self.tree + path, "w") as file:
            file.write("services:\n  a: {image: x\n")
        for words in ([], ["--fix", "--yes"]):
            ran = self.run_on("--compose", path, *words)
            self.assertEqual(ran.returncode, 1, ran.stdout)
            self.assertRegex(ran.stderr, rf"{path}.*line \d+")

    def test_a_machine_where_nothing_can_be_seen_is_not_called_fine(self):
        os.makedirs(self.tree)
        ran = self.run_on()
        self.assertEqual(ran.returncode, 3, ran.stdout)
        self.assertNotIn("Nothing is wrong", ran.stdout)
        self.assertIn("this machine has no NVIDIA GPU", ran.stdout)
        seen = json.loads(self.run_on("--json").stdout)
        self.assertIn("this machine has no NVIDIA GPU", seen["not_seen"])


class RealEngine(unittest.TestCase):
    """What a container of a real dockerd writes is read, and only since its last start."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="doc", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.docker = Docker(self.dir + "/d", "-28")
        self.addCleanup(self.docker.stop)
        self.docker.start()
        self.docker.import_image()

    def found(self, signature):
        ran = doctor("--docker", self.docker.address, "--json")
        return [f["evidence"] for f in json.loads(ran.stdout)["findings"] if f["id"] == signature]

    def test_an_error_in_a_log_is_found_until_the_container_starts_without_it(self):
        error = "RuntimeError: Error 803: system has unsupported display driver / cuda driver combination"
        self.docker.run("run", "-d", "--name", "torch", "--network", "none", "-e", "CUDA_VERSION=12.4.1", "busybox:test",
                        "/bin/sh", "-c", f"[ -f /ran ] || echo {error!r}; : > /ran; echo password=secret; sleep 100000")
        until(lambda: "password" in self.docker.say("logs", "torch"), "it has written")
        evidence = self.found("K24")
        self.assertEqual([one["text"] for one in evidence[0]], [error])
        time.sleep(1.1)  # the engine is asked by whole seconds
        self.docker.run("restart", "-t", "0", "torch")
        until(lambda: self.docker.say("logs", "torch").count("password") == 2, "it has written again")
        self.assertIn(error, self.docker.say("logs", "torch"))
        self.assertEqual(self.found("K24"), [])

    def test_the_file_of_a_project_that_docker_compose_1_made(self):
        """Its label has the file as it stood on the command line."""
        folder = self.dir + "/stack"
        os.makedirs(folder)

        def write(more):
            with open(folder + "/docker-compose.yml", "w") as file:
                file.write(COMPOSE + more)
        write("")
        made = subprocess.run([program("docker-compose"), "-p", "stack", "up", "-d"], env=self.docker.env, cwd=folder,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(made.returncode, 0, made.stderr)
        label = self.docker.say("inspect", "-f", '{{index .Config.Labels "com.docker.compose.project.config_files"}}',
                                self.docker.say("ps", "-q"))
        self.assertEqual(label, "docker-compose.yml")
        self.assertEqual(self.found("P4"), [])
        write('    deploy: {resources: {reservations: {devices: []}}}\n')
        self.assertEqual(self.found("P4"), [])
        write(BOTH)
        self.assertEqual([one["path"] for one in self.found("P4")[0]], [folder + "/docker-compose.yml"])


class LeftByDocker(unittest.TestCase):
    """The unit that mends K4, its command run against a real engine that starts nothing by itself."""

    def setUp(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can start a container engine")
        self.dir = tempfile.mkdtemp(prefix="k4", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.docker = Docker(self.dir + "/d", "-28")
        self.addCleanup(self.docker.stop)
        os.makedirs(self.dir + "/cdi")
        with open(self.dir + "/cdi/x.json", "w") as file:
            json.dump({"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu",
                       "devices": [{"name": "0", "containerEdits": {"env": ["A=b"]}}]}, file)

    def start(self, cdi, *flags):
        self.docker.configure(**{"cdi-spec-dirs": [self.dir + "/cdi"], "features": {"cdi": cdi}})
        self.docker.start(*flags)

    def script(self):
        """The script of doctor's unit, as systemd hands it to the shell."""
        tree = self.dir + "/tree"
        machine_change.make("K4", "debian-gpu", tree)
        ran = subprocess.run([ESTIVA, "doctor", "--fix", "--yes", "--root", tree], text=True, capture_output=True,
                             env=dict(os.environ, ESTIVA_STATE_DIR=self.dir + "/state"), timeout=60)
        self.assertEqual(ran.stderr, "", ran.stdout)
        with open(tree + "/etc/systemd/system/estiva-cdi-restart.service") as file:
            text = file.read().replace("\\\n", " ")
        self.assertTrue(os.path.islink(tree + "/etc/systemd/system/docker.service.wants/estiva-cdi-restart.service"))
        words = re.search(r"^ExecStart=/bin/sh -c '(.*)'$", text, re.M).group(1)
        return words.replace("\\\\", "\\").replace("$$", "$")

    def is_running(self, name):
        return self.docker.say("inspect", "-f", "{{.State.Running}}", name) == "true"

    def test_only_what_docker_could_not_start_is_started(self):
        script = self.script()
        self.start(False)
        self.docker.import_image()
        sleeper = ("--network", "none", "busybox:test", "/bin/sleep", "1000")
        for name, policy in (("left", "unless-stopped"), ("left2", "always"), ("unwanted", "no")):
            self.docker.run("create", "--name", name, "--restart", policy, "--device", "nvidia.com/gpu=0", *sleeper)
            failed = self.docker.run("start", name, check=False)
            self.assertIn(b'could not select device driver "cdi"', failed.stderr)
        self.docker.run("run", "--detach", "--name", "stopped", "--restart", "always", *sleeper)
        self.docker.run("stop", "--time", "0", "stopped")
        self.docker.process.terminate()
        self.docker.process.wait(timeout=30)
        self.start(True, "--restart=false")
        names = ("left", "left2", "unwanted", "stopped")
        self.assertEqual([self.is_running(name) for name in names], [False] * 4)
        os.makedirs(self.dir + "/bin")
        with open(self.dir + "/bin/docker", "w") as file:
            file.write(f'#!/bin/sh\nexec {program("docker-28")} "$@"\n')
        os.chmod(file.name, 0o755)
        ran = subprocess.run(["/bin/sh", "-c", script], capture_output=True, timeout=60,
                             env=dict(self.docker.env, PATH=f"{self.dir}/bin:/usr/bin:/bin"))
        self.assertEqual(ran.stderr, b"")
        self.assertEqual([self.is_running(name) for name in names], [True, True, False, False])


class Errors(unittest.TestCase):
    def test_a_pasted_error_is_named_whatever_stands_around_it(self):
        log = ("Nov 30 10:11:12 box dockerd[812]: time=\"2026-11-30T10:11:12Z\" level=error msg=\"Handler for POST "
               "returned error: could not select device driver \\\"\\\" with capabilities: [[gpu]]\"\n")
        ran = doctor("--explain-error", "-", text="Starting.\n" + log)
        self.assertEqual(ran.returncode, 1, ran.stderr)
        self.assertIn("K1", ran.stdout)
        self.assertIn("line 2", ran.stdout)
        causes = json.loads(doctor("--explain-error", "-", "--json", text=log).stdout)["causes"]
        self.assertEqual(causes[0]["id"], "K1")

    def test_a_log_without_a_known_error_names_nothing(self):
        ran = doctor("--explain-error", "-", text="level=info msg=\"Loading containers: done.\"\n" * 200)
        self.assertEqual([ran.returncode, ran.stderr], [0, ""])
        self.assertIn("Nothing in this log", ran.stdout)

    def test_a_file_that_is_not_there(self):
        ran = doctor("--explain-error", "/nowhere/log")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("/nowhere/log", ran.stderr)


class Pages(unittest.TestCase):
    def test_the_pages_are_what_the_table_says(self):
        with tempfile.TemporaryDirectory() as folder:
            ran = doctor("--pages", folder)
            self.assertEqual([ran.returncode, ran.stderr], [0, ""])
            made = sorted(os.listdir(folder))
            self.assertEqual(made, sorted(os.listdir(PAGES)), "run: estiva doctor --pages docs/doctor")
            self.assertEqual(len(made), 84)  # 83 signatures and the list
            for name in made:
                with open(os.path.join(folder, name)) as new, open(os.path.join(PAGES, name)) as kept:
                    self.assertEqual(new.read(), kept.read(), f"{name}: run: estiva doctor --pages docs/doctor")

    def test_the_list_has_a_line_for_each(self):
        lines = doctor("--rules").stdout.splitlines()
        self.assertEqual(len(lines), 83)


if __name__ == "__main__":
    unittest.main()
