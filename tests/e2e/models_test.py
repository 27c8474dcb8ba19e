"""Models that share a GPU: more than fit at once, loaded for requests, and what no other manager of
models does. Real processes behind the real gateway; the GPU is simulated."""
import http.client
import json
import os
import subprocess
import threading
import time
import unittest

import harness
from models_place import Clients, ENGINE, ModelsPlace, free_port, model

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
TWO = model("xtts", "3500MiB", load_time=100) + model("f5tts", "2GiB", load_time=100)


class ModelsCase(unittest.TestCase):
    def setUp(self):
        if harness.has_real_gpu():
            self.skipTest("this machine has a real GPU: simulation is refused there")
        self.place = ModelsPlace()
        self.addCleanup(self.place.remove)
        self.estiva = self.place.estiva

    def begin(self, models):
        self.place.begin(models)
        self.place.until_gateway()

    def state(self, name):
        return self.place.models()[name]["state"]


class Swap(ModelsCase):
    """The seed's case: 3.5 GB and 2 GB on a card of 4 GB."""

    def test_both_answer_from_one_card_without_running_out_of_memory(self):
        self.begin(TWO)
        for _ in range(3):
            for name in ("xtts", "f5tts"):
                status, body, _ = self.place.speak(name)
                self.assertEqual((status, body[:4]), (200, b"RIFF"), self.place.read_log())
        self.assertEqual(self.place.ooms(), 0)
        models = self.place.models()
        self.assertEqual([models[name]["starts_total"] for name in ("xtts", "f5tts")], [3, 3])
        self.assertEqual(models["f5tts"]["state"], "resident")
        harness.until(lambda: self.place.models()["f5tts"]["vram_bytes"]["measured"] == 2 << 30, "it is measured")
        self.assertEqual(models["xtts"]["vram_bytes"]["charged"], 0)

    def test_without_estiva_the_same_two_run_out_of_memory(self):
        self.begin(TWO)
        children = [subprocess.Popen([ENGINE, "--port", str(free_port()), "--vram", vram],
                                     env=self.place.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    for vram in ("3500MiB", "2GiB")]
        self.addCleanup(lambda: [(child.kill(), child.wait()) for child in children])
        harness.until(lambda: self.place.ooms() > 0, "one of them is out of memory")

    def test_those_that_fit_together_stay_together(self):
        self.begin(model("a", "1GiB") + model("b", "2GiB"))
        for name in ("a", "b", "a", "b"):
            self.assertEqual(self.place.speak(name)[0], 200)
        models = self.place.models()
        self.assertEqual([(m["state"], m["starts_total"]) for m in models.values()], [("resident", 1)] * 2)

    def test_alternating_requests_on_one_connection_reach_the_right_engine(self):
        self.begin(model("a", "1GiB") + model("b", "2GiB"))
        ports = {}
        connection = self.place.connection()
        for i in range(40):
            name = "ab"[i % 2]
            connection.request("POST", "/v1/chat/completions", json.dumps({"messages": [], "model": name}))
            answer = json.loads(connection.getresponse().read())
            self.assertEqual(ports.setdefault(name, answer["port"]), answer["port"])
        self.assertEqual(len(set(ports.values())), 2)
        self.assertEqual(ports["a"], int(self.place.models()["a"]["endpoint"].rsplit(":", 1)[1]))


class Words(ModelsCase):
    """What a person says: load, unload, pin, policy, pause, explain, reload."""

    def test_a_model_is_loaded_shown_and_unloaded(self):
        self.begin(TWO)
        self.assertEqual(self.estiva("load", "xtts").out, "xtts is loaded\n")
        harness.until(lambda: self.place.models()["xtts"]["vram_bytes"]["measured"] > 0, "it is measured")
        shown = self.estiva("models").out
        self.assertRegex(shown, r"xtts +process +resident +3.42 GiB")
        self.assertIn("swap", shown)
        self.assertRegex(self.estiva("explain", "xtts").out, "xtts is resident since .*\n")
        self.assertEqual(self.estiva("unload", "--all").out, "xtts is unloaded\n")
        self.assertEqual(self.state("xtts"), "absent")
        self.assertEqual(self.place.leases(), {})

    def test_a_name_that_is_none_names_the_nearest(self):
        self.begin(TWO)
        said = self.estiva("load", "xtt")
        self.assertEqual(said.code, 1)
        self.assertIn("Did you mean 'xtts'", said.err)
        self.assertEqual(self.place.speak("xtt")[0], 404)

    def test_a_pinned_model_stays_and_the_other_is_told_why(self):
        self.begin(TWO)
        self.estiva("load", "xtts")
        self.assertEqual(self.estiva("pin", "xtts").code, 0)
        status, body, headers = self.place.speak("f5tts")
        self.assertEqual(status, 503, body)
        self.assertEqual(self.state("xtts"), "resident")
        self.estiva("pin", "--off", "xtts")
        self.assertEqual(self.place.speak("f5tts")[0], 200)

    def test_always_unload_is_in_force_at_once_and_shown(self):
        self.begin(model("a", "1GiB"))
        self.assertEqual(self.estiva("models", "policy", "a", "always-unload").code, 0)
        self.assertEqual(self.place.models()["a"]["policy_from"], "command")
        self.assertEqual(self.place.speak("a")[0], 200)
        harness.until(lambda: self.state("a") == "absent", "it left after its request")

    def test_status_says_the_policy_in_force_and_who_set_it(self):
        self.begin(model("a", "1GiB", 'policy = "keep"') + model("b", "1GiB", 'ttl = "90s"'))
        self.assertEqual(self.estiva("models", "policy", "a", "swap").code, 0)
        self.assertEqual(self.estiva("load", "b").code, 0)
        shown = self.estiva("status").out
        self.assertRegex(shown, r"a +absent +swap \(by command; configured: keep\) +command +for others only")
        self.assertRegex(shown, r"b +resident +swap +configuration +after 90 s \(model\)")
        document = json.loads(self.estiva("status", "--json").out)
        b = {m["name"]: m for m in document["models"]}["b"]
        self.assertEqual((b["policy_from"], b["ttl_from"], b["ttl_seconds"]), ("configuration", "model", 90))
        self.assertLessEqual(b["leaves_in_seconds"], 90)
        self.assertIn(document["on_battery"], (True, False))

    def test_a_pause_empties_the_gpu_and_holds_loads_until_it_ends(self):
        self.begin(TWO)
        self.estiva("load", "xtts")
        self.assertEqual(self.estiva("pause").code, 0)
        self.assertEqual(self.state("xtts"), "absent")
        self.assertEqual(self.place.speak("xtts")[0], 503)
        self.assertEqual(self.estiva("resume").code, 0)
        self.assertEqual(self.place.speak("xtts")[0], 200)

    def test_a_new_configuration_is_taken_on_with_the_differences_shown(self):
        self.begin(TWO)
        self.estiva("load", "xtts")
        pid = self.place.models()["xtts"]["pid"]
        self.place.file("estiva.toml", TWO.replace("[models.f5tts]", "[models.other]"))
        self.assertEqual(self.estiva("models", "reload", "--dry-run").out, "added other\nremoved f5tts\n")
        self.assertIn("f5tts", self.place.models())
        self.assertEqual(self.estiva("models", "reload").code, 0)
        self.assertEqual(sorted(self.place.models()), ["other", "xtts"])
        self.assertEqual(self.place.models()["xtts"]["pid"], pid)
        self.assertEqual(self.place.speak("other")[0], 200)


class Estimates(ModelsCase):
    """A model whose need nobody declared, from its GGUF. Its server is a stand-in that notes its words."""

    def test_the_need_is_told_from_the_file_and_the_server_is_held_to_it(self):
        gguf = os.path.join(self.place.dir, "tiny.gguf")
        subprocess.run(["python3", "-B", os.path.join(ROOT, "tests/tiny_gguf.py"), gguf], check=True)
        noted = os.path.join(self.place.dir, "words")
        server = self.place.file("server", f"""#!/bin/sh
[ "$1" = --version ] && exit 0
echo "$@" >{noted}
while [ "$1" != --port ]; do shift; done
exec {ENGINE} --port "$2" --vram 600MiB
""")
        os.chmod(server, 0o755)
        self.begin(f'[models.tiny]\nengine = "llama-server"\nfile = "{gguf}"\ncommand = ["{server}"]\n')
        need = lambda: self.place.models()["tiny"]["vram_bytes"]["need"]
        harness.until(lambda: need() > 0, "its need is known before it was ever loaded")
        self.assertTrue(457 << 20 < need() < 1 << 30, need())
        self.assertEqual(self.estiva("load", "tiny").code, 0, self.place.read_log())
        with open(noted) as file:
            self.assertRegex(file.read(), r"--model .*/tiny.gguf .* -c [0-9]+\n")
        harness.until(lambda: need() == 600 << 20, "what it takes is asked for from now on")


class Fairness(ModelsCase):
    def test_the_second_model_is_served_within_its_bound(self):
        """The probe in which three other managers never served it (40 s each)."""
        slow = model("a", "3500MiB", 'quantum = "2s"', answer_time=600)
        self.begin(slow + model("b", "2GiB", 'quantum = "2s"'))
        self.place.speak("a")
        clients = Clients(self.place, "a", 3)
        began = time.monotonic()
        seen = []
        watcher = threading.Thread(target=lambda: seen.append(self.watch()))
        watcher.start()
        status, _, headers = self.place.speak("b")
        waited = time.monotonic() - began
        clients.stop()
        watcher.join()
        self.assertEqual(status, 200)
        self.assertTrue(seen[0], "it was shown as waiting, with a bound")
        self.assertLessEqual(waited, seen[0]["bound_seconds"] + seen[0]["waited_seconds"] + 1)
        self.assertEqual(set(clients.answers), {200})
        self.assertEqual(self.place.ooms(), 0)

    def watch(self):
        for _ in range(200):
            waiting = self.place.get("/api/v1/models")[1]["waiting"]
            if [w for w in waiting if w["model"] == "b"]:
                return [w for w in waiting if w["model"] == "b"][0]
            time.sleep(0.01)
        return None

    def test_a_thousand_cold_requests_are_one_load(self):
        self.begin(model("a", "1GiB", load_time=500))
        answers = []
        def ask():
            for _ in range(10):
                answers.append(self.place.speak("a")[0])
        threads = [threading.Thread(target=ask) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(answers), set(answers)), (1000, {200}))
        self.assertEqual(self.place.models()["a"]["starts_total"], 1)

    def test_who_leaves_early_costs_the_resident_nothing(self):
        busy = model("a", "3500MiB", 'quantum = "5s"', answer_time=2000)
        self.begin(busy + model("b", "2GiB"))
        self.place.speak("a")
        under_way = threading.Thread(target=lambda: self.place.speak("a"))
        under_way.start()
        harness.until(lambda: self.place.models()["a"]["in_flight"] == 1, "a works")
        connection = self.place.connection()
        connection.request("POST", "/v1/audio/speech", json.dumps({"model": "b"}))
        harness.until(lambda: self.place.models()["b"]["waiting"] == 1, "b waits")
        connection.close()
        harness.until(lambda: self.place.models()["b"]["waiting"] == 0, "it was noticed")
        under_way.join()
        time.sleep(0.5)
        models = self.place.models()
        self.assertEqual((models["a"]["state"], models["a"]["starts_total"], models["b"]["starts_total"]),
                         ("resident", 1, 0))


