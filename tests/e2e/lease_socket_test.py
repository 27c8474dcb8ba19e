"""The lease socket: clients inside real containers that mount its folder, and outside of any. GPUs are
simulated; what Docker and procfs say is the truth here."""
import json
import os
import subprocess
import sys
import unittest

from docker_place import DockerCase
from harness import BUILD, GIB, Case, UnixConnection, process_lives, until

TWO_GPUS = """scenario "two"
driver 550.163.01
gpu rtx4090-24g
gpu rtx4090-24g
"""
# Asks once and prints the answer; with "hold" it stays, and its lease with it.
CLIENT = """import http.client, json, socket, sys, time
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
connection = Connection("localhost", timeout=60)
connection.request(sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)
answer = connection.getresponse()
print(json.dumps([answer.status, json.loads(answer.read())]), flush=True)
if sys.argv[5:] == ["hold"]:
    time.sleep(100000)
"""
SOCKET = "/run/estiva/lease/estiva.sock"


def wanted(model, size=GIB, **more):
    return json.dumps(dict(model=model, vram_bytes=size, **more))


class InContainers(DockerCase):
    def setUp(self):
        super().setUp()
        self.simulated(TWO_GPUS)
        self.place.file("client.py", CLIENT)
        # The image has nothing but busybox: python3 and estiva are this machine's.
        self.mounts = [f"{self.place.run_dir}/lease:/run/estiva/lease:ro", f"{BUILD}:/estiva:ro",
                       f"{self.place.dir}/client.py:/client.py:ro"]
        self.mounts += [f"{folder}:{folder}:ro" for folder in ("/usr", "/lib", "/lib64")
                        if os.path.isdir(folder)]

    def up(self, project, service, model=""):
        return self.docker.up(project, service, model, self.mounts)

    def ask(self, container, *words):
        """A client in the container asks once."""
        return json.loads(self.docker.say("exec", container, "/usr/bin/python3", "/client.py", SOCKET,
                                          *words))

    def hold(self, container, model, size=GIB):
        """A client in the container takes a lease and stays; its holder's number."""
        self.docker.run("exec", "-d", container, "/usr/bin/python3", "/client.py", SOCKET, "POST",
                        "/api/v1/leases", wanted(model, size), "hold")
        return until(lambda: self.place.leases().get(model), f"{model} is placed")["holder"]["pid"]

    def estiva_in(self, container, *words):
        ran = self.docker.run("exec", container, "/estiva/estiva", *words, check=False)
        return ran.returncode, (ran.stdout + ran.stderr).decode()

    def test_each_container_sees_and_releases_only_its_own(self):
        chat = self.up("chat", "llm", "qwen2.5:7b")
        voice = self.up("voice", "tts")
        ids = {name: self.docker.say("inspect", "-f", "{{.Id}}", name) for name in (chat, voice)}
        until(lambda: len(self.place.get("/api/v1/containers")[1]["containers"]) == 2, "both are known")
        for name, project, service, model in ((chat, "chat", "llm", "qwen2.5:7b"),
                                              (voice, "voice", "tts", None)):
            status, me = self.ask(name, "GET", "/api/v1/self")
            self.assertEqual(status, 200, me)
            self.assertEqual((me["container"], me["project"], me["service"], me["model"]),
                             (name, project, service, model))
            self.assertEqual((me["container_id"], me["runtime"], me["rootless"], me["leases"]),
                             (ids[name], "docker", False, []))

        self.simulate("alloc", str(self.docker.pid(chat)), "1", "2GiB", "name", "model")
        uses = until(lambda: self.ask(chat, "GET", "/api/v1/self")[1]["gpus"], "its use is seen")
        self.assertEqual([(use["index"], use["processes"], use["used_bytes"]) for use in uses],
                         [(1, 1, 2 * GIB)])
        self.assertEqual(self.ask(voice, "GET", "/api/v1/self")[1]["gpus"], [])

        holder = self.hold(chat, "chat-model", 20 * GIB)
        with open(f"/proc/{holder}/cgroup") as file:
            self.assertIn(ids[chat], file.read(), "held by a process in the container")
        self.assertEqual([lease["model"] for lease in self.ask(chat, "GET", "/api/v1/leases")[1]["leases"]],
                         ["chat-model"])
        self.assertEqual(self.ask(chat, "POST", "/api/v1/leases/chat-model/heartbeat")[0], 200)

        self.assertEqual(self.ask(voice, "GET", "/api/v1/leases")[1]["leases"], [])
        self.assertEqual(self.ask(voice, "DELETE", "/api/v1/leases/chat-model")[0], 403)
        self.assertEqual(self.ask(voice, "POST", "/api/v1/leases/chat-model/heartbeat")[0], 403)
        self.assertEqual(self.ask(voice, "POST", "/api/v1/leases", wanted("chat-model"))[0], 403)
        self.assertEqual(self.ask(voice, "POST", "/api/v1/leases", wanted("x", pid=holder))[0], 403)
        self.assertEqual(self.ask(voice, "GET", "/api/v1/status")[0], 403)
        status, refused = self.ask(voice, "POST", "/api/v1/leases", wanted("y", 23 * GIB, gpu="1"))
        self.assertEqual((status, refused["refused"]["gpus"][0]["free_bytes"] > 0), (409, True), refused)
        self.assertNotIn("chat", json.dumps(refused))
        self.assertIn("chat-model", self.place.leases(), "it is still there")

        self.assertEqual(self.ask(chat, "DELETE", "/api/v1/leases/chat-model")[0], 200,
                         "another process of the same container may")
        until(lambda: not self.place.leases(), "it is gone")
        self.assertEqual(self.ask(chat, "POST", "/api/v1/leases/chat-model/heartbeat")[0], 404)

    def test_a_lease_ends_with_the_process_and_with_the_container(self):
        chat = self.up("chat", "llm")
        answer = self.ask(chat, "POST", "/api/v1/leases", wanted("at-once"))
        self.assertEqual(answer[0], 200, answer)
        until(lambda: not self.place.leases(), "its client has ended")
        self.hold(chat, "held")
        self.docker.run("rm", "-f", chat)
        until(lambda: not self.place.leases(), "its container is gone")

    def test_held_by_the_first_process_of_the_container(self):
        ask = f"/usr/bin/python3 /client.py {SOCKET} POST /api/v1/leases"
        body = wanted("server", holder="container")
        mounts = [word for mount in self.mounts for word in ("-v", mount)]
        self.docker.run("run", "-d", "--name", "job", "--network", "none", *mounts, "busybox:test",
                        "/bin/sh", "-c", f"{ask} '{body}'; exec /bin/sleep 100000")
        lease = until(lambda: self.place.leases().get("server"), "it is placed")
        self.assertEqual(lease["holder"]["pid"], self.docker.pid("job"))
        status, refused = self.ask("job", "POST", "/api/v1/leases", wanted("z", holder="container"))
        self.assertEqual(status, 503, "docker exec does not descend from it")
        self.assertEqual(self.ask("job", "POST", "/api/v1/leases/server/heartbeat")[0], 200)
        self.docker.run("kill", "job")
        until(lambda: not self.place.leases(), "the container ended")

    def test_the_mounted_folder_has_the_new_socket_after_a_restart(self):
        chat = self.up("chat", "llm")
        replaced = self.docker.run("exec", chat, "/bin/busybox", "rm", "-f", SOCKET, check=False)
        self.assertNotEqual(replaced.returncode, 0, "mounted read-only: its root can't put another there")
        holder = self.hold(chat, "held")
        path = os.path.join(self.place.run_dir, "lease", "estiva.sock")
        before = os.stat(path).st_ctime_ns
        self.place.kill_daemon()
        self.place.start_simulated(TWO_GPUS)
        self.assertNotEqual(os.stat(path).st_ctime_ns, before, "another socket")
        def its_leases():
            status, me = self.ask(chat, "GET", "/api/v1/self")
            return status == 200 and [(lease["model"], lease["holder"]["pid"]) for lease in me["leases"]]
        # The new daemon hears of the containers a moment later.
        until(lambda: its_leases() == [("held", holder)], "it is its container's")
        self.assertEqual(self.ask(chat, "DELETE", "/api/v1/leases/held")[0], 200)

    def test_the_command_line_in_a_container(self):
        chat = self.up("chat", "llm")
        self.assertEqual(self.estiva_in(chat, "leases"),
                         (0, "You hold no lease; those of others are not shown.\n"))
        code, said = self.estiva_in(chat, "assign", "x", "--vram", "1GiB")
        self.assertEqual(code, 5, said)
        self.assertIn("estiva run", said)
        code, said = self.estiva_in(chat, "status")
        self.assertEqual(code, 5, said)
        self.assertIn("not answered on the lease socket", said)
        code, said = self.estiva_in(chat, "run", "--vram", "2GiB", "--", "/bin/sh", "-c",
                                    "echo on $CUDA_VISIBLE_DEVICES; /estiva/estiva leases --names; exit 3")
        self.assertEqual(code, 3, said)
        self.assertIn("on GPU-", said)
        self.assertIn("run-sh-", said)
        until(lambda: not self.place.leases(), "given back")
        self.docker.run("exec", "-d", chat, "/estiva/estiva", "run", "--vram", "2GiB", "--name", "job",
                        "--", "/bin/sleep", "1000")
        until(lambda: "job" in self.place.leases(), "it runs")
        self.assertEqual(self.estiva_in(chat, "release", "job")[0], 0)
        until(lambda: not self.place.leases(), "released by another process of the container")


