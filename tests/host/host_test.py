"""The test host itself: that it leaves nothing behind, however its test ends, and is one at a time."""
import glob
import os
import re
import signal
import subprocess
import sys
import time
import unittest

import host
from host import Host, Skip

STARTS = """import sys, time
sys.path.insert(0, {0!r})
from host import Host
h = Host()
h.boot()
print("booted", flush=True)
time.sleep(600)
"""


def group():
    return os.path.join(host.unified_cgroup(), host.GROUP)


def guests():
    """Processes in the cgroup of a test host."""
    found = []
    for path in glob.glob(group() + "/**/cgroup.procs", recursive=True):
        try:
            with open(path) as file:
                found += file.read().split()
        except OSError:
            pass
    return found


class Life(unittest.TestCase):
    def setUp(self):
        try:
            host.make_root()
        except Skip as reason:
            self.skipTest(str(reason))

    def test_boots_and_reboots(self):
        with Host() as machine:
            machine.boot()
            self.assertEqual(machine.say("systemctl", "is-system-running"), "running")
            self.assertRegex(machine.say("docker", "version", "-f", "{{.Server.Version}}"), r"^2[89]\.|^[3-9]\d\.")
            first = machine.boot_id()
            machine.write("/srv/kept", "yes")
            machine.run("touch", "/run/gone")
            machine.reboot()
            self.assertNotEqual(machine.boot_id(), first)
            self.assertEqual(machine.read("/srv/kept"), "yes")
            self.assertEqual(machine.run("test", "-e", "/run/gone", check=False).code, 1)
            self.assertEqual(machine.power_off(), 0)
        self.assertFalse(os.path.exists(group()))
        self.assertEqual(glob.glob(host.PLACE + "/run-*"), [])

    def test_nothing_of_the_machine_is_seen(self):
        with Host() as machine:
            machine.boot()
            self.assertEqual(machine.say("hostname"), "testhost")
            links = set(re.findall(r"^\d+: ([^:@]+)", machine.say("ip", "-o", "link"), re.M))
            self.assertLessEqual(links, {"lo", "docker0", "host0"})
            self.assertNotEqual(os.readlink("/proc/self/ns/net"), machine.say("readlink", "/proc/1/ns/net"))

    def test_a_killed_test_leaves_nothing(self):
        child = subprocess.Popen([sys.executable, "-B", "-c", STARTS.format(host.HERE)],
                                 stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(child.stdout.readline(), "booted\n")
            self.assertGreater(len(guests()), 5)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
            child.stdout.close()
        end = time.monotonic() + 20
        while guests() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(guests(), [])
        with open("/proc/self/mounts") as file:
            self.assertNotIn(host.PLACE + "/run-", file.read())
        # The next one takes away the empty folders.
        with Host() as machine:
            self.assertEqual(len(glob.glob(host.PLACE + "/run-*")), 1)
            machine.boot()

    def test_one_at_a_time(self):
        with Host():
            patience, host.LOCK_PATIENCE = host.LOCK_PATIENCE, 0.6
            try:
                with self.assertRaisesRegex(RuntimeError, "another test host holds"):
                    Host()
            finally:
                host.LOCK_PATIENCE = patience


if __name__ == "__main__":
    unittest.main(verbosity=2)
