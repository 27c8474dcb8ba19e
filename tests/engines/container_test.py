"""Models in containers of a real dockerd: found, started, taken over, stopped, and lost."""
import os
import signal
import subprocess
import time

import by_hand
from docker_place import DockerCase, busybox_tar
from harness import process_lives, until

SERVER = "mkdir -p /w && echo hello >/w/index.html && exec httpd -f -p 8000 -h /w"


class OnDocker(DockerCase):
    def setUp(self):
        super().setUp()
        self.docker.run("import", "-", "httpd:test",
                        input=busybox_tar(self.docker.folder + "/h", "sh", "sleep", "httpd", "mkdir", "echo", "cat", "test"))
        self.ip("link", "set", "lo", "up")

    def inside(self):
        """In the network of the test's dockerd."""
        return ["nsenter", "-t", str(self.docker.process.pid), "-n"]

    def ip(self, *words):
        subprocess.run([*self.inside(), "ip", *words], check=True)

    def hand(self, container, **spec):
        hand = by_hand.Hand("container", env=self.place.env, inside=self.inside(), container=container, **spec)
        self.addCleanup(hand.close)
        return hand

    def create(self, name, *words, script=SERVER, network="host"):
        self.docker.run("create", "--name", name, "--network", network, *words, "httpd:test", "/bin/sh", "-c", script)

    def state(self, name):
        return self.docker.say("inspect", "-f", "{{.State.Status}}", name)

    def full_id(self, name):
        return self.docker.say("inspect", "-f", "{{.Id}}", name)

    def expect_ok(self, answer):
        self.assertTrue(answer["ok"], answer)
        return answer

    def expect_error(self, answer, kind, *parts):
        self.assertFalse(answer["ok"], answer)
        self.assertEqual(answer["kind"], kind, answer)
        for part in parts:
            self.assertIn(part, answer["what"] + ". " + answer["remedy"])
        return answer


class Life(OnDocker):
    URL = dict(url="http://127.0.0.1:8000/w")

    def test_started_reached_and_stopped(self):
        self.create("tts")
        hand = self.hand("tts", **self.URL)
        self.assertIn("httpd:test (", self.expect_ok(hand.do("probe"))["version"])
        self.assertEqual(self.state("tts"), "created", "a probe starts nothing")
        self.assertEqual(hand.do("record")["record"], "")
        running = self.expect_ok(hand.do("load"))
        self.assertEqual((running["endpoint"], running["prefix"]), ("127.0.0.1:8000", "/w"))
        pid = self.docker.pid("tts")
        self.assertEqual(running["pid"], pid)
        self.assertEqual([line.get("pid") for line in hand.told if line["told"] == "started"], [pid])
        self.assertEqual(hand.told[0]["told"], "kept", "the record is durable before the container is started")
        looked = hand.do("roots")
        self.assertIn(pid, looked["roots"])
        self.assertIn(self.full_id("tts"), looked["record"])
        self.expect_ok(hand.do("stop"))
        self.assertEqual(self.state("tts"), "exited")
        self.assertFalse(process_lives(pid))
        looked = hand.do("roots")
        self.assertEqual((looked["roots"], looked["record"]), ([], ""))
        self.expect_ok(hand.do("stop"))
        self.assertEqual(hand.times_told("ended"), 0, "our own stop is no end by itself")
        self.assertGreater(self.expect_ok(hand.do("load"))["pid"], 0, "and again")

    def test_one_that_runs_is_taken_over_and_not_restarted(self):
        self.create("tts")
        self.docker.run("start", "tts")
        pid = self.docker.pid("tts")
        self.assertEqual(self.expect_ok(self.hand("tts", **self.URL).do("load"))["pid"], pid)
        self.assertEqual(self.docker.pid("tts"), pid)

    def test_processes_of_docker_exec_are_its_own(self):
        self.create("tts")
        hand = self.hand("tts", **self.URL)
        self.expect_ok(hand.do("load"))
        self.docker.run("exec", "-d", "tts", "/bin/sleep", "4321")
        def sleeper():
            for pid in hand.do("roots")["roots"]:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if b"4321" in file.read():
                        return True
            return False
        until(sleeper, "the process of docker exec is among the roots")

    def test_a_new_daemon_goes_on_with_it(self):
        self.create("tts")
        first = self.hand("tts", **self.URL)
        pid = self.expect_ok(first.do("load"))["pid"]
        record = first.do("record")["record"]
        first.close()
        self.assertTrue(process_lives(pid), "a model outlives the daemon")
        second = self.hand("tts", **self.URL)
        self.assertEqual(self.expect_ok(second.do("adopt " + record))["pid"], pid)
        os.kill(pid, signal.SIGKILL)
        self.assertIn("exit code 137", second.ended())
        self.expect_error(second.do("adopt " + record), "not_found", "ended with exit code 137")
        self.docker.run("start", "tts")
        again = self.expect_ok(second.do("adopt " + record))
        self.assertEqual(again["pid"], self.docker.pid("tts"), "another run is taken over as it is")
        self.assertNotEqual(second.do("record")["record"], record)
        self.docker.run("rm", "-f", "tts")
        self.assertIn("'tts' ", second.next("told", "ended")["why"])
        self.expect_error(second.do("adopt " + record), "not_found")

    def test_the_engine_restarts_while_it_runs(self):
        """dockerd dies and comes back; the container lives on, and its later end is noticed."""
        self.docker.configure(**{"live-restore": True})
        os.kill(self.docker.process.pid, signal.SIGHUP)
        time.sleep(0.5)
        self.create("tts")
        hand = self.hand("tts", **self.URL)
        pid = self.expect_ok(hand.do("load"))["pid"]
        self.docker.kill()
        self.assertTrue(process_lives(pid))
        self.assertEqual(hand.do("roots")["roots"], [pid])
        self.docker.start()
        self.assertEqual(hand.times_told("ended"), 0)
        os.kill(pid, signal.SIGKILL)
        self.assertIn("tts", hand.ended())


