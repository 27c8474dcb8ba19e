"""./run as a user sees it: the demonstration and the live report, on the programs of this build."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ESTIVA_BUILD", ROOT / "build/dev"))
TIMEOUT = 120


def run(*options):
    return subprocess.run([ROOT / "run", "--programs", BUILD, *options], capture_output=True, text=True,
                          check=False, timeout=TIMEOUT, stdin=subprocess.DEVNULL)


def leftovers():
    """Folders of demonstrations that are still there."""
    return {path.name for path in (ROOT / "build/run").glob("*")}


def alive(pid):
    return pathlib.Path(f"/proc/{pid}").exists()


class Demonstration(unittest.TestCase):
    """One run of a few seconds; every test looks at what it printed."""

    @classmethod
    def setUpClass(cls):
        cls.before = leftovers()
        cls.done = run("--simulate", "--seconds", "16", "--interval", "2")
        cls.output = cls.done.stdout
        # "$ estiva assign xtts --vram ..." and what follows until the next command
        cls.commands = re.findall(r"^\$ estiva (.+)\n((?:(?!\$ estiva ).*\n)*)", cls.output, re.M)

    def answers(self, command):
        return [text for words, text in self.commands if words.startswith(command)]

    def test_it_ends_by_itself_and_cleanly(self):
        self.assertEqual(self.done.returncode, 0, self.output + self.done.stderr)
        self.assertIn("daemon: stopped", self.output)

    def test_simulation_is_said(self):
        self.assertIn("SIMULATED", self.output)

    def test_the_gpus_are_shown_first(self):
        self.assertEqual(self.commands[0][0], "gpu")
        self.assertRegex(self.commands[0][1], r"(?i)GiB|MiB")

    def test_models_of_different_sizes_are_assigned(self):
        sizes = re.findall(r"^\$ estiva assign (\S+) --vram (\d+)MiB", self.output, re.M)
        self.assertGreaterEqual(len({size for name, size in sizes}), 4)

    def test_a_model_that_is_already_placed_is_recognised(self):
        first, again = self.answers("assign xtts")
        self.assertNotIn("already", first)
        self.assertIn("already", again)

    def test_a_model_that_is_too_big_is_refused_with_a_reason(self):
        (refusal,) = self.answers("assign too-big")
        self.assertRegex(refusal, r"(?i)GiB|MiB")
        self.assertNotIn("too-big", "".join(self.answers("leases")))

    def test_what_was_assigned_is_listed_and_then_released(self):
        before, after = self.answers("leases")
        for name in ("xtts", "whisper"):
            self.assertIn(name, before)
            self.assertNotIn(name, after)

    def test_two_models_that_exceed_the_card_are_both_served(self):
        (stress,) = self.answers("stress xtts f5tts")
        for name in ("f5tts", "xtts"):
            requests, errors, ooms, swaps = map(int, re.search(rf"^{name} +(\d+) +(\d+) +(\d+) +(\d+)", stress,
                                                               re.M).groups())
            self.assertGreaterEqual(min(requests, swaps), 2, stress)
            self.assertEqual((errors, ooms), (0, 0), stress)
        self.assertIn("all of it came back", stress)
        self.assertIn("out of memory with estiva: 0\n", self.output)
        self.assertRegex(self.output, r"out of memory when both start without it: [1-9]")

    def test_the_report_is_printed_at_each_interval(self):
        (report,) = self.answers("status --watch --interval 2s")
        self.assertGreaterEqual(report.count("gpu status"), 2)

    def test_nothing_is_left_behind(self):
        pid = re.search(r"daemon: running \(process (\d+)\)", self.output).group(1)
        self.assertFalse(alive(pid))
        self.assertEqual(leftovers() - self.before, set())


class Edges(unittest.TestCase):
    def test_ctrl_c_stops_it_cleanly(self):
        process = subprocess.Popen([ROOT / "run", "--programs", BUILD, "--simulate"], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                                   start_new_session=True)
        output = []
        deadline = time.monotonic() + TIMEOUT
        for line in process.stdout:
            output.append(line)
            if "gpu status" in line or time.monotonic() > deadline:
                break
        # A terminal sends it to the whole group.
        os.killpg(process.pid, signal.SIGINT)
        output.append(process.communicate(timeout=TIMEOUT)[0])
        self.assertEqual(process.returncode, 0, "".join(output))
        self.assertIn("daemon: stopped", "".join(output))

    def test_a_build_without_programs_is_an_error_with_a_remedy(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([ROOT / "run", "--programs", folder, "--seconds", "1"], capture_output=True,
                                  text=True, check=False, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 1)
        self.assertIn("build it first", done.stderr)

    def test_a_daemon_that_cannot_start_shows_its_log(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "estiva"
            program.write_text("#!/bin/bash\necho 'the disk is on fire' >&2\nexit 1\n")
            program.chmod(0o755)
            done = subprocess.run([ROOT / "run", "--programs", folder, "--seconds", "1"], capture_output=True,
                                  text=True, check=False, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the disk is on fire", done.stderr)

    def test_wrong_usage(self):
        for words in (["--seconds", "0"], ["--seconds", "soon"], ["--seconds"], ["--interval", "-1"], ["--fast"]):
            done = subprocess.run([ROOT / "run", *words], capture_output=True, text=True, check=False,
                                  timeout=TIMEOUT)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("usage", done.stderr)


if __name__ == "__main__":
    unittest.main()
