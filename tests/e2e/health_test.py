"""An ill GPU, through the whole of it: driver, daemon, documents, exit codes, metrics, placement."""
import os
import subprocess
import time
import unittest

from harness import LIBRARY, SIMULATOR, Case, has_real_gpu, until

TWO_GPUS = """scenario "two"
driver 550.163.01
gpu rtx4090-24g
gpu h100-80g
"""


class Ill(Case):
    def conditions(self, gpu=0):
        health = self.place.gpus()[gpu]["health"]
        return health["state"], [condition["id"] for condition in health["conditions"]]

    def becomes(self, state, *ids, gpu=0):
        until(lambda: self.conditions(gpu) == (state, list(ids)), f"GPU {gpu} is {state}, {ids}")

    def xids(self, gpu=0):
        return {one["code"]: one["count"] for one in self.place.gpus()[gpu]["xid_errors"]}

    def metric(self, start):
        text = self.place.request("GET", "/metrics")[1]
        text = text if isinstance(text, str) else text.decode()
        return [line for line in text.splitlines() if line.startswith(start)]


class Conditions(Ill):
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


class Xids(Ill):
    def log_line(self, text, facility=0):
        """As the kernel writes it; the simulator's host appends to the same file."""
        with open(os.path.join(self.place.run_dir, "sim", "kmsg.log"), "a") as file:
            file.write(f"{facility * 8 + 3},1,1,-;{text}\n")

    def until_read(self):
        """What the log had before this call was taken."""
        before = self.xids(1).get(43, 0)
        self.log_line("NVRM: Xid (PCI:0000:02:00): 43, pid=1, name=marker, x")
        until(lambda: self.xids(1).get(43, 0) > before, "the log is read")

    def test_one_that_needs_a_reset_is_said_everywhere_and_counted_once(self):
        self.simulated(TWO_GPUS)
        self.assertEqual(self.place.gpus()[0]["xid_errors"], [])
        self.assertEqual(len([m for m in self.metric("estiva_gpu_xid_errors_total{") if m.endswith(" 0")]), 2)
        self.assertEqual(len(self.metric("DCGM_FI_DEV_XID_ERRORS{")), 2)
        self.simulate("xid", "0", "119")
        self.becomes("UNHEALTHY", "xid_119")
        self.until_read()
        time.sleep(1.2)
        self.assertEqual(self.xids(), {119: 1}, "the event and the log's line are one error")
        condition = self.place.gpus()[0]["health"]["conditions"][0]
        self.assertTrue(condition["blocks_placement"])
        self.assertIn("GSP", condition["reason"])
        self.assertIn("--gpu-reset", condition["remedy"])
        self.expect(self.estiva("status"), 1, "UNHEALTHY", "GPU 0: XID 119")
        self.assertNotEqual(self.estiva("assign", "a", "--vram", "1GiB", "--gpu", "0").code, 0)
        self.expect(self.estiva("assign", "b", "--vram", "1GiB"), 0, "GPU 1")
        self.assertTrue(self.metric('estiva_gpu_xid_code_errors_total{')[0].endswith(" 1"))
        self.assertIn('err_code="119"', self.metric("DCGM_FI_DEV_XID_ERRORS{")[0])
        self.assertIn('xid="119"', self.metric("nvidia_smi_xid_errors_total{")[0])
        self.simulate("lose", "0")
        self.becomes("UNHEALTHY", "lost", "xid_119")
        self.simulate("recover", "0")
        self.becomes("OK")
        self.assertEqual(self.xids(), {119: 1}, "it stays counted")
        self.expect(self.estiva("assign", "a", "--vram", "1GiB", "--gpu", "0"), 0)

    def test_an_apps_error_names_the_process_and_blocks_nothing(self):
        self.simulated(TWO_GPUS)
        self.log_line("NVRM: Xid (PCI:0000:01:00): 31, pid=4242, name=python3, Ch 00000008, MMU Fault")
        self.becomes("WARN", "xid_31")
        self.assertIn("python3, pid 4242", self.place.gpus()[0]["health"]["conditions"][0]["reason"])
        self.expect(self.estiva("status"), 0, "WARN", "XID 31")
        self.expect(self.estiva("assign", "a", "--vram", "1GiB", "--gpu", "0"), 0)

    def test_what_happened_before_the_daemon_is_in_the_log(self):
        self.simulated(TWO_GPUS)
        self.simulate("xid", "1", "48")
        self.becomes("UNHEALTHY", "xid_48", gpu=1)
        log = os.path.join(self.place.dir, "kmsg")
        with open(os.path.join(self.place.run_dir, "sim", "kmsg.log")) as file:
            text = file.read()
        with open(log, "w") as file:
            file.write(text)
        self.place.stop()
        self.place.start_simulated(TWO_GPUS, "--kernel-log", log)
        self.becomes("UNHEALTHY", "xid_48", gpu=1)

    def test_a_storm_is_counted_whole_and_journalled_once(self):
        self.simulated(TWO_GPUS)
        line = "NVRM: Xid (PCI:0000:01:00): 13, pid=7, name=storm, Graphics Exception"
        self.log_line("\n3,1,1,-;".join([line] * 10_000))
        until(lambda: self.xids().get(13) == 10_000, "all are counted")
        self.assertEqual(self.place.read_log().count("XID 13"), 1, "told once a minute")
        self.expect(self.estiva("status"), 0, "10000 times")

    def test_hostile_and_foreign_lines_do_nothing(self):
        self.simulated(TWO_GPUS)
        self.log_line("NVRM: Xid (PCI:0000:01:00): 79, forged by a program", facility=1)
        self.log_line("usb 1-1: NVRM: Xid (PCI:0000:01:00): 79, x")
        self.log_line("NVRM: Xid (PCI:0000:01:00): 79999999999999999999999")
        self.log_line("x" * 40_000)
        self.log_line("NVRM: Xid (PCI:0000:01:00): 13, pid=9, name=\x1b]0;t\x07\x1b[2J, Exception")
        self.until_read()
        self.assertEqual(self.xids(), {13: 1})
        ran = self.expect(self.estiva("status"), 0, "XID 13")
        self.assertNotIn("\x1b", ran.out)
        self.assertNotIn("\x07", ran.out)

    def test_a_gpu_that_is_not_listed_is_named_by_its_slot(self):
        self.simulated(TWO_GPUS)
        self.log_line("NVRM: GPU 0000:41:00.0: GPU has fallen off the bus.")
        ran = until(lambda: (lambda r: r.code == 1 and r)(self.estiva("status")), "status is unhealthy")
        self.expect(ran, 1, "the GPU at 0000:41:00: XID 79", "PCI:0000:41:00: XID 79")