class Naming(OnDocker):
    def test_names_are_never_guessed(self):
        self.create("tts-one")
        full = self.full_id("tts-one")
        self.expect_ok(self.hand(full, url="http://127.0.0.1:8000").do("probe"))
        self.expect_error(self.hand(full[:12]).do("load"), "not_found", "'tts-one'", "full id")
        self.expect_error(self.hand("tts").do("load"), "not_found", "no container 'tts'", "docker ps -a")
        self.expect_error(self.hand("a/b").do("load"), "not_found", "'a/b'")
        self.expect_error(self.hand("").do("load"), "usage", "names no container")
        self.assertEqual(self.state("tts-one"), "created")

    def test_compose_services(self):
        name = self.docker.up("proj", "tts")
        hand = self.hand("proj/tts", url="http://127.0.0.1:8000")
        self.expect_ok(hand.do("probe"))
        self.expect_error(self.hand("proj/other").do("probe"), "not_found", "proj/other")
        labels = ["--label", "com.docker.compose.project=proj", "--label", "com.docker.compose.service=tts"]
        self.create("once", *labels, "--label", "com.docker.compose.oneoff=True")
        self.expect_ok(hand.do("probe"))
        self.create("second", *labels)
        self.expect_error(hand.do("load"), "refused", name, "second")
        self.assertEqual(self.state(name), "running")

    def test_no_engine(self):
        self.place.env["DOCKER_HOST"] = f"unix://{self.place.dir}/nobody.sock"
        hand = by_hand.Hand("container", env=self.place.env, container="tts")
        self.addCleanup(hand.close)
        self.expect_error(hand.do("load"), "not_found", "nobody.sock", "systemctl start docker")


