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
        """Run from beside the tree: relative files are the caller's, absolute ones are the tree's."""
        return subprocess.run([ESTIVA, "cdi", *words, "--root", self.tree], text=True, capture_output=True, timeout=60,
                              cwd=self.dir)

    def test_what_is_generated_is_good_and_the_same_each_time(self):
        self.make("debian")
        first = self.cdi("generate")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(self.cdi("generate", "-o", "-").stdout, first.stdout)
        self.assertTrue(first.stdout.startswith("cdiVersion: "))
        self.assertNotIn("major", first.stdout, "frozen numbers are wrong after a reboot")
        self.assertNotIn("hooks", first.stdout)
        done = self.cdi("generate", "--output", "made.yaml")
        self.assertEqual([done.returncode, done.stdout], [0, "Written: made.yaml\n"])
        self.assertEqual(os.stat(self.dir + "/made.yaml").st_mode & 0o777, 0o644)
        checked = self.cdi("check", "made.yaml")
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
                done = self.cdi("generate", "-o", "none.yaml")
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
        done = self.cdi("generate", "-o", "made.yml")
        self.assertEqual(done.returncode, 2)
        self.assertIn(".yaml or .json", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.dir, "made.yml")))

    def test_list_says_which_file_wins(self):
        self.make("debian")
        for folder in ("etc/cdi", "var/run/cdi"):
            self.assertEqual(self.cdi("generate", "-o", f"/{folder}/nvidia.yaml").returncode, 0)
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
        self.cdi("generate", "-o", "old.yaml")
        with open(file) as now:
            text = now.read()
        with open(file, "w") as then:
            then.write(text.replace(".550.163.01", ".545.29.06"))
        done = self.cdi("check", "old.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"old\.yaml:\d+: C8: ")

    def test_an_absolute_path_is_inside_the_tree(self):
        self.make("debian")
        name = f"/etc/cdi/only-in-a-tree-{os.getpid()}.yaml"
        done = self.cdi("generate", "-o", name)
        self.assertEqual([done.returncode, done.stdout], [0, f"Written: {self.tree}{name}\n"], done.stderr)
        self.assertFalse(os.path.exists(name), "the tree's file was written to this machine")
        self.assertEqual(os.listdir(self.tree + "/etc/cdi"), [os.path.basename(name)])
        checked = self.cdi("check", name)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertTrue(checked.stdout.startswith(name + ": good"), checked.stdout)
        missing = self.cdi("check", self.tree + name)
        self.assertEqual(missing.returncode, 1)
        self.assertIn(f"reading {self.tree}{self.tree}{name}", missing.stderr)

    def test_a_link_in_the_tree_does_not_lead_out_of_it(self):
        self.make("debian")
        os.makedirs(self.dir + "/outside")
        os.symlink(self.dir + "/outside", self.tree + "/etc/cdi")
        done = self.cdi("generate", "-o", "/etc/cdi/nvidia.yaml")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(os.listdir(self.dir + "/outside"), [])

    def test_only_cdis_own_folders_are_made(self):
        self.make("debian")
        for name in ("/srv/there-is-none/x.yaml", "there-is-none/x.yaml"):
            done = self.cdi("generate", "-o", name)
            self.assertEqual([done.returncode, done.stdout], [1, ""], name)
            self.assertIn("there is no folder", done.stderr)
        self.assertFalse(os.path.exists(self.tree + "/srv/there-is-none"))
        self.assertFalse(os.path.exists(self.dir + "/there-is-none"))
        for folder in ("/etc/cdi", "/run/cdi", "/var/run/cdi"):
            self.assertEqual(self.cdi("generate", "-o", folder + "/nvidia.yaml").returncode, 0, folder)

    def test_check_shows_all_that_engines_refuse(self):
        self.make("debian")
        self.cdi("generate", "-o", "bad.json")
        with open(self.dir + "/bad.json") as file:
            spec = json.load(file)
        spec["cdiVersion"] = "9"
        spec["kind"] = "nvidia.com/"
        spec["devices"][0]["name"] = "a b"
        with open(self.dir + "/bad.json", "w") as file:
            json.dump(spec, file)
        done = self.cdi("check", "bad.json")
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("more)", done.stdout)
        for place in ("cdiVersion: ", "kind: ", "devices[0].name: "):
            self.assertIn(place, done.stdout)
        one = json.loads(self.cdi("check", "--json", "bad.json").stdout)["files"][0]
        places = [violation["place"] for violation in one["violations"]]
        self.assertEqual([one["wrong"], len(places)], [True, len(set(places))])
        self.assertLessEqual({"cdiVersion", "kind", "devices[0].name"}, set(places))

    def test_help_shows_o_and_what_root_means(self):
        told = subprocess.run([ESTIVA, "cdi", "--help"], text=True, capture_output=True, timeout=60).stdout
        self.assertIn("-o, --output FILE", told)
        self.assertIn("absolute paths of files are inside it", told)


if __name__ == "__main__":
    unittest.main()
