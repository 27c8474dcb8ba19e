"""'estiva verify' with a real dockerd that knows CDI, and with real OpenGL on a virtual X display."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from docker_place import Docker
from harness import BUILD, ESTIVA, LIBRARY

STUB = """
int cuInit(unsigned flags) { return %d; }
int cuDeviceGetCount(int *n) { *n = 1; return 0; }
int cuDeviceGet(int *d, int i) { *d = i; return 0; }
int cuDeviceGetName(char *name, int size, int d) {
  const char *is = "NVIDIA Stub 550"; int i = 0;
  for (; is[i] && i < size - 1; ++i) name[i] = is[i];
  name[i] = 0; return 0;
}
"""
SPEC = """cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
- name: all
  containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
      hostPath: {0}/node0
containerEdits:
  deviceNodes:
  - path: /dev/nvidiactl
    hostPath: {0}/nodectl
  mounts:
  - hostPath: {0}/libcuda.so.1
    containerPath: /usr/lib/x86_64-linux-gnu/libcuda.so.1
    options: [ro, nosuid, nodev, rbind, rprivate]
"""


class Verify(unittest.TestCase):
    """The GPU is the simulator's; what a container gets are harmless nodes and a stub of libcuda."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="ver", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.docker = Docker(self.dir + "/d", "-28")
        self.specs = self.dir + "/cdi"
        os.makedirs(self.specs)
        self.docker.configure(features={"cdi": True}, **{"cdi-spec-dirs": [self.specs]})
        self.addCleanup(self.docker.stop)
        for name in ("node0", "nodectl"):
            os.mknod(f"{self.dir}/{name}", 0o020666, os.makedev(1, 3))
            os.chmod(f"{self.dir}/{name}", 0o666)
        self.stub(0)
        with open(self.specs + "/nvidia.yaml", "w") as file:
            file.write(SPEC.format(self.dir))
        self.docker.start()

    def stub(self, result):
        with open(self.dir + "/stub.c", "w") as file:
            file.write(STUB % result)
        subprocess.run(["gcc", "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libcuda.so.1", "-o",
                        self.dir + "/libcuda.so.1", self.dir + "/stub.c"], check=True)

    def verify(self, *words):
        env = dict(os.environ, ESTIVA_SIM_SCENARIO="workstation-2")
        ran = subprocess.run([ESTIVA, "verify", "--docker", self.docker.address, "--nvml", LIBRARY, "--json", *words],
                             text=True, capture_output=True, env=env, timeout=120)
        try:
            document = json.loads(ran.stdout)
        except ValueError:
            raise AssertionError(f"{ran.returncode}: {ran.stdout}{ran.stderr}")
        return ran.returncode, document, {rung["name"]: rung for rung in document["rungs"]}

    def nothing_is_left(self):
        self.assertEqual(self.docker.say("ps", "-aq"), "")
        self.assertEqual(self.docker.say("images", "-aq"), "")

    def test_a_container_computes(self):
        code, document, rungs = self.verify()
        self.assertEqual([code, document["verdict"]], [0, "usable"], document)
        self.assertEqual(document["asked_by"], "--device nvidia.com/gpu=all")
        self.assertIn("/dev/nvidia0", rungs["devices inside"]["seen"])
        self.assertIn("NVIDIA Stub 550", rungs["CUDA inside"]["seen"])
        self.nothing_is_left()

    def test_what_the_engine_says_is_said(self):
        code, document, rungs = self.verify("--device", "nvidia.com/gpu=7")
        self.assertEqual([code, document["verdict"]], [1, "broken"])
        self.assertIn("unresolvable CDI devices nvidia.com/gpu=7", rungs["container"]["seen"])
        self.nothing_is_left()

    def test_the_old_way_without_the_toolkit(self):
        code, _, rungs = self.verify("--with", "gpus")
        self.assertEqual(code, 1)
        self.assertIn("could not select device driver", rungs["container"]["seen"])

    def test_a_stale_mount(self):
        os.remove(self.dir + "/libcuda.so.1")
        code, _, rungs = self.verify()
        self.assertEqual(code, 1)
        self.assertIn("no such file or directory", rungs["container"]["seen"])
        self.nothing_is_left()

    def test_cuda_that_does_not_start(self):
        self.stub(999)
        code, document, rungs = self.verify()
        self.assertEqual([code, document["verdict"]], [1, "broken"])
        self.assertEqual([rungs["CUDA inside"]["state"], rungs["CUDA inside"]["seen"]],
                         ["failed", "cuInit returned 999"])

    def test_a_container_that_runs(self):
        self.docker.import_image()
        name = self.docker.say("run", "-d", "--name", "llm", "--device", "nvidia.com/gpu=all", "--network", "none",
                               "busybox:test", "/bin/sh", "-c",
                               'echo "msg=\\"inference compute\\" id=0 library=cpu"; sleep 1000')
        self.assertEqual(len(name), 64)
        code, document, rungs = self.verify("llm")
        self.assertEqual([code, document["verdict"], document["container"]], [3, "cpu_only", "llm"], document)
        self.assertIn("/dev/nvidia0", rungs["devices inside"]["seen"])
        self.assertIn("library=cpu", rungs["application"]["seen"])
        self.docker.run("stop", "-t", "0", "llm")
        self.assertEqual(self.verify("llm")[0], 1)

    def test_a_name_that_nobody_has(self):
        env = dict(os.environ, ESTIVA_SIM_SCENARIO="workstation-2")
        ran = subprocess.run([ESTIVA, "verify", "--docker", self.docker.address, "--nvml", LIBRARY, "nobody"],
                             text=True, capture_output=True, env=env, timeout=120)
        self.assertEqual([ran.returncode, ran.stdout], [1, ""])
        self.assertIn("'nobody'", ran.stderr)


