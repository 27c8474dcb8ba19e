"""A spec does in an image what it is for: the driver's libraries load by name, without a hook.

Not an engine: its mounts are made as an engine makes them, in a mount namespace of their own, over a root file system
of Debian's layout that has only a C library and no linker's cache. Inside, a program dlopens the libraries and stats
the nodes. Needs root and gcc."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import driver_tree  # noqa: E402
import referee  # noqa: E402
from trees_test import ask, nodes_of  # noqa: E402

PROBE = r"""
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
int main(int count, char** words) {
  int failed = 0;
  for (int i = 1; i < count; ++i) {
    struct stat info;
    if (words[i][0] == '/') {
      if (stat(words[i], &info) != 0) { printf("no node %s\n", words[i]); failed = 1; }
      continue;
    }
    void* library = dlopen(words[i], RTLD_NOW);
    if (library == NULL) { printf("%s\n", dlerror()); failed = 1; continue; }
    const char* (*name)(void) = (const char* (*)(void))dlsym(library, "estiva_stub");
    printf("%s %s\n", words[i], name == NULL ? "no stub" : name());
  }
  void* cuda = dlopen("libcuda.so.1", RTLD_NOW);
  int (*init)(unsigned) = cuda == NULL ? NULL : (int (*)(unsigned))dlsym(cuda, "cuInit");
  printf("cuInit %d\n", init == NULL ? -1 : init(0));
  return failed;
}
"""
LIBRARIES = ["libcuda.so.1", "libcuda.so", "libnvidia-ml.so.1", "libnvidia-ptxjitcompiler.so.1",
             "libnvidia-gpucomp.so." + driver_tree.V550]


def libc_files(program):
    """What ldd names, with paths."""
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [word for line in text.splitlines() for word in line.split() if word.startswith("/")]


def make_image(folder):
    source, program = os.path.join(folder, "probe.c"), os.path.join(folder, "probe")
    with open(source, "w", encoding="utf-8") as out:
        out.write(PROBE)
    subprocess.run(["gcc", "-o", program, source], check=True, timeout=60)
    for path in libc_files(program):
        os.makedirs(folder + os.path.dirname(path), exist_ok=True)
        shutil.copy(os.path.realpath(path), folder + path)
    return folder


def inject(image, tree, spec, device):
    """The shell commands that an engine's mounts come to."""
    edits = [spec["edits"], next(d for d in spec["devices"] if d["name"] == device)]
    lines = ["set -e"]
    pairs = [(m["host"], m["container"]) for part in edits for m in part["mounts"]]
    pairs += [(host, path) for part in edits for path, host in nodes_of(part).items()]
    for host, place in pairs:
        target = image + place
        source = tree + referee.Host(tree).real(host)  # the tree's links mean the tree
        kind = "mkdir -p" if os.path.isdir(source) else "touch"
        lines.append(f"mkdir -p '{os.path.dirname(target)}'; {kind} '{target}'; mount --bind '{source}' '{target}'")
    return lines


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("gcc"), "needs root and gcc")
class Inject(unittest.TestCase):
    def run_in(self, name, device):
        with tempfile.TemporaryDirectory(prefix="estiva-inject-") as folder:
            tree, image = folder + "/host", folder + "/image"
            os.makedirs(image)
            driver_tree.make(name, tree, real=True)
            make_image(image)
            code, text = ask(tree, [])
            self.assertEqual(code, 0, text)
            spec = json.loads(text)
            nodes = [path for part in [spec["edits"], *spec["devices"]] if part.get("name", device) == device
                     for path in nodes_of(part)]
            script = inject(image, tree, spec, device) + [
                f"exec chroot '{image}' /probe {' '.join(LIBRARIES + nodes)}"]
            done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(script)],
                                  capture_output=True, text=True, timeout=120, check=False)
            return done.returncode, done.stdout + done.stderr

    def test_libraries_of_any_host_load_in_an_image_of_debian(self):
        for name in ("ubuntu", "debian", "rhel", "arch", "nixos"):
            with self.subTest(host=name):
                code, text = self.run_in(name, "0")
                self.assertEqual(code, 0, text)
                for library in LIBRARIES:
                    stem = library.split(".so")[0]
                    self.assertIn(f"{library} {stem}.so.{driver_tree.V550}\n", text)
                self.assertIn("cuInit 0\n", text)


if __name__ == "__main__":
    unittest.main()
