"""The spec of every tree of driver_tree_table.py against the referee, and some against a golden file.

UPDATE_GOLDEN=1 writes the golden files anew."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import driver_tree  # noqa: E402
import referee  # noqa: E402
from driver_tree_table import ROOTS  # noqa: E402

BUILD = os.environ.get("ESTIVA_BUILD_DIR", os.path.join(HERE, "../../build/dev"))
GOLDEN = os.path.join(HERE, "../golden/cdi")
SOURCE = "made by tests/cdi/trees_test.py (UPDATE_GOLDEN=1) from the tree {} of tests/driver_tree_table.py"


def ask(root, options):
    done = subprocess.run([os.path.join(BUILD, "cdi_of_tree"), root, *options], capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout


def nodes_of(edits):
    return {node["path"]: node.get("hostPath", node["path"]) for node in edits["nodes"]}


def needed_version(spec):
    edits = [spec["edits"], *spec["devices"]]
    if any(part["gids"] for part in edits):
        return "0.7.0"
    names_digit = any(device["name"][0].isdigit() for device in spec["devices"])
    by_path = any("hostPath" in node for part in edits for node in part["nodes"])
    return "0.5.0" if names_digit or by_path else "0.3.0"


class Trees(unittest.TestCase):
    maxDiff = None

    def make(self, name):
        folder = tempfile.TemporaryDirectory(prefix="estiva-tree-")
        self.addCleanup(folder.cleanup)
        return folder.name, driver_tree.make(name, folder.name)

    def test_each_spec_has_what_the_tree_has_and_nothing_else(self):
        for name, row in ROOTS.items():
            if "refusal" not in row:
                with self.subTest(tree=name, about=row["about"]):
                    self.one(name, row.get("options", []))

    def one(self, name, options):
        root, row = self.make(name)
        code, text = ask(root, options)
        self.assertEqual(code, 0, text)
        spec, host = json.loads(text), referee.Host(root)
        edits = spec["edits"]
        mounts = {m["container"]: (m["host"], m["options"]) for m in edits["mounts"]}
        self.assertEqual(mounts, referee.mounts(host, options))
        self.assertEqual(len(mounts), len(edits["mounts"]), "a place is mounted twice")
        self.assertEqual(sorted(mounts), [m["container"] for m in edits["mounts"]], "mounts are not sorted")
        self.assertEqual(nodes_of(edits), referee.common_nodes(host))
        self.assertEqual({d["name"]: nodes_of(d) for d in spec["devices"]}, referee.devices(host, options))
        self.groups(spec, host, options)
        self.assertEqual(edits["env"][0], "NVIDIA_VISIBLE_DEVICES=void")
        name, folder = edits["env"][1].split("=")
        self.assertEqual((name, len(edits["env"])), ("TRITON_LIBCUDA_PATH", 2))
        self.assertIn(folder + "/libcuda.so.1", mounts)
        self.assertNotIn("i386", folder)
        self.assertEqual(sum(part["hooks"] for part in [edits, *spec["devices"]]), 0)
        self.assertNotIn('"numbers"', text)
        self.assertEqual(spec["version"], needed_version(spec))
        for path in [host_path for host_path, _ in mounts.values()] + list(nodes_of(edits).values()):
            self.assertTrue(host.exists(path), path)
        self.notes(spec, row)
        self.assertEqual(ask(root, options)[1], text, "two runs differ")

    def groups(self, spec, host, options):
        may = "--newest" in options and options[options.index("--newest") + 1] >= "0.7.0"
        for edits in [spec["edits"], *spec["devices"]]:
            self.assertEqual(edits["gids"], referee.groups(host, nodes_of(edits)) if may else [])

    def notes(self, spec, row):
        wanted = row.get("notes", [])
        if not wanted and os.geteuid() == 0:
            self.assertEqual(spec["notes"], [])
        for note in wanted:
            if "group" not in note and "/dev/dri" not in note or os.geteuid() == 0:
                self.assertTrue(any(note in said for said in spec["notes"]), (note, spec["notes"]))

    def test_what_would_not_work_is_refused_with_a_remedy(self):
        refused = {name: row for name, row in ROOTS.items() if "refusal" in row}
        self.assertGreaterEqual(len(refused), 10)
        for name, row in refused.items():
            with self.subTest(tree=name):
                root, _ = self.make(name)
                code, text = ask(root, row.get("options", []))
                self.assertEqual(code, 1)
                self.assertEqual(list(json.loads(text)), ["error"])
                self.assertIn(row["refusal"], json.loads(text)["error"])
                self.assertRegex(json.loads(text)["error"], r"\. [A-Z'].+")

    def test_golden_specs(self):
        names = [name for name, row in ROOTS.items() if row.get("golden")]
        self.assertGreaterEqual(len(names), 6)
        for name in names:
            with self.subTest(tree=name):
                root, row = self.make(name)
                _, text = ask(root, row.get("options", []))
                source = SOURCE.format(name)
                fresh = "# " + source + "\n" + json.dumps(json.loads(text), indent=1) + "\n"
                path = os.path.join(GOLDEN, name + ".txt")
                if os.environ.get("UPDATE_GOLDEN"):
                    with open(path, "w", encoding="utf-8") as out:
                        out.write(fresh)
                with open(path, encoding="utf-8") as file:
                    self.assertEqual(file.read(), fresh)

    def test_an_engine_that_reads_too_little_is_named(self):
        root, _ = self.make("ubuntu")
        code, text = ask(root, ["--newest", "0.4.0"])
        self.assertEqual((code, "needs 0.5.0" in text), (1, True))
        self.assertEqual(ask(root, ["--newest", "0.5.0"])[0], 0)
        self.assertEqual(ask(root, ["--newest", "0.5"])[0], 1)

    def test_names_on_request(self):
        root, _ = self.make("eight-gpus")

        def names(*options):
            return [device["name"] for device in json.loads(ask(root, options)[1])["devices"]]
        short, long = [str(i) for i in range(8)], driver_tree.UUIDS
        self.assertEqual(names(), short + long + ["all"])
        self.assertEqual(names("--no-uuid"), short + ["all"])
        self.assertEqual(names("--no-index", "--no-all"), long)
        self.assertEqual(names("--no-index", "--no-uuid"), ["all"])
        code, text = ask(root, ["--no-index", "--no-uuid", "--no-all"])
        self.assertEqual((code, "no device has a name" in text), (1, True))

    def test_the_corpus_is_as_large_as_promised(self):
        self.assertGreaterEqual(len(ROOTS), 30)


if __name__ == "__main__":
    unittest.main()
