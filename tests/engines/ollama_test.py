"""Models inside an Ollama server: a stand-in for it, which speaks its documented API."""
import os
import signal
import subprocess
import sys
import time
import unittest

import by_hand
from harness import MIB, Place, process_lives, until

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "../stands")))
from ollama_stand import Model, OllamaStand  # noqa: E402

STAND = sys.modules["ollama_stand"].__file__


class Ollama(unittest.TestCase):
    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.remove)
        self.server = OllamaStand(self.place.dir + "/o", {
            "tiny:latest": Model(8 * MIB), "big:7b": Model(16 * MIB, parameters="num_ctx 1000\n"),
            "words:latest": Model(4 * MIB, embedding=True)})
        self.addCleanup(self.server.close)

    def hand(self, model, **spec):
        hand = by_hand.Hand("ollama", env=self.place.env, **{"model": model, "url": self.server.url, **spec})
        self.addCleanup(hand.close)
        return hand

    def expect_ok(self, answer):
        self.assertTrue(answer["ok"], answer)
        return answer

    def expect_error(self, answer, kind, *parts):
        self.assertFalse(answer["ok"], answer)
        self.assertEqual(answer["kind"], kind, answer)
        for part in parts:
            self.assertIn(part, answer["what"] + ". " + answer["remedy"])

    def paths(self):
        return [path for path, _ in self.server.calls]

    def test_loaded_and_unloaded(self):
        hand = self.hand("tiny")
        facts = self.expect_ok(hand.do("probe"))
        self.assertTrue(facts["version"].startswith("0.12.3 ("), facts)
        # 2 layers of 2 heads of 64 numbers, keys and values, 2 bytes each, for 4,096 tokens.
        self.assertEqual(facts["estimate"], 8 * MIB + 4096 * 2 * 2 * 64 * 2 * 2)
        self.assertNotIn("/api/generate", self.paths(), "a probe loads nothing")
        running = self.expect_ok(hand.do("load"))
        pid = self.server.pid("tiny:latest")
        self.assertEqual(running["pid"], pid)
        self.assertEqual("http://" + running["endpoint"], self.server.url)
        self.assertEqual([line["pid"] for line in hand.told if line["told"] == "started"], [pid])
        self.assertEqual(hand.told[0]["told"], "kept")
        self.assertIn(("/api/generate", {"model": "tiny", "keep_alive": -1, "stream": False}), self.server.calls)
        self.assertEqual(hand.do("roots")["roots"], [pid])
        self.server.unload_seconds = 0.5
        self.expect_ok(hand.do("stop"))
        self.assertFalse(process_lives(pid), "the list alone is no evidence that it is gone")
        self.assertEqual(self.server.loaded, {})
        self.assertEqual(hand.times_told("ended"), 0)
        self.assertEqual(hand.do("record")["record"], "")
        self.expect_ok(hand.do("stop"))
        self.expect_ok(hand.do("load"))
        self.assertNotIn("/api/delete", self.paths())

    def test_what_a_context_of_its_own_takes(self):
        self.assertEqual(self.expect_ok(self.hand("big:7b").do("probe"))["estimate"], 16 * MIB + 1000 * 2 * 2 * 64 * 2 * 2)

    def test_an_embedding_model(self):
        hand = self.hand("words")
        self.expect_ok(hand.do("load"))
        self.assertIn(("/api/embed", {"model": "words", "keep_alive": -1, "input": ""}), self.server.calls)
        self.expect_ok(hand.do("stop"))
        self.assertEqual(self.server.loaded, {})

    def test_two_models_are_two_runners(self):
        one, two = self.hand("tiny"), self.hand("big:7b")
        first, second = self.expect_ok(one.do("load"))["pid"], self.expect_ok(two.do("load"))["pid"]
        self.assertNotEqual(first, second)
        self.expect_ok(one.do("stop"))
        self.assertTrue(process_lives(second))
        self.assertEqual(two.times_told("ended"), 0)

    def test_a_part_on_the_cpu_is_no_load(self):
        self.server.vram = 5 * MIB
        hand = self.hand("tiny")
        self.expect_error(hand.do("load"), "no_room", "3MiB of the 8MiB", "on the CPU", "num_ctx")
        self.assertEqual(self.server.loaded, {}, "and it was unloaded")
        self.server.vram = 8 * MIB
        self.expect_ok(hand.do("load"))

    def test_its_errors(self):
        self.expect_error(self.hand("tinny").do("load"), "not_found", "'tinny'", "ollama pull tinny")
        hand = self.hand("tiny")
        self.server.error = (500, "llama runner process has terminated: cudaMalloc failed: out of memory")
        self.expect_error(hand.do("load"), "no_room", "cudaMalloc failed")
        self.server.error = (500, "model requires more system memory (5.6 GiB) than is available (1.2 GiB)")
        self.expect_error(hand.do("load"), "no_room", "5.6 GiB")
        self.server.error = (500, "invalid file magic")
        self.expect_error(hand.do("load"), "failed", "invalid file magic")
        self.expect_error(self.hand("tiny", url="http://127.0.0.1:1").do("probe"), "not_found", "ollama serve")
        self.expect_error(self.hand("tiny", url="https://example.org").do("probe"), "usage", "speaks no TLS")

    def test_a_load_that_takes_too_long(self):
        self.server.load_seconds = 30
        begun = time.monotonic()
        self.expect_error(self.hand("tiny", load_limit=1, stop_limit=1).do("load"), "timed_out", "within 1 s")
        self.assertLess(time.monotonic() - begun, 20)

    def test_a_load_that_is_ended(self):
        self.server.load_seconds = 2
        hand = self.hand("tiny")
        hand.say("load")
        until(lambda: "/api/generate" in self.paths(), "it is asked to load")
        hand.say("stop")
        self.expect_error(hand.next("did", "load"), "refused")
        self.expect_ok(hand.next("did", "stop"))

    def test_its_end_is_noticed(self):
        hand = self.hand("tiny")
        os.kill(self.expect_ok(hand.do("load"))["pid"], signal.SIGKILL)
        self.assertIn("'tiny'", hand.ended())
        self.assertEqual(hand.do("record")["record"], "")
        self.expect_ok(hand.do("load"))

    def test_a_new_daemon_goes_on_with_it(self):
        first = self.hand("tiny")
        pid = self.expect_ok(first.do("load"))["pid"]
        record = first.do("record")["record"]
        first.close()
        self.assertTrue(process_lives(pid))
        second = self.hand("tiny")
        self.assertEqual(self.expect_ok(second.do("adopt " + record))["pid"], pid)
        self.expect_ok(second.do("stop"))
        self.expect_error(second.do("adopt " + record), "not_found", "any more")

    def test_another_server_s_runner_is_not_taken_for_it(self):
        other = subprocess.Popen([sys.executable, "-B", STAND, self.place.dir + "/o2", f"tiny:latest={8 * MIB}"], text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(other.stdout.close)
        self.addCleanup(other.wait)
        self.addCleanup(other.stdin.close)
        theirs = self.hand("tiny", url=other.stdout.readline().strip())
        theirs_pid = self.expect_ok(theirs.do("load"))["pid"]
        self.assertGreater(theirs_pid, 0)
        hand = self.hand("tiny")
        self.assertEqual(self.expect_ok(hand.do("load"))["pid"], self.server.pid("tiny:latest"))
        self.expect_ok(hand.do("stop"))
        self.assertTrue(process_lives(theirs_pid))

    def test_a_request_under_way_keeps_it(self):
        hand = self.hand("tiny", stop_limit=1)
        pid = self.expect_ok(hand.do("load"))["pid"]
        self.server.loaded["tiny:latest"].requests = 1
        self.expect_error(hand.do("stop"), "timed_out", "Requests under way")
        self.assertTrue(process_lives(pid), "nothing of somebody else's server is killed")
        self.server.loaded["tiny:latest"].requests = 0
        self.expect_ok(hand.do("stop"))


if __name__ == "__main__":
    unittest.main()
