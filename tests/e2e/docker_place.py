"""A container engine of its own for a test: dockerd of Debian, with its data in the test's folder, in a
network namespace of its own and without a bridge. The machine's own Docker is never spoken to."""
import json
import os
import shutil
import signal
import subprocess
import unittest

from harness import Case, until

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
PEERS = os.environ.get("ESTIVA_PEERS_DIR", os.path.join(ROOT, "build/peers"))
CONFIG = """{{"data-root": "{0}/data", "exec-root": "{0}/exec", "pidfile": "{0}/pid",
 "hosts": ["unix://{0}/docker.sock"], "bridge": "none", "iptables": false, "ip6tables": false,
 "ip-forward": false, "ip-masq": false, "storage-driver": "vfs", "debug": false}}
"""
COMPOSE = """version: "3"
services:
  {service}:
    image: busybox:test
    network_mode: none
    command: ["/bin/sleep", "100000"]
    stop_grace_period: 1s
    labels: {{estiva.model: "{model}"}}
    volumes: {volumes}
"""


def program(name):
    path = os.path.join(PEERS, "bin", name)
    if not os.path.exists(path):
        raise AssertionError(f"{path} is missing; run: bench/peers dockerd docker docker-compose busybox, and "
                             "dockerd-28 docker-28 for an engine that knows CDI")
    return path


def busybox_tar(folder, *names):
    """A file system with nothing in it but busybox, under these names too; made below `folder`."""
    tree = folder + "/image"
    os.makedirs(tree + "/bin")
    shutil.copy(os.path.join(PEERS, "docker/bin/busybox"), tree + "/bin/busybox")
    os.chmod(tree + "/bin/busybox", 0o755)
    for name in names:
        os.symlink("busybox", tree + "/bin/" + name)
    return subprocess.run(["tar", "-C", tree, "-c", "."], stdout=subprocess.PIPE, check=True).stdout


def unmount_below(folder):
    """An engine that was killed leaves its mounts, too."""
    with open("/proc/self/mounts") as file:
        points = [line.split()[1] for line in file]
    for point in reversed(points):
        if point.startswith(folder + "/"):
            subprocess.run(["umount", "-l", point], check=False, stderr=subprocess.DEVNULL)


class Docker:
    """One dockerd under `folder`; at most 60 bytes, for its socket's name. `which` is "-28" for a release that
    knows CDI."""

    def __init__(self, folder, which=""):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can start a container engine")
        self.folder = folder
        self.which = which
        self.address = f"unix://{folder}/docker.sock"
        self.env = dict(os.environ, DOCKER_HOST=self.address, DOCKER_CONFIG=folder + "/config",
                        COMPOSE_HTTP_TIMEOUT="60")
        self.process = None
        os.makedirs(folder)
        self.configure()

    def configure(self, **more):
        """Writes daemon.json, with these members on top."""
        with open(self.folder + "/daemon.json", "w") as file:
            json.dump({**json.loads(CONFIG.format(self.folder)), **more}, file)

    def start(self):
        log = open(self.folder + "/log", "a")
        self.process = subprocess.Popen(
            ["unshare", "--net", program("dockerd" + self.which), "--config-file", self.folder + "/daemon.json"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        log.close()
        until(self.answers, "dockerd answers")

    def answers(self):
        if self.process.poll() is not None:
            with open(self.folder + "/log") as file:
                raise AssertionError("dockerd ended: " + file.read()[-2000:])
        return self.run("version", check=False).returncode == 0

    def run(self, *words, check=True, input=None):
        done = subprocess.run([program("docker" + self.which), *words], env=self.env, input=input, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and done.returncode != 0:
            raise AssertionError(f"docker {words}: {done.stderr.decode()}")
        return done

    def say(self, *words):
        return self.run(*words).stdout.decode().strip()

    def import_image(self):
        """busybox:test, with nothing in it but busybox."""
        self.run("import", "-", "busybox:test", input=busybox_tar(self.folder, "sh", "sleep", "true"))

    def up(self, project, service, model="", volumes=()):
        """A Compose project with one service; returns its container's name."""
        folder = os.path.join(self.folder, project)
        os.makedirs(folder, exist_ok=True)
        with open(folder + "/docker-compose.yml", "w") as file:
            file.write(COMPOSE.format(service=service, model=model, volumes=json.dumps(list(volumes))))
        done = subprocess.run([program("docker-compose"), "-p", project, "up", "-d"], env=self.env,
                              cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        if done.returncode != 0:
            raise AssertionError(done.stdout.decode())
        return self.say("ps", "--format", "{{.Names}}", "--filter",
                        f"label=com.docker.compose.project={project}")

    def pid(self, name):
        return int(self.say("inspect", "-f", "{{.State.Pid}}", name))

    def kill(self):
        """As a crash of dockerd and its containerd; what runs in containers lives on."""
        with open(self.folder + "/pid") as file:
            os.kill(int(file.read()), signal.SIGKILL)
        self.process.wait(timeout=20)
        self.end_strays(with_shims=False)
        pid_file = self.folder + "/exec/containerd/containerd.pid"
        if os.path.exists(pid_file):
            os.remove(pid_file)

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            ids = self.run("ps", "-aq", check=False).stdout.decode().split()
            if ids:
                self.run("rm", "-f", *ids, check=False)
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.end_strays()
        unmount_below(self.folder)

    def end_strays(self, with_shims=True):
        """A dockerd that was killed leaves its containerd and shims."""
        mark = self.folder.encode()
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    words = file.read()
            except OSError:
                continue
            if mark in words and b"containerd" in words and (with_shims or b"-shim" not in words):
                os.kill(int(name), signal.SIGKILL)


class DockerCase(Case):
    """A test with a dockerd of its own, which its estiva speaks to."""

    def setUp(self):
        super().setUp()
        self.docker = Docker(os.path.join(self.place.dir, "dk"))
        self.addCleanup(self.docker.stop)
        self.docker.start()
        self.docker.import_image()
        self.place.env["DOCKER_HOST"] = self.docker.address
