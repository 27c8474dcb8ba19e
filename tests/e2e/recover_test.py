"""'estiva recover --recreate' with a real dockerd that knows CDI and a real Compose: after an upgrade of the driver
the containers that have files of the old one are made anew, with all that is theirs, and no others."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from docker_place import PEERS, Docker, program
from harness import ESTIVA, LIBRARY, until

# The simulated driver's version, and one from before the upgrade.
OLD, NEW = "550.54.14", "550.163.01"
SPEC = """cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
- name: all
  containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
      hostPath: {0}/node0
containerEdits:
  mounts:
  - hostPath: {0}/libcuda.so.{1}
    containerPath: {2}/libcuda.so.1
    options: [ro, nosuid, nodev, rbind, rprivate]
"""
# The one with the GPU ends late, so that a test can come between.
COMPOSE = """services:
  llm:
    image: busybox:test
    network_mode: none
    command: ["/bin/sh", "-c", "trap '' TERM; while true; do sleep 1; done"]
    stop_grace_period: {grace}
    restart: always
    environment: {{MODEL: "${{MODEL}}"}}
    devices: ["nvidia.com/gpu=all"]
    volumes: ["data:/data", "/anonymous"]
  web:
    image: busybox:test
    network_mode: none
    command: ["/bin/sleep", "100000"]
    stop_grace_period: 1s
    restart: always
    depends_on: [llm]
