"""Past decisions made again by `estiva replay`, on a real daemon's journal."""
import json
import os
import unittest

from harness import Case


class Replay(Case):
    def busy(self):
        self.place.start_simulated("workstation-2")
        for name, size in (("a", "6GiB"), ("b", "7GiB"), ("c", "999GiB"), ("a", "8GiB"), ("d", "1GiB")):
            self.place.estiva("assign", name, "--vram", size)
        self.expect(self.place.estiva("release", "b"), 0)
        self.expect(self.place.estiva("assign", "e", "--vram", "512MiB", "--gpus", "2"), 0)

    def test_the_journal_gives_the_same_answers(self):
        self.busy()
        report = self.expect(self.place.estiva("replay", "--json"), 0).json()
        self.assertEqual(report["schema"], "estiva/replay/1")
        self.assertGreaterEqual(report["decisions"], 6)
        self.assertEqual(report["again"], report["decisions"])
        self.assertEqual(report["differences"], [])
        text = self.expect(self.place.estiva("replay"), 0).out
        self.assertIn("made again, 0 differences", text)

    def test_a_saved_journal_is_made_again_without_a_daemon(self):
        self.busy()
        file = os.path.join(self.place.dir, "journal.jsonl")
        first = self.expect(self.place.estiva("replay", "--save", file, "--json"), 0).json()
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        self.place.stop()
        self.assertEqual(self.expect(self.place.estiva("replay", file, "--json"), 0).json(), first)
        self.expect(self.place.estiva("replay"), 5)

    def test_an_answer_that_would_be_another_one_now_is_shown(self):
        self.busy()
        file = os.path.join(self.place.dir, "journal.jsonl")
        self.expect(self.place.estiva("replay", "--save", file), 0)
        with open(file) as saved:
            document = json.loads(saved.read())
        granted = [r for r in document["records"] if r["kind"] == "assigned"]
        granted[0]["decision"]["shares"][0]["bytes"] += 1
        with open(file, "w") as saved:
            saved.write(json.dumps(document, indent=1))
        ran = self.expect(self.place.estiva("replay", file), 1)
        self.assertIn("the placement would not be the same", ran.out)
        report = self.expect(self.place.estiva("replay", file, "--json"), 1).json()
        self.assertEqual(report["differences"][0]["what"], "placement")
        self.assertEqual(report["differences"][0]["model"], granted[0]["subject"])

    def test_what_is_no_journal_is_named(self):
        file = self.place.file("x", "not json")
        self.expect(self.place.estiva("replay", file), 1)
        self.expect(self.place.estiva("replay", file + ".gone"), 1)
        other = self.place.file("y", '{"schema":"estiva/status/1"}')
        self.assertIn("no journal with decisions", self.expect(self.place.estiva("replay", other), 2).err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
