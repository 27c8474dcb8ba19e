"""The units of the set-up on a booted test host: what starts them, and that nothing waits for them where
there is no GPU."""
import json
import os
import time
import unittest

import driver
import setup_hook
from host import Host, Skip

OLD, NEW = "550.163.01", "570.124.06"
SPEC = setup_hook.SPEC


class OnHost(unittest.TestCase):
    """One host for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        try:
            cls.host = Host()
        except Skip as reason:
            raise unittest.SkipTest(str(reason))
        cls.addClassCleanup(cls.host.close)
        cls.prepare()

    def service(self, *properties):
        said = self.host.say("systemctl", "show", "-p", ",".join(properties), "estiva-cdi.service")
        return dict(line.split("=", 1) for line in said.splitlines())

    def idle(self):
        self.host.until(lambda: self.service("ActiveState")["ActiveState"] in ("inactive", "failed"),
                        "the generator has ended")

    def spec(self):
        done = self.host.run("cat", SPEC, check=False)
        return done.out if done.code == 0 else ""


class Triggers(OnHost):
    @classmethod
    def prepare(cls):
        driver.install(cls.host, OLD)
        setup_hook.install_program(cls.host)
        cls.host.boot()
        setup_hook.apply(cls.host)

    def remove_spec(self):
        self.idle()
        self.host.run("rm", "-f", SPEC)

    def expect_spec(self, what):
        self.host.until(lambda: f"libcuda.so.{OLD}" in self.spec(), what, patience=20)

    def test_a_run_of_ldconfig(self):
        self.remove_spec()
        self.host.run("ldconfig")
        self.expect_spec("ldconfig starts the generator")

    def test_new_modules_of_the_running_kernel(self):
        self.remove_spec()
        self.host.run("sh", "-c", "d=/lib/modules/$(uname -r); mkdir -p $d; echo x >$d/modules.dep")
        self.expect_spec("depmod starts the generator")

    def test_nodes_of_mig_instances(self):
        self.remove_spec()
        self.host.run("mkdir", "-p", "/dev/nvidia-caps")
        self.remove_spec()
        self.host.run("mknod", "/dev/nvidia-caps/nvidia-cap1", "c", "1", "3")
        self.expect_spec("a new MIG instance starts the generator")

    def test_a_hundred_libraries_in_a_row(self):
        for _ in range(30):
            self.host.run("ldconfig")
        self.remove_spec()
        self.host.run("ldconfig")
        self.expect_spec("the generator still starts")
        self.idle()
        self.assertEqual(self.service("Result")["Result"], "success")
        self.assertEqual(self.host.say("systemctl", "is-active", "estiva-cdi.path"), "active")

    def test_after_a_sleep(self):
        self.remove_spec()
        self.host.run("systemctl", "start", "estiva-cdi-resume.service")
        self.expect_spec("the wake-up starts the generator")
        wanted = self.host.say("systemctl", "show", "-p", "Wants", "--value", "suspend.target")
        self.assertIn("estiva-cdi-resume.service", wanted)

    def test_an_event_of_a_module(self):
        """The rule as it is, but for what it waits for: no module of the driver can be loaded here, and
        a container sees none of the kernel's."""
        path = setup_hook.FILES["estiva-cdi.rules"]
        rules = self.host.read(path)
        matches = 'SUBSYSTEM=="module", KERNEL=="nvidia|'
        self.assertIn(matches, rules)
        self.assertEqual(self.host.say("systemctl", "is-active", "systemd-udevd"), "active")
        self.addCleanup(self.host.write, path, rules)
        self.host.write(path, rules.replace(matches, 'SUBSYSTEM=="mem", KERNEL=="full|nvidia|'))
        self.host.run("udevadm", "control", "--reload")
        for action in ("add", "remove"):
            self.remove_spec()
            self.trigger(action, "full")
            self.expect_spec(f"a module's {action} starts the generator")
        self.remove_spec()
        self.trigger("add", "zero")
        self.trigger("change", "full")
        time.sleep(1)
        self.assertEqual(self.spec(), "", "another module starts nothing")

    def trigger(self, action, name):
        self.host.run("udevadm", "trigger", "--settle", "--action", action, f"/sys/class/mem/{name}")

    def test_the_folder_is_there_before_docker(self):
        self.assertEqual(self.host.say("stat", "-c", "%a %U", "/run/cdi"), "755 root")
        info = json.loads(self.host.say("docker", "info", "-f", "{{json .}}"))
        self.assertIn("/var/run/cdi", info["CDISpecDirs"])
        self.assertIn("nvidia.com/gpu=0", [device["ID"] for device in info["DiscoveredDevices"]])


