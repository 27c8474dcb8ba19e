"""Every verb against a real daemon on simulated GPUs: what it prints, its JSON, its exit code."""
import json
import os
import re
import signal
import subprocess
import time
import unittest

from harness import GIB, MIB, ONE_GPU, Case, until


class Reading(Case):
    def test_gpu_for_people_says_simulated_on_top(self):
        self.simulated()
        ran = self.expect(self.estiva("gpu"), 0, "SIMULATED", "RTX 4090")
        self.assertTrue(ran.out.startswith("SIMULATED"), ran)
        self.assertNotIn("\x1b", ran.out)

    def test_gpu_json_has_the_promised_members(self):
        self.simulated()
        document = self.expect(self.estiva("gpu", "--json"), 0).json()
        self.assertEqual(document["schema"], "estiva/gpu/1")
        self.assertIs(document["simulated"], True)
        self.assertIs(document["stale"], False)
        self.assertEqual(document["driver"]["version"], "550.163.01")
        gpu = document["gpus"][0]
        self.assertTrue(gpu["uuid"].startswith("GPU-"))
        memory = gpu["memory"]
        self.assertEqual(memory["used_bytes"] + memory["free_bytes"] + (memory["reserved_bytes"] or 0),
                         memory["total_bytes"])
        for member in ("utilization_ratio", "temperature_celsius", "power_watts"):
            self.assertIsInstance(gpu[member], (int, float), member)
        self.assertLessEqual(gpu["utilization_ratio"], 1)
        self.assertIsInstance(gpu["processes"], list)
        self.assertIn("state", gpu["health"])

    def test_json_is_what_the_api_says(self):
        self.simulated()
        for verb in ("gpu", "status", "leases"):
            told = self.estiva(verb, "--json").json()
            served = self.place.get(f"/api/v1/{verb}")[1]
            self.assertEqual(sorted(told), sorted(served))
            self.assertEqual(told["schema"], f"estiva/{verb}/1")

    def test_status_shows_the_real_memory_and_disk_beside_simulated_gpus(self):
        self.simulated()
        # The first look at the machine follows the first one at the GPUs.
        until(lambda: self.estiva("status", "--json").json()["host"]["memory"], "the machine was looked at")
        document = self.expect(self.estiva("status", "--json"), 0).json()
        with open("/proc/meminfo") as file:
            total = int(file.readline().split()[1]) * 1024
        self.assertEqual(document["host"]["memory"]["total_bytes"], total)
        self.assertIn("root", [disk["role"] for disk in document["host"]["disks"]])
        self.assertEqual(document["checks"][0]["name"], "gpu_status")
        self.assertEqual(document["checks"][0]["state"], "OK")
        self.expect(self.estiva("status"), 0, "SIMULATED", "RAM", "Disk root")

    def test_watch_repeats_and_stops_by_itself(self):
        self.simulated()
        ran = self.expect(self.estiva("gpu", "--json", "--interval", "200ms", "--seconds", "1"), 0)
        documents = [json.loads(line) for line in ran.out.splitlines()]
        self.assertGreaterEqual(len(documents), 2)

    def test_watch_ends_on_a_signal(self):
        self.simulated()
        watching = self.place.spawn("status", "--watch", "--interval", "100ms")
        watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=30)
        self.assertEqual(watching.returncode, 0)

    def test_events_say_what_happened_and_why(self):
        self.simulated()
        self.expect(self.estiva("assign", "llama", "--vram", "2GiB"), 0)
        self.expect(self.estiva("assign", "giant", "--vram", "900GiB"), 1)
        self.expect(self.estiva("release", "llama"), 0)
        ran = self.expect(self.estiva("events"), 0, "the driver is ok: 550.163.01")
        lines = [re.split("  +", line, 3)[1:] for line in ran.out.splitlines()]
        self.assertIn(["assigned", "llama"], [line[:2] for line in lines], ran)
        self.assertIn(["refused", "giant"], [line[:2] for line in lines], ran)
        self.assertIn(["released", "llama"], [line[:2] for line in lines], ran)
        self.assertIn("GPU 0, 2.00 GiB", ran.out)
        only = self.expect(self.estiva("events", "--grep", "LLAMA"), 0).out
        self.assertEqual(["giant" in only, "llama" in only], [False, True])
        self.assertEqual(len(self.expect(self.estiva("events", "--limit", "1"), 0).out.splitlines()), 1)
        self.expect(self.estiva("events", "--since", "1h"), 0, "llama")
        self.expect(self.estiva("events", "--grep", "no such thing"), 0, "Nothing of that kind")
        document = self.expect(self.estiva("events", "--json", "--since", "1h"), 0).json()
        self.assertEqual(document["schema"], "estiva/journal/1")
        at = [record["position"] for record in document["records"]]
        self.assertEqual(at, sorted(at))
        self.expect(self.estiva("events", "--limit", "x"), 2)
        self.expect(self.estiva("events", "--since", "yesterday"), 2)

    def test_events_go_into_a_file_too(self):
        log = os.path.join(self.place.dir, "events.log")
        config = self.place.file("estiva.toml", f'[events]\nfile = "{log}"\n')
        self.simulated(ONE_GPU, "--config", config)

        def lines():
            with open(log) as file:
                return [line.split(" ", 1)[1] for line in file]

        self.expect(self.estiva("assign", "llama", "--vram", "2GiB"), 0)
        until(lambda: os.path.exists(log) and "assigned llama: GPU 0 is the only" in " ".join(lines()),
              "the file has it")
        self.place.stop()
        self.place.start_simulated(ONE_GPU, "--config", config)
        self.expect(self.estiva("assign", "xtts", "--vram", "2GiB"), 0)
        until(lambda: [line for line in lines() if line.startswith("assigned xtts")], "and goes on")
        self.assertEqual(len([line for line in lines() if line.startswith("assigned llama")]), 1)

    def test_events_follow(self):
        self.simulated()
        following = self.place.spawn("events", "--follow", "--json", "--grep", "assigned", "--limit", "0")
        time.sleep(0.5)
        for name in ("first", "second"):
            self.expect(self.estiva("assign", name, "--vram", "1GiB"), 0)
            self.assertEqual(json.loads(following.stdout.readline())["subject"], name)
        following.send_signal(signal.SIGINT)
        following.communicate(timeout=30)

    def test_health_changes_and_xids_are_events(self):
        self.simulated()

        def said(text):
            return until(lambda: [line for line in self.estiva("events").out.splitlines() if text in line],
                         text + " is an event")

        hot = int(self.place.gpus()[0]["temperature_shutdown_celsius"]) - 3
        self.simulate("temperature", "0", str(hot))
        self.assertIn("GPU 0", said(f"UNHEALTHY: it is at {hot} C")[0])
        self.simulate("temperature", "0", "40")
        said("over: it is at ")
        self.simulate("xid", "0", "31")
        said("XID 31")
        self.place.stop()
        self.place.start_simulated()
        self.assertEqual(len(said("XID 31")), 1, "kept over a restart, once")