class Ports(OnDocker):
    def setUp(self):
        super().setUp()
        self.docker.stop()
        self.docker.configure(bridge="", iptables=False)
        self.docker.start()
        self.ip("link", "set", "lo", "up")

    def test_its_published_port(self):
        self.create("tts", "-p", "127.0.0.1:8123:8000", network="bridge")
        hand = self.hand("tts", ready="http://127.0.0.1:${PORT}/index.html")
        self.assertEqual(self.expect_ok(hand.do("load"))["endpoint"], "127.0.0.1:8123")

    def test_ready_is_more_than_a_port_that_docker_opened(self):
        self.create("tts", "-p", "127.0.0.1:8123:8000", network="bridge", script="sleep 2; " + SERVER)
        hand = self.hand("tts")
        begun = time.monotonic()
        self.expect_ok(hand.do("load"))
        self.assertGreater(time.monotonic() - begun, 1.5)
        pid = self.docker.pid("tts")
        subprocess.run(["nsenter", "-t", str(pid), "-n", "cat", "/proc/net/tcp"], check=True, stdout=subprocess.DEVNULL)

    def test_its_own_address(self):
        self.create("tts", "--expose", "8000", network="bridge")
        endpoint = self.expect_ok(self.hand("tts").do("load"))["endpoint"]
        self.assertEqual(endpoint, self.docker.say("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "tts") + ":8000")

    def test_several_or_none_are_not_guessed(self):
        self.create("two", "-p", "127.0.0.1:8123:8000", "-p", "127.0.0.1:8124:9000", network="bridge")
        self.expect_error(self.hand("two").do("load"), "usage", "127.0.0.1:8123", "Set url")
        self.assertEqual(self.state("two"), "exited", "after an error nothing is left running")
        self.create("none", network="none")
        self.docker.run("start", "none")
        self.expect_error(self.hand("none").do("load"), "usage", "publishes no port")
        self.assertEqual(self.state("none"), "running", "a person's container is not stopped for our configuration's sake")


class Trouble(OnDocker):
    URL = dict(url="http://127.0.0.1:8000")

    def test_one_that_ends_at_once(self):
        self.create("bad", script="echo loading; echo torch.OutOfMemoryError: CUDA out of memory. >&2; exit 3")
        hand = self.hand("bad", **self.URL)
        self.expect_error(hand.do("load"), "no_room", "exit code 3", "CUDA out of memory")
        self.assertCountEqual(hand.do("log")["log"], ["loading", "torch.OutOfMemoryError: CUDA out of memory."])
        self.assertEqual(hand.times_told("ended"), 0)
        self.create("worse", script="echo no such model; exit 4")
        self.expect_error(self.hand("worse", **self.URL).do("load"), "failed", "exit code 4", "no such model")
        self.docker.run("create", "--name", "none", "--network", "none", "httpd:test", "/no/such")
        self.expect_error(self.hand("none", **self.URL).do("load"), "failed", "did not start", "/no/such")

    def test_one_that_never_gets_ready(self):
        self.create("deaf", script="echo thinking; exec sleep 1000")
        answer = self.hand("deaf", load_limit=1, stop_limit=1, **self.URL).do("load")
        self.expect_error(answer, "timed_out", "within 1 s", "thinking", "load_limit")
        self.assertEqual(self.state("deaf"), "exited")

    def test_a_load_that_is_ended(self):
        self.create("deaf", script="exec sleep 1000")
        hand = self.hand("deaf", stop_limit=1, **self.URL)
        hand.say("load")
        hand.next("told", "started")
        hand.say("stop")
        self.expect_error(hand.next("did", "load"), "refused")
        self.expect_ok(hand.next("did", "stop"))
        self.assertEqual(self.state("deaf"), "exited")

    def test_its_restart_policy_does_not_bring_it_back(self):
        self.create("tts", "--restart", "always")
        hand = self.hand("tts", stop_limit=1, **self.URL)
        pid = self.expect_ok(hand.do("load"))["pid"]
        self.expect_ok(hand.do("stop"))
        time.sleep(1)
        self.assertEqual(self.state("tts"), "exited")
        pid = self.expect_ok(hand.do("load"))["pid"]
        os.kill(pid, signal.SIGKILL)
        self.assertIn("restart policy", hand.ended())
        time.sleep(1)
        self.assertEqual(self.state("tts"), "exited", "it would take bytes that were promised to others")

    def test_a_restart_by_hand_is_another_run(self):
        self.create("tts", "--restart", "always")
        hand = self.hand("tts", stop_limit=1, **self.URL)
        pid = self.expect_ok(hand.do("load"))["pid"]
        self.docker.run("restart", "-t", "1", "tts")
        self.assertIn("by somebody", hand.ended())
        self.assertEqual(self.state("tts"), "running")
        again = self.expect_ok(hand.do("load"))["pid"]
        self.assertNotEqual(again, pid)
        self.assertEqual(again, self.docker.pid("tts"))

    def test_paused(self):
        self.create("tts")
        hand = self.hand("tts", stop_limit=1, **self.URL)
        pid = self.expect_ok(hand.do("load"))["pid"]
        self.docker.run("pause", "tts")
        self.expect_error(self.hand("tts", **self.URL).do("load"), "refused", "docker unpause tts")
        self.assertEqual(self.state("tts"), "paused")
        self.assertEqual(hand.times_told("ended"), 0)
        self.expect_ok(hand.do("stop"))
        self.assertEqual(self.state("tts"), "exited")
        self.assertFalse(process_lives(pid))

    def test_one_that_ignores_term(self):
        self.create("stubborn", script="trap '' TERM; " + SERVER.replace("exec ", ""))
        hand = self.hand("stubborn", stop_limit=1, **self.URL)
        pid = self.expect_ok(hand.do("load"))["pid"]
        self.expect_ok(hand.do("stop"))
        self.assertFalse(process_lives(pid))

    def test_removed_while_it_is_stopped_and_while_it_runs(self):
        self.create("tts")
        hand = self.hand("tts", stop_limit=1, **self.URL)
        self.expect_ok(hand.do("load"))
        self.docker.run("rm", "-f", "tts")
        self.assertIn("'tts' ", hand.ended())
        self.expect_ok(hand.do("stop"))
        self.expect_error(hand.do("load"), "not_found", "no container 'tts'")

    def test_a_health_check_says_when_it_is_ready(self):
        self.create("tts", "--health-cmd", "test -e /healthy", "--health-interval", "1s",
                    script="(sleep 3; echo 1 >/healthy) & " + SERVER)
        hand = self.hand("tts", **self.URL)
        begun = time.monotonic()
        self.expect_ok(hand.do("load"))
        self.assertGreater(time.monotonic() - begun, 2.5)

    def test_a_long_log(self):
        self.create("tts", script="for i in 1 2 3; do for k in 1 2 3 4 5 6 7 8 9; do cat /bin/busybox; echo; done; done; echo last; "
                    + SERVER)
        hand = self.hand("tts", **self.URL)
        self.expect_ok(hand.do("load"))
        def lines():
            return hand.do("log")["log"]
        until(lines, "the log is there")
        self.assertLessEqual(len(lines()), 200)


del OnDocker
del DockerCase
