"""Runs of plans in the journal: which tree they belong to, one that fails at its first step, one that was cut off and
goes on, and what an undo leaves to its user."""
import json
import os
import subprocess
import unittest

import machine_change
from harness import ESTIVA
from setup_faults_test import OWN
from setup_faults_test import Killed as Place
from setup_test import contents

NOBODY = 65534
UNIT = "/etc/systemd/system/estiva-cdi.service"


class Runs(Place):
    def estiva(self, *words, **how):
        return subprocess.run([ESTIVA, *words], text=True, capture_output=True, env=self.env, timeout=120,
                              stdin=subprocess.DEVNULL, **how)

    def changed_at(self, seconds):
        with open(self.tree + "/times") as file:
            rows = [row for row in file.read().splitlines() if row.split()[1] != "/etc/docker/daemon.json"]
        with open(self.tree + "/times", "w") as file:
            file.write("\n".join(rows + [f"{seconds} /etc/docker/daemon.json"]) + "\n")

    def cut_off(self):
        """Killed when some of its steps are done."""
        self.assertTrue(self.verb_killed_at(45, "apply", "--yes"))

    def test_a_first_step_that_fails_leaves_nothing_and_blocks_nothing(self):
        os.makedirs(self.env["ESTIVA_STATE_DIR"])
        os.chown(self.env["ESTIVA_STATE_DIR"], NOBODY, NOBODY)
        os.chmod(self.dir, 0o755)
        before = contents(self.tree)
        ran = self.estiva("setup", "apply", "--yes", "--root", self.tree, user=NOBODY, group=NOBODY, extra_groups=[])
        self.assertEqual(ran.returncode, 1, ran.stderr)
        self.assertIn("step 1 of ", ran.stderr)
        self.assertIn("Nothing was changed", ran.stderr)
        self.assertNotIn("--continue", ran.stderr)
        self.assertEqual(contents(self.tree), before)
        status = self.setup_verb("status")
        self.assertEqual(status.returncode, 0, status.stdout)
        self.assertIn("has not set this machine up", status.stdout)
        self.assertIn("setup plan --root " + self.tree, status.stdout)
        self.applied()
        self.undone(before)

    def test_a_damaged_journal_is_told_and_nothing_goes_on_top_of_it(self):
        self.applied()
        after = contents(self.tree)
        folder = os.path.join(self.env["ESTIVA_STATE_DIR"], "plans/000001")
        with open(folder + "/records", "r+b") as file:
            text = bytearray(file.read())
            text[text.index(b"\n") + 20] ^= 1
            file.seek(0)
            file.write(text)
        for words in (("undo",), ("status",), ("apply", "--yes", "--take-over")):
            ran = self.setup_verb(*words)
            self.assertEqual(ran.returncode, 1, ran.stdout)
            self.assertIn("000001", ran.stderr)
            self.assertIn("is damaged in line 2", ran.stderr)
            self.assertIn(f"move {folder} away", ran.stderr)
        self.assertEqual(contents(self.tree), after)

    def test_the_document_of_an_undo_is_one(self):
        for expected in (1, 0):
            if expected:
                self.applied()
            ran = self.setup_verb("undo", "--yes", "--json")
            self.assertEqual(ran.returncode, 0, ran.stderr)
            document = json.loads(ran.stdout)
            self.assertEqual((document["schema"], len(document["runs"])), ("estiva/setup-undo/1", expected))
            self.assertEqual(document["run"], document["runs"][0] if expected else None)

    def test_one_that_was_cut_off_names_how_to_go_on_and_goes_on(self):
        before = contents(self.tree)
        self.cut_off()
        again = self.setup_verb("apply", "--yes")
        self.assertEqual(again.returncode, 5, again.stdout)
        goes_on, back = (f"estiva setup {what} --root {self.tree}" for what in ("apply --continue", "undo"))
        self.assertIn(f"'{goes_on}' goes on with it, '{back}' takes it back", again.stderr)
        status = self.setup_verb("status")
        self.assertEqual(status.returncode, 1)
        self.assertIn(goes_on, status.stdout)
        done = self.estiva(*goes_on.split()[1:])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.setup_verb("status").returncode, 0)
        self.assertIn("Nothing is to be done", self.setup_verb("apply", "--yes").stdout)
        self.assertEqual(self.setup_verb("apply", "--continue").returncode, 5)
        self.undone(before)

    def test_a_run_on_another_tree_blocks_nothing_and_is_told(self):
        self.cut_off()
        mine, self.tree = self.tree, os.path.join(self.dir, "other")
        machine_change.make("K7", self.base, self.tree)
        fixed = self.estiva("doctor", "--fix", "--yes", "--root", self.tree)
        self.assertNotIn("interrupted", fixed.stderr)
        self.assertIn("Done.", fixed.stdout)
        status = self.setup_verb("status")
        self.assertEqual(status.returncode, 0, status.stdout)
        self.assertIn(f"A run on another tree stands: --root {mine} shows it", status.stdout)
        self.assertNotIn(UNIT, status.stdout)

    def test_what_keep_going_leaves_is_settled(self):
        self.applied()
        with open(self.tree + UNIT, "a") as file:
            file.write("# mine\n")
        self.assertEqual(self.setup_verb("status").returncode, 1)
        self.assertEqual(self.setup_verb("undo", "--keep-going").returncode, 3)
        again = self.setup_verb("undo")
        self.assertEqual((again.returncode, "nothing to undo" in again.stdout), (0, True), again.stderr)
        status = self.setup_verb("status")
        self.assertEqual(status.returncode, 0, status.stdout)
        self.assertIn("1 change that you made since stayed as you left it: " + UNIT, status.stdout)
        with open(self.tree + UNIT) as file:
            self.assertIn("# mine", file.read())
        self.applied()

    def test_doctor_has_the_flags_that_its_refusal_names(self):
        self.write('{\n  "mtu": 1400,\n}\n')
        self.assertIn("Done.", self.estiva("doctor", "--fix", "--yes", "--root", self.tree).stdout)
        self.write('{"mtu": 1300}\n')
        refused = self.estiva("doctor", "--undo", "--yes", "--root", self.tree)
        self.assertEqual(refused.returncode, 5)
        self.assertIn("--keep-going", refused.stderr)
        left = self.estiva("doctor", "--undo", "--keep-going", "--yes", "--root", self.tree)
        self.assertEqual(left.returncode, 3, left.stdout + left.stderr)
        self.assertEqual(self.read(), b'{"mtu": 1300}\n')
        self.assertEqual(self.estiva("doctor", "--undo", "--root", self.tree).returncode, 0)

    def test_a_plan_is_named_by_the_beginning_of_its_hash(self):
        whole = json.loads(self.setup_verb("plan", "--json").stdout)["plan"]["hash"]
        self.assertEqual(len(whole), 64)
        shown = self.setup_verb("plan").stdout
        self.assertIn(f"hash {whole[:12]}\n", shown)
        self.assertEqual(self.setup_verb("apply", "--plan", whole[:7]).returncode, 2)
        slip = ("0" if whole[0] != "0" else "1") + whole[1:12]
        wrong = self.setup_verb("apply", "--plan", slip)
        self.assertEqual(wrong.returncode, 5)
        self.assertIn("there is no plan with the hash " + slip, wrong.stderr)
        done = self.setup_verb("apply", "--plan", whole[:8])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("Why:", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^  1\. done ")
        self.write(OWN)
        another = self.setup_verb("apply", "--plan", whole)
        self.assertEqual(another.returncode, 5)
        self.assertIn("is not what would be done now", another.stderr)

    def test_what_is_left_to_do_stays_until_it_is_done(self):
        done = self.applied().stdout
        left = "Still to do: Docker's settings are in force once Docker was restarted: 'sudo systemctl restart docker.service'"
        self.assertIn(left, done[done.index("Done."):])
        # The tree says itself when its files were changed and its Docker was started.
        self.changed_at(1_790_000_000)
        self.assertIn(left, self.setup_verb("status").stdout)
        self.changed_at(1_770_000_000)
        status = self.setup_verb("status")
        self.assertEqual(status.returncode, 0, status.stdout)
        self.assertNotIn("Still to do", status.stdout)

    def test_a_program_that_says_neither_yes_nor_which_gets_the_plan(self):
        self.write('{"mtu": 1400,}\n')
        ran = self.estiva("doctor", "--fix", "--json", "--root", self.tree)
        self.assertEqual(ran.returncode, 5)
        document = json.loads(ran.stdout)
        self.assertEqual(document["schema"], "estiva/doctor-plan/1")
        self.assertEqual([step["target"] for step in document["plan"]["steps"]], ["/etc/docker/daemon.json"])
        self.assertIn("--plan " + document["plan"]["hash"][:12], ran.stderr)


for name in [name for name in dir(Place) if name.startswith("test_")]:
    if name not in vars(Runs):
        setattr(Runs, name, None)
del Place
if __name__ == "__main__":
    unittest.main()
