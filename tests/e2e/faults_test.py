"""Bad input, hostile clients, and things that break: a clear sentence, the right exit code, nothing
lost."""
import glob
import grp
import http.client
import os
import socket
import sqlite3
import subprocess
import threading
import unittest

from harness import ESTIVA, ONE_GPU, Case, has_real_gpu, until

LAGGING = ONE_GPU + "lag 5s\n"


class Race(Case):
    def test_64_assigns_of_60_percent_of_one_gpu_exactly_one_wins(self):
        self.simulated(LAGGING)
        total = self.place.gpus()[0]["memory"]["total_bytes"]
        size = f"{total * 6 // 10}B"
        started = [self.place.spawn("assign", f"model-{i}", "--vram", size) for i in range(64)]
        codes = []
        for runner in started:
            runner.communicate(timeout=120)
            codes.append(runner.returncode)
        self.assertEqual(sorted(codes), [0] + [1] * 63)
        self.assertEqual(len(self.place.leases()), 1)

    def wave(self, prefix, size, holders=None):
        """64 assigns at once; their exit codes."""
        extra = [["--pid", str(holder.pid)] for holder in holders] if holders else [[]] * 64
        started = [self.place.spawn("assign", f"{prefix}-{i}", "--vram", f"{size}B", *extra[i])
                   for i in range(64)]
        for runner in started:
            runner.communicate(timeout=120)
        return [runner.returncode for runner in started]

    def test_what_the_winner_took_but_nvml_does_not_show_yet_is_neither_free_nor_counted_twice(self):
        self.simulated(LAGGING)
        room = self.place.gpus()[0]["memory"]["admissible_bytes"]
        size = room * 6 // 10
        holders = [subprocess.Popen(["sleep", "600"]) for _ in range(64)]
        self.addCleanup(lambda: [holder.wait() for holder in holders])
        self.addCleanup(lambda: [holder.kill() for holder in holders])
        codes = self.wave("model", size, holders)
        self.assertEqual(sorted(codes), [0] + [1] * 63)
        winner = holders[codes.index(0)].pid
        before = self.place.gpus()[0]["memory"]["used_bytes"]
        taken = size - (1 << 30)  # the rest is the context and what the model may still take
        self.simulate("alloc", str(winner), "0", f"{taken}B")
        self.assertLess(self.place.gpus()[0]["memory"]["used_bytes"], before + taken)
        self.assertEqual(self.wave("late", size), [1] * 64)
        until(lambda: self.place.gpus()[0]["memory"]["used_bytes"] >= before + taken,
              "NVML shows what the winner took")
        self.assertEqual(self.place.gpus()[0]["memory"]["admissible_bytes"], room - size)
        self.expect(self.estiva("assign", "a-byte-more", "--vram", f"{room - size + 1}B"), 1)
        self.expect(self.estiva("assign", "the-rest", "--vram", f"{room - size}B"), 0)
        self.assertEqual(len(self.place.leases()), 2)


class Crash(Case):
    def test_leases_survive_kill_9(self):
        self.simulated()
        self.expect(self.estiva("assign", "keeps", "--vram", "3GiB"), 0)
        self.expect(self.estiva("assign", "goes", "--vram", "1GiB"), 0)
        self.expect(self.estiva("release", "goes"), 0)
        before = self.place.leases()
        self.place.kill_daemon()
        self.expect(self.estiva("leases"), 5, "not running", "estiva daemon")
        self.place.start_simulated()
        self.assertEqual(sorted(self.place.leases()), ["keeps"])
        self.assertEqual(self.place.leases()["keeps"]["id"], before["keeps"]["id"])
        # What was promised is still promised.
        self.expect(self.estiva("assign", "too-big", "--vram", "21GiB"), 1)

    def test_a_holder_that_died_meanwhile_is_noticed(self):
        self.simulated()
        holder = subprocess.Popen(["sleep", "60"])
        self.expect(self.estiva("assign", "a", "--vram", "1GiB", "--pid", str(holder.pid)), 0)
        self.place.kill_daemon()
        holder.kill()
        holder.wait()
        self.place.start_simulated()
        until(lambda: not self.place.leases(), "the lease of a dead process is taken back")

    def test_a_clean_end_leaves_no_process_and_keeps_leases(self):
        self.simulated()
        self.estiva("assign", "keeps", "--vram", "1GiB")
        family = [self.place.estivad_pid(), *self.place.children().values(),
                  *self.place.children(self.place.estivad_pid()).values()]
        self.assertEqual(self.place.stop(), 0, self.place.read_log())
        for pid in family:
            self.assertFalse(os.path.exists(f"/proc/{pid}"), pid)
        self.place.start_simulated()
        self.assertIn("keeps", self.place.leases())


