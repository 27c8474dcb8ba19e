"""estiva-memd with real swap files: what it refuses, that nothing is lost or left after kill -9, and
that a swapoff of its own kills nobody."""
import errno
import os
import random
import re
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
import time
import unittest

from harness import BUILD, MIB, until
from memd_place import (HEADER, LONG, MAGIC, MEMD, RETIRE, TICKS, TICK_ROWS, VERSION, Place, announce, expand,
                        needs_swap, size_of, swaps)

REFUSED, USAGE = 5, 2
HOG = """
import mmap, os, sys
block, count = os.urandom(1 << 20), int(sys.argv[1])
data = mmap.mmap(-1, count << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for i in range(count):
    data[i << 20:(i + 1) << 20] = block
print("full", flush=True)
sys.stdin.readline()
same = all(data[i << 20:(i + 1) << 20] == block for i in range(count))
print("same" if same else "changed", flush=True)
"""


class Words(unittest.TestCase):
    """Without swap, and without root."""

    def test_one_status_is_one_document(self):
        with Place() as place:
            status = place.status()
            self.assertEqual(status["schema"], "estiva/memd/1")
            self.assertFalse(status["running"])
            self.assertGreater(status["total_bytes"], status["available_bytes"])
            self.assertEqual(status["areas"], [])
            self.assertEqual(place.files(), [], "looking makes no folder")

    def test_wrong_words_are_told_apart(self):
        for words in (["--nothing", "1"], ["--floor", "much"], ["--floor"], ["--cap", "9999999999G"]):
            ran = subprocess.run([MEMD, *words], capture_output=True, text=True, timeout=30)
            self.assertEqual(ran.returncode, USAGE, ran)

    def test_folders_that_cant_hold_swap_are_refused_with_the_reason(self):
        with Place() as place:
            opened = os.path.join(place.path, "open")
            os.mkdir(opened)
            os.chmod(opened, 0o755)
            os.symlink(place.path, os.path.join(place.path, "link"))
            shared = tempfile.mkdtemp(dir="/dev/shm")
            self.addCleanup(shutil.rmtree, shared)
            for folder, reason in ((opened, "0755"), (os.path.join(place.path, "link"), "link"),
                                   (shared, "tmpfs"), ("/proc/self", "")):
                ran = subprocess.run([MEMD, "--folder", folder, "--run", place.run], capture_output=True,
                                     text=True, timeout=30)
                self.assertEqual(ran.returncode, REFUSED, ran)
                self.assertIn(reason, ran.stderr)
                self.assertIn(folder, ran.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "not root: mount namespaces are not permitted here")
    def test_an_overlay_is_refused(self):
        with Place() as place:
            script = (f"cd {place.path}; mkdir a b w m; mount -t overlay o -olowerdir=a,upperdir=b,workdir=w m"
                      f" && exec {MEMD} --folder m/swap --run run")
            ran = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=30)
            self.assertEqual(ran.returncode, REFUSED, ran)
            self.assertIn("overlay", ran.stderr)

    def test_it_needs_no_library_of_the_machine(self):
        with open(os.path.join(BUILD, "CMakeCache.txt")) as file:
            if re.search(r"^(ESTIVA_SANITIZE:STRING=.+|ESTIVA_COVERAGE:BOOL=ON)$", file.read(), re.M):
                return  # those builds can't be static
        with open(MEMD, "rb") as file:
            head = file.read(64)
            offset, size, count = struct.unpack_from("<Q", head, 32)[0], *struct.unpack_from("<HH", head, 54)
            file.seek(offset)
            kinds = {struct.unpack_from("<I", file.read(size))[0] for _ in range(count)}
        interpreter = 3
        self.assertNotIn(interpreter, kinds)


