"""What estiva says and does with engines that are not the usual Docker: Podman 4.3 and a rootless dockerd 28 that run,
and trees of machines with a snap, Docker Desktop, an old Docker and none."""
import http.server
import json
import os
import shutil
import signal
import socketserver
import subprocess
import tempfile
import threading
import unittest

import machine_change
import podman_test
from docker_place import PEERS, program
from harness import ESTIVA, LIBRARY, UnixConnection, until
from recover_test import NEW, OLD
from setup_test import contents
from verify_test import STUB

SPEC = """cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
- name: all
  containerEdits:
    deviceNodes:
    - path: {2}
      hostPath: {0}/node0
containerEdits:
  mounts:
  - hostPath: {0}/libcuda.so.{1}
    containerPath: /usr/lib/x86_64-linux-gnu/libcuda.so.1
    options: [ro, nosuid, nodev, rbind, rprivate]
"""


def install_driver(folder, specs, version, node="/dev/nvidia0"):
    """A library that starts, of that version, a node, and a spec that names both."""
    for name in os.listdir(folder):
        if name.startswith("libcuda.so."):
            os.remove(os.path.join(folder, name))
    with open(folder + "/stub.c", "w") as file:
        file.write(STUB % 0)
    subprocess.run(["gcc", "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libcuda.so.1", "-o",
                    f"{folder}/libcuda.so.{version}", folder + "/stub.c"], check=True)
    if not os.path.exists(folder + "/node0"):
        os.mknod(folder + "/node0", 0o020666, os.makedev(1, 3))
        os.chmod(folder + "/node0", 0o666)
    with open(specs + "/new", "w") as file:
        file.write(SPEC.format(folder, version, node))
    os.rename(specs + "/new", specs + "/nvidia.yaml")