class StateFolder(Case):
    def database(self):
        found = glob.glob(os.path.join(self.place.state, "*.db")) + glob.glob(
            os.path.join(self.place.state, "*.sqlite*"))
        self.assertTrue(found, os.listdir(self.place.state))
        return found[0]

    def started(self, *words):
        """Runs the daemon where it is expected to refuse; its exit code and words."""
        daemon = self.place.start("--listen", "off", *words, wait=False)
        code = daemon.wait(60)
        self.place.daemon = None
        return code, self.place.read_log()

    def stop_and_find_database(self):
        self.simulated()
        self.estiva("assign", "a", "--vram", "1GiB")
        self.place.stop()
        return self.database()

    def test_a_corrupt_database_is_refused_and_left_alone(self):
        path = self.stop_and_find_database()
        garbage = b"this is no database" * 1000
        for extra in glob.glob(path + "-*"):
            os.remove(extra)
        with open(path, "wb") as file:
            file.write(garbage)
        code, said = self.started()
        self.assertNotEqual(code, 0)
        self.assertIn(path, said)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), garbage)

    def test_fresh_state_sets_a_corrupt_database_aside(self):
        path = self.stop_and_find_database()
        with open(path, "wb") as file:
            file.write(b"garbage" * 1000)
        self.place.start_simulated(ONE_GPU, "--fresh-state")
        self.assertEqual(self.place.leases(), {})
        self.assertGreater(len(os.listdir(self.place.state)), 1)

    def test_a_newer_database_is_refused_and_left_alone(self):
        path = self.stop_and_find_database()
        database = sqlite3.connect(path)
        database.execute("pragma user_version = 999999")
        database.commit()
        database.close()
        code, said = self.started()
        self.assertNotEqual(code, 0)
        self.assertIn("newer", said)
        database = sqlite3.connect(path)
        self.assertEqual(database.execute("pragma user_version").fetchone()[0], 999999)
        database.close()

    def test_a_read_only_state_folder_is_a_sentence(self):
        with open(os.path.join(self.place.dir, "file"), "w"):
            pass
        # Root may write anywhere; below a file nobody can make a folder.
        code, said = self.started("--state-dir", os.path.join(self.place.dir, "file", "state"))
        self.assertNotEqual(code, 0)
        self.assertIn("file", said)
        self.assertNotIn("terminate", said)


class Listening(Case):
    def test_a_port_in_use_names_the_port(self):
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        daemon = self.place.start("--listen", f"127.0.0.1:{port}", wait=False)
        code = daemon.wait(60)
        self.place.daemon = None
        self.assertNotEqual(code, 0)
        self.assertIn(str(port), self.place.read_log())

    def test_a_second_daemon_leaves_the_first_alone(self):
        self.simulated()
        second = self.place.spawn("daemon", "--listen", "off")
        _, said = second.communicate(timeout=60)
        self.assertNotEqual(second.returncode, 0, said)
        self.assertEqual(self.place.get("/api/v1/leases")[0], 200)


