"""'estiva setup' on the tree of a machine in a folder: what is planned is what is done, a second time there is
nothing to do, and the undo brings back every byte. (tests/host has it on a booted host.)"""
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import machine_change
from harness import ESTIVA


def contents(folder):
    """Every file, link and folder below it: what it is and what is in it."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in folders + names:
            path = os.path.join(place, name)
            inside = os.path.relpath(path, folder)
            info = os.lstat(path)
            if os.path.islink(path):
                found[inside] = ("link", os.readlink(path))
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    found[inside] = ("file", oct(info.st_mode), info.st_uid, hashlib.sha256(file.read()).hexdigest())
            else:
                found[inside] = ("other", oct(info.st_mode))
    return found


class Setup(unittest.TestCase):
    base = "debian-gpu"

    def setUp(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can make a device node")
        if shutil.which("systemctl") is None:
            raise unittest.SkipTest("no systemctl on this machine")
        self.dir = tempfile.mkdtemp(prefix="estiva-setup-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.tree = os.path.join(self.dir, "tree")
        machine_change.make("healthy", self.base, self.tree)
        self.env = dict(os.environ, ESTIVA_STATE_DIR=os.path.join(self.dir, "state"))

    def setup_verb(self, *words):
        return subprocess.run([ESTIVA, "setup", *words, "--root", self.tree], text=True, capture_output=True,
                              env=self.env, timeout=120, stdin=subprocess.DEVNULL)

    def plan(self, *words):
        ran = self.setup_verb("plan", "--json", *words)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return json.loads(ran.stdout)

    def test_a_plan_changes_nothing(self):
        before = contents(self.tree)
        shown = self.setup_verb("plan")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("estiva-cdi.service", shown.stdout)
        self.assertEqual(contents(self.tree), before)

    def test_the_text_of_new_files_is_shown_on_request(self):
        short = self.setup_verb("plan").stdout
        self.assertRegex(short, r"(?m)^     New: \d\d+ lines, mode 0644$")
        self.assertNotIn("ExecStart=", short)
        self.assertIn("+ExecStart=", self.setup_verb("plan", "--diff").stdout)
        steps = self.plan()["plan"]["steps"]
        self.assertTrue(any("+ExecStart=" in (step["diff"] or "") for step in steps))

    def test_nothing_is_done_without_a_yes(self):
        before = contents(self.tree)
        ran = self.setup_verb("apply")
        self.assertEqual(ran.returncode, 5)
        self.assertIn("no terminal to ask at", ran.stderr)
        self.assertEqual(contents(self.tree), before)

    def test_what_was_shown_is_what_is_done(self):
        document = self.plan()
        self.assertEqual(document["schema"], "estiva/setup-plan/1")
        self.assertEqual(self.setup_verb("apply", "--plan", "0" * 64).returncode, 5)
        done = self.setup_verb("apply", "--plan", document["plan"]["hash"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with open(self.tree + "/etc/systemd/system/estiva-cdi.service") as file:
            self.assertIn("Before=docker.service", file.read())

    def cdi_list(self):
        ran = subprocess.run([ESTIVA, "cdi", "list", "--json", "--root", self.tree], text=True, capture_output=True)
        return {one["name"]: one["file"] for one in json.loads(ran.stdout)["devices"]}

    def unit_command(self):
        with open(self.tree + "/etc/systemd/system/estiva-cdi.service") as file:
            return next(line for line in file if line.startswith("ExecStart=")).split(" cdi generate ")[1].strip()

    def test_a_healthy_specification_of_nvidias_stays_and_ours_stands_beside_it(self):
        before = self.cdi_list()
        self.assertIn("nvidia.com/gpu=all", before)
        self.assertEqual(self.setup_verb("apply", "--yes").returncode, 0)
        after = self.cdi_list()
        self.assertEqual({name: after[name] for name in before}, before)
        self.assertEqual(after["estiva.dev/gpu=all"], "/var/run/cdi/estiva.yaml")
        self.assertEqual(self.unit_command(), "--kind estiva.dev/gpu -o /var/run/cdi/estiva.yaml")

    def test_where_nobody_declares_them_estiva_does(self):
        shutil.rmtree(self.tree)
        machine_change.make("C1", self.base, self.tree)
        self.assertNotIn("nvidia.com/gpu=all", self.cdi_list())
        self.assertEqual(self.setup_verb("apply", "--yes").returncode, 0)
        self.assertEqual(self.cdi_list()["nvidia.com/gpu=all"], "/var/run/cdi/nvidia.yaml")
        self.assertEqual(self.unit_command(), "--kind nvidia.com/gpu -o /var/run/cdi/nvidia.yaml")

    def test_taken_over_there_is_one_file_for_each_device(self):
        done = self.setup_verb("apply", "--yes", "--take-over")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        listed = self.cdi_list()
        self.assertEqual(set(listed.values()), {"/var/run/cdi/nvidia.yaml"})
        self.assertEqual(self.setup_verb("undo").returncode, 0)

    def test_a_second_time_there_is_nothing_to_do_and_undo_brings_all_back(self):
        before = contents(self.tree)
        done = self.setup_verb("apply", "--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotEqual(contents(self.tree), before)
        again = self.setup_verb("apply", "--yes")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("Nothing is to be done", again.stdout)
        status = self.setup_verb("status")
        self.assertEqual(status.returncode, 0, status.stdout + status.stderr)
        self.assertRegex(status.stdout, r"Docker's runtimes: .*nvidia")
        self.assertIn("CDI devices that Docker lists: ", status.stdout)
        self.assertIn("nvidia.com/gpu=0", status.stdout)
        back = self.setup_verb("undo")
        self.assertEqual(back.returncode, 0, back.stdout + back.stderr)
        self.assertEqual(contents(self.tree), before)
        self.assertIn("nothing to undo", self.setup_verb("undo").stdout)

    def test_what_somebody_changed_since_is_told_and_not_overwritten(self):
        self.assertEqual(self.setup_verb("apply", "--yes").returncode, 0)
        path = self.tree + "/etc/systemd/system/estiva-cdi.service"
        with open(path, "a") as file:
            file.write("# mine\n")
        self.assertEqual(self.setup_verb("status").returncode, 1)
        self.assertEqual(self.setup_verb("undo").returncode, 5)
        with open(path) as file:
            self.assertIn("# mine", file.read())
        self.assertEqual(self.setup_verb("undo", "--force").returncode, 0)
        self.assertFalse(os.path.exists(path))

    def test_a_daemon_json_that_is_broken_is_left_alone(self):
        with open(self.tree + "/etc/docker/daemon.json", "w") as file:
            file.write('{"log-driver": "json-file",\n}')
        before = contents(self.tree)
        ran = self.setup_verb("apply", "--yes")
        self.assertEqual(ran.returncode, 5, ran.stdout)
        self.assertIn("daemon.json", ran.stderr)
        self.assertIn("daemon.json:1:27:", ran.stderr)
        self.assertEqual(contents(self.tree), before)

    def test_a_machine_without_a_gpu(self):
        shutil.rmtree(self.tree)
        os.makedirs(self.tree + "/proc")
        ran = self.setup_verb("plan")
        self.assertEqual(ran.returncode, 5)
        self.assertIn("no NVIDIA GPU", ran.stderr)


if __name__ == "__main__":
    unittest.main()
