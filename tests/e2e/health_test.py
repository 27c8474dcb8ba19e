"""An ill GPU, through the whole of it: driver, daemon, documents, exit codes, metrics, placement."""
import os
import subprocess
import unittest

from harness import SIMULATOR, Case, until

TWO_GPUS = """scenario "two"
driver 550.163.01
gpu rtx4090-24g
gpu h100-80g
"""


class Conditions(Case):
    def simulate(self, *command):
        subprocess.run([SIMULATOR, "ctl", os.path.join(self.place.run_dir, "sim"), *command],
                       check=True, capture_output=True)

    def conditions(self, gpu=0):
        health = self.place.gpus()[gpu]["health"]
        return health["state"], [condition["id"] for condition in health["conditions"]]

    def becomes(self, state, *ids, gpu=0):
        until(lambda: self.conditions(gpu) == (state, list(ids)), f"GPU {gpu} is {state}, {ids}")

    def test_too_hot_is_said_everywhere_blocks_placement_and_ends(self):
        self.simulated(TWO_GPUS)
        self.becomes("OK")
        shutdown = self.place.gpus()[0]["temperature_shutdown_celsius"]
        self.simulate("temperature", "0", str(int(shutdown) - 3))
        self.becomes("UNHEALTHY", "temperature")
        condition = self.place.gpus()[0]["health"]["conditions"][0]
        self.assertTrue(condition["blocks_placement"])
        self.assertGreaterEqual(condition["since_seconds"], 0)
        self.assertIn("fan", condition["remedy"])
        code, document = self.place.get("/healthz")
        self.assertEqual((code, document["gpu_status"]), (503, "UNHEALTHY"))
        ran = self.estiva("status")
        self.expect(ran, 1, "UNHEALTHY", "GPU 0", f"{shutdown - 3:.0f} C")
        self.expect(self.estiva("gpu"), 0, "UNHEALTHY", f"GPU 0: it is at {shutdown - 3:.0f} C")
        refused = self.estiva("assign", "here", "--vram", "1GiB", "--gpu", "0")
        self.assertNotEqual(refused.code, 0, refused)
        self.assertIn("nothing more is placed on it", refused.err + refused.out)
        self.expect(self.estiva("assign", "there", "--vram", "1GiB"), 0, "GPU 1")
        self.simulate("temperature", "0", "40")
        self.becomes("OK")
        self.assertEqual(self.place.get("/healthz")[0], 200)
        self.expect(self.estiva("status"), 0)
        self.expect(self.estiva("assign", "here", "--vram", "1GiB", "--gpu", "0"), 0)

    def test_warm_is_a_warning_and_no_failure(self):
        self.simulated(TWO_GPUS)
        slowdown = self.place.gpus()[0]["temperature_slowdown_celsius"]
        self.simulate("temperature", "0", str(int(slowdown) - 6))
        until(lambda: self.place.gpus()[0]["temperature_celsius"] == slowdown - 6, "it is read")
        self.assertEqual(self.conditions(), ("OK", []), "a degree below the warning")
        self.simulate("temperature", "0", str(int(slowdown) - 5))
        self.becomes("WARN", "temperature")
        self.assertEqual(self.place.get("/healthz")[0], 200)
        self.expect(self.estiva("status"), 0, "WARN")
        self.expect(self.estiva("assign", "here", "--vram", "1GiB", "--gpu", "0"), 0)

    def test_the_limit_of_the_settings(self):
        config = self.place.file("estiva.toml", "[health]\nmax_temperature = 45\n")
        self.simulated(TWO_GPUS, "--config", config)
        self.simulate("temperature", "0", "45")
        self.becomes("UNHEALTHY", "temperature")
        reason = self.place.gpus()[0]["health"]["conditions"][0]["reason"]
        self.assertIn("health.max_temperature is 45 C", reason)

    def test_an_error_that_ecc_could_not_correct(self):
        self.simulated(TWO_GPUS)
        self.simulate("ecc", "1", "uncorrected", "1")
        self.becomes("UNHEALTHY", "ecc_uncorrected", gpu=1)
        self.assertEqual(self.conditions(0), ("OK", []))
        self.expect(self.estiva("status"), 1, "GPU 1", "ECC")

    def test_a_lost_gpu_and_one_that_is_gone(self):
        self.simulated(TWO_GPUS)
        uuid = self.place.gpus()[1]["uuid"]
        self.simulate("lose", "1")
        self.becomes("UNHEALTHY", "lost", gpu=1)
        self.expect(self.estiva("status"), 1, "GPU 1", "lost")
        self.simulate("recover", "1")
        self.becomes("OK", gpu=1)
        self.simulate("unplug", "1")
        until(lambda: [g["uuid"] for g in self.place.gpus()] != [] and
              uuid not in [g["uuid"] for g in self.place.gpus()], "it is not listed any more")
        ran = self.expect(self.estiva("status"), 1, "was there and is not listed any more")
        self.assertIn("UNHEALTHY", ran.out)

    def test_metrics_say_it(self):
        self.simulated(TWO_GPUS)
        self.simulate("ecc", "1", "uncorrected", "1")
        self.becomes("UNHEALTHY", "ecc_uncorrected", gpu=1)
        lines = self.place.request("GET", "/metrics")[1]
        text = lines if isinstance(lines, str) else lines.decode()
        states = [line for line in text.splitlines() if line.startswith("estiva_gpu_health{")]
        self.assertEqual(len(states), 10, states)
        self.assertEqual(sorted(line.split('state="')[1].split('"')[0] for line in states
                                if line.endswith(" 1")), ["OK", "UNHEALTHY"])


if __name__ == "__main__":
    unittest.main()
