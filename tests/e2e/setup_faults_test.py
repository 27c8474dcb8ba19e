"""What goes wrong under 'estiva setup' on the tree of a machine: daemon.json of every kind, disks that are full or
protected, kill -9 at every effect. No file is ever half written, no key is ever lost, and the sentence says why."""
import json
import os
import subprocess
import unittest

from harness import ESTIVA
from setup_test import Setup as Place
from setup_test import contents

# Ends the program before its n-th call that leaves something behind on a disk.
KILLER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static void pass(void) {
  static int left = -2;
  if (left == -2) {
    const char *at = getenv("KILL_AT");
    left = at != 0 && getpid() == atoi(getenv("KILL_PID") ? getenv("KILL_PID") : "0") ? atoi(at) : -1;
  }
  if (left > 0 && --left == 0) kill(getpid(), SIGKILL);
}
#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
ssize_t write(int fd, const void *from, size_t n) { struct stat is;
  if (fstat(fd, &is) == 0 && S_ISREG(is.st_mode)) pass(); return REAL(write)(fd, from, n); }
int fsync(int fd) { pass(); return REAL(fsync)(fd); }
int fdatasync(int fd) { pass(); return REAL(fdatasync)(fd); }
int renameat(int a, const char *b, int c, const char *d) { pass(); return REAL(renameat)(a, b, c, d); }
int renameat2(int a, const char *b, int c, const char *d, unsigned e) { pass(); return REAL(renameat2)(a, b, c, d, e); }
int rename(const char *a, const char *b) { pass(); return REAL(rename)(a, b); }
int unlinkat(int a, const char *b, int c) { pass(); return REAL(unlinkat)(a, b, c); }
int mkdirat(int a, const char *b, mode_t c) { pass(); return REAL(mkdirat)(a, b, c); }
int fchmod(int a, mode_t b) { pass(); return REAL(fchmod)(a, b); }
"""
DAEMON_JSON = "/etc/docker/daemon.json"
OWN = '{\n  "mtu": 1400\n}\n'


class Faulty(Place):
    """The place of the set-up's tests, without its tests."""

    def write(self, text, path=DAEMON_JSON):
        with open(self.tree + path, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)

    def read(self, path=DAEMON_JSON):
        with open(self.tree + path, "rb") as file:
            return file.read()

    def applied(self):
        ran = self.setup_verb("apply", "--yes")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        return ran

    def refused(self, *parts, code=5):
        """Says why, and nothing has changed."""
        before = contents(self.tree)
        ran = self.setup_verb("apply", "--yes")
        self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
        for part in parts:
            self.assertIn(part, ran.stderr)
        self.assertNotIn("terminate called", ran.stderr)
        self.assertEqual(contents(self.tree), before)

    def undone(self, before):
        ran = self.setup_verb("undo")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertEqual(contents(self.tree), before)


for name in [name for name in dir(Place) if name.startswith("test_")]:
    setattr(Faulty, name, None)