class Stranger(Case):
    def test_who_may_not_ask_the_daemon_still_sees_the_gpus(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        self.simulated()
        os.chmod(self.place.dir, 0o755)

        def nobody():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        for verb in ("gpu", "status", "top"):
            ran = self.place.estiva(verb, *(["--once"] if verb == "top" else []), preexec_fn=nobody)
            self.assertIn("You may not use", ran.err)
            self.assertIn("one reading by this command", ran.err)
            self.assertNotIn("No daemon is running", ran.out)
            self.assertIn(ran.code, (0, 3), ran)
        self.expect(self.place.estiva("assign", "a", "--vram", "1GiB", preexec_fn=nobody), 5, "You may not use")


class Placing(Case):
    def test_assign_names_gpu_bytes_and_reason(self):
        self.simulated()
        uuid = self.place.gpus()[0]["uuid"]
        self.expect(self.estiva("assign", "xtts", "--vram", "3500MiB"), 0, "GPU 0", "RTX 4090", uuid,
                    "3670016000 bytes", "Why:")
        self.expect(self.estiva("leases"), 0, "xtts", "reserved")
        self.expect(self.estiva("release", "xtts"), 0, "xtts")
        self.expect(self.estiva("leases"), 0, "No leases")

    def test_assign_json(self):
        self.simulated()
        document = self.expect(self.estiva("assign", "a", "--vram-mb", "1000", "--json"), 0).json()
        self.assertEqual(document["schema"], "estiva/assign/1")
        self.assertEqual(document["lease"]["model"], "a")
        self.assertEqual(document["lease"]["vram_bytes"], 1000 * MIB)
        self.assertEqual(document["lease"]["gpus"], [self.place.gpus()[0]["uuid"]])
        self.assertIs(document["already_assigned"], False)

    def test_already_assigned_gives_the_same_gpu_again(self):
        self.simulated("server-8")
        first = self.estiva("assign", "a", "--vram", "1GiB", "--json").json()
        again = self.expect(self.estiva("assign", "a", "--vram", "1GiB", "--json"), 0).json()
        self.assertIs(again["already_assigned"], True)
        self.assertEqual(again["lease"]["gpus"], first["lease"]["gpus"])
        self.assertEqual(len(self.place.leases()), 1)
        self.expect(self.estiva("assign", "a", "--vram", "1GiB"), 0, "placed already")

    def test_too_big_says_what_is_missing_and_what_would_make_it_fit(self):
        self.simulated()
        self.assertEqual(self.estiva("assign", "a", "--vram", "20GiB").code, 0)
        ran = self.expect(self.estiva("assign", "b", "--vram", "20GiB"), 1, "missing", "GPU 0")
        self.assertEqual(ran.out, "")
        document = self.expect(self.estiva("assign", "b", "--vram", "20GiB", "--json"), 1).json()
        room = document["refused"]["gpus"][0]
        self.assertGreater(room["missing_bytes"], 0)
        self.assertLess(room["free_bytes"], 5 * GIB)
        self.assertTrue(document["refused"]["would_fit_if"])

    def test_a_request_that_fits_exactly_is_granted(self):
        self.simulated()
        room = self.place.gpus()[0]["memory"]["admissible_bytes"]
        self.expect(self.estiva("assign", "big", "--vram", f"{room}B"), 0)

    def test_named_gpu_by_index_and_uuid(self):
        self.simulated("server-8")
        uuids = [gpu["uuid"] for gpu in self.place.gpus()]
        by_index = self.estiva("assign", "a", "--vram", "1GiB", "--gpu", "3", "--json").json()
        by_uuid = self.estiva("assign", "b", "--vram", "1GiB", "--gpu", uuids[5], "--json").json()
        self.assertEqual(by_index["lease"]["gpus"], [uuids[3]])
        self.assertEqual(by_uuid["lease"]["gpus"], [uuids[5]])

    def test_unknown_gpu_is_named(self):
        self.simulated()
        for gpu in ("7", "GPU-nonsense"):
            ran = self.estiva("assign", "a", "--vram", "1GiB", "--gpu", gpu)
            self.assertIn(ran.code, (1, 2), ran)
            self.assertIn(gpu, ran.err)
        self.assertEqual(self.place.leases(), {})

    def test_two_gpus_all_or_none(self):
        self.simulated("server-8")
        both = self.estiva("assign", "a", "--vram", "2GiB", "--gpus", "2", "--json")
        self.expect(both, 0)
        self.assertEqual(len(set(both.json()["lease"]["gpus"])), 2)

    def test_release_of_what_is_not_there(self):
        self.simulated()
        self.expect(self.estiva("release", "nobody"), 1, "nobody")

    def test_release_goes_on_after_a_name_that_is_not_there(self):
        self.simulated()
        self.estiva("assign", "a", "--vram", "1GiB")
        self.expect(self.estiva("release", "nobody", "a"), 1, "nobody", "a is released")
        self.assertEqual(self.place.leases(), {})

    def test_a_lease_ends_with_its_process(self):
        self.simulated()
        holder = subprocess.Popen(["sleep", "60"])
        self.addCleanup(holder.kill)
        self.expect(self.estiva("assign", "a", "--vram", "1GiB", "--pid", str(holder.pid)), 0)
        self.assertEqual(self.place.leases()["a"]["holder"]["pid"], holder.pid)
        holder.kill()
        holder.wait()
        until(lambda: not self.place.leases(), "the lease of a dead process is taken back")

    def test_a_process_for_a_model_that_is_not_placed_needs_a_size(self):
        self.simulated()
        ran = self.expect(self.estiva("assign", "a", "--pid", str(os.getpid())), 2, "--vram")
        self.assertEqual(len(ran.err.splitlines()), 1, ran)
        self.expect(self.estiva("assign", "a", "--vram", "1GiB"), 0)
        # Of one that is placed the size is known.
        self.expect(self.estiva("assign", "a", "--pid", str(os.getpid())), 0)

    def test_names_of_other_alphabets(self):
        self.simulated()
        self.expect(self.estiva("assign", "模型/ä b", "--vram", "1GiB"), 0)
        self.assertIn("模型/ä b", self.place.leases())
        self.expect(self.estiva("release", "模型/ä b"), 0)

    def test_leases_names_for_the_completion(self):
        self.simulated()
        self.estiva("assign", "a", "--vram", "1GiB")
        self.assertEqual(self.estiva("leases", "--names").out, "a\n")


class Token(Case):
    def test_the_token_opens_the_api_over_tcp(self):
        self.simulated()
        token = self.expect(self.estiva("token"), 0).out.strip()
        self.assertGreaterEqual(len(token), 43)  # 256 bits
        mode = os.stat(os.path.join(self.place.state, "token")).st_mode & 0o777
        self.assertEqual(mode, 0o600)


if __name__ == "__main__":
    unittest.main(verbosity=2)
