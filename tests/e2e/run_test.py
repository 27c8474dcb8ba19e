"""estiva run: the lease begins before the command and ends with it, on every path."""
import os
import signal
import subprocess
import time
import unittest

from harness import Case, process_lives, until


class Run(Case):
    def setUp(self):
        super().setUp()
        self.simulated()

    def held(self, *command, **more):
        """Starts `estiva run` with a command that tells its pid and waits; (runner, child's pid)."""
        runner = self.place.spawn("run", "--vram", "2GiB", "--name", "job", "--", *command, **more)
        self.addCleanup(runner.kill)
        return runner, int(runner.stdout.readline())

    def released(self):
        """Every lease is given back: gone, or only waiting to see the memory leave the GPU."""
        for lease in self.place.leases().values():
            self.assertEqual(lease["state"], "releasing", lease)
        until(lambda: not self.place.leases(), "what was given back disappears")

    def test_the_child_sees_its_gpu_and_its_lease(self):
        ran = self.expect(self.estiva("run", "--vram", "2GiB", "--", "sh", "-c",
                                      "echo $CUDA_VISIBLE_DEVICES $ESTIVA_LEASE"), 0)
        uuid, lease = ran.out.split()
        self.assertEqual(uuid, self.place.gpus()[0]["uuid"])
        self.assertTrue(lease.startswith("l-"), lease)
        self.released()

    def test_the_holder_is_the_child(self):
        runner, pid = self.held("sh", "-c", "echo $$; read x", stdin=subprocess.PIPE)
        lease = self.place.leases()["job"]
        self.assertEqual(lease["holder"]["pid"], pid)
        runner.communicate("done\n", timeout=30)
        self.assertEqual(runner.returncode, 0)
        self.released()

    def test_exit_status_passes(self):
        self.expect(self.estiva("run", "--vram", "1GiB", "--", "sh", "-c", "exit 37"), 37)
        self.expect(self.estiva("run", "--vram", "1GiB", "--", "sh", "-c", "kill -9 $$"), 137)
        self.expect(self.estiva("run", "--vram", "1GiB", "--", "/no/such/program"), 127, "No such file")
        self.expect(self.estiva("run", "--vram", "1GiB", "--", "/etc/passwd"), 126, "denied")
        self.released()

    def test_signals_are_passed_on(self):
        runner, _ = self.held("sh", "-c", "trap 'exit 9' TERM; echo $$; while :; do sleep 0.05; done")
        runner.send_signal(signal.SIGTERM)
        runner.communicate(timeout=30)
        self.assertEqual(runner.returncode, 9)
        self.released()

    def test_kill_9_of_the_child_releases(self):
        runner, pid = self.held("sh", "-c", "echo $$; exec sleep 60")
        os.kill(pid, signal.SIGKILL)
        runner.communicate(timeout=30)
        self.assertEqual(runner.returncode, 137)
        self.released()

    def test_kill_9_of_run_leaves_no_child_and_no_lease(self):
        runner, pid = self.held("sh", "-c", "echo $$; exec sleep 60")
        runner.kill()
        runner.communicate(timeout=30)
        until(lambda: not process_lives(pid), "the child ends with estiva run")
        until(lambda: not self.place.leases(), "its lease is taken back")

    def test_kill_9_of_run_while_it_waits_leaves_nothing(self):
        self.estiva("assign", "all", "--vram", "20GiB")
        runner = self.place.spawn("run", "--vram", "20GiB", "--name", "job", "--", "sleep", "60")
        runner.stderr.readline()
        child = self.place.children(runner.pid)
        self.assertEqual(len(child), 1)
        runner.kill()
        runner.communicate(timeout=30)
        until(lambda: not any(process_lives(pid) for pid in child.values()), "the held child ends")
        self.assertNotIn("job", self.place.leases())

    def test_it_waits_for_room_and_says_for_what(self):
        self.estiva("assign", "all", "--vram", "20GiB")
        runner = self.place.spawn("run", "--vram", "20GiB", "--", "echo", "started")
        self.assertIn("waiting up to", runner.stderr.readline())
        self.estiva("release", "all")
        out, _ = runner.communicate(timeout=60)
        self.assertEqual((runner.returncode, out), (0, "started\n"))

    def test_who_asked_first_is_first(self):
        self.estiva("assign", "all", "--vram", "20GiB")
        runners = []
        for name in ("first", "second"):
            runners.append(self.place.spawn("run", "--name", name, "--vram", "20GiB", "--", "sh", "-c", "sleep 0.3"))
            self.assertIn("waiting up to", runners[-1].stderr.readline())
            time.sleep(0.5)  # it is in line
        self.estiva("release", "all")
        until(lambda: {"first", "second"} & set(self.place.leases()), "one has its turn")
        self.assertEqual([name for name in self.place.leases() if name != "all"], ["first"])
        for runner in runners:
            runner.communicate(timeout=30)
        self.assertEqual([runner.returncode for runner in runners], [0, 0])

    def test_waiting_ends(self):
        self.estiva("assign", "all", "--vram", "20GiB")
        ran = self.estiva("run", "--vram", "20GiB", "--wait", "300ms", "--", "echo", "started")
        self.expect(ran, 4, "came free within 300ms")
        self.assertNotIn("started\n", ran.out)
        self.expect(self.estiva("run", "--vram", "20GiB", "--wait", "0s", "--", "true"), 1)

    def test_a_signal_ends_the_wait(self):
        self.estiva("assign", "all", "--vram", "20GiB")
        runner = self.place.spawn("run", "--vram", "20GiB", "--", "echo", "started")
        runner.stderr.readline()
        runner.send_signal(signal.SIGINT)
        out, _ = runner.communicate(timeout=30)
        self.assertEqual((runner.returncode, out), (130, ""))

    def test_two_commands_cannot_share_a_name(self):
        runner, _ = self.held("sh", "-c", "echo $$; exec sleep 60")
        ran = self.estiva("run", "--vram", "1GiB", "--name", "job", "--", "echo", "started")
        self.assertNotEqual(ran.code, 0, ran)
        self.assertEqual(ran.out, "")
        self.assertIn("job", self.place.leases())
        runner.kill()
        runner.communicate()

    def test_a_name_that_is_taken_is_left_as_it_is(self):
        self.expect(self.estiva("assign", "job", "--vram", "1GiB"), 0)
        before = self.place.leases()
        ran = self.expect(self.estiva("run", "--vram", "2GiB", "--name", "job", "--", "echo", "started"),
                          5, "holds a lease already")
        self.assertEqual(ran.out, "")
        # Neither grown nor bound to a child that is gone, which would take it away.
        self.assertEqual(self.place.leases(), before)

    def test_a_lease_that_took_the_name_later_is_left_alone(self):
        # The holder dies, its lease ends, the name is taken again; only then does `run` give back.
        runner, pid = self.held("sh", "-c", "echo $$; exec sleep 60")
        first = self.place.leases()["job"]["id"]
        runner.send_signal(signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        until(lambda: "job" not in self.place.leases(), "the lease ends with its holder")
        self.expect(self.estiva("assign", "job", "--vram", "1GiB"), 0)
        second = self.place.leases()["job"]["id"]
        self.assertNotEqual(first, second)
        runner.send_signal(signal.SIGCONT)
        runner.communicate(timeout=30)
        self.assertEqual(runner.returncode, 137)
        self.assertEqual(self.place.leases()["job"]["id"], second)


class Waiting(Case):
    def test_who_waits_does_not_fill_the_journal(self):
        self.simulated()
        self.expect(self.estiva("assign", "big", "--vram", "20GiB"), 0)
        for _ in range(2):
            self.expect(self.estiva("run", "--name", "patient", "--vram", "20GiB", "--wait", "3s", "--", "true"), 4)
        records = self.place.get("/api/v1/journal?grep=patient")[1]["records"]
        self.assertEqual([record["kind"] for record in records], ["refused"])
        # Granted and refused again is news.
        self.expect(self.estiva("release", "big"), 0)
        self.expect(self.estiva("assign", "patient", "--vram", "20GiB"), 0)
        self.expect(self.estiva("assign", "patient", "--vram", "900GiB"), 1)
        records = self.place.get("/api/v1/journal?grep=patient")[1]["records"]
        self.assertEqual([record["kind"] for record in records], ["refused", "assigned", "refused"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
