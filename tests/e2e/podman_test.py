"""Whose container a process on a GPU is in, by a real Podman and its API. Podman's own command line is the
truth here. Rootful: a rootless one needs a user session, which a test machine has not."""
import os
import subprocess
import unittest

from docker_place import PEERS, busybox_tar, program, unmount_below
from harness import GIB, Case, until

GPU = """scenario "one"
driver 550.163.01
gpu rtx4090-24g
"""
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
CONTAINERS = """[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[engine.runtimes]
runc = ["{0}/docker/usr/sbin/runc"]
"""
STORAGE = """[storage]
driver = "vfs"
graphroot = "{0}/store"
runroot = "{0}/run"
"""


class Podman(Case):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root can start a container engine here")
        self.dir = os.path.join(self.place.dir, "pm")
        os.makedirs(self.dir + "/home/.config/containers")
        for name, text in (("containers.conf", CONTAINERS.format(PEERS)), ("storage.conf", STORAGE.format(self.dir)),
                           ("home/.config/containers/registries.conf", ""),
                           ("home/.config/containers/policy.json", '{"default":[{"type":"insecureAcceptAnything"}]}')):
            with open(os.path.join(self.dir, name), "w") as file:
                file.write(text)
        self.env = dict(os.environ, HOME=self.dir + "/home", CONTAINERS_CONF=self.dir + "/containers.conf",
                        CONTAINERS_STORAGE_CONF=self.dir + "/storage.conf", TMPDIR=self.dir)
        self.socket = self.dir + "/p.sock"
        self.service = None
        self.addCleanup(self.end)
        self.import_image()
        self.serve()
        self.place.env["DOCKER_HOST"] = "unix://" + self.socket
        self.simulated(GPU)

    def words(self, *words):
        return [program("podman"), "--cgroup-manager", "cgroupfs", "--runtime", PEERS + "/docker/usr/sbin/runc",
                "--conmon", PEERS + "/docker/usr/bin/conmon", *words]

    def podman(self, *words, check=True, input=None):
        done = subprocess.run(self.words(*words), env=self.env, input=input, timeout=120, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"podman {words}: {done.stderr.decode()}")
        return done.stdout.decode().strip()

    def import_image(self):
        self.podman("import", "-", "localhost/busybox:test", input=busybox_tar(self.dir, "sleep"))

    def serve(self):
        self.service = subprocess.Popen(self.words("system", "service", "--time=0", "unix://" + self.socket),
                                        env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        until(lambda: os.path.exists(self.socket), "podman's API listens")

    def end(self):
        self.podman("rm", "-f", "-a", "-t", "0", check=False)
        if self.service is not None:
            self.service.terminate()
            self.service.wait(timeout=20)
        unmount_below(self.dir)

    def start_one(self, name):
        self.podman("run", "-d", "--name", name, "--network", "none", *LIMITS,
                    "--label", "com.docker.compose.project=chat", "--label", "com.docker.compose.service=llm",
                    "--label", "estiva.model=qwen2.5:7b", "localhost/busybox:test", "/bin/sleep", "100000")
        return self.put_on_gpu(name)

    def put_on_gpu(self, name):
        pid = int(self.podman("inspect", "-f", "{{.State.Pid}}", name))
        self.simulate("alloc", str(pid), "0", "2GiB")
        return pid

    def test_through_rename_restart_and_removal(self):
        pid = self.start_one("web")
        process = self.until_in(pid, "web")
        self.assertEqual((process["project"], process["service"], process["model"], process["runtime"],
                          process["rootless"], process["used_bytes"]),
                         ("chat", "llm", "qwen2.5:7b", "podman", False, 2 * GIB))
        self.assertEqual(process["container_id"], self.podman("inspect", "-f", "{{.Id}}", "web"))
        engine = self.place.get("/api/v1/status")[1]["engine"]
        self.assertEqual((engine["state"], engine["name"]), ("ready", "Podman"))
        self.podman("rename", "web", "other")
        self.until_in(pid, "other")
        self.podman("restart", "-t", "0", "other")
        self.until_in(self.put_on_gpu("other"), "other")
        self.podman("rm", "-f", "-t", "0", "other")
        until(lambda: self.place.get("/api/v1/containers")[1]["containers"] == [], "it is gone")

    def test_its_service_that_ends_is_waited_for(self):
        pid = self.start_one("web")
        self.until_in(pid, "web")
        self.service.terminate()
        self.service.wait(timeout=20)
        until(lambda: self.place.get("/api/v1/status")[1]["engine"]["state"] != "ready", "its end is seen")
        # The kernel still says where the process is, and the name is remembered.
        self.until_in(pid, "web")
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.serve()
        until(lambda: self.place.get("/api/v1/status")[1]["engine"]["state"] == "ready", "it is back")
        self.until_in(pid, "web")


if __name__ == "__main__":
    unittest.main(verbosity=2)