@needs_swap
class Swap(unittest.TestCase):
    def test_the_floor_stands_locked_and_without_an_allocation(self):
        with Place(floor="64M", calm="1") as place:
            place.begin()
            until(lambda: len(swaps(place.swap)) == 2, "the floor in two areas")
            self.assertEqual(expand(place, 32), 0)
            until(lambda: place.status()["retirements_total"] >= 1, "what is not needed goes")
            status = place.status()
            self.assertEqual(status["allocations_total"], 0)
            self.assertGreaterEqual(status["growths_total"], 3)
            self.assertTrue(status["locked"])
            with open(f"/proc/{place.process.pid}/status") as file:
                locked = next(int(line.split()[1]) for line in file if line.startswith("VmLck"))
            self.assertLessEqual(locked, 4096)
            announce(f"VmLck {locked} kB, slowest growth {status['slowest_growth_us']} us")
            with place.client() as client:
                kind, first, rows = client.ask(TICKS, 0)
            self.assertEqual((kind, first), (TICK_ROWS, 0))
            self.assertEqual(len(rows) % 64, 0)
            self.assertGreater(len(rows), 0)
            self.assertEqual(place.kill(signal.SIGTERM), 0)
            self.assertEqual(len(swaps(place.swap)), 2, "what is active stays for the next start")
            place.clean()
            self.assertEqual((swaps(place.swap), place.files()), ({}, []))

    def test_one_at_a_time(self):
        with Place() as place:
            place.begin()
            second = place.once()
            self.assertEqual(second.returncode, REFUSED, second)
            self.assertIn("another estiva-memd", second.stderr)

    def test_files_of_others_are_left_alone(self):
        with Place(floor="32M") as place:
            os.mkdir(place.swap, 0o700)
            theirs = os.path.join(place.swap, "area-1.swap")
            with open(theirs, "wb") as file:
                file.write(b"mine" * 1024)
            place.begin()
            until(lambda: len(swaps(place.swap)) == 2, "the floor beside it")
            self.assertNotIn(theirs, swaps(place.swap))
            self.assertEqual(place.status()["foreign_files"], 1)
            place.kill()
            place.clean()
            with open(theirs, "rb") as file:
                self.assertEqual(file.read(), b"mine" * 1024)

    def test_areas_that_are_listed_by_another_path_stay_active_and_count_as_full(self):
        with Place(floor="64M") as place:
            place.begin()
            until(lambda: len(swaps(place.swap)) == 2, "the floor")
            place.kill()
            other = os.path.join(place.path, "other")
            os.mkdir(other, 0o700)
            words = [word if word != place.swap else other for word in place.words()]
            script = f'mount --bind {place.swap} {other} && exec "$@"'
            place.process = subprocess.Popen(["unshare", "-m", "sh", "-c", script, "sh", *words],
                                             stderr=subprocess.DEVNULL)
            until(lambda: place.status()["running"] and place.status()["ticks_total"] > 2, "it runs")
            areas = place.areas().values()
            self.assertEqual([area["state"] for area in areas], ["active"] * 2)
            self.assertTrue(all(area["used_bytes"] == area["size_bytes"] for area in areas))
            self.assertEqual(len(place.files()), 2)

    def test_a_foreign_swapoff_is_made_good(self):
        with Place(floor="64M") as place:
            place.begin()
            until(lambda: len(swaps(place.swap)) == 2, "the floor")
            gone = sorted(swaps(place.swap))[0]
            subprocess.run(["swapoff", gone], check=True, timeout=60)
            until(lambda: len(swaps(place.swap)) == 2, "the floor stands again")
            self.assertEqual(len(place.files()), 2)

    def test_who_does_not_listen_or_talks_nonsense_holds_nothing_up(self):
        with Place() as place:
            place.begin()
            with place.client() as deaf, place.client() as mad:
                mad.socket.send(b"GET / HTTP/1.1")
                self.assertEqual(mad.socket.recv(100), b"", "cut off")
                # It asks again and again, and reads none of the answers.
                def is_lost():
                    for _ in range(10):
                        deaf.socket.send(HEADER.pack(MAGIC, VERSION, TICKS, 1, 0, 0))
                    return place.status()["lost_messages_total"] > 0

                until(is_lost, "its answers are lost")
                self.assertEqual(expand(place, 16), 0)
                self.assertEqual(len(swaps(place.swap)), 1)

    def test_a_disk_that_is_full_is_named_and_left_with_room(self):
        with LoopDisk("ext4") as disk, Place(parent=disk.path, disk_floor="100M") as place:
            place.begin()
            self.assertEqual(expand(place, 64), 0)
            free = os.statvfs(disk.path)
            filler = os.path.join(disk.path, "filler")
            with open(filler, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - size_of(80))
            until(lambda: expand(place, 64) == errno.ENOSPC, "no room is left for more")
            self.assertEqual(len(place.files()), 1)

    def test_without_pressure_files_the_timer_is_enough(self):
        # A v1 group has none: nothing there may wake the loop more often than its shortest sleep.
        with Group(256) as group, Place(group=group.path) as place:
            place.begin()
            begun, before = time.monotonic(), place.status()
            self.assertEqual(before["pressure_window"], "none")
            time.sleep(1)
            ticks = place.status()["ticks_total"] - before["ticks_total"]
            self.assertLessEqual(ticks, (time.monotonic() - begun) / 0.005 + 2)


@needs_swap
class FileSystems(unittest.TestCase):
    def test_each_takes_swap_and_gives_it_back(self):
        for kind in ("ext4", "xfs", "btrfs"):
            if shutil.which(f"mkfs.{kind}") is None:
                announce(f"{kind}: not tried, there is no mkfs.{kind} here")
                continue
            with self.subTest(kind), LoopDisk(kind) as disk, Place(parent=disk.path, floor="64M") as place:
                place.begin()
                until(lambda: len(swaps(place.swap)) == 2, "the floor")
                if kind == "btrfs":
                    self.assertEqual(os.stat(place.swap).st_ino, 256, "a subvolume of its own")
                place.kill()
                place.clean()
                self.assertEqual(place.files(), [])