class DaemonJson(Faulty):
    """Files as they are met. Each key of the old file is in the new one, and the undo is exact."""

    def keeps(self, text, keys):
        self.write(text)
        before = contents(self.tree)
        self.applied()
        new = self.read()
        for key in keys:
            self.assertIn(key.encode(), new)
        settings = json.loads(new.decode("utf-8-sig"))
        self.assertEqual(settings["log-opts"]["max-size"], "10m")
        self.undone(before)

    def test_what_docker_reads_is_edited(self):
        self.keeps("", [])
        self.keeps(" \n\t", [])
        self.keeps("{}", [])
        self.keeps('{"mtu":1400,"builder":{"big":12345678901234567890}}', ['"mtu":1400', "12345678901234567890"])
        self.keeps('\ufeff{"mtu": 1400}\n', ["\ufeff", '"mtu": 1400'])
        self.keeps('{"features": {"buildkit": true, "containerd-snapshotter": true}, "dns": null}',
                   ['"buildkit": true', '"containerd-snapshotter": true', '"dns": null'])

    def test_what_docker_does_not_read_is_refused_with_its_place(self):
        for text, place, what in (
                ('{\n  "mtu": 1400, // mine\n}\n', "daemon.json:2:", ""),
                ('{\n  /* mine */\n}\n', "daemon.json:2:3:", ""),
                ('{"mtu": 1, "mtu": 2}', "daemon.json:1:12:", "mtu"),
                ('{"features": {"a": true,\n "a": false}}', "daemon.json:2:2:", "the first is in line 1"),
                ('{}\n{}', "daemon.json:2:1:", ""),
                ('{"mtu": 1} x', "daemon.json:1:12:", ""),
                ('{"features": []}', "daemon.json:1:14:", "features"),
                ('{"runtimes": {\n"nvidia": 7}}', "daemon.json:2:11:", "runtimes.nvidia"),
                ('{"log-driver": 7}', "daemon.json:1:16:", "log-driver"),
                ('{"mtu": 1400, "featuers": {"cdi": true}}', "daemon.json:1:27:", "did you mean 'features'?"),
                ('{"log-opts": {"max-size": 10}}', "daemon.json:1:27:", "log-opts.max-size"),
                ('[]', "daemon.json:1:1:", ""),
                ('{"a": 01}', "daemon.json:1:", ""),
                ('{"a"', "daemon.json:1:5:", ""),
                (b'{"a": "\xff"}', "daemon.json:1:8:", ""),
                (b'{"a": 1}\0', "daemon.json:1:9:", "")):
            with self.subTest(text=text):
                self.write(text)
                self.refused(place, what)

    def test_fifty_megabytes(self):
        label = '"' + "x" * 1000 + '"'
        # With sanitizers a tenth of it takes as long.
        count = 5_300 if "asan" in ESTIVA or "tsan" in ESTIVA else 53_000
        text = '{"labels": [' + ",\n".join([label] * count) + '], "mtu": 1400}'
        self.keeps(text, ['"mtu": 1400'])

    def test_beyond_what_can_be_edited_it_is_left_alone(self):
        with open(self.tree + DAEMON_JSON, "w") as file:
            file.truncate((64 << 20) + 1)
        self.refused("daemon.json is there and can't be read", "64 MiB")

    def test_what_is_no_file(self):
        os.remove(self.tree + DAEMON_JSON)
        os.makedirs(self.tree + DAEMON_JSON)
        self.refused("daemon.json is there and can't be read")

    def test_a_link_stays_one(self):
        os.makedirs(self.tree + "/srv/docker")
        os.rename(self.tree + DAEMON_JSON, self.tree + "/srv/docker/settings.json")
        self.write(OWN, "/srv/docker/settings.json")
        os.symlink("../../srv/docker/settings.json", self.tree + DAEMON_JSON)
        before = contents(self.tree)
        self.applied()
        self.assertEqual(os.readlink(self.tree + DAEMON_JSON), "../../srv/docker/settings.json")
        settings = json.loads(self.read("/srv/docker/settings.json"))
        self.assertEqual([settings["mtu"], settings["log-opts"]["max-file"]], [1400, "5"])
        self.undone(before)

    def test_mode_owner_and_attributes_stay(self):
        self.write(OWN)
        os.chmod(self.tree + DAEMON_JSON, 0o640)
        os.chown(self.tree + DAEMON_JSON, 12345, 23456)
        os.setxattr(self.tree + DAEMON_JSON, "user.who", b"mine")
        self.applied()
        info = os.stat(self.tree + DAEMON_JSON)
        self.assertEqual([info.st_mode & 0o7777, info.st_uid, info.st_gid], [0o640, 12345, 23456])
        self.assertEqual(os.getxattr(self.tree + DAEMON_JSON, "user.who"), b"mine")

    def test_changed_between_plan_and_apply(self):
        self.write(OWN)
        shown = self.plan()["plan"]["hash"]
        self.write(OWN.replace("1400", "1500"))
        before = contents(self.tree)
        ran = self.setup_verb("apply", "--plan", shown)
        self.assertEqual(ran.returncode, 5, ran.stdout)
        self.assertIn("no plan with the hash " + shown[:12], ran.stderr)
        self.assertIn("has changed since it was shown", ran.stderr)
        self.assertEqual(contents(self.tree), before)
        self.write(OWN)
        ran = self.setup_verb("apply", "--plan", shown)
        self.assertEqual(ran.returncode, 0, ran.stderr)