class Outside(Case):
    """Processes that are in no container, and what holds for all clients."""

    def setUp(self):
        super().setUp()
        self.simulated(TWO_GPUS, "--config", self.place.file("settings.toml", "[leases]\nper_client = 2\n"))
        self.socket = os.path.join(self.place.run_dir, "lease", "estiva.sock")
        self.client = self.place.file("client.py", CLIENT)

    def ask(self, method, target, body=None):
        return self.place.request(method, target, body, connection=UnixConnection(self.socket))

    def other(self, *words, **options):
        return subprocess.Popen([sys.executable, self.client, self.socket, *words],
                                stdout=subprocess.PIPE, text=True, **options)

    def hold(self, model):
        process = self.other("POST", "/api/v1/leases", wanted(model), "hold")
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(json.loads(process.stdout.readline())[0], 200)
        return process

    def test_everybody_may_connect(self):
        self.assertEqual(os.stat(self.socket).st_mode & 0o777, 0o666)
        self.assertEqual(os.stat(os.path.dirname(self.socket)).st_mode & 0o777, 0o755)
        status, me = self.ask("GET", "/api/v1/self")
        self.assertEqual((status, me["pid"], me["container"], me["uid"]),
                         (200, os.getpid(), None, os.getuid()))

    def test_held_by_who_asks_for_its_descendants_too(self):
        self.assertEqual(self.ask("POST", "/api/v1/leases", wanted("mine"))[0], 200)
        self.assertEqual(self.place.leases()["mine"]["holder"]["pid"], os.getpid())
        self.assertEqual(self.ask("POST", "/api/v1/leases", wanted("no", holder="container"))[0], 503)
        child = self.other("DELETE", "/api/v1/leases/mine")
        self.assertEqual(json.loads(child.communicate()[0])[0], 200, "a child may release it")

    def test_two_processes_are_strangers_and_share_a_limit(self):
        first = self.hold("first")
        sibling = self.other("DELETE", "/api/v1/leases/first")
        self.assertEqual(json.loads(sibling.communicate()[0])[0], 403)
        self.assertEqual(self.ask("POST", "/api/v1/leases/first/heartbeat")[0], 200, "ours: a descendant's")
        self.hold("second")
        status, refused = self.ask("POST", "/api/v1/leases", wanted("third"))
        self.assertEqual(status, 503, refused)
        self.assertIn("2 leases are held already", refused["error"]["message"])
        self.assertEqual(self.place.request("POST", "/api/v1/leases", wanted("by-admin"))[0], 200)
        first.kill()
        first.wait()
        until(lambda: "first" not in self.place.leases(), "its holder ended")
        self.assertEqual(self.ask("POST", "/api/v1/leases", wanted("third"))[0], 200)

    def test_a_lease_without_a_holder_is_nobodys_to_take_over(self):
        self.expect(self.estiva("assign", "by-name", "--vram", "1GiB"), 0)
        status, refused = self.ask("POST", "/api/v1/leases", wanted("by-name"))
        self.assertEqual(status, 403, refused)
        self.assertIsNone(self.place.leases()["by-name"]["holder"])
        self.assertEqual(self.ask("DELETE", "/api/v1/leases/by-name")[0], 403)

    def test_a_connection_outlives_its_process_and_is_worth_nothing(self):
        """The one who connected has ended; a child that inherited the connection is not taken for it."""
        read, write = os.pipe()
        middle = os.fork()
        if middle == 0:
            connection = UnixConnection(self.socket)
            connection.connect()
            if os.fork() == 0:
                until(lambda: not process_lives(os.getppid()) or os.getppid() == 1, "the parent ended")
                connection.request("GET", "/api/v1/self")
                os.write(write, str(connection.getresponse().status).encode())
            os._exit(0)
        os.close(write)
        os.waitpid(middle, 0)
        with os.fdopen(read) as answer:
            self.assertEqual(answer.read(), "403")

    def test_without_the_control_socket_the_command_line_takes_this_one(self):
        folder = os.path.dirname(self.place.socket)
        os.rename(folder, folder + ".away")
        ran = self.estiva("run", "--vram", "1GiB", "--", "/nonexistent/command")
        os.rename(folder + ".away", folder)
        self.expect(ran, 127)
        self.assertEqual(self.place.leases(), {}, "given back after a command that could not start")


if __name__ == "__main__":
    unittest.main()