volumes: {{data: {{}}}}
"""


class Recreate(unittest.TestCase):
    """Its drivers are a file and a harmless node; the GPU is the simulator's."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="rec", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.docker = Docker(self.dir + "/d", "-28")
        self.docker.env["DOCKER_CONFIG"] = PEERS + "/docker28/config"
        self.specs, self.project = self.dir + "/cdi", self.dir + "/proj"
        for folder in (self.specs, self.project, self.dir + "/bin"):
            os.makedirs(folder)
        # "docker" of PATH, as estiva calls it.
        with open(self.dir + "/bin/docker", "w") as file:
            file.write(f'#!/bin/sh\nexec {program("docker-28")} "$@"\n')
        os.chmod(self.dir + "/bin/docker", 0o755)
        self.docker.configure(features={"cdi": True}, **{"cdi-spec-dirs": [self.specs]})
        self.addCleanup(self.docker.stop)
        os.mknod(self.dir + "/node0", 0o020666, os.makedev(1, 3))
        os.chmod(self.dir + "/node0", 0o666)
        self.driver(OLD)
        self.docker.start()
        self.docker.import_image()
        self.env = dict(self.docker.env, ESTIVA_SIM_SCENARIO="workstation-2", ESTIVA_STATE_DIR=self.dir + "/state",
                        PATH=self.dir + "/bin:" + os.environ["PATH"], NO_COLOR="1")

    def driver(self, version, place="/usr/lib/x86_64-linux-gnu"):
        """Installs a driver: its library under its own name, and a spec that mounts it in that place."""
        for name in os.listdir(self.dir):
            if name.startswith("libcuda.so."):
                os.remove(os.path.join(self.dir, name))
        with open(f"{self.dir}/libcuda.so.{version}", "w") as file:
            file.write(version)
        with open(self.specs + "/new", "w") as file:
            file.write(SPEC.format(self.dir, version, place))
        os.rename(self.specs + "/new", self.specs + "/nvidia.yaml")

    def compose(self, *words, grace="1s"):
        path = self.project + "/compose.yaml"
        if not os.path.exists(path):
            with open(path, "w") as file:
                file.write(COMPOSE.format(grace=grace))
            with open(self.project + "/.env", "w") as file:
                file.write("MODEL=qwen2.5\n")
        done = subprocess.run([program("docker-28"), "compose", "-f", path, *words], env=self.docker.env, text=True,
                              capture_output=True, timeout=120, cwd="/")
        self.assertEqual(done.returncode, 0, done.stderr)

    def plain(self, name, *words):
        self.docker.run("run", "-d", "--name", name, "--network", "none", *words, "busybox:test", "/bin/sleep", "100000")

    def words(self, *words):
        return [ESTIVA, "recover", *words, "--docker", self.docker.address, "--nvml", LIBRARY]

    def recover(self, *words):
        return subprocess.run(self.words(*words), text=True, capture_output=True, env=self.env, timeout=200, cwd="/",
                              stdin=subprocess.DEVNULL)

    def lost(self):
        """The containers that a plan names, and the plan."""
        ran = self.recover("plan", "--json")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        document = json.loads(ran.stdout)
        self.assertEqual(document["plan"]["steps"], [], "nothing else of this machine may be changed")
        return {note.split()[0]: note for note in document["notes"] if " has to be made again " in note}

    def look(self, name, form):
        return json.loads(self.docker.say("inspect", "-f", "{{json " + form + "}}", name))

    def inside(self, name, *words):
        return self.docker.say("exec", name, "/bin/busybox", *words)

    def identity(self):
        return {name: (self.look(name, ".Id"), self.look(name, ".State.StartedAt"), self.look(name, ".State.Status"))
                for name in self.docker.say("ps", "-a", "--format", "{{.Names}}").split()}

    def configuration(self, name):
        """What a container was asked to be."""
        config, host = self.look(name, ".Config"), self.look(name, ".HostConfig")
        config["Labels"] = {key: value for key, value in config["Labels"].items()
                            if key not in ("com.docker.compose.version", "com.docker.compose.replace")}
        config.pop("Hostname")
        config["Env"].sort()
        mounts = sorted((mount["Name"], mount["Destination"]) for mount in self.look(name, ".Mounts"))
        networks = sorted(self.look(name, ".NetworkSettings.Networks"))
        return config, {key: host[key] for key in ("DeviceRequests", "RestartPolicy", "NetworkMode")}, mounts, networks

    def test_whoever_has_the_old_driver_is_made_anew_and_nobody_else(self):
        self.compose("up", "-d")
        self.plain("alone", "--device", "nvidia.com/gpu=all")
        self.plain("other")
        self.inside("proj-llm-1", "sh", "-c", "echo kept > /data/file; echo too > /anonymous/file")
        self.assertEqual(self.lost(), {})
        self.driver(NEW)
        lost = self.lost()
        self.assertEqual(sorted(lost), ["alone", "proj-llm-1"])
        self.assertIn("--no-deps --force-recreate", lost["proj-llm-1"])
        self.assertIn(" restart alone", lost["alone"])
        before, wanted = self.identity(), self.configuration("proj-llm-1")
        self.assertEqual(self.inside("proj-llm-1", "cat", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"), OLD)
        ran = self.recover()
        self.assertEqual(ran.returncode, 3, ran.stdout + ran.stderr)
        self.assertEqual(self.identity(), before, "without --recreate it is only said")

        ran = self.recover("--recreate")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertIn("proj-llm-1 was made again.", ran.stdout)
        after = self.identity()
        self.assertEqual(sorted(after), sorted(before))
        for name in ("proj-web-1", "other"):
            self.assertEqual(after[name], before[name], name)
        self.assertNotEqual(after["proj-llm-1"][0], before["proj-llm-1"][0])
        self.assertEqual(after["alone"][0], before["alone"][0], "a start asks anew, and keeps the container")
        self.assertEqual(self.configuration("proj-llm-1"), wanted)
        for name in ("proj-llm-1", "alone"):
            self.assertEqual(self.inside(name, "cat", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"), NEW)
            self.assertEqual(self.inside(name, "stat", "-c", "%t:%T", "/dev/nvidia0"), "1:3")
        self.assertEqual(self.inside("proj-llm-1", "cat", "/data/file", "/anonymous/file"), "kept\ntoo")
        self.assertEqual(self.lost(), {})
        again = self.recover("--recreate")
        self.assertEqual([again.returncode, again.stderr], [0, ""])
        self.assertEqual(self.identity(), after, "a second time there is nothing to do")

    def test_a_service_that_did_not_start_is_made_anew_and_one_that_was_stopped_stays_down(self):
        self.compose("up", "-d")
        self.plain("stopped", "--device", "nvidia.com/gpu=all")
        self.docker.run("stop", "-t", "0", "stopped")
        self.docker.run("stop", "-t", "0", "proj-web-1")
        self.plain("taken", "--device", "nvidia.com/gpu=all", "--restart", "no")
        self.docker.run("stop", "-t", "0", "taken", "proj-llm-1")
        os.rename(f"{self.dir}/libcuda.so.{OLD}", self.dir + "/away")
        for name in ("taken", "proj-llm-1"):
            self.assertNotEqual(self.docker.run("start", name, check=False).returncode, 0)
        self.driver(NEW)
        lost = self.lost()
        self.assertEqual(sorted(lost), ["proj-llm-1", "taken"])
        self.assertIn("no such file or directory", lost["taken"])
        ran = self.recover("--recreate", "--json")
        self.assertEqual([ran.returncode, ran.stderr], [0, ""], ran.stdout)
        self.assertEqual(json.loads(ran.stdout)["schema"], "estiva/recover-run/1")
        states = {name: row[2] for name, row in self.identity().items()}
        self.assertEqual(states, {"proj-llm-1": "running", "taken": "running", "stopped": "exited", "proj-web-1": "exited"})

    def test_an_error_that_is_not_the_gpus_is_nobody_s_loss(self):
        self.docker.run("create", "--name", "odd", "--network", "none", "--device", "nvidia.com/gpu=all", "busybox:test",
                        "/bin/nothing")
        self.assertNotEqual(self.docker.run("start", "odd", check=False).returncode, 0)
        self.assertIn("/bin/nothing", self.look("odd", ".State.Error"))
        self.assertEqual(self.lost(), {})

    def fails(self, *parts):
        """--recreate says these parts, ends with 1, and everything is as it was."""
        before = self.identity()
        ran = self.recover("--recreate")
        self.assertEqual(ran.returncode, 1, ran.stdout + ran.stderr)
        for part in ("proj-llm-1 could not be made again", "1 of 1 containers", *parts):
            self.assertIn(part, ran.stderr)
        self.assertEqual(self.identity(), before)

    def test_what_can_t_be_made_anew_stays_as_it_was(self):
        self.compose("up", "-d")
        self.driver(NEW)
        kept, path = self.dir + "/kept", self.project + "/compose.yaml"
        restart = "restart proj-llm-1' keeps it and asks for its GPU anew"
        os.rename(path, kept)
        self.fails(f"its Compose file {path} can't be read", restart)
        os.rename(kept, path)
        os.rename(self.project, kept)
        self.fails(f"its project's folder {self.project} is gone", restart)
        os.rename(kept, self.project)
        with open(path) as file:
            text = file.read()
        for change, said in ((text + "  broken: [\n", "compose.yaml"),
                             (text.replace("/anonymous", "/elsewhere"), "more than the GPU would change"),
                             (text.replace("  llm:", "  renamed:").replace("[llm]", "[renamed]"), "no such service")):
            with open(path, "w") as file:
                file.write(change)
            self.fails(said, restart)
        with open(path, "w") as file:
            file.write(text)
        self.docker.run("rmi", "-f", "busybox:test")
        self.fails("No such image: busybox:test", restart)
        # What is advised helps.
        self.docker.run("restart", "-t", "0", "proj-llm-1")
        self.assertEqual(self.inside("proj-llm-1", "cat", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"), NEW)
        self.assertEqual(self.lost(), {})

    def test_one_that_does_not_start_is_said_and_found_again(self):
        self.compose("up", "-d")
        self.inside("proj-llm-1", "sh", "-c", "echo kept > /data/file")
        self.driver(NEW, place="/bin/busybox")
        ran = self.recover("--recreate")
        self.assertEqual(ran.returncode, 1, ran.stdout + ran.stderr)
        self.assertIn("A new one is in its place, with its volumes, and does not run (", ran.stderr)
        self.assertIn("not a directory", ran.stderr)
        self.driver(NEW)
        self.assertEqual(sorted(self.lost()), ["proj-llm-1"])
        self.assertEqual(self.recover("--recreate").returncode, 0)
        self.assertEqual(self.inside("proj-llm-1", "cat", "/data/file"), "kept")

    def test_as_many_as_there_are(self):
        self.compose("up", "-d", "--scale", "llm=3")
        self.driver(NEW)
        self.assertEqual(sorted(self.lost()), [f"proj-llm-{i}" for i in (1, 2, 3)])
        ran = self.recover("--recreate")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        for i in (1, 2, 3):
            self.assertEqual(self.inside(f"proj-llm-{i}", "cat", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"), NEW)

    def test_profiles_extra_files_and_an_env_file_of_another_name(self):
        with open(self.project + "/compose.yaml", "w") as file:
            file.write(COMPOSE.format(grace="1s").replace("  llm:\n", "  llm:\n    profiles: [gpu-nvidia]\n").replace(
                "    depends_on: [llm]\n", ""))
        with open(self.dir + "/more.yaml", "w") as file:
            file.write("services: {llm: {environment: {MORE: '1'}}}\n")
        with open(self.dir + "/prod.env", "w") as file:
            file.write("MODEL=llama3\n")
        self.compose("-f", self.dir + "/more.yaml", "--env-file", self.dir + "/prod.env", "--project-directory", self.dir,
                     "-p", "stack", "--profile", "gpu-nvidia", "up", "-d")
        wanted = self.configuration("stack-llm-1")
        self.driver(NEW)
        self.assertEqual(sorted(self.lost()), ["stack-llm-1"])
        ran = self.recover("--recreate")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertEqual(self.configuration("stack-llm-1"), wanted)
        self.assertIn("MODEL=llama3", wanted[0]["Env"])
        self.assertIn("MORE=1", wanted[0]["Env"])
        self.assertEqual(self.inside("stack-llm-1", "cat", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"), NEW)

    def test_one_of_compose_run_is_started_anew(self):
        self.compose("run", "-d", "--name", "once", "--no-deps", "llm")
        self.driver(NEW)
        self.assertIn(" restart once", self.lost()["once"])
        before = self.look("once", ".Id")
        self.assertEqual(self.recover("--recreate").returncode, 0)
        self.assertEqual(self.look("once", ".Id"), before)
        self.assertEqual(self.inside("once", "cat", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"), NEW)

    def children_of(self, pid):
        """What it started, and what these started."""
        found = [pid]
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if parent == pid:
                found += self.children_of(int(name))
        return found

    def killed_halfway(self, with_compose):
        """kill -9 of estiva while the old container is being stopped and the new one is made already."""
        self.compose("up", "-d", grace="8s")
        self.inside("proj-llm-1", "sh", "-c", "echo kept > /data/file")
        self.driver(NEW)
        ran = subprocess.Popen(self.words("--recreate"), env=self.env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: "_proj-llm-1" in self.docker.say("ps", "-a", "--format", "{{.Names}}"), "Compose makes the new one")
        all_of_them = self.children_of(ran.pid)
        self.assertGreater(len(all_of_them), 1)
        for pid in all_of_them if with_compose else [ran.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        ran.wait()

    def is_whole(self):
        self.assertEqual(sorted(self.identity()), ["proj-llm-1", "proj-web-1"])
        self.assertEqual(self.inside("proj-llm-1", "cat", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"), NEW)
        self.assertEqual(self.inside("proj-llm-1", "cat", "/data/file"), "kept")
        self.assertEqual(self.lost(), {})

    def test_killed_halfway_compose_goes_on(self):
        self.killed_halfway(with_compose=False)
        until(lambda: self.lost() == {}, "Compose ends its work alone")
        self.is_whole()

    def test_killed_halfway_with_compose_a_second_time_ends_it(self):
        self.killed_halfway(with_compose=True)
        time.sleep(9)  # the engine goes on stopping the old one
        self.assertTrue(any("_proj-llm-1" in name for name in self.lost()), self.lost())
        ran = self.recover("--recreate")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.is_whole()

    def test_a_folder_s_containers_are_not_this_machine_s(self):
        ran = self.recover("--recreate", "--root", self.dir)
        self.assertEqual(ran.returncode, 2, ran.stdout)
        self.assertIn("--root names a folder", ran.stderr)


if __name__ == "__main__":
    unittest.main()
