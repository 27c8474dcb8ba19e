"""A machine recorded by `estiva record`, and what is made of it: looked at, replayed, simulated."""
import json
import os
import resource
import shutil
import signal
import subprocess
import time
import unittest

from harness import ESTIVA, GIB, LIBRARY, MIB, SIMULATOR, Case, until

SCENARIO = """scenario "to record"
driver 550.163.01
cuda 12.4
gpu rtx3060-12g
gpu rtx4090-24g uuid GPU-5ec2e700-0000-4000-8000-000000000007
process {pid} gpu 0 vram 1200MiB sm 40
process 4194000 gpu 1 vram 3GiB type both sm 20
hold 1 700MiB
load 0 55 memory 30
temperature 1 71
remap 1 corrected 3
at 1s load 0 80
at 1s alloc {pid} 0 512MiB
at 2s exit 4194000
"""


class Record(Case):
    def setUp(self):
        super().setUp()
        self.child = subprocess.Popen(["sleep", "600"])
        self.dir = os.path.join(self.place.dir, "machine")
        scenario = self.place.file("scenario", SCENARIO.format(pid=self.child.pid))
        self.place.env["ESTIVA_SIM_SCENARIO"] = scenario

    def tearDown(self):
        self.child.kill()
        self.child.wait()
        super().tearDown()

    def record(self, *words, code=0, **more):
        return self.expect(self.place.estiva("record", self.dir, "--nvml", LIBRARY, "--docker", "off",
                                             "--interval", "500ms", *words, **more), code)

    def test_it_holds_what_the_machine_showed(self):
        report = self.record("--seconds", "3", "--json").json()
        self.assertEqual((report["schema"], report["readings"], report["gpus"]), ("estiva/record/1", 6, 2))
        for path in report["files"]:
            self.assertTrue(os.path.isfile(os.path.join(self.dir, path)), path)
        gpus = self.estiva("gpu", "--json", "--machine", self.dir).json()
        self.assertEqual((gpus["source"], gpus["simulated"], gpus["driver"]["version"]),
                         ("recorded", False, "550.163.01"))
        first, second = gpus["gpus"]
        self.assertEqual(first["utilization_ratio"], 0.8)
        self.assertEqual([(p["pid"], p["used_bytes"]) for p in first["processes"]],
                         [(self.child.pid, 1712 * MIB)])
        self.assertEqual((second["temperature_celsius"], second["processes"]), (71, []))
        self.assertEqual(second["uuid"], "GPU-00000000-0000-4000-8000-000000000002")
        self.assertEqual(second["memory"]["used_bytes"], 700 * MIB)
        with open(os.path.join(self.dir, "gpus.json")) as file:
            calls = {call["call"]: call for call in json.load(file)["calls"] if call.get("device", 0) == 0}
        self.assertEqual(calls["nvmlDeviceGetPowerUsage"]["count"], 6)
        self.assertGreater(calls["nvmlDeviceGetUtilizationRates"]["total_ns"], 0)
        found = subprocess.run(["grep", "-rlF", "5ec2e700", self.dir], stdout=subprocess.PIPE, check=False).stdout
        self.assertEqual(found, b"")
        with open(os.path.join(self.dir, "proc/sys/kernel/hostname")) as file:
            self.assertEqual(file.read(), "recorded\n")

    def test_each_look_at_it_gives_the_same_world(self):
        self.record("--seconds", "3")
        for words in (("status", "--json", "--machine", self.dir), ("replay", self.dir, "--json"),
                      ("gpu", "--json", "--machine", self.dir)):
            first = self.expect(self.place.estiva(*words), 0).out
            time.sleep(0.05)
            self.assertEqual(self.expect(self.place.estiva(*words), 0).out, first, words)
        worlds = [json.loads(line) for line in self.place.estiva("replay", self.dir, "--json").out.splitlines()]
        self.assertEqual(len(worlds), 6)
        self.assertEqual([w["gpus"][0]["utilization_ratio"] for w in worlds][0], 0.55)
        self.assertEqual([w["gpus"][0]["utilization_ratio"] for w in worlds][-1], 0.8)
        self.assertIn("1.67 GiB of 12.0 GiB", self.expect(self.place.estiva("replay", self.dir), 0).out)

    def test_the_simulator_acts_it(self):
        self.record("--seconds", "3")
        scenario = os.path.join(self.dir, "machine.scenario")
        checked = subprocess.run([SIMULATOR, "check", scenario], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout)
        # One look at the start: what the first reading showed.
        self.place.env["ESTIVA_SIM_SCENARIO"] = scenario
        acted = self.estiva("gpu", "--json", "--nvml", LIBRARY).json()["gpus"]
        worlds = [json.loads(line) for line in self.place.estiva("replay", self.dir, "--json").out.splitlines()]
        for shown, was in zip(acted, worlds[0]["gpus"]):
            for member in ("uuid", "name", "utilization_ratio", "temperature_celsius"):
                self.assertEqual(shown[member], was[member], member)
            self.assertAlmostEqual(shown["power_watts"], was["power_watts"], delta=0.5)
            for member in ("total_bytes", "used_bytes", "free_bytes", "reserved_bytes"):
                self.assertEqual(shown["memory"][member], was["memory"][member], member)
            self.assertEqual([(p["pid"], p["used_bytes"]) for p in shown["processes"]],
                             [(p["pid"], p["used_bytes"]) for p in was["processes"]])
        # And at the end what the last one did.
        self.place.env["ESTIVA_SIM_TIME"] = "60"
        acted = self.estiva("gpu", "--json", "--nvml", LIBRARY).json()["gpus"]
        for shown, was in zip(acted, worlds[-1]["gpus"]):
            self.assertEqual(shown["memory"]["used_bytes"], was["memory"]["used_bytes"])
            self.assertEqual(shown["utilization_ratio"], was["utilization_ratio"])

    def test_a_daemon_shows_it(self):
        self.record("--seconds", "1")
        self.place.start("--machine", self.dir, "--listen", "off")
        until(self.place.gpus, "the recorded GPUs are seen")
        self.assertEqual(self.estiva("gpu", "--json").json()["source"], "recorded")

    def test_a_recording_that_was_cut_off_is_named(self):
        self.record("--seconds", "1")
        path = os.path.join(self.dir, "gpus.json")
        with open(path, "r+") as file:
            file.truncate(os.path.getsize(path) // 2)
        for words in (("status", "--machine", self.dir), ("replay", self.dir)):
            ran = self.expect(self.place.estiva(*words), 1)
            self.assertIn("gpus.json", ran.err)
        os.unlink(os.path.join(self.dir, "recording.json"))
        self.assertIn("no recorded machine", self.expect(self.place.estiva("replay", self.dir), 1).err)

    def test_nothing_is_lost_or_left(self):
        os.makedirs(self.dir)
        with open(os.path.join(self.dir, "mine"), "w") as file:
            file.write("x")
        self.record("--seconds", "1", code=5)
        self.assertEqual(os.listdir(self.dir), ["mine"])
        shutil.rmtree(self.dir)
        # A disk that is full after 4 KiB.
        def full():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        self.expect(self.place.estiva("record", os.path.join(self.place.dir, "no", "such", "folder")), 1)
        self.assertIn("no recording in", self.expect(self.place.estiva("status", "--machine", "/etc"), 1).err)
        ran = self.record("--seconds", "1", code=1, preexec_fn=full)
        self.assertIn("too large", ran.err)
        self.assertFalse(os.path.exists(self.dir))
        self.assertEqual([name for name in os.listdir(self.place.dir) if "partial" in name], [])
        self.expect(self.place.estiva("record"), 2)

    def test_ctrl_c_keeps_what_there_is(self):
        running = subprocess.Popen([ESTIVA, "record", self.dir, "--nvml", LIBRARY, "--docker", "off",
                                    "--interval", "200ms", "--seconds", "600", "--json"], env=self.place.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(2)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 0, err)
        self.assertGreaterEqual(json.loads(out)["readings"], 1)
        self.expect(self.place.estiva("replay", self.dir), 0)

    def test_what_it_will_hold_is_listed_first(self):
        text = self.expect(self.place.estiva("record", "--list"), 0).out
        self.assertIn("/etc/machine-id (the identity is replaced)", text)
        self.assertFalse(os.path.exists(self.dir))
        listed = self.expect(self.place.estiva("record", "--list", "--json"), 0).json()
        self.record("--seconds", "1")
        known = " ".join(listed["files"])
        for folder, _, files in os.walk(self.dir):
            for file in files:
                path = os.path.join(folder, file)[len(self.dir):]
                parts = path.split("/")
                if parts[1] == "proc" and parts[2].isdigit():
                    parts[2] = "PID"
                if "gpus" in parts or "devices" in parts[:-1]:
                    continue
                self.assertIn("/".join(parts).lstrip("/"), known)


class Driverless(Case):
    def test_a_machine_without_a_gpu_is_recorded_too(self):
        folder = os.path.join(self.place.dir, "machine")
        os.makedirs(os.path.join(self.place.dir, "root", "proc"))
        self.expect(self.place.estiva("record", folder, "--root", os.path.join(self.place.dir, "root"),
                                      "--docker", "off", "--seconds", "1"), 0)
        self.assertIn("absent", self.expect(self.place.estiva("replay", folder), 0).out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
