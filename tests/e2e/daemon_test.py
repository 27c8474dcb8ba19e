"""The daemon's life: how it ends, what it leaves of the folders it is given, and what it says when
descriptors, disks or clients misbehave."""
import contextlib
import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import tempfile
import threading
import unittest

from harness import ESTIVA, ESTIVAD, LIBRARY, ONE_GPU, Case, UnixConnection, until


class Life(Case):
    """estivad itself, without a GPU."""

    def launch(self, *words, **more):
        log = open(self.place.log, "a")
        more.setdefault("env", self.place.env)
        self.place.daemon = subprocess.Popen([ESTIVAD, "--listen", "off", *words],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log, **more)
        log.close()
        until(self.place.answers, "the daemon answers")
        return self.place.daemon

    def events(self):
        """A client that follows the events and reads no more of them than the first bytes."""
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.settimeout(60)
        client.connect(self.place.socket)
        client.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b"200 OK", client.recv(4096))
        return client

    def test_a_second_signal_does_not_cut_the_end_short(self):
        daemon = self.launch()
        # A request that never ends keeps the daemon in its shutdown until the grace is over.
        open_request = socket.socket(socket.AF_UNIX)
        self.addCleanup(open_request.close)
        open_request.connect(self.place.socket)
        open_request.sendall(b"POST /api/v1/leases HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        self.place.get("/healthz")
        daemon.send_signal(signal.SIGTERM)
        until(lambda: "msg=stopping" in self.place.read_log(), "it begins to stop")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            daemon.send_signal(number)
        self.assertEqual(daemon.wait(60), 0, self.place.read_log())
        self.assertFalse(os.path.exists(self.place.socket))
        self.place.daemon = None

    def test_every_ending_signal_is_a_clean_end(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            daemon = self.launch()
            sensor = self.place.children()
            daemon.send_signal(number)
            self.assertEqual(daemon.wait(60), 0, number)
            self.place.daemon = None
            for pid in sensor.values():
                self.assertFalse(os.path.exists(f"/proc/{pid}"), sensor)

    def test_streams_end_with_the_daemon(self):
        daemon = self.launch()
        clients = [self.events() for _ in range(20)]
        daemon.send_signal(signal.SIGTERM)
        for client in clients:
            said = b""
            while piece := client.recv(65536):
                said += piece
            self.assertTrue(said.endswith(b"0\r\n\r\n"), said[-20:])
        self.assertEqual(daemon.wait(60), 0)
        self.place.daemon = None

    def test_a_few_clients_do_not_use_up_the_descriptors(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        daemon = self.launch(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard)))
        self.events_of(150)
        self.assertEqual(self.place.get("/api/v1/status")[0], 200)
        self.assertNotIn("can't accept", self.place.read_log())
        self.assertIsNone(daemon.poll())

    def events_of(self, n):
        return [self.events() for _ in range(n)]

    def test_descriptors_that_ran_out_come_back(self):
        self.launch(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96)))
        clients = []
        for _ in range(120):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            try:
                client.connect(self.place.socket)
            except BlockingIOError:
                pass
            clients.append(client)
        until(lambda: "can't accept" in self.place.read_log(), "the descriptors run out")
        for client in clients:
            client.close()
        self.assertEqual(self.place.get("/api/v1/status")[0], 200)

    def test_folders_that_were_there_keep_their_modes(self):
        for folder in (self.place.state, self.place.run_dir):
            os.mkdir(folder)
            os.chmod(folder, 0o1777)
        self.launch()
        for folder in (self.place.state, self.place.run_dir):
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o1777, folder)

    def test_folders_and_files_that_it_makes_are_its_own(self):
        self.launch(umask=0)
        mode = lambda path: stat.S_IMODE(os.stat(path).st_mode)
        self.assertEqual(mode(self.place.state), 0o700)
        self.assertEqual(mode(os.path.join(self.place.state, "token")), 0o600)
        self.assertEqual(mode(os.path.dirname(self.place.socket)), 0o750)
        self.assertEqual(mode(self.place.socket), 0o660)

    def test_the_group_estiva_may_use_the_control_socket(self):
        if os.geteuid() != 0:
            self.launch()
            self.assertEqual(os.stat(self.place.socket).st_gid, os.getegid())
            return
        # Groups of its own, in a mount namespace of its own.
        os.chmod(self.place.dir, 0o755)
        groups = self.place.file("group", "root:x:0:\nestiva:x:4242:\n")
        log = open(self.place.log, "a")
        self.place.daemon = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/group && exec "$@"', groups,
             ESTIVAD, "--listen", "off"], env=self.place.env, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log)
        log.close()
        until(self.place.answers, "the daemon answers")
        for path, mode in ((self.place.socket, 0o660), (os.path.dirname(self.place.socket), 0o750)):
            self.assertEqual(os.stat(path).st_gid, 4242, path)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode, path)
        self.assertEqual(os.stat(self.place.state).st_gid, os.getegid(), "the state is nobody else's")
        member = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--groups=4242",
                                 ESTIVA, "leases"], env=self.place.env, capture_output=True, text=True)
        self.assertEqual(member.returncode, 0, member)
        stranger = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                   ESTIVA, "leases"], env=self.place.env, capture_output=True, text=True)
        self.assertNotEqual(stranger.returncode, 0, stranger)
        self.assertIn("estiva", stranger.stderr)

    def test_a_change_that_could_not_be_written_is_written_later(self):
        daemon = self.launch("--nvml", LIBRARY, "--simulated", restore_signals=False,
                             env={**self.place.env, "ESTIVA_SIM_SCENARIO": self.place.file("s", ONE_GPU)})
        until(self.place.gpus, "the simulated GPU is seen")
        self.expect(self.place.estiva("assign", "a", "--vram", "1GiB"), 0)
        # No file may grow any more: what a full disk does to a write-ahead log.
        wal = os.path.getsize(os.path.join(self.place.state, "estiva.db-wal"))
        limits = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (wal, limits[1]))
        ran = self.place.estiva("release", "a")
        self.assertEqual(ran.code, 1, ran)
        self.assertIn("will be tried again", self.place.read_log())

        def leases_on_disk():
            # A copy: the daemon keeps the database locked.
            with tempfile.TemporaryDirectory() as folder:
                copy = shutil.copytree(self.place.state, os.path.join(folder, "state"))
                with contextlib.closing(sqlite3.connect(os.path.join(copy, "estiva.db"))) as reader:
                    return reader.execute("SELECT count(*) FROM leases").fetchone()[0]
        self.assertEqual(leases_on_disk(), 1)
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, limits)
        until(lambda: leases_on_disk() == 0, "the release is on disk")
        self.assertIsNone(daemon.poll())

    def test_a_second_daemon_on_the_same_state_is_refused(self):
        self.launch()
        second = subprocess.run([ESTIVAD, "--listen", "off", "--runtime-dir",
                                 os.path.join(self.place.dir, "other")], env=self.place.env,
                                capture_output=True, text=True, timeout=60)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(self.place.state, second.stderr)
        self.assertEqual(self.place.get("/api/v1/leases")[0], 200)

    def test_a_socket_that_systemd_passes_is_used_and_left_behind(self):
        os.makedirs(os.path.dirname(self.place.socket))
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.place.socket)
        listener.listen()
        script = ('exec 3<&%d; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=control exec "$0" --listen off'
                  % listener.fileno())
        with open(self.place.log, "a") as log:
            self.place.daemon = subprocess.Popen(["sh", "-c", script, ESTIVAD], env=self.place.env,
                                                 pass_fds=[listener.fileno()], stdout=log, stderr=log)
        until(self.place.answers, "it answers on the passed socket")
        self.assertEqual(self.place.stop(), 0)
        self.assertTrue(os.path.exists(self.place.socket), "the file is systemd's")

    def test_a_client_that_connects_between_two_daemons_is_answered_by_the_second(self):
        path = os.path.join(self.place.run_dir, "lease", "estiva.sock")
        listeners = []
        for name in (self.place.socket, path):
            os.makedirs(os.path.dirname(name))
            listener = socket.socket(socket.AF_UNIX)
            self.addCleanup(listener.close)
            listener.bind(name)
            listener.listen()
            # Beyond the numbers that they are passed as.
            listeners.append(fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD, 10))
            self.addCleanup(os.close, listeners[-1])
        script = ('exec 3<&%d 4<&%d; LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=control:lease exec "$0" '
                  '--listen off' % tuple(listeners))
        waiting = None
        for _ in range(2):
            with open(self.place.log, "a") as log:
                self.place.daemon = subprocess.Popen(["bash", "-c", script, ESTIVAD], env=self.place.env,
                                                     pass_fds=listeners, stdout=log, stderr=log)
            if waiting:
                response = waiting.getresponse()
                self.assertEqual(response.status, 200)
                self.assertEqual(json.loads(response.read())["pid"], os.getpid())
                waiting.close()
            until(self.place.answers, "it answers on the control socket")
            self.assertEqual(self.place.request("GET", "/api/v1/self", connection=UnixConnection(path))[0], 200)
            self.assertEqual(self.place.stop(), 0)
            waiting = UnixConnection(path)
            waiting.request("GET", "/api/v1/self")
        waiting.close()
        self.assertTrue(os.path.exists(path), "the file is systemd's")

    def test_systemd_is_told(self):
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(told.close)
        told.settimeout(60)
        path = os.path.join(self.place.dir, "notify")
        told.bind(path)
        self.place.env.update(NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
        daemon = self.launch()
        said = [told.recv(4096).decode() for _ in range(3)]
        self.assertEqual(said, ["READY=1", "WATCHDOG=1", "WATCHDOG=1"])
        daemon.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in said:
            said.append(told.recv(4096).decode())
        self.assertEqual(daemon.wait(60), 0)
        self.place.daemon = None

    @unittest.skipIf(os.geteuid() != 0, "only root can become another user")
    def test_as_an_ordinary_user_it_needs_nothing(self):
        os.chown(self.place.dir, 65534, 65534)
        open(self.place.log, "a").close()
        os.chown(self.place.log, 65534, 65534)
        self.launch(user=65534, group=65534, extra_groups=[])
        self.expect(self.estiva("status", user=65534, group=65534, extra_groups=[]), 3, "RAM")
        self.assertEqual(self.place.stop(), 0)

    @unittest.skipIf(os.geteuid() != 0, "only root can become another user")
    def test_a_state_folder_that_one_may_not_write_is_a_sentence(self):
        os.chmod(self.place.dir, 0o755)
        os.mkdir(self.place.state, 0o555)
        refused = subprocess.run([ESTIVAD, "--listen", "off"], env=self.place.env, text=True,
                                 capture_output=True, timeout=60, user=65534, group=65534, extra_groups=[])
        self.assertIn(refused.returncode, (1, 5), refused)
        self.assertIn(self.place.state, refused.stderr)
        self.assertEqual(len(refused.stderr.splitlines()), 1, refused)


class HangUp(Case):
    """Clients that leave in the middle."""

    def test_assigns_whose_client_left_leave_the_daemon_whole(self):
        self.simulated(ONE_GPU)
        for i in range(50):
            client = socket.socket(socket.AF_UNIX)
            client.connect(self.place.socket)
            body = b'{"model":"gone-%d","vram_bytes":1048576}' % i
            client.sendall(b"POST /api/v1/leases HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                           % len(body) + body)
            client.close()
        # Whatever of them was granted is a lease like any other: listed, the same again, released.
        self.expect(self.estiva("assign", "gone-0", "--vram", "1MiB"), 0)
        for name in self.place.leases():
            self.expect(self.estiva("release", name), 0)
        until(lambda: not self.place.leases(), "nothing is left")

    def test_a_signal_in_the_middle_of_grants_loses_no_answer(self):
        """What a client was told before the end is there after the restart."""
        self.simulated(ONE_GPU)
        told, lock, over = set(), threading.Lock(), threading.Event()

        def assigns(worker):
            for i in range(10000):
                name = f"w{worker}-{i}"
                try:
                    status, _ = self.place.request("POST", "/api/v1/leases",
                                                   '{"model":"%s","vram_bytes":4096}' % name)
                except OSError:
                    return
                except Exception:
                    return
                if over.is_set() and status != 200:
                    return
                if status == 200:
                    with lock:
                        told.add(name)

        threads = [threading.Thread(target=assigns, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        until(lambda: len(told) > 50, "grants are given")
        over.set()
        code = self.place.stop()
        for thread in threads:
            thread.join()
        self.assertEqual(code, 0, self.place.read_log()[-2000:])
        self.place.start_simulated(ONE_GPU)
        self.assertEqual(told - set(self.place.leases()), set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