class Killed(ModelsCase):
    def test_after_kill_9_streams_go_on_and_no_model_starts_twice(self):
        """Another manager started a second model beside the orphan."""
        self.begin(model("a", "3500MiB", words=300) + model("b", "2GiB"))
        self.place.speak("a")
        pid = self.place.models()["a"]["pid"]
        stream = self.place.connection()
        stream.request("POST", "/v1/chat/completions", '{"model":"a","stream":true}')
        answer = stream.getresponse()
        self.assertEqual(answer.status, 200)
        answer.readline()
        self.place.kill_daemon()
        self.assertEqual(self.place.speak("a")[0], 200, "without estivad an open model answers")
        self.place.begin_daemon()
        harness.until(lambda: self.place.models()["a"]["state"] == "resident", "it was adopted")
        model_a = self.place.models()["a"]
        self.assertEqual(model_a["pid"], pid)
        self.assertEqual(model_a["vram_bytes"]["charged"], 3500 << 20)
        self.assertEqual(answer.read().count(b"data: "), 300)
        self.assertEqual(self.place.speak("b")[0], 200, "and it makes room")
        self.assertEqual(self.place.ooms(), 0)
        self.assertFalse(harness.process_lives(pid))

    def test_an_engine_that_died_meanwhile_is_noticed(self):
        self.begin(TWO)
        self.place.speak("xtts")
        pid = self.place.models()["xtts"]["pid"]
        self.place.kill_daemon()
        os.kill(pid, 9)
        self.place.begin_daemon()
        self.place.until_gateway()
        self.assertEqual(self.place.speak("f5tts")[0], 200)
        self.assertEqual(self.place.models()["xtts"]["vram_bytes"]["charged"], 0)


