"""Whose container a process on a GPU is in: a real dockerd, real Compose projects, GPUs that are
simulated. What Docker's own command line says is the truth here."""
import json
import os
import unittest

from docker_place import DockerCase
from harness import GIB, Case, until

TWO_GPUS = """scenario "two"
driver 550.163.01
gpu rtx4090-24g
gpu rtx4090-24g
"""


class Containers(DockerCase):
    def setUp(self):
        super().setUp()
        self.simulated(TWO_GPUS)

    def alloc(self, pid, gpu, size):
        self.simulate("alloc", str(pid), str(gpu), size, "name", "model")

    def engine(self):
        return self.place.get("/api/v1/status")[1]["engine"]

    def text_metrics(self, connection=None):
        body = self.place.request("GET", "/metrics", connection=connection)[1]
        return body if isinstance(body, str) else body.decode()

    def test_two_projects_through_restart_rename_and_removal(self):
        chat = self.docker.up("chat", "llm", "qwen2.5:7b")
        voice = self.docker.up("voice", "tts")
        chat_pid, voice_pid = self.docker.pid(chat), self.docker.pid(voice)
        self.alloc(chat_pid, 0, "2GiB")
        self.alloc(voice_pid, 1, "3GiB")
        first = self.until_in(chat_pid, chat)
        second = self.until_in(voice_pid, voice)
        for process, name, project, service, model in (
                (first, chat, "chat", "llm", "qwen2.5:7b"), (second, voice, "voice", "tts", None)):
            self.assertEqual((process["project"], process["service"], process["model"]),
                             (project, service, model))
            self.assertEqual(process["container_id"], self.docker.say("inspect", "-f", "{{.Id}}", name))
            self.assertEqual((process["runtime"], process["rootless"]), ("docker", False))
        self.expect(self.estiva("gpu"), 0, chat, voice, "qwen2.5:7b")
        self.expect(self.estiva("status"), 0, "2 running of 2 (Docker ")
        document = self.place.get("/api/v1/containers")[1]
        used = {c["name"]: [(g["index"], g["used_bytes"]) for g in c["gpus"]] for c in document["containers"]}
        self.assertEqual(used, {chat: [(0, 2 * GIB)], voice: [(1, 3 * GIB)]})
        with_names = self.text_metrics()
        self.assertIn(f'container="{chat}",project="chat",service="llm",model="qwen2.5:7b"}} {2 * GIB}',
                      with_names)

        self.docker.run("rename", chat, "other-name")
        self.until_in(chat_pid, "other-name")
        self.docker.run("restart", "-t", "0", "other-name")
        again = self.docker.pid("other-name")
        self.assertNotEqual(again, chat_pid)
        self.alloc(again, 0, "1GiB")
        process = self.until_in(again, "other-name")
        self.assertEqual((process["project"], process["service"]), ("chat", "llm"))
        self.docker.run("rm", "-f", "other-name")
        until(lambda: self.process_on_gpu(again) is None, "its process is gone")
        until(lambda: self.engine()["containers"] == 1, "the container is gone")
        self.assertEqual(self.process_on_gpu(voice_pid)["container"], voice)

    def test_dockerd_that_crashes_and_comes_back(self):
        name = self.docker.up("chat", "llm")
        pid = self.docker.pid(name)
        self.alloc(pid, 0, "2GiB")
        self.until_in(pid, name)
        self.docker.kill()
        until(lambda: self.engine()["state"] == "unreachable", "the engine is missed")
        ran = self.expect(self.estiva("status"), 0, "Containers   unknown: ")
        self.assertIn("What to do", ran.out)
        self.assertEqual(self.process_on_gpu(pid)["container"], name, "what was known stays known")
        self.docker.start()
        until(lambda: self.engine()["state"] == "ready", "the engine is back")
        other = self.docker.up("voice", "tts")
        self.alloc(self.docker.pid(other), 1, "1GiB")
        self.until_in(self.docker.pid(other), other)

    def test_an_error_names_the_container_that_it_hit(self):
        name = self.docker.up("chat", "llm")
        log = os.path.join(self.place.run_dir, "sim", "kmsg.log")
        with open(log, "a") as file:
            file.write(f"3,1,1,-;NVRM: Xid (PCI:0000:01:00): 31, pid={self.docker.pid(name)}, "
                       "name=sleep, MMU Fault\n")
        reason = until(lambda: [c["reason"] for c in self.place.gpus()[0]["health"]["conditions"]],
                       "it is a condition")[0]
        self.assertIn(f"in {name}", reason)

    def test_names_are_for_those_with_the_token(self):
        name = self.docker.up("secret", "llm")
        self.alloc(self.docker.pid(name), 0, "2GiB")
        self.until_in(self.docker.pid(name), name)
        import http.client
        anybody = http.client.HTTPConnection("127.0.0.1", self.place.tcp_port(), timeout=10)
        until(lambda: 'estiva_containers{state="running"} 1' in self.text_metrics(anybody), "it is counted")
        self.assertNotIn("secret", self.text_metrics(anybody))

    def test_a_hostile_name_stays_a_name(self):
        self.docker.run("run", "-d", "--name", "a.b-c_d", "--network", "none", "--label",
                        "estiva.model=\x1b[31mred\nnew line\"", "--label",
                        "com.docker.compose.project=p\x1b]0;t\x07", "--label",
                        "com.docker.compose.service=s", "busybox:test", "/bin/sleep", "1000")
        pid = self.docker.pid("a.b-c_d")
        self.alloc(pid, 0, "1GiB")
        self.until_in(pid, "a.b-c_d")
        for words in (("gpu",), ("status",)):
            ran = self.expect(self.estiva(*words), 0, "a.b-c_d")
            self.assertNotIn("\x1b", ran.out)
            self.assertNotIn("red\nnew", ran.out)
        self.assertEqual(json.loads(self.expect(self.estiva("gpu", "--json"), 0).out)["gpus"][0]
                         ["processes"][0]["model"], "\x1b[31mred\nnew line\"")
        lines = [line for line in self.text_metrics().splitlines() if "a.b-c_d" in line]
        self.assertTrue(all(line.count('"') % 2 == 0 or '\\"' in line for line in lines), lines)
        self.assertTrue(lines and not any("\x1b" in line for line in lines), lines)


if __name__ == "__main__":
    unittest.main()
