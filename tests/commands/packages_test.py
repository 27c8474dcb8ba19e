"""What ./run and ./test install, and from where: with stand-ins for apt-get, dpkg-query and sudo."""
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Sandbox(unittest.TestCase):
    """A folder with programs of ours in front of PATH; each writes its arguments into `calls`."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="estiva-packages-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "bin").mkdir()
        self.calls = self.root / "calls"
        self.calls.touch()

    def program(self, name, body):
        path = self.root / "bin" / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >>"{self.calls}"\n{body}\n')
        path.chmod(0o755)

    def bash(self, script):
        environment = dict(os.environ, PATH=f"{self.root}/bin:{os.environ['PATH']}")
        text = f'. "{ROOT}/tools/lib/common.sh"\nLOGS="{self.root}"\n{script}\n'
        return subprocess.run(["bash", "-uo", "pipefail", "-c", text], env=environment,
                              capture_output=True, text=True, check=False, timeout=60)

    def called(self, name):
        return [line for line in self.calls.read_text().splitlines() if line.startswith(f"{name} ")]


class Packages(Sandbox):
    def setUp(self):
        super().setUp()
        (self.root / "list").write_text("# words\nalpha  # the first\nbeta   # the second\n\n")
        self.install = f'install_packages "to try it" "{self.root}/list"'

    def machine(self, installed, user=0, apt="exit 0"):
        tests = " || ".join(f'[ "${{!#}}" = {name} ]' for name in installed) or "false"
        self.program("dpkg-query", f"if {tests}; then echo installed; else exit 1; fi")
        self.program("apt-get", apt)
        self.program("id", f"echo {user}")

    def test_nothing_missing_touches_nothing(self):
        self.machine(["alpha", "beta"])
        done = self.bash(self.install)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.called("apt-get"), [])

    def test_root_installs_only_what_is_missing_and_says_why(self):
        self.machine(["alpha"])
        done = self.bash(self.install)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("to try it", done.stdout)
        self.assertIn("beta", done.stdout)
        update, install = self.called("apt-get")
        self.assertTrue(update.endswith("update"))
        self.assertIn("--no-install-recommends beta", install)
        self.assertNotIn("alpha", install)

    def test_a_user_installs_by_sudo(self):
        self.machine([], user=1000)
        self.program("sudo", '[ "$1" = -v ] || exec "$@"')
        self.assertEqual(self.bash(self.install).returncode, 0)
        self.assertEqual(self.called("sudo")[0], "sudo -v")
        self.assertEqual(len(self.called("apt-get")), 2)

    def test_a_user_whom_sudo_refuses_is_told_the_command(self):
        self.machine([], user=1000)
        self.program("sudo", "exit 1")
        done = self.bash(self.install)
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get install alpha beta", done.stderr)
        self.assertEqual(self.called("apt-get"), [])

    def test_a_failed_installation_is_an_error_with_a_remedy(self):
        self.machine([], apt='echo "E: no such thing"; exit 100')
        done = self.bash(self.install)
        self.assertEqual(done.returncode, 1)
        self.assertIn("E: no such thing", done.stdout)
        self.assertIn("try again", done.stderr)

    def test_the_real_lists_name_each_package_once_with_a_reason(self):
        seen = set()
        for name in ("packages.build", "packages.test"):
            for line in (ROOT / "tools" / name).read_text().splitlines():
                if not line.strip() or line.startswith("#"):
                    continue
                package, _, reason = line.partition("#")
                self.assertTrue(reason.strip(), line)
                self.assertNotIn(package.strip(), seen)
                seen.add(package.strip())
        self.assertIn("libboost1.81-dev", seen)


class Mirror(Sandbox):
    def mirror(self, **files):
        (self.root / "sources.list.d").mkdir(exist_ok=True)
        for name, text in files.items():
            (self.root / name.replace("__", "/").replace("_", ".")).write_text(text)
        return self.bash(f'. "{ROOT}/tools/lib/mirror.sh"; debian_mirror "{self.root}" bookworm').stdout.strip()

    def test_deb822_with_several_stanzas(self):
        self.assertEqual(self.mirror(sources_list_d__a_sources=(
            "Types: deb\nURIs: http://x.example/security\nSuites: bookworm-security\nComponents: main\n\n"
            "Types: deb\n# a note\nURIs: http://m.example/debian\nSuites: bookworm bookworm-updates\n"
            "Components: contrib main\n")), "http://m.example/debian")

    def test_deb822_that_is_switched_off_does_not_count(self):
        self.assertEqual(self.mirror(sources_list_d__a_sources=(
            "Enabled: no\nURIs: http://m.example/debian\nSuites: bookworm\nComponents: main\n")), "")

    def test_one_line_form_with_options(self):
        self.assertEqual(self.mirror(sources_list=(
            "# deb http://old.example/debian bookworm main\n"
            "deb http://other.example/ubuntu jammy main\n"
            "deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm contrib main non-free\n")),
            "http://m.example/debian")

    def test_another_suite_is_no_mirror_for_us(self):
        self.assertEqual(self.mirror(sources_list="deb http://m.example/debian trixie main\n"), "")


if __name__ == "__main__":
    unittest.main()