class Faults(ModelsCase):
    def test_an_engine_that_dies_is_started_again_for_the_next_request(self):
        self.begin(TWO)
        self.place.speak("xtts")
        os.kill(self.place.models()["xtts"]["pid"], 9)
        harness.until(lambda: self.state("xtts") in ("absent", "failed"), "its end was noticed")
        time.sleep(1.2)  # the pause after an engine that ended so soon
        self.assertEqual(self.place.speak("xtts")[0], 200)

    def test_one_that_never_gets_ready_is_told_with_its_last_words(self):
        self.begin('[models.bad]\nengine = "process"\ncommand = ["/bin/sh", "-c", "echo no weights; exit 3"]\n'
                   'vram = "1GiB"\n')
        status, body, _ = self.place.speak("bad")
        self.assertIn(status, (500, 502, 503))
        self.assertIn("no weights", body.decode())
        self.assertEqual(self.place.leases(), {})

    def test_a_model_that_needs_more_than_it_said_is_charged_and_learned(self):
        self.begin(model("a", "1GiB", grow="1GiB"))
        self.assertEqual(self.place.speak("a")[0], 200, self.place.read_log())
        harness.until(lambda: self.place.models()["a"]["vram_bytes"]["charged"] == 2 << 30, "it is charged at once")
        self.assertEqual(self.place.models()["a"]["vram_bytes"]["learned"], 2 << 30)
        self.assertEqual(self.place.models()["a"]["vram_bytes"]["need"], 2 << 30)


if __name__ == "__main__":
    harness.main()