class OnTree(unittest.TestCase):
    """The verbs on the tree of Debian's machine, whose engine a test replaces."""

    def setUp(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can make a device node")
        self.dir = tempfile.mkdtemp(prefix="eng", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.machine = machine_change.make("healthy", "debian-gpu", self.dir + "/tree")
        self.env = dict(os.environ, ESTIVA_STATE_DIR=self.dir + "/state", NO_COLOR="1")

    def estiva(self, *words):
        return subprocess.run([ESTIVA, *words, "--root", self.dir + "/tree"], text=True, capture_output=True, env=self.env,
                              timeout=120, stdin=subprocess.DEVNULL)

    def no_dockerd(self):
        self.machine.remove("/proc/812", "/usr/bin/dockerd")

    def answers_of(self, socket):
        """The engine of the tree answers as the one at that socket does."""
        self.machine.remove("/docker")

        def ask(target):
            connection = UnixConnection(socket)
            connection.request("GET", target)
            response = connection.getresponse()
            text = response.read().decode()
            connection.close()
            self.assertEqual(response.status, 200, text)
            return text
        for target, name in (("/version", "version"), ("/info", "info"), ("/containers/json?all=1", "containers")):
            self.machine.write(f"/docker/{name}.json", ask(target))
        for row in json.loads(ask("/containers/json?all=1")):
            self.machine.write(f"/docker/inspect/{row['Id']}.json", ask(f"/containers/{row['Id']}/json"))

    def set_up(self, *parts, targets=(), not_targets=()):
        """Plans, applies, looks and takes back; the notes have these parts."""
        before = contents(self.dir + "/tree")
        ran = self.estiva("setup", "plan", "--json")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        document = json.loads(ran.stdout)
        notes = "\n".join(document["notes"])
        for part in parts:
            self.assertIn(part, notes)
        all_targets = [step["target"] for step in document["plan"]["steps"]]
        for target in ("/etc/systemd/system/estiva-cdi.service", "/var/run/cdi/estiva.yaml", *targets):
            self.assertIn(target, all_targets)
        for target in not_targets:
            self.assertNotIn(target, all_targets)
        done = self.estiva("setup", "apply", "--plan", document["plan"]["hash"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Nothing is to be done", self.estiva("setup", "apply", "--yes").stdout)
        status = self.estiva("setup", "status")
        self.assertEqual(status.returncode, 0, status.stdout + status.stderr)
        undone = self.estiva("setup", "undo")
        self.assertEqual(undone.returncode, 0, undone.stdout + undone.stderr)
        self.assertEqual(contents(self.dir + "/tree"), before)
        return document, status.stdout

    def rung(self, name, *words):
        ran = self.estiva("verify", "--json", *words)
        return {rung["name"]: rung for rung in json.loads(ran.stdout)["rungs"]}[name]


class Trees(OnTree):
    def test_no_engine_at_all(self):
        self.no_dockerd()
        self.machine.remove("/docker", "/usr/bin/docker")
        _, status = self.set_up("No Docker was found", not_targets=["/etc/docker/daemon.json"])
        self.assertNotIn("runtimes: none", status, "it was not asked")
        self.assertEqual(self.rung("container engine")["state"], "failed")
        self.assertEqual(self.estiva("recover", "plan").returncode, 0)

    def test_podman_in_docker_s_place_without_its_service(self):
        self.no_dockerd()
        self.machine.remove("/docker", "/usr/bin/docker")
        self.machine.write("/usr/bin/docker", "#!/bin/sh\nexec /usr/bin/podman \"$@\"\n", 0o755)
        self.set_up("Podman reads CDI specifications by itself", not_targets=["/etc/docker/daemon.json"])

    def test_docker_desktop(self):
        self.machine.info(OperatingSystem="Docker Desktop")
        self.set_up("virtual machine without the GPU", "docker context use default", not_targets=["/etc/docker/daemon.json"])

    def test_docker_before_cdi(self):
        self.machine.engine("24.0.9")
        self.machine.json("/docker/info.json", lambda info: (info.pop("CDISpecDirs"), info.pop("DiscoveredDevices", 0)) and None)
        self.machine.write("/etc/docker/daemon.json", '{"mtu": 1400}\n')
        before = self.machine.read("/etc/docker/daemon.json")
        document, _ = self.set_up("Docker 24.0.9 has no CDI", "Upgrade Docker to 28.2", targets=["/etc/docker/daemon.json"])
        step = next(step for step in document["plan"]["steps"] if step["target"] == "/etc/docker/daemon.json")
        self.assertNotIn("cdi", step["diff"])
        self.assertIn("max-size", step["diff"])
        self.assertEqual(self.machine.read("/etc/docker/daemon.json"), before)

    def test_docker_of_a_snap(self):
        settings = "/var/snap/docker/current/config/daemon.json"
        self.machine.info(DockerRootDir="/var/snap/docker/common/var-lib-docker")
        self.machine.relink("/proc/812/exe", "/snap/docker/3265/bin/dockerd")
        self.machine.write("/proc/812/cmdline", "/snap/docker/3265/bin/dockerd\0--config-file=" + settings + "\0")
        self.machine.write(settings, '{"log-level": "error"}\n')
        document, _ = self.set_up("This Docker is a snap", settings, "systemctl restart snap.docker.dockerd.service",
                                  targets=[settings], not_targets=["/etc/docker/daemon.json"])
        step = next(step for step in document["plan"]["steps"] if step["target"] == settings)
        self.assertNotIn("nvidia-container-runtime", step["diff"])


class Podman(OnTree):
    """Podman's service, in a mount namespace whose /etc/cdi is the test's."""

    def setUp(self):
        super().setUp()
        self.folder = self.dir + "/p"
        os.makedirs(self.folder + "/home/.config/containers")
        for name, text in (
                ("containers.conf", '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n' +
                 podman_test.CONTAINERS.format(PEERS)),
                ("storage.conf", podman_test.STORAGE.format(self.folder)), ("home/.config/containers/registries.conf", ""),
                ("home/.config/containers/policy.json", '{"default":[{"type":"insecureAcceptAnything"}]}')):
            with open(os.path.join(self.folder, name), "w") as file:
                file.write(text)
        self.podman_env = dict(self.env, HOME=self.folder + "/home", CONTAINERS_CONF=self.folder + "/containers.conf",
                               CONTAINERS_STORAGE_CONF=self.folder + "/storage.conf", TMPDIR=self.folder,
                               ESTIVA_SIM_SCENARIO="workstation-2", PATH=self.folder + "/bin:" + os.environ["PATH"])
        self.socket = self.folder + "/p.sock"
        self.enter_namespace()
        self.service = None
        self.addCleanup(self.end)
        self.import_image()
        self.service = subprocess.Popen(self.inside(*self.words("system", "service", "--time=0", "unix://" + self.socket)),
                                        env=self.podman_env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        until(lambda: os.path.exists(self.socket), "podman's API listens")

    def enter_namespace(self):
        """The same machine, with a layer of its own over /etc."""
        layers, self.specs = self.folder + "/etc", self.folder + "/cdi"
        os.makedirs(self.specs)
        os.makedirs(layers)
        script = (f"mount -t tmpfs none {layers} && mkdir {layers}/u {layers}/w && mount -t overlay overlay -o "
                  f"lowerdir=/etc,upperdir={layers}/u,workdir={layers}/w /etc && mkdir -p /etc/cdi && "
                  f"mount --bind {self.specs} /etc/cdi && echo ready && exec sleep 100000")
        self.holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.holder.communicate)
        self.addCleanup(self.holder.kill)
        if self.holder.stdout.readline() != "ready\n":
            self.skipTest("no layer over /etc here: " + self.holder.stderr.read())

    def inside(self, *words):
        return ["nsenter", "-t", str(self.holder.pid), "--mount", *words]

    def words(self, *words):
        return [program("podman"), "--cgroup-manager", "cgroupfs", "--runtime", PEERS + "/docker/usr/sbin/runc",
                "--conmon", PEERS + "/docker/usr/bin/conmon", *words]

    def podman(self, *words, check=True, input=None):
        done = subprocess.run(self.inside(*self.words(*words)), env=self.podman_env, input=input, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"podman {words}: {done.stderr.decode()}")
        return done.stdout.decode().strip()

    def import_image(self):
        tree = self.folder + "/image"
        os.makedirs(tree + "/bin")
        shutil.copy(os.path.join(PEERS, "docker/bin/busybox"), tree + "/bin/busybox")
        os.symlink("busybox", tree + "/bin/sleep")
        tar = subprocess.run(["tar", "-C", tree, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
        self.podman("import", "-", "localhost/busybox:test", input=tar)

    def end(self):
        self.podman("rm", "-f", "-a", "-t", "0", check=False)
        if self.service is not None:
            self.service.terminate()
            self.service.wait(timeout=20)

    def live(self, *words):
        return subprocess.run(self.inside(ESTIVA, *words, "--docker", "unix://" + self.socket, "--nvml", LIBRARY), text=True,
                              capture_output=True, env=self.podman_env, timeout=120, stdin=subprocess.DEVNULL)

    def run_one(self, name, *words):
        self.podman("run", "-d", "--name", name, "--network", "none", *words, "localhost/busybox:test", "/bin/sleep", "100000")

    def test_it_needs_no_settings(self):
        self.run_one("llm")
        self.no_dockerd()
        self.answers_of(self.socket)
        _, status = self.set_up("Podman reads CDI specifications by itself", not_targets=["/etc/docker/daemon.json"])
        self.assertIn("Podman's runtimes: ", status)
        self.assertNotIn("Docker", status)

    def test_verify_asks_as_podman_is_asked(self):
        install_driver(self.folder, self.specs, NEW)
        ran = self.live("verify", "--json")
        document = json.loads(ran.stdout)
        rungs = {rung["name"]: rung for rung in document["rungs"]}
        self.assertEqual(document["asked_by"], "--device nvidia.com/gpu=all")
        self.assertEqual(rungs["container engine"]["seen"], "Podman 4.3.1")
        self.assertIn("/dev/nvidia0", rungs["devices inside"]["seen"])
        self.assertEqual([rungs["CUDA inside"]["state"], rungs["CUDA inside"]["seen"]], ["passed", rungs["CUDA inside"]["seen"]])
        self.assertIn("NVIDIA Stub 550", rungs["CUDA inside"]["seen"])
        self.assertEqual(self.podman("ps", "-aq"), "", "nothing is left")
        self.assertEqual(self.podman("images", "-q", "--filter", "label=io.estiva.probe"), "")

    def test_a_device_that_nobody_declares(self):
        install_driver(self.folder, self.specs, NEW)
        ran = self.live("verify", "--json", "--device", "nvidia.com/gpu=7")
        self.assertEqual(ran.returncode, 1)
        rungs = {rung["name"]: rung for rung in json.loads(ran.stdout)["rungs"]}
        self.assertIn("nvidia.com/gpu=7", rungs["container"]["seen"])

    def test_a_container_with_the_old_driver_is_started_anew(self):
        install_driver(self.folder, self.specs, OLD)
        self.run_one("llm", "--device", "nvidia.com/gpu=all", "-v", "kept:/data")
        self.run_one("other")
        os.makedirs(self.folder + "/bin")
        with open(self.folder + "/bin/podman", "w") as file:
            file.write(f'#!/bin/sh\nexec {program("podman")} "$@"\n')
        os.chmod(self.folder + "/bin/podman", 0o755)
        install_driver(self.folder, self.specs, NEW)
        before = {name: self.podman("inspect", "-f", "{{.Id}} {{.State.Pid}}", name) for name in ("llm", "other")}
        ran = self.live("recover", "plan")
        self.assertIn("llm has to be made again", ran.stdout)
        self.assertNotIn("other has", ran.stdout)
        ran = self.live("recover", "--recreate")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        after = {name: self.podman("inspect", "-f", "{{.Id}} {{.State.Pid}}", name) for name in ("llm", "other")}
        self.assertEqual(after["other"], before["other"])
        self.assertEqual(after["llm"].split()[0], before["llm"].split()[0])
        self.assertNotEqual(after["llm"], before["llm"])
        with open(f"/proc/{after['llm'].split()[1]}/mountinfo") as file:
            self.assertIn(f"libcuda.so.{NEW}", file.read())
        self.assertNotIn("has to be made again", self.live("recover", "plan").stdout)


class RootlessKit(http.server.BaseHTTPRequestHandler):
    """What a rootless dockerd asks the program that started it: how its network is made."""

    def do_GET(self):
        body = json.dumps({"apiVersion": "1.1.1", "version": "2.0.2", "stateDir": "/nowhere", "childPID": 1,
                           "networkDriver": {"driver": "none", "mtu": 1500}, "portDriver": {"driver": "none"}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "dockerd"

    def log_message(self, *_):
        pass


class Rootless(OnTree):
    """dockerd 28 of an ordinary user, in a user namespace of its own."""
    UID = 12345

    def setUp(self):
        super().setUp()
        os.chmod(self.dir, 0o755)
        self.folder, self.specs = self.dir + "/r", self.dir + "/r/cdi"
        self.settings = self.folder + "/home/.config/docker/daemon.json"
        for name in ("home/.config/docker", "run/kit", "data", "cdi"):
            os.makedirs(os.path.join(self.folder, name))
        self.socket = self.folder + "/run/docker.sock"
        with open(self.settings, "w") as file:
            json.dump({"data-root": self.folder + "/data", "exec-root": self.folder + "/run/exec",
                       "pidfile": self.folder + "/run/pid", "hosts": ["unix://" + self.socket], "bridge": "none",
                       "iptables": False, "ip6tables": False, "ip-forward": False, "ip-masq": False,
                       "storage-driver": "vfs", "cdi-spec-dirs": [self.specs]}, file)
        # Without privileges runc binds a node from its own path, whatever hostPath says.
        install_driver(self.folder, self.specs, NEW, node=self.folder + "/node0")
        kit = socketserver.ThreadingUnixStreamServer(self.folder + "/run/kit/api.sock", RootlessKit)
        kit.daemon_threads = True
        threading.Thread(target=kit.serve_forever, daemon=True).start()
        self.addCleanup(kit.server_close)
        self.addCleanup(kit.shutdown)
        subprocess.run(["chown", "-R", f"{self.UID}:{self.UID}", self.folder], check=True)
        self.start()

    def start(self):
        env = dict(os.environ, HOME=self.folder + "/home", XDG_RUNTIME_DIR=self.folder + "/run",
                   XDG_CONFIG_HOME=self.folder + "/home/.config", ROOTLESSKIT_STATE_DIR=self.folder + "/run/kit")
        log = open(self.folder + "/log", "w")
        self.process = subprocess.Popen(
            ["setpriv", "--reuid", str(self.UID), "--regid", str(self.UID), "--clear-groups", "unshare", "--user",
             "--net", "--mount", "sh", "-c",
             f"echo here; read mapped; mount -t tmpfs none /run && exec {program('dockerd-28')} --rootless"],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        log.close()
        self.addCleanup(self.stop)
        if self.process.stdout.readline() != b"here\n":
            self.skipTest("users have no namespaces here")
        # What newuidmap does: the user is root inside, and has more numbers.
        for kind in ("uid", "gid"):
            with open(f"/proc/{self.process.pid}/{kind}_map", "w") as file:
                file.write(f"0 {self.UID} 1\n1 {self.UID + 100_000} 65535\n")
        self.process.stdin.write(b"\n")
        self.process.stdin.close()

        def answers():
            if self.process.poll() is not None:
                with open(self.folder + "/log") as file:
                    said = file.read()[-1500:]
                raise AssertionError("dockerd ended: " + said)
            return self.docker("version", check=False).returncode == 0
        until(answers, "the user's dockerd answers")

    def stop(self):
        self.process.stdout.close()
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def docker(self, *words, check=True):
        return subprocess.run([program("docker-28"), "--host", "unix://" + self.socket, *words], text=True,
                              capture_output=True, timeout=60, check=check)

    def live(self, *words):
        return subprocess.run([ESTIVA, *words, "--docker", "unix://" + self.socket, "--nvml", LIBRARY], text=True,
                              capture_output=True, env=dict(self.env, ESTIVA_SIM_SCENARIO="workstation-2"), timeout=120)

    def test_its_settings_are_the_user_s(self):
        """The engine's own words, and its process as /proc shows it, in the tree of a machine with a GPU."""
        self.answers_of(self.socket)
        self.machine.write("/proc/900/comm", "dockerd\n")
        self.machine.write("/proc/900/cgroup", "0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service\n")
        self.machine.write("/proc/900/stat", self.machine.read("/proc/812/stat").replace("812", "900", 1))
        self.machine.write("/proc/900/status", "Name:\tdockerd\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\n")
        self.machine.write("/proc/900/cmdline", "dockerd\0")
        self.machine.write("/proc/900/environ", "XDG_CONFIG_HOME=/home/ada/.config\0PATH=/usr/bin:/usr/sbin\0")
        self.machine.link("/proc/900/exe", "/usr/bin/dockerd")
        self.machine.write("/home/ada/.config/docker/daemon.json", '{"features": {"cdi": false}}\n')
        document, _ = self.set_up("In /home/ada/.config/docker/daemon.json set: features.cdi = true",
                                  "systemctl --user restart docker", f"Docker reads specifications from {self.specs}",
                                  not_targets=["/home/ada/.config/docker/daemon.json", "/etc/docker/daemon.json",
                                               "docker.service"])
        self.assertNotIn("sudo systemctl restart docker", json.dumps(document))

    def test_what_it_says_of_itself(self):
        status = self.live("setup", "status")
        self.assertIn("Docker's runtimes: ", status.stdout)
        self.assertIn("nvidia.com/gpu=all", status.stdout)
        ran = self.live("verify", "--json")
        document = json.loads(ran.stdout)
        rungs = {rung["name"]: rung for rung in document["rungs"]}
        self.assertEqual(rungs["CDI spec"]["seen"], f"{self.specs}/nvidia.yaml (1 devices)")
        self.assertEqual(document["asked_by"], "--device nvidia.com/gpu=all")
        self.assertIn("CUDA inside", rungs, rungs)
        self.assertIn("NVIDIA Stub 550", rungs["CUDA inside"]["seen"], rungs)
        self.assertEqual(self.docker("ps", "-aq").stdout, "")

    def test_a_container_with_the_old_driver_is_started_anew(self):
        def driver(version):
            install_driver(self.folder, self.specs, version, node=self.folder + "/node0")
        tree = self.dir + "/image"
        os.makedirs(tree + "/bin")
        shutil.copy(os.path.join(PEERS, "docker/bin/busybox"), tree + "/bin/busybox")
        os.makedirs(self.dir + "/bin")
        with open(self.dir + "/bin/docker", "w") as file:
            file.write(f'#!/bin/sh\nexec {program("docker-28")} "$@"\n')
        os.chmod(self.dir + "/bin/docker", 0o755)
        subprocess.run(["tar", "-C", tree, "-cf", self.dir + "/image.tar", "."], check=True)
        self.docker("import", self.dir + "/image.tar", "busybox:test")
        driver(OLD)
        run = ["run", "-d", "--network", "none", "--stop-timeout", "1", "--name"]
        self.docker(*run, "llm", "--device", "nvidia.com/gpu=all", "busybox:test", "/bin/busybox", "sleep", "100000")
        self.docker(*run, "other", "busybox:test", "/bin/busybox", "sleep", "100000")
        driver(NEW)
        ran = self.live("recover", "plan")
        self.assertIn("llm has to be made again", ran.stdout)
        self.env["PATH"] = self.dir + "/bin:" + os.environ["PATH"]
        before = self.docker("inspect", "-f", "{{.Id}} {{.State.Pid}}", "other").stdout
        ran = self.live("recover", "--recreate")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertEqual(self.docker("inspect", "-f", "{{.Id}} {{.State.Pid}}", "other").stdout, before)
        pid = self.docker("inspect", "-f", "{{.State.Pid}}", "llm").stdout.strip()
        with open(f"/proc/{pid}/mountinfo") as file:
            self.assertIn(f"libcuda.so.{NEW}", file.read())
        self.assertNotIn("has to be made again", self.live("recover", "plan").stdout)


del OnTree
if __name__ == "__main__":
    unittest.main()
