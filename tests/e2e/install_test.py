"""What "cmake --install" lays down is a whole that works from there, and can be taken away again."""
import json
import os
import shutil
import subprocess
import unittest

from harness import BUILD, Case

WHOLE = """
bin/estiva
lib/systemd/system/estiva-control.socket
lib/systemd/system/estiva-gateway.service
lib/systemd/system/estiva-launch.socket
lib/systemd/system/estiva-launch@.service
lib/systemd/system/estiva-lease.socket
lib/systemd/system/estiva-models.slice
lib/systemd/system/estiva.service
lib/sysusers.d/estiva.conf
lib/tmpfiles.d/estiva.conf
libexec/estiva/estiva-checkpoint
libexec/estiva/estiva-gateway
libexec/estiva/estiva-glprobe
libexec/estiva/estiva-launch
libexec/estiva/estiva-memd
libexec/estiva/estiva-sensor
libexec/estiva/estiva-sim
libexec/estiva/estivad
libexec/estiva/sim/libnvidia-ml.so.1
share/bash-completion/completions/estiva
share/doc/estiva/CHANGELOG.md
share/doc/estiva/LICENSE
share/doc/estiva/README.md
share/doc/estiva/estiva.toml
share/fish/vendor_completions.d/estiva.fish
share/man/man1/estiva.1
share/zsh/site-functions/_estiva
""".split()


class Install(Case):
    def setUp(self):
        super().setUp()
        if shutil.which("cmake") is None:
            self.skipTest("no cmake on this machine")
        self.into = os.path.join(self.place.dir, "image")
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", "/opt/estiva"], text=True, capture_output=True,
                              env={**os.environ, "DESTDIR": self.into})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.prefix = os.path.join(self.into, "opt/estiva")

    def files(self):
        return sorted(os.path.relpath(os.path.join(folder, name), self.prefix)
                      for folder, _, names in os.walk(self.prefix) for name in names)

    def read(self, name):
        with open(os.path.join(self.prefix, name)) as file:
            return file.read()

    def test_everything_is_there_and_nothing_else(self):
        self.assertEqual(self.files(), WHOLE)
        self.assertEqual(os.listdir(self.into), ["opt"], "nothing outside the prefix, and nothing under /etc")

    def test_the_service_starts_the_installed_program(self):
        for unit, program in (("estiva.service", "estivad --launcher"), ("estiva-gateway.service", "estivad --exec"),
                              ("estiva-launch@.service", "estiva-launch\n")):
            self.assertIn("ExecStart=/opt/estiva/libexec/estiva/" + program, self.read("lib/systemd/system/" + unit))

    def test_the_installed_programs_find_each_other(self):
        estiva = os.path.join(self.prefix, "bin/estiva")
        listed = subprocess.run([estiva, "simulate", "--list"], text=True, capture_output=True)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("scenario workstation-2\n", listed.stdout)
        self.place.start("--simulate", program=estiva)
        self.assertEqual(os.readlink(f"/proc/{self.place.estivad_pid()}/exe"),
                         os.path.join(self.prefix, "libexec/estiva/estivad"))
        gpus = subprocess.run([estiva, "gpu", "--json"], text=True, capture_output=True, env=self.place.env)
        self.assertTrue(json.loads(gpus.stdout)["simulated"], gpus.stderr)

    def test_the_manual_and_the_completions_are_made_by_the_program(self):
        manual = self.read("share/man/man1/estiva.1")
        self.assertTrue(manual.startswith(".TH ESTIVA 1"), manual[:80])
        for verb in ("assign", "record", "events"):
            self.assertIn(f".SS {verb}\n", manual)
        self.assertIn("complete ", self.read("share/bash-completion/completions/estiva"))
        if shutil.which("groff"):
            said = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z"], input=manual, text=True, capture_output=True)
            self.assertEqual([said.returncode, said.stderr], [0, ""])

    def test_the_manifest_names_what_can_be_removed(self):
        with open(os.path.join(BUILD, "install_manifest.txt")) as file:
            named = sorted(os.path.relpath(line.strip(), "/opt/estiva") for line in file if line.strip())
        # The library is a link and its file where it has a version in its name.
        self.assertEqual([name for name in named if name in WHOLE], WHOLE)


if __name__ == "__main__":
    unittest.main()