@needs_swap
class Killed(unittest.TestCase):
    def test_at_any_moment_it_loses_and_leaves_nothing(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        counts = {"grow": 0, "shrink": 0}
        with Place(floor="32M", min_file="8M") as place:
            for round_ in range(500 if LONG else 50):
                what = "shrink" if round_ % 2 else "grow"
                place.start(*(["--clean"] if what == "shrink" else []))
                time.sleep(chance.uniform(0, 0.08))
                before = set(swaps(place.swap))
                place.kill()
                self.check(place, f"seed {seed}, round {round_}, {what}")
                counts[what] += before != set() or place.files() != []
            # Both were cut off in the middle of something, or nothing was proven.
            self.assertGreater(counts["grow"], 0)
            self.assertGreater(counts["shrink"], 0)
            place.clean()
            self.assertEqual((swaps(place.swap), place.files()), ({}, []), f"seed {seed}")
        announce(f"kill -9: {counts} of them met files or areas; none left or lost (seed {seed})")

    def check(self, place, when):
        active = {os.path.basename(path) for path in swaps(place.swap)}
        files = set(place.files())
        self.assertLessEqual(active, files, f"{when}: an active area without its file")
        ours = {"trial.swap"} | {f"area-{n}.swap" for n in range(1, 9)}
        self.assertLessEqual(files, ours, when)
        for name in files:
            mode = os.stat(os.path.join(place.swap, name)).st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o600, when)


@needs_swap
class Trap(unittest.TestCase):
    """A swapoff whose pages belong to a group at its limit: the kernel would kill their owner."""

    def test_is_refused_with_the_numbers_until_there_is_room(self):
        with Group(64) as group, Place() as place:
            place.begin()
            self.assertEqual(expand(place, 256), 0)
            hog = group.run(["python3", "-c", HOG, "160"])
            self.assertEqual(hog.stdout.readline(), "full\n")
            area = place.areas()[1]
            if area["used_bytes"] < size_of(8):
                self.skipTest("other swap than ours is in use here")
            with place.client() as client:
                self.assertEqual(client.ask(RETIRE, 1)[1], errno.ENOMEM)
            refused = until(lambda: [s for s in place.said().splitlines() if "event=refused" in s], "the numbers")
            self.assertRegex(refused[-1], r"needed=[1-9]\d{6,} room=\d+")
            announce(refused[-1])
            self.assertIsNone(hog.poll())
            self.assertEqual(group.kills(), 0)
            group.limit(1024)
            with place.client() as client:
                self.assertEqual(client.ask(RETIRE, 1)[1], 0)
            until(lambda: not swaps(place.swap), "the area is given back")
            said, _ = hog.communicate("\n", timeout=60)
            self.assertEqual((said, group.kills()), ("same\n", 0))
            until(lambda: place.files() == [], "its file too")


class LoopDisk:
    def __init__(self, kind, mib=700):
        self.kind, self.mib = kind, mib

    def __enter__(self):
        self.base = tempfile.mkdtemp(prefix="memd-disk.", dir=BUILD)
        self.image, self.path = os.path.join(self.base, "image"), os.path.join(self.base, "disk")
        os.mkdir(self.path)
        with open(self.image, "wb") as file:
            file.truncate(self.mib * MIB)
        subprocess.run([f"mkfs.{self.kind}", "-q", self.image], check=True, timeout=60)
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True, timeout=60)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=False, timeout=60)
        shutil.rmtree(self.base, ignore_errors=True)


class Group:
    """A v1 memory group of its own, by name."""

    def __init__(self, mib):
        self.path = f"/sys/fs/cgroup/memory/estiva-memd-test-{os.getpid()}"
        self.mib, self.processes = mib, []

    def __enter__(self):
        if not os.path.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes"):
            raise unittest.SkipTest("no control group may be made here")
        os.makedirs(self.path, exist_ok=True)
        self.limit(self.mib)
        return self

    def limit(self, mib):
        with open(os.path.join(self.path, "memory.limit_in_bytes"), "w") as file:
            file.write(f"{mib}M")

    def run(self, words):
        join = ["sh", "-c", f'echo $$ > {self.path}/cgroup.procs; exec "$@"', "sh", *words]
        process = subprocess.Popen(join, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def kills(self):
        with open(os.path.join(self.path, "memory.oom_control")) as file:
            return int(dict(line.split() for line in file)["oom_kill"])

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        until(lambda: self.removed(), "the group is empty")

    def removed(self):
        try:
            os.rmdir(self.path)
        except OSError:
            return not os.path.exists(self.path)
        return True


if __name__ == "__main__":
    unittest.main()
