"""'estiva cdi' on fake driver trees: what is generated is judged good, is the same each time, and is never there
where it would not work."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import ESTIVA

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
TREES = os.path.join(ROOT, "tests/driver_tree.py")


class Cdi(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can make a device node")
        self.dir = tempfile.mkdtemp(prefix="estiva-cdi-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.tree = os.path.join(self.dir, "tree")

    def make(self, name):
        shutil.rmtree(self.tree, True)
        subprocess.run([sys.executable, TREES, name, self.tree, "--nodes"], check=True)

    def cdi(self, *words):
        return subprocess.run([ESTIVA, "cdi", *words, "--root", self.tree], text=True, capture_output=True, timeout=60)

    def test_what_is_generated_is_good_and_the_same_each_time(self):
        self.make("debian")
        first = self.cdi("generate")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(self.cdi("generate", "-o", "-").stdout, first.stdout)
        self.assertTrue(first.stdout.startswith("cdiVersion: "))
        self.assertNotIn("major", first.stdout, "frozen numbers are wrong after a reboot")
        self.assertNotIn("hooks", first.stdout)
        file = os.path.join(self.dir, "made.yaml")
        done = self.cdi("generate", "--output", file)
        self.assertEqual([done.returncode, done.stdout], [0, f"Written: {file}\n"])
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o644)
        checked = self.cdi("check", file)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertIn("good", checked.stdout)
        as_json = self.cdi("generate", "--json")
        self.assertEqual(json.loads(as_json.stdout)["kind"], "nvidia.com/gpu")

    def test_a_kind_of_our_own(self):
        self.make("debian")
        made = json.loads(self.cdi("generate", "--json", "--kind", "estiva.dev/gpu").stdout)
        self.assertEqual(made["kind"], "estiva.dev/gpu")
        self.assertEqual(self.cdi("generate", "--kind", "no kind").returncode, 2)

    def test_no_file_is_left_where_it_would_not_work(self):
        for name in ("no-uvm", "no-libcuda"):
            with self.subTest(name):
                self.make(name)
                file = os.path.join(self.dir, "none.yaml")
                done = self.cdi("generate", "-o", file)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertFalse(os.path.exists(file))
                self.assertNotEqual(done.stderr, "")

    def test_without_a_gpu_there_is_nothing_to_do(self):
        os.makedirs(self.tree + "/proc")
        done = self.cdi("generate")
        self.assertEqual([done.returncode, done.stdout], [3, ""])
        self.assertIn("no NVIDIA GPU", done.stderr)

    def test_a_name_that_engines_do_not_read(self):
        self.make("debian")
        done = self.cdi("generate", "-o", os.path.join(self.dir, "made.yml"))
        self.assertEqual(done.returncode, 2)
        self.assertIn(".yaml or .json", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.dir, "made.yml")))

    def test_list_says_which_file_wins(self):
        self.make("debian")
        for folder in ("etc/cdi", "var/run/cdi"):
            self.assertEqual(self.cdi("generate", "-o", os.path.join(self.tree, folder, "nvidia.yaml")).returncode, 0)
        listed = json.loads(self.cdi("list", "--json").stdout)
        device = next(one for one in listed["devices"] if one["name"] == "nvidia.com/gpu=all")
        self.assertEqual([device["file"], device["shadowed"]],
                         ["/var/run/cdi/nvidia.yaml", ["/etc/cdi/nvidia.yaml"]])
        shutil.copy(self.tree + "/var/run/cdi/nvidia.yaml", self.tree + "/var/run/cdi/second.yaml")
        done = self.cdi("list")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there for nobody", done.stdout)

    def test_check_names_the_line(self):
        self.make("debian")
        file = os.path.join(self.dir, "old.yaml")
        self.cdi("generate", "-o", file)
        with open(file) as now:
            text = now.read()
        with open(file, "w") as then:
            then.write(text.replace(".550.163.01", ".545.29.06"))
        done = self.cdi("check", file)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"old\.yaml:\d+: C8: ")


if __name__ == "__main__":
    unittest.main()