class Words(unittest.TestCase):
    """What verify refuses, and what it says without an engine."""

    def verify(self, *words, **more):
        env = dict(os.environ, ESTIVA_SIM_SCENARIO="workstation-2", **more)
        return subprocess.run([ESTIVA, "verify", "--nvml", LIBRARY, *words], text=True, capture_output=True, env=env,
                              timeout=120)

    def test_what_can_not_be_is_refused_before_anything_is_looked_at(self):
        with tempfile.TemporaryDirectory() as tree:
            for words, says in ((["nobody", "--root", tree], "below --root"), (["--time", "5"], "with a unit"),
                                (["--time", "10ms"], "1s or more"), (["--device", "foo"], "nvidia.com/gpu=0"),
                                (["--device", "nvidia.com/gpu=0", "--with", "gpus"], "--with gpus")):
                ran = self.verify(*words)
                self.assertEqual([ran.returncode, ran.stdout], [2, ""], words)
                self.assertIn(says, ran.stderr)

    def test_a_tree_starts_no_container_and_says_so(self):
        with tempfile.TemporaryDirectory() as tree:
            os.makedirs(tree + "/proc")
            out = self.verify("--root", tree).stdout
            self.assertNotIn("--no-container", out)

    def test_without_docker_it_says_how_docker_is_started(self):
        with tempfile.TemporaryDirectory() as folder:
            ran = self.verify("nobody", DOCKER_HOST=f"unix://{folder}/docker.sock")
            self.assertEqual([ran.returncode, ran.stdout], [1, ""])
            self.assertIn("systemctl start docker", ran.stderr)
            self.assertIn("DOCKER_HOST", ran.stderr)
            self.assertNotIn("estiva daemon", ran.stderr)
            out = self.verify(DOCKER_HOST=f"unix://{folder}/docker.sock").stdout
            self.assertEqual(out.count("there is no container engine"), 1, out)

    def test_an_address_that_is_not_spoken_is_said(self):
        ran = self.verify("nobody", DOCKER_HOST="ssh://me@box")
        self.assertEqual([ran.returncode, ran.stdout], [2, ""])
        self.assertIn("ssh://me@box", ran.stderr)
        self.assertIn("DOCKER_HOST", ran.stderr)


class Graphics(unittest.TestCase):
    def test_without_a_display_it_is_skipped_with_its_reason(self):
        env = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
        ran = subprocess.run([ESTIVA, "verify", "--graphics"], text=True, capture_output=True, env=env, timeout=60)
        self.assertEqual(ran.returncode, 3, ran.stderr)
        self.assertEqual(ran.stdout, "Skipped: no X display (DISPLAY is not set)\n")

    def test_real_opengl_draws_and_says_who(self):
        if shutil.which("xvfb-run") is None:
            self.skipTest("no xvfb-run on this machine")
        ran = subprocess.run(["xvfb-run", "-a", ESTIVA, "verify", "--graphics", "--json"], text=True,
                             capture_output=True, timeout=120)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        document = json.loads(ran.stdout)
        self.assertTrue(document["plain"]["drawn"])
        self.assertIn("llvmpipe", document["plain"]["renderer"])
        self.assertIn("change nothing", document["summary"])


if __name__ == "__main__":
    unittest.main()