class Remembered(Ill):
    """estivad on the simulator's library without --simulate: as on a machine of its own, what it knows
    of the GPUs outlives it."""

    def setUp(self):
        super().setUp()
        if has_real_gpu():
            self.skipTest("this machine has a real GPU: simulation is refused there")
        self.host = os.path.join(self.place.dir, "sim")
        self.run_host(TWO_GPUS)
        self.addCleanup(self.end_host)
        self.place.env["ESTIVA_SIM_DIR"] = self.host
        self.start_daemon()

    def run_host(self, scenario):
        path = self.place.file("scenario", scenario)
        self.simulator = subprocess.Popen([SIMULATOR, "run", path, "--dir", self.host],
                                          stdout=subprocess.PIPE)
        self.simulator.stdout.readline()

    def end_host(self):
        self.simulator.terminate()
        self.simulator.wait(timeout=20)
        self.simulator.stdout.close()

    def start_daemon(self):
        log = self.place.file("empty-log", "")
        self.place.start("--nvml", LIBRARY, "--listen", "off", "--kernel-log", log)
        until(self.place.gpus, "the GPUs are seen")

    def simulate(self, *words, folder=None):
        super().simulate(*words, folder=folder or self.host)

    def missing(self):
        return [(one["device"], one["health"]["conditions"][0]["id"])
                for one in self.place.get("/api/v1/gpu")[1]["not_listed"]]

    def test_a_gpu_that_is_gone_after_a_restart_is_missed_until_it_is_dismissed(self):
        uuid = self.place.gpus()[1]["uuid"]
        self.place.stop()
        self.simulate("unplug", "1")
        self.start_daemon()
        self.assertEqual(len(self.place.gpus()), 1)
        until(lambda: self.missing() == [(uuid, "missing")], "it is missed")
        self.expect(self.estiva("status"), 1, "GPU 1 at", "was there and is not listed any more")
        self.expect(self.estiva("gpu"), 0, uuid + ": GPU 1 at")
        self.expect(self.estiva("gpu", "--dismiss", "GPU-no-such"), 1, "nothing is wrong with")
        self.expect(self.estiva("gpu", "--dismiss", uuid), 0, "Dismissed")
        self.assertEqual(self.missing(), [])
        self.expect(self.estiva("status"), 0)
        self.place.stop()
        self.start_daemon()
        self.assertEqual(self.missing(), [], "it stays dismissed")

    def test_a_kill_loses_at_most_the_last_seconds(self):
        self.place.stop()
        self.start_daemon()
        uuid = self.place.gpus()[1]["uuid"]
        time.sleep(1.5)
        self.place.kill_daemon()
        self.simulate("unplug", "1")
        self.start_daemon()
        until(lambda: self.missing() == [(uuid, "missing")], "it is missed")

    def test_a_person_dismisses_an_error_that_stays(self):
        self.simulate("xid", "0", "54")
        self.becomes("UNHEALTHY", "xid_54")
        self.expect(self.estiva("gpu", "--dismiss", "0"), 0)
        self.becomes("OK")
        self.assertEqual(self.xids(), {54: 1})
        answer = self.expect(self.estiva("gpu", "--dismiss", "0", "--json"), 1)
        self.assertIn("nothing is wrong", answer.out + answer.err)


class RememberedXids(Remembered):
    """The same without a kernel log that is told anew from its start."""

    def start_daemon(self):
        self.place.start("--nvml", LIBRARY, "--listen", "off")
        until(self.place.gpus, "the GPUs are seen")

    def test_xids_outlive_the_daemon_and_their_end_does_too(self):
        self.simulate("xid", "0", "48")
        self.simulate("xid", "1", "13")
        self.becomes("UNHEALTHY", "xid_48")
        self.place.stop()
        self.start_daemon()
        self.becomes("UNHEALTHY", "xid_48")
        self.becomes("WARN", "xid_13", gpu=1)
        self.assertEqual((self.xids(0), self.xids(1)), ({48: 1}, {13: 1}))
        self.expect(self.estiva("gpu", "--dismiss", "0"), 0)
        self.place.stop()
        self.start_daemon()
        self.becomes("OK")
        self.assertEqual(self.xids(0), {48: 1})


if __name__ == "__main__":
    unittest.main()