class Http(Case):
    def setUp(self):
        super().setUp()
        self.simulated()
        self.port = self.place.tcp_port()

    def tcp(self, method, target, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return self.place.request(method, target, body, headers, connection)

    def raw(self, data):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.addCleanup(connection.close)
        connection.sendall(data)
        return connection

    def lives(self):
        self.assertEqual(self.place.get("/api/v1/gpu")[0], 200)

    def test_without_the_token_only_healthz(self):
        self.assertEqual(self.tcp("GET", "/healthz")[0], 200)
        for method, target in (("GET", "/api/v1/gpu"), ("GET", "/api/v1/status"),
                               ("DELETE", "/api/v1/leases/a"), ("POST", "/api/v1/leases")):
            self.assertIn(self.tcp(method, target)[0], (401, 403), target)
        self.assertEqual(self.place.leases(), {})

    def test_a_wrong_token_is_no_token(self):
        self.assertIn(self.tcp("GET", "/api/v1/gpu", Authorization="Bearer x")[0], (401, 403))

    def test_the_token_opens_it(self):
        token = self.estiva("token").out.strip()
        status, document = self.tcp("GET", "/api/v1/gpu", Authorization=f"Bearer {token}")
        self.assertEqual((status, document["schema"]), (200, "estiva/gpu/1"))

    def test_a_wrong_host_is_refused(self):
        for target in ("/healthz", "/api/v1/gpu"):
            self.assertIn(self.tcp("GET", target, Host="evil.example")[0], (400, 403, 421), target)

    def test_a_web_page_elsewhere_is_refused(self):
        token = self.estiva("token").out.strip()
        headers = {"Authorization": f"Bearer {token}", "Origin": "http://evil.example"}
        self.assertEqual(self.tcp("GET", "/api/v1/gpu", **headers)[0], 403)

    def test_10_mb_of_garbage_is_survived(self):
        garbage = os.urandom(10_000_000)
        for start in (b"", b"POST /api/v1/leases HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Length: 10000000\r\n\r\n"):
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            try:
                connection.sendall(start + garbage)
                connection.recv(4096)
            except OSError:
                pass  # it may well hang up on us
            connection.close()
        self.lives()

    def test_10_mb_of_garbage_on_the_control_socket_is_refused(self):
        try:
            status, _ = self.place.request("POST", "/api/v1/leases", os.urandom(10_000_000))
            self.assertIn(status, (400, 413))
        except OSError:
            pass  # hung up while we were still sending
        self.lives()

    def test_bodies_that_are_no_request(self):
        for body in ("", "[]", "{", '{"model":"a"}', '{"model":"a","vram_bytes":-1}',
                     '{"model":"a","vram_bytes":1e99}', '{"model":7,"vram_bytes":1}',
                     '{"model":"a","vram_byte":1}', '{"model":"a","vram_bytes":"much"}',
                     "[" * 100000):
            status, answer = self.place.request("POST", "/api/v1/leases", body)
            self.assertEqual(status, 400, body[:40])
            self.assertEqual(answer["error"]["kind"], "usage", body[:40])
            self.assertTrue(answer["error"]["message"])
        self.assertEqual(self.place.leases(), {})

    def test_seed_002s_own_words_are_taken(self):
        status, answer = self.place.request(
            "POST", "/api/v1/leases", '{"model":"a","required_vram_mb":1000,"gpu":"auto"}')
        self.assertEqual((status, answer["lease"]["vram_bytes"]), (200, 1000 << 20))

    def test_smuggling_is_refused(self):
        for lines in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                      b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length : 5\r\n"):
            connection = self.raw(b"POST /healthz HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\nhello")
            self.assertIn(b" 400 ", connection.recv(4096).split(b"\r\n")[0], lines)
        self.lives()

    def test_slow_clients_hold_nobody_up(self):
        slow = [self.raw(b"GET /healthz HT") for _ in range(50)]
        done = threading.Event()

        def trickle():
            while not done.wait(0.2):
                for connection in slow:
                    try:
                        connection.sendall(b"T")
                    except OSError:
                        pass

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            for _ in range(20):
                self.lives()
            # And each of them is cut off in the end (10 s to send a header).
            until(lambda: self.is_closed(slow[0]), "a slow client is cut off")
        finally:
            done.set()
            thread.join()

    def is_closed(self, connection):
        connection.settimeout(0.05)
        try:
            while True:
                if not connection.recv(4096):
                    return True
        except socket.timeout:
            return False
        except OSError:
            return True


class CommandLine(Case):
    def test_bad_input_is_exit_2_before_any_connection(self):
        for words in (["asign"], ["gpu", "--colour"], ["assign", "a", "--vram", "3,5GB"],
                      ["assign", "a", "--vram", "-1"], ["assign", "a", "--vram", "1e99"],
                      ["assign", "a"], ["run", "--vram", "1GiB"], ["release", "a", "a"],
                      ["status", "--interval", "-1"], ["completion", "tcsh"]):
            ran = self.estiva(*words)
            self.assertEqual(ran.code, 2, (words, ran))
            self.assertEqual(ran.out, "", words)
            self.assertEqual(len(ran.err.splitlines()), 1, ran)
            self.assertNotIn("daemon is not running", ran.err)

    def test_the_nearest_name_is_suggested(self):
        self.expect(self.estiva("asign"), 2, "'assign'")
        self.expect(self.estiva("assign", "a", "--varm", "1GiB"), 2, "'--vram'")

    def test_without_a_daemon_it_says_how_to_start_one(self):
        for words in (["assign", "a", "--vram", "1GiB"], ["leases"], ["release", "a"], ["events"],
                      ["run", "--vram", "1GiB", "--", "true"]):
            self.expect(self.estiva(*words), 5, "estiva daemon")

    def test_a_stale_socket_file_is_no_daemon(self):
        os.makedirs(os.path.dirname(self.place.socket))
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(self.place.socket)
        dead.close()
        self.expect(self.estiva("leases"), 5, "not running")

    @unittest.skipIf(os.geteuid() != 0, "only root can become another user")
    def test_a_socket_one_may_not_use_names_the_group(self):
        os.makedirs(os.path.dirname(self.place.socket))
        closed = socket.socket(socket.AF_UNIX)
        self.addCleanup(closed.close)
        closed.bind(self.place.socket)
        closed.listen()
        os.chmod(self.place.socket, 0o600)
        os.chmod(self.place.dir, 0o755)
        who = dict(user=65534, group=65534, extra_groups=[])
        self.expect(self.estiva("leases", **who), 5, "Run this as root.")
        mail = grp.getgrnam("mail")
        os.chown(self.place.socket, 0, mail.gr_gid)
        os.chmod(self.place.socket, 0o660)
        self.expect(self.estiva("leases", **who), 5, "usermod -aG mail $USER")

    def fake_daemon(self, answer):
        os.makedirs(os.path.dirname(self.place.socket))
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.place.socket)
        listener.listen()

        def serve():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.recv(65536)
            connection.sendall(answer)
            connection.close()

        threading.Thread(target=serve, daemon=True).start()

    def test_a_daemon_of_another_version_is_named(self):
        body = b'{"schema":"estiva/leases/2","leases":[]}'
        self.fake_daemon(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        self.expect(self.estiva("leases"), 1, "estiva/leases/2", "Restart the daemon")

    def test_a_daemon_without_the_route_is_named(self):
        self.fake_daemon(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        self.expect(self.estiva("leases"), 1, "another version")

    def test_a_daemon_that_talks_nonsense_is_a_sentence(self):
        self.fake_daemon(b"SSH-2.0-OpenSSH_9.2\r\n")
        self.expect(self.estiva("leases"), 1)

    def test_a_reader_that_goes_away_is_no_error(self):
        ran = subprocess.run(f"{ESTIVA} help | head -n 0; exit ${{PIPESTATUS[0]}}", shell=True,
                             executable="/bin/bash", capture_output=True, text=True, timeout=60)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def test_a_full_disk_under_stdout_is_a_sentence(self):
        with open("/dev/full", "w") as full:
            ran = self.estiva("help", stdout=full)
        self.assertEqual(ran.code, 1)
        self.assertIn("No space left", ran.err)

    def test_completion_scripts_are_valid(self):
        script = self.place.file("completion", self.expect(self.estiva("completion", "bash"), 0).out)
        checked = subprocess.run(["bash", "-n", script], capture_output=True, text=True, timeout=60)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_every_verb_has_help(self):
        names = [line.split()[0] for line in self.estiva("help").out.splitlines() if line.startswith("  ")]
        self.assertIn("assign", names)
        for name in names:
            self.expect(self.estiva(name, "--help"), 0, "Usage: estiva " + name)
            self.expect(self.estiva("help", name), 0, "Usage: estiva " + name)


class NoGpu(Case):
    """The honest degraded mode, on a host tree without a GPU."""

    def setUp(self):
        super().setUp()
        if has_real_gpu():
            self.skipTest("this machine has a real GPU")

    def test_gpu_says_why_and_shows_memory_and_disk(self):
        self.expect(self.estiva("gpu"), 3, "No GPU", "What to do:", "RAM", "Disk root")
        document = self.expect(self.estiva("gpu", "--json"), 3).json()
        self.assertEqual(document["gpus"], [])
        self.assertTrue(document["driver"]["reason"])
        self.assertIs(document["simulated"], False)

    def test_status_is_degraded(self):
        document = self.expect(self.estiva("status", "--json"), 3).json()
        self.assertNotEqual(document["checks"][0]["state"], "OK")
        self.assertTrue(document["checks"][0]["reason"])
        self.expect(self.estiva("status"), 3, "No GPU", "RAM")

    def test_with_a_daemon_assign_is_refused_with_the_reason(self):
        self.place.start("--listen", "off")
        self.expect(self.estiva("gpu"), 3, "No GPU", "RAM")
        ran = self.expect(self.estiva("assign", "a", "--vram", "1GiB"), 5)
        self.assertIn("GPU", ran.err)
        self.assertNotIn("SIMULATED", ran.out + ran.err)
        self.expect(self.estiva("run", "--vram", "1GiB", "--", "echo", "started"), 5)


class Simulation(Case):
    def test_a_malformed_scenario_names_the_line(self):
        if has_real_gpu():
            self.skipTest("this machine has a real GPU: simulation is refused there")
        path = self.place.file("bad", 'scenario "bad"\ngpu no-such-card\n')
        daemon = self.place.start("--simulate", path, "--listen", "off", wait=False)
        self.assertNotEqual(daemon.wait(60), 0)
        self.place.daemon = None
        self.assertIn("no-such-card", self.place.read_log())
        self.assertIn("2", self.place.read_log())

    def test_an_unknown_scenario_is_an_error(self):
        if has_real_gpu():
            self.skipTest("this machine has a real GPU: simulation is refused there")
        daemon = self.place.start("--simulate", "no-such-scenario", "--listen", "off", wait=False)
        self.assertNotEqual(daemon.wait(60), 0)
        self.place.daemon = None
        self.assertIn("no-such-scenario", self.place.read_log())

    def test_simulation_is_refused_where_pci_shows_an_nvidia_device(self):
        device = os.path.join(self.place.dir, "root/sys/bus/pci/devices/0000:01:00.0")
        os.makedirs(device)
        for name, text in (("vendor", "0x10de\n"), ("class", "0x030000\n"), ("device", "0x2684\n")):
            with open(os.path.join(device, name), "w") as file:
                file.write(text)
        ran = self.estiva("daemon", "--simulate", "--root", os.path.join(self.place.dir, "root"))
        self.expect(ran, 5, "0000:01:00.0")

    def test_a_second_simulator_in_the_same_folder_is_refused(self):
        if has_real_gpu():
            self.skipTest("this machine has a real GPU: simulation is refused there")
        folder = os.path.join(self.place.dir, "simulator")
        first = self.place.spawn("simulate", "laptop-4gb", "--dir", folder)
        self.addCleanup(first.communicate)
        self.addCleanup(first.kill)
        until(lambda: os.path.exists(os.path.join(folder, "control")), "the first one listens")
        self.expect(self.estiva("simulate", "laptop-4gb", "--dir", folder), 5, folder)
        self.assertIsNone(first.poll(), "the first one is left alone")

    def test_simulate_lists_its_scenarios(self):
        self.expect(self.estiva("simulate", "--list"), 0, "laptop-4gb")


if __name__ == "__main__":
    unittest.main(verbosity=2)