class WithoutGpu(OnHost):
    """A machine whose GPU was taken out, or whose estiva was removed, boots like any other."""

    @classmethod
    def prepare(cls):
        driver.install(cls.host, OLD)
        setup_hook.install_program(cls.host)
        cls.host.boot()
        setup_hook.apply(cls.host)
        os.unlink(cls.host.path("/etc/testhost/module-version"))

    def test_a_gpu_that_is_gone(self):
        self.host.reboot()
        self.idle()
        self.assertEqual(self.service("Result", "ExecMainStatus"), {"Result": "success", "ExecMainStatus": "3"})
        self.assertEqual(self.spec(), "")
        self.assertEqual(self.host.say("systemctl", "is-system-running"), "running")
        self.assertEqual(self.host.say("systemctl", "is-active", "docker.service"), "active")

    def test_estiva_that_is_gone(self):
        os.rename(self.host.path("/usr/bin/estiva"), self.host.path("/usr/bin/estiva.away"))
        self.addCleanup(os.rename, self.host.path("/usr/bin/estiva.away"), self.host.path("/usr/bin/estiva"))
        self.host.reboot()
        self.assertEqual(self.service("ConditionResult", "Result"),
                         {"ConditionResult": "no", "Result": "success"})
        self.assertEqual(self.host.say("systemctl", "is-system-running"), "running")
        self.assertEqual(self.host.say("systemctl", "is-active", "docker.service"), "active")

    def test_a_generator_that_fails(self):
        os.rename(self.host.path("/usr/bin/estiva"), self.host.path("/usr/bin/estiva.away"))
        self.addCleanup(os.rename, self.host.path("/usr/bin/estiva.away"), self.host.path("/usr/bin/estiva"))
        self.host.write("/usr/bin/estiva", "#!/bin/sh\nexit 1\n", 0o755)
        self.host.reboot()
        self.assertEqual(self.host.say("systemctl", "is-active", "docker.service"), "active")
        self.assertEqual(self.service("Result")["Result"], "exit-code")


VENDOR = ("nvidia-cdi-refresh.path", "nvidia-cdi-refresh.service")


class Undo(OnHost):
    """NVIDIA's refresh units, as its toolkit installs them, are in the end what they were."""

    @classmethod
    def prepare(cls):
        driver.install(cls.host, OLD)
        setup_hook.install_program(cls.host)
        cls.host.write("/etc/systemd/system/nvidia-cdi-refresh.path",
                       "[Unit]\nDescription=x\n[Path]\nPathChanged=/lib/modules/x/modules.dep\n"
                       "[Install]\nWantedBy=multi-user.target\n")
        cls.host.write("/etc/systemd/system/nvidia-cdi-refresh.service",
                       "[Unit]\nDescription=x\n[Service]\nType=oneshot\nExecStart=/bin/true\n"
                       "[Install]\nWantedBy=multi-user.target\n")
        cls.host.boot()
        cls.host.run("systemctl", "enable", "--quiet", "--now", *VENDOR)

    def states(self):
        """Of every unit: enabled or not, and of those that this is about, running or not."""
        runs = {unit: self.host.run("systemctl", "is-active", unit, check=False).out.strip()
                for unit in (*VENDOR, "estiva-cdi.path", "docker.service")}
        return setup_hook.unit_states(self.host), runs, setup_hook.etc_sums(self.host)

    def vendor(self):
        enabled, runs, _ = self.states()
        return enabled["nvidia-cdi-refresh.path"], runs["nvidia-cdi-refresh.path"]

    def expect_undone(self, before):
        self.host.run("estiva", "setup", "undo", "--yes")
        for was, now in zip(before, self.states()):
            self.assertEqual(was, now)

    def test_taken_over(self):
        before = self.states()
        self.assertEqual(self.vendor(), ("enabled", "active"))
        self.host.run("estiva", "setup", "apply", "--yes", "--take-over")
        self.assertEqual(self.vendor(), ("disabled", "inactive"))
        self.expect_undone(before)

    def test_taken_over_where_it_runs_but_is_not_enabled(self):
        self.host.run("systemctl", "disable", "--quiet", VENDOR[0])
        self.addCleanup(self.host.run, "systemctl", "enable", "--quiet", VENDOR[0])
        before = self.states()
        self.host.run("estiva", "setup", "apply", "--yes", "--take-over")
        self.assertEqual(self.vendor(), ("disabled", "inactive"))
        self.expect_undone(before)
        self.assertEqual(self.vendor(), ("disabled", "active"))

    def test_adopted(self):
        self.host.run("sh", "-c", "mkdir -p /run/cdi; estiva cdi generate --kind nvidia.com/gpu -o /run/cdi/nvidia.yaml")
        self.addCleanup(self.host.run, "rm", "-f", "/run/cdi/nvidia.yaml")
        before = self.states()
        self.host.run("estiva", "setup", "apply", "--yes")
        self.assertEqual(self.vendor(), ("enabled", "active"))
        self.assertIn("Before=docker.service", self.host.say("systemctl", "cat", VENDOR[1]))
        self.expect_undone(before)
        self.assertNotIn("50-estiva.conf", self.host.say("systemctl", "cat", VENDOR[1]))

    def test_what_docker_would_not_read_is_not_written(self):
        """A value that only dockerd itself can judge."""
        text = '{"max-concurrent-downloads": -3}\n'
        self.host.write("/etc/docker/daemon.json", text)
        self.addCleanup(self.host.run, "rm", "-f", "/etc/docker/daemon.json")
        before = self.states()
        for words in (("plan",), ("apply", "--yes")):
            done = self.host.run("estiva", "setup", *words, check=False)
            self.assertEqual(done.code, 5, done.out)
            self.assertRegex(done.err, r"/etc/docker/daemon\.json as it would become: .*invalid max concurrent downloads: -3")
            self.assertIn("Nothing was changed", done.err)
        self.assertEqual(self.states(), before)
        self.assertEqual(self.host.read("/etc/docker/daemon.json"), text)
        self.host.write("/etc/docker/daemon.json", text.replace("-3", "3"))
        self.host.run("estiva", "setup", "apply", "--yes")
        self.assertIn('"max-concurrent-downloads": 3', self.host.read("/etc/docker/daemon.json"))
        self.assertIn("max-size", self.host.read("/etc/docker/daemon.json"))
        self.host.run("estiva", "setup", "undo", "--yes")
        self.assertEqual(self.host.read("/etc/docker/daemon.json"), text.replace("-3", "3"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
