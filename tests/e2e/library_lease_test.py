"""Leases of programs that share the GPU: real processes with the client libraries, on simulated GPUs."""
import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import unittest

from docker_place import DockerCase, program
from harness import BUILD, GIB, SIMULATOR, Case, UnixConnection, until

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON_CLIENT = os.path.join(HERE, "../../clients/python")
sys.path.insert(0, PYTHON_CLIENT)
import estiva  # noqa: E402

FOUR_GIB = """scenario "small"
driver 550.163.01
gpu gtx1050ti-4g
"""
PATIENCE = 30


class Program:
    """A process that says lines and is told words."""

    def __init__(self, case, *words, env=None):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, bufsize=1, env=env)
        self.lines, self.said = queue.Queue(), []
        threading.Thread(target=self._read, daemon=True).start()
        case.addCleanup(self.end)

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def hears(self, start):
        """The next line that begins so; others before it are kept in `said`."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not said: {start}; but: {self.said}; {self._errors()}") from None
            self.said.append(line)
            if line.startswith(start):
                return line

    def _errors(self):
        self.process.kill()
        return self.process.stderr.read()

    def tell(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except (OSError, ValueError):
                pass


class LibraryCase(Case):
    def setUp(self):
        super().setUp()
        self.simulated(FOUR_GIB, "--config", self.place.file("settings.toml", "[leases]\nper_client = 64\n"))
        self.socket = os.path.join(self.place.run_dir, "lease", "estiva.sock")
        self.sim = os.path.join(self.place.run_dir, "sim")

    def engine(self, name, size, *words, wait=30, heartbeat="never"):
        env = dict(self.place.env, PYTHONPATH=PYTHON_CLIENT, ESTIVA_LEASE_SOCKET=self.socket)
        return Program(self, sys.executable, "-B", os.path.join(HERE, "library_engine.py"), SIMULATOR, self.sim,
                       name, str(size), str(wait), str(heartbeat), *words, env=env)

    def c_client(self, name, size, how, wait=30, heartbeat=-1):
        return Program(self, os.path.join(BUILD, "c_client_asan"), name, str(size * GIB), str(wait), str(heartbeat),
                       how, env=dict(self.place.env, ESTIVA_LEASE_SOCKET=self.socket))

    def lease(self, name):
        return self.place.leases().get(name)

    def revoke(self, name, **more):
        return self.place.request("POST", f"/api/v1/leases/{self.lease(name)['id']}/revoke", json.dumps(more))


class Python(LibraryCase):
    def test_two_engines_that_do_not_fit_together_take_turns(self):
        """3 and 2 GiB on a card of 4: the first gives way, comes back, and the card never overflows."""
        xtts = self.engine("xtts", 3, "revocable", "loads")
        xtts.hears("granted")
        f5 = self.engine("f5tts", 2, "revocable", "loads")
        self.assertIn("waits for room", xtts.hears("revoked asked"))
        f5.hears("granted")
        for _ in range(3):
            for here, there in ((xtts, f5), (f5, xtts)):
                here.tell("enter")
                there.hears("revoked asked")
                here.hears("resumed")
                here.hears("did enter")
                here.tell("leave")
                here.hears("did leave")
        self.assertNotIn("trouble", " ".join(line.split()[0] for line in xtts.said + f5.said))
        self.assertEqual({"xtts", "f5tts"}, set(self.place.leases()), "each kept its lease all the time")

    def test_nothing_is_granted_before_the_bytes_have_left(self):
        """The lease says that it yielded, and its bytes are still there."""
        liar = self.engine("liar", 3, "revocable")
        liar.hears("granted")
        subprocess.run([SIMULATOR, "ctl", self.sim, "alloc", str(liar.process.pid), "0", "3GiB"], check=True)
        until(lambda: self.lease("liar")["state"] == "active", "its bytes are seen")
        second = self.engine("second", 2, wait=3)
        liar.hears("revoked")
        self.assertIn("NoRoom", second.hears("refused"))
        lease = self.lease("liar")
        self.assertEqual((lease["vram_bytes"], lease["charged_bytes"]), (0, 3 * GIB))
        subprocess.run([SIMULATOR, "ctl", self.sim, "free", str(liar.process.pid), "0"], check=True)
        self.engine("third", 2).hears("granted")

    def test_who_computes_is_asked_afterwards_and_does_not_starve_others(self):
        busy = self.engine("busy", 3, "revocable", "loads")
        busy.hears("granted")
        busy.tell("enter")
        busy.hears("did enter")
        other = self.engine("other", 2, "revocable", "loads")
        time.sleep(1.5)
        self.assertNotIn("revoked", " ".join(busy.said), "not in the middle of it")
        busy.tell("leave")
        busy.hears("revoked asked")
        other.hears("granted")
        busy.tell("enter")  # now it is this one's turn to wait and the other's to give way
        other.hears("revoked asked")
        busy.hears("did enter")

    def test_a_person_asks_and_hears_what_became_of_it(self):
        plain = self.engine("plain", 1)
        plain.hears("granted")
        self.assertEqual(self.revoke("plain", deadline_seconds=1), (409, {"schema": "estiva/revoke/1",
                                                                         "outcome": "refused"}))
        held = self.engine("held", 1, "revocable")
        held.hears("granted")
        self.assertEqual(self.revoke("held", reason="a game starts")[1]["outcome"], "yielded")
        self.assertIn("a game starts", held.hears("revoked asked"))
        self.assertEqual(self.lease("held")["vram_bytes"], 0)
        held.tell("enter")
        held.hears("did enter")
        self.assertEqual(self.lease("held")["vram_bytes"], GIB)
        self.assertEqual(self.revoke("held", deadline_seconds=0.5)[0], 409, "it computes")

    def test_a_killed_holder_gives_all_back(self):
        engine = self.engine("killed", 3, "revocable", "loads", heartbeat=30)
        engine.hears("granted")
        engine.process.kill()
        engine.process.wait()
        self.engine("next", 3).hears("granted")

    def test_one_that_is_silent_loses_its_lease_and_hears_of_it(self):
        engine = self.engine("silent", 3, "revocable", heartbeat=1)
        engine.hears("granted")
        time.sleep(2.5)
        self.assertIsNotNone(self.lease("silent"), "it speaks")
        engine.process.send_signal(signal.SIGSTOP)
        until(lambda: not self.lease("silent"), "it is silent")
        self.engine("next", 3, wait=5).hears("granted")
        engine.process.send_signal(signal.SIGCONT)
        engine.hears("revoked lost")
        engine.tell("enter")
        self.assertIn("LeaseLost", engine.hears("failed"))

    def test_a_new_daemon_knows_it_again(self):
        engine = self.engine("kept", 3, "revocable", heartbeat=2)
        engine.hears("granted")
        before = self.lease("kept")["id"]
        self.place.kill_daemon()
        self.place.start_simulated(FOUR_GIB)
        self.assertEqual(self.lease("kept")["id"], before)
        until(lambda: self.revoke("kept", deadline_seconds=2)[1]["outcome"] == "yielded", "it listens again")
        engine.hears("revoked asked")
        engine.tell("enter")
        engine.hears("did enter")
        self.assertEqual(self.lease("kept")["vram_bytes"], 3 * GIB)

    def test_the_socket_is_another_users_business_only_by_its_answers(self):
        engine = self.engine("theirs", 1, "revocable")
        engine.hears("granted")
        identity = self.lease("theirs")["id"]
        env = dict(self.place.env, ESTIVA_LEASE_SOCKET=self.socket, PYTHONPATH=PYTHON_CLIENT)
        program = ("import estiva, estiva._wire as w, sys\n"
                   "for method, action in (('POST', 'yielded'), ('POST', 'resume'), ('GET', 'events')):\n"
                   "    try: w.Channel().ask(method, '/api/v1/leases/%s/%s' % (sys.argv[1], action), {})\n"
                   "    except estiva.Denied: print('denied')\n")
        ran = subprocess.run([sys.executable, "-B", "-c", program, identity], env=env, capture_output=True, text=True)
        self.assertEqual(ran.stdout.split(), ["denied"] * 3, ran.stderr)


class Waiting(LibraryCase):
    def setUp(self):
        super().setUp()
        os.environ["ESTIVA_LEASE_SOCKET"] = self.socket
        self.addCleanup(os.environ.pop, "ESTIVA_LEASE_SOCKET", None)

    def test_who_hangs_up_while_waiting_gets_nothing(self):
        with estiva.lease("first", vram="3GiB", heartbeat=None):
            connection = UnixConnection(self.socket)
            connection.request("POST", "/api/v1/leases",
                               json.dumps({"model": "gone", "vram": "3GiB", "wait_seconds": 60}))
            time.sleep(0.5)
            connection.close()
            time.sleep(0.2)
        until(lambda: not self.place.leases(), "the first has left")
        time.sleep(1.5)
        self.assertEqual(self.place.leases(), {}, "nobody took its place for one that is gone")

    def test_who_came_first_is_served_first(self):
        order = []
        with estiva.lease("first", vram="3GiB", heartbeat=None):
            threads = []
            for name in ("a", "b", "c"):
                def ask(name=name):
                    with estiva.lease(name, vram="3GiB", wait=30, heartbeat=None):
                        order.append(name)
                threads.append(threading.Thread(target=ask))
                threads[-1].start()
                until(lambda: f'"assign refused" model={name} ' in self.place.read_log(), f"{name} waits")
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(order, ["a", "b", "c"])

    def test_a_large_one_is_not_starved_by_small_ones(self):
        stop = threading.Event()
        self.addCleanup(stop.set)

        def small(number):
            turn = 0
            while not stop.is_set():
                turn += 1
                with estiva.lease(f"small-{number}-{turn}", vram="1GiB", wait=60, heartbeat=None):
                    time.sleep(0.2)
        threads = [threading.Thread(target=small, args=(i,), daemon=True) for i in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        began = time.monotonic()
        with estiva.lease("large", vram="3.5GiB", wait=30, heartbeat=None):
            waited = time.monotonic() - began
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertLess(waited, 20)

    def test_sixty_four_threads_ask_and_none_overlaps(self):
        inside, most, served, lock = [0], [0], [0], threading.Lock()

        def ask(number):
            with estiva.lease(f"t-{number}", vram="1.5GiB", wait=120, heartbeat=None):
                with lock:
                    inside[0] += 1
                    served[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.01)
                with lock:
                    inside[0] -= 1
        threads = [threading.Thread(target=ask, args=(i,)) for i in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        self.assertEqual((served[0], most[0]), (64, 2), "two fit on the card, and all had their turn")
        self.assertEqual(self.place.leases(), {})

    def test_without_room_or_patience(self):
        with estiva.lease("all", vram="3GiB", heartbeat=None):
            with self.assertRaises(estiva.NoRoom):
                estiva.lease("more", vram="2GiB", wait=0)
            began = time.monotonic()
            with self.assertRaises(estiva.NoRoom):
                estiva.lease("more", vram="2GiB", wait=1)
            self.assertGreater(time.monotonic() - began, 0.9)
            with self.assertRaises(estiva.Refused):
                estiva.lease("all", vram="1MiB", wait=0)
            with estiva.lease("beside", vram="512MiB") as other:
                self.assertEqual(estiva.status()["leases"][0]["model"], "all")
                self.assertTrue(other.is_resident)

    def test_a_cancelled_task_holds_nothing(self):
        async def scenario():
            async with estiva.alease("first", vram="3GiB", heartbeat=None):
                task = asyncio.create_task(estiva.alease("second", vram="3GiB", wait=60).__aenter__())
                await asyncio.sleep(0.5)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
            for _ in range(20):  # at every moment of a grant
                task = asyncio.create_task(estiva.alease("third", vram="3GiB", wait=60).__aenter__())
                await asyncio.sleep(0.003 * _)
                task.cancel()
                try:
                    await (await task).release()
                except asyncio.CancelledError:
                    pass
        asyncio.run(scenario())
        until(lambda: not self.place.leases(), f"nothing is held: {self.place.leases()}")

    def test_async_use_and_revocation_in_the_loop(self):
        async def scenario():
            told = asyncio.Event()

            async def on_revoke(_lease, _revocation):
                self.assertIs(asyncio.get_running_loop(), loop)
                told.set()
            loop = asyncio.get_running_loop()
            async with estiva.alease("a", vram="3GiB", on_revoke=on_revoke) as lease:
                async with lease.using():
                    pass
                await loop.run_in_executor(None, self.revoke, "a")
                await asyncio.wait_for(told.wait(), PATIENCE)
                self.assertFalse(lease.is_resident)
                async with lease.using():
                    self.assertTrue(lease.is_resident)
        asyncio.run(scenario())

    def test_a_module_leaves_and_comes_back_with_its_lease(self):
        try:
            import torch
        except ImportError:
            self.skipTest("torch is not installed")
        from estiva.torch_swap import Swapped
        swapped = Swapped(torch.nn.Linear(8, 8), device="cpu")
        with estiva.lease("m", vram="1GiB", module=swapped) as lease:
            self.assertTrue(swapped.is_on_gpu)
            self.assertEqual(self.revoke("m")[1]["outcome"], "yielded")
            self.assertFalse(swapped.is_on_gpu)
            with lease.using():
                self.assertTrue(swapped.is_on_gpu)
                self.assertEqual(self.revoke("m", deadline_seconds=0.5)[0], 409)
        self.assertFalse(swapped.is_on_gpu, "it does not outstay its lease")

    def test_a_forked_child_does_not_end_its_parents_lease(self):
        with estiva.lease("parents", vram="1GiB") as lease:
            child = os.fork()
            if child == 0:
                lease.release()
                try:
                    with estiva.lease("childs", vram="1GiB", wait=5):
                        os._exit(0 if len(estiva.status()["leases"]) == 2 else 2)
                except BaseException:
                    os._exit(1)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
            self.assertIn("parents", self.place.leases())

    def test_no_daemon_is_a_sentence(self):
        with self.assertRaises(estiva.NoDaemon) as raised:
            estiva.lease("a", vram="1GiB", socket="/nonexistent/estiva.sock")
        self.assertIn("estiva daemon", str(raised.exception))


class C(LibraryCase):
    def test_grant_revoke_resume_and_release(self):
        for how in ("thread", "hand"):
            with self.subTest(how):
                client = self.c_client(f"c-{how}", 3, how)
                self.assertIn("GPU-", client.hears("granted"))
                self.assertEqual(self.revoke(f"c-{how}", reason="a \"game\"")[1]["outcome"], "yielded")
                self.assertEqual(client.hears("revoked"), 'revoked in-time a "game"')
                self.assertEqual(self.lease(f"c-{how}")["vram_bytes"], 0)
                client.tell("busy")
                self.assertIn("busy 4", client.hears("busy"))
                client.tell("resume")
                self.assertEqual(client.hears("resume"), "resume 0")
                client.tell("busy")
                self.assertEqual(client.hears("busy"), "busy 0")
                self.assertEqual(self.revoke(f"c-{how}", deadline_seconds=0.5)[0], 409)
                client.tell("quit")
                client.hears("released")
                self.assertEqual(client.process.wait(PATIENCE), 0, "and no complaint of the sanitizers")
                self.assertIsNone(self.lease(f"c-{how}"))

    def test_it_keeps_what_it_will_not_give(self):
        client = self.c_client("keeper", 1, "thread")
        client.hears("granted")
        client.tell("keep")
        client.hears("keep")
        self.assertEqual(self.revoke("keeper", deadline_seconds=1)[0], 409)
        self.assertEqual(self.lease("keeper")["vram_bytes"], GIB)

    def test_a_silent_one_is_lost_and_one_that_speaks_is_not(self):
        for how in ("thread", "hand"):
            with self.subTest(how):
                client = self.c_client(f"c-{how}", 3, how, heartbeat=1)
                client.hears("granted")
                time.sleep(2)
                self.assertIsNotNone(self.lease(f"c-{how}"))
                client.process.send_signal(signal.SIGSTOP)
                until(lambda: not self.lease(f"c-{how}"), "it is silent")
                client.process.send_signal(signal.SIGCONT)
                client.hears("revoked lost")
                client.tell("quit")
                self.assertEqual(client.process.wait(PATIENCE), 0)

    def test_what_it_says_when_it_gets_nothing(self):
        holder = self.c_client("holder", 3, "never")
        holder.hears("granted")
        self.assertIn("refused 2 no room", self.c_client("b", 2, "never", wait=0).hears("refused"))
        self.assertIn("refused 3 the name holder", self.c_client("holder", 1, "never", wait=0).hears("refused"))
        self.place.stop()
        self.assertIn("estiva does not answer", self.c_client("c", 1, "never").hears("refused 1"))


class InContainer(DockerCase):
    def test_the_static_client_in_a_container_that_mounts_the_folder(self):
        self.simulated(FOUR_GIB)
        mounts = [f"{self.place.run_dir}/lease:/run/estiva/lease:ro", f"{BUILD}/c_client:/c_client:ro"]
        name = self.docker.up("voice", "tts", "", mounts)
        client = Program(self, program("docker"), "exec", "-i", name, "/c_client", "xtts", str(3 * GIB), "5", "2",
                         "thread", env=self.docker.env)
        client.hears("granted")
        lease = self.place.leases()["xtts"]
        with open(f"/proc/{lease['holder']['pid']}/comm") as file:
            self.assertEqual(file.read().strip(), "c_client", "the machine's number of a process in the container")
        time.sleep(3)
        self.assertIn("xtts", self.place.leases(), "its heartbeats come through")
        status, told = self.place.request("POST", f"/api/v1/leases/{lease['id']}/revoke", "{}")
        self.assertEqual((status, told["outcome"]), (200, "yielded"))
        client.hears("revoked in-time")
        self.docker.run("kill", name)
        until(lambda: not self.place.leases(), "the container ended")


if __name__ == "__main__":
    unittest.main()
