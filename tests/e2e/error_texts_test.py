"""The errors that a real dockerd gives, word for word: doctor sees the cause beforehand where it can, and names it
from the text afterwards."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from docker_place import Docker
from harness import ESTIVA

SPEC = """cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
- name: "0"
  containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
      hostPath: /dev/null
    mounts:
    - hostPath: {0}
      containerPath: /usr/lib/x86_64-linux-gnu/libcuda.so.550.163.01
      options: [ro, nosuid, nodev, rbind, rprivate]
"""


class RealErrors(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="txt", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.docker = Docker(self.dir + "/d", "-28")
        self.specs = self.dir + "/cdi"
        os.makedirs(self.specs)
        self.library = self.dir + "/libcuda.so.550.163.01"
        open(self.library, "w").close()
        self.addCleanup(self.docker.stop)

    def start(self, **more):
        self.docker.configure(**{"cdi-spec-dirs": [self.specs], "features": {"cdi": True}, **more})
        self.docker.start()
        self.docker.import_image()

    def spec(self, text=None):
        with open(self.specs + "/nvidia.yaml", "w") as file:
            file.write(SPEC.format(self.library) if text is None else text)

    def fails(self, *words):
        done = self.docker.run("run", "--rm", "--network", "none", *words, "busybox:test", "/bin/true", check=False)
        self.assertNotEqual(done.returncode, 0, "the container should not have started")
        return done.stderr.decode()

    def named(self, text):
        """The id that the text alone leads to, and others that have the same text."""
        ran = subprocess.run([ESTIVA, "doctor", "--explain-error", "-", "--json"], input=text, text=True,
                             capture_output=True, timeout=60)
        causes = json.loads(ran.stdout)["causes"]
        self.assertEqual([ran.returncode, len(causes)], [1, 1], text + ran.stdout)
        return causes[0]["id"], causes[0]["also"]

    def foreseen(self):
        ran = subprocess.run([ESTIVA, "doctor", "--docker", self.docker.address, "--json"], text=True,
                             capture_output=True, timeout=60)
        return {one["id"]: one for one in json.loads(ran.stdout)["findings"]}

    def test_a_device_that_works(self):
        self.start()
        self.spec()
        self.docker.run("run", "--rm", "--network", "none", "--device", "nvidia.com/gpu=0", "busybox:test", "/bin/true")

    def test_cdi_is_off(self):
        self.start(features={"cdi": False})
        self.spec()
        text = self.fails("--device", "nvidia.com/gpu=0")
        self.assertIn('could not select device driver "cdi"', text)
        self.assertEqual(self.named(text)[0], "K3")

    def test_no_specification(self):
        self.start()
        text = self.fails("--device", "nvidia.com/gpu=0")
        self.assertIn("unresolvable CDI devices nvidia.com/gpu=0", text)
        self.assertEqual(self.named(text)[0], "C1")

    def test_a_broken_specification_is_foreseen_though_the_error_hides_it(self):
        self.start()
        self.spec("cdiVersion: 0.5.0\nkind: nvidia.com/gpu\nsurplus: 1\n")
        foreseen = self.foreseen()
        self.assertIn("C5", foreseen, foreseen.keys())
        text = self.fails("--device", "nvidia.com/gpu=0")
        self.assertIn("unresolvable CDI devices", text)
        rule, also = self.named(text)
        self.assertEqual(rule, "C1")
        self.assertIn("C5", also)

    def test_a_stale_mount_is_foreseen(self):
        self.start()
        self.spec()
        os.remove(self.library)
        self.assertIn("C8", self.foreseen())
        text = self.fails("--device", "nvidia.com/gpu=0")
        self.assertIn("no such file or directory", text)
        self.assertEqual(self.named(text)[0], "C8")

    def test_the_runtime_is_missing(self):
        self.start()
        text = self.fails("--runtime", "nvidia")
        self.assertIn("unknown or invalid runtime name: nvidia", text)
        self.assertEqual(self.named(text)[0], "K9")

    def test_gpus_without_the_toolkit(self):
        self.start()
        text = self.fails("--gpus", "all")
        self.assertIn("could not select device driver", text)
        self.assertEqual(self.named(text)[0], "K1")


if __name__ == "__main__":
    unittest.main()