class Disks(Faulty):
    def test_protected_files_and_folders_are_seen_before_the_first_effect(self):
        self.write(OWN)
        for path in (DAEMON_JSON, "/etc/docker"):
            for letter in "ia":
                done = subprocess.run(["chattr", "+" + letter, self.tree + path], capture_output=True)
                if done.returncode != 0:
                    self.skipTest("files can't be made immutable here")
                try:
                    self.refused(f"protected by the attribute '{letter}'", f"chattr -{letter}")
                finally:
                    subprocess.run(["chattr", "-" + letter, self.tree + path], check=True)

    def mounted(self, *words):
        point = words[-1]
        subprocess.run(["mount", *words], check=True, capture_output=True)
        self.addCleanup(subprocess.run, ["umount", "-l", point], stderr=subprocess.DEVNULL)

    def test_a_read_only_disk(self):
        self.write(OWN)
        folder = self.tree + "/etc/docker"
        self.mounted("--bind", folder, folder)
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        self.refused("daemon.json is on a read-only file system")

    def small_disk(self, mebibytes):
        disk = self.dir + "/disk"
        os.makedirs(disk, exist_ok=True)
        self.mounted("-t", "tmpfs", "-o", f"size={mebibytes}m", "none", disk)
        return disk

    def leave(self, disk, pages):
        """Fills a disk but for so many pages."""
        free = os.statvfs(disk).f_bavail
        with open(disk + "/filler", "wb") as file:
            for _ in range(free - pages):
                file.write(bytes(4096))

    def full_at_every_page(self, disk):
        """Applies with one page more each time, until it fits; how often it did not."""
        self.write(OWN)
        before = contents(self.tree)
        failed = 0
        for pages in range(400):
            self.leave(disk, pages)
            ran = self.setup_verb("apply", "--yes")
            now = self.read()
            os.remove(disk + "/filler")
            if ran.returncode == 0:
                break
            failed += 1
            self.assertEqual(ran.returncode, 1, ran.stdout + ran.stderr)
            self.assertRegex(ran.stderr, "no room|No space left on device")
            self.assertIn(now, (OWN.encode(), self.wanted), "half written")
            self.undone(before)
        self.undone(before)
        return failed

    def setUp(self):
        super().setUp()
        self.write(OWN)
        before = contents(self.tree)
        self.applied()
        self.wanted = self.read()
        self.undone(before)

    def test_full_under_the_machine(self):
        disk = self.small_disk(8)
        subprocess.run(["cp", "-a", self.tree, disk + "/tree"], check=True)
        self.tree = disk + "/tree"
        self.assertGreater(self.full_at_every_page(disk), 5)

    def test_full_under_the_journal(self):
        disk = self.small_disk(4)
        self.env["ESTIVA_STATE_DIR"] = disk + "/state"
        self.assertGreater(self.full_at_every_page(disk), 5)

    def test_a_journal_that_can_t_be_made(self):
        self.env["ESTIVA_STATE_DIR"] = self.dir + "/file/state"
        with open(self.dir + "/file", "w"):
            pass
        self.write(OWN)
        self.refused("/file/state", code=1)


class Killed(Faulty):
    """kill -9 through the program itself, at each call that leaves something behind."""

    def setUp(self):
        super().setUp()
        self.library = self.dir + "/killer.so"
        with open(self.dir + "/killer.c", "w") as file:
            file.write(KILLER)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", self.library, self.dir + "/killer.c"], check=True)
        self.write(OWN)

    def verb_killed_at(self, n, *words):
        """True where it was killed, and did not end by itself."""
        # Its own number is what the shell had before it became the program.
        line = 'export KILL_PID=$$; exec "$0" "$@"'
        ran = subprocess.run(["sh", "-c", line, ESTIVA, "setup", *words, "--root", self.tree], text=True,
                             env=dict(self.env, LD_PRELOAD=self.library, KILL_AT=str(n),
                                      ASAN_OPTIONS="verify_asan_link_order=0"), capture_output=True,
                             stdin=subprocess.DEVNULL, timeout=120)
        if ran.returncode == -9:
            return True
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        return False

    def test_at_every_effect_of_apply(self):
        before = contents(self.tree)
        self.applied()
        wanted, whole = self.read(), contents(self.tree)
        self.undone(before)
        n, kinds = 1, set()
        while self.verb_killed_at(n, "apply", "--yes"):
            self.assertIn(self.read(), (OWN.encode(), wanted), n)
            ran = self.setup_verb("apply", "--yes")
            kinds.add(ran.returncode)
            if ran.returncode != 0:
                self.assertEqual(ran.returncode, 5, ran.stdout + ran.stderr)
                self.assertIn("undo", ran.stderr)
                self.undone(before)
            else:
                self.assertEqual(sorted(contents(self.tree)), sorted(whole))
                while "nothing to undo" not in self.setup_verb("undo").stdout:
                    pass
                self.assertEqual(contents(self.tree), before, n)
            n += 1
        print(f"{n - 1} effects of apply", end=" ", flush=True)
        self.assertGreater(n, 50)
        self.assertEqual(kinds, {0, 5})

    def test_at_every_effect_of_undo(self):
        before = contents(self.tree)
        n, killed = 1, True
        while killed:
            self.applied()
            wanted = self.read()
            killed = self.verb_killed_at(n, "undo")
            self.assertIn(self.read(), (OWN.encode(), wanted), n)
            self.assertEqual(self.setup_verb("undo").returncode, 0)
            self.assertEqual(contents(self.tree), before, n)
            n += 1
        print(f"{n - 2} effects of undo", end=" ", flush=True)
        self.assertGreater(n, 30)


del Place
if __name__ == "__main__":
    unittest.main()
