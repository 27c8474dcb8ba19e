"""A host of 1 GiB inside this machine: a memory control group (v1) with processes in it, and a file in the
form of /proc/meminfo that tells the group's figures, made anew each 10 ms. Swap is the machine's: what is
added is real, serves everybody while it is active, and is taken away by name whatever happens."""
import ctypes
import os
import shutil
import signal
import subprocess
import threading
import time

MIB = 1 << 20
GROUPS = "/sys/fs/cgroup/memory"
MOST_SWAP = 8 << 30
LIBC = ctypes.CDLL(None, use_errno=True)


def swaps():
    """Path -> (size, used) in bytes."""
    with open("/proc/swaps") as file:
        rows = [line.split() for line in file.read().splitlines()[1:]]
    return {row[0]: (int(row[2]) * 1024, int(row[3]) * 1024) for row in rows}


class SmallHost:
    """With `with`: the group, its meminfo, and a folder for swap files. Leaves nothing."""

    def __init__(self, place, limit):
        self.folder = os.path.join(os.path.realpath(place), "estiva-bench-memory")
        self.swap = os.path.join(self.folder, "swap")
        self.meminfo = os.path.join(self.folder, "meminfo")
        self.group = os.path.join(GROUPS, "estiva-bench-memory")
        self.limit, self.started = limit, []
        self.most_reserved = self.most_used = 0  # bytes of swap files
        self.over = threading.Event()

    def __enter__(self):
        self.clean()  # of a run that was cut off
        os.makedirs(self.swap, 0o700)
        os.mkdir(self.group)
        self._write("memory.limit_in_bytes", self.limit)
        self.refresh()
        self.thread = threading.Thread(target=self._keep_fresh)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.clean()

    def clean(self):
        for process in self.started:
            process.kill()
            process.wait()
        if os.path.isdir(self.group):
            for pid in self._read("cgroup.procs").split():
                os.kill(int(pid), signal.SIGKILL)
            for _ in range(100):
                if not self._read("cgroup.procs"):
                    break
                time.sleep(0.05)
            os.rmdir(self.group)
        for entry in os.scandir(self.swap) if os.path.isdir(self.swap) else ():
            if entry.is_file(follow_symlinks=False):
                LIBC.swapoff(entry.path.encode())  # fails for one that is not active
        if self.areas():
            raise SystemExit(f"take them away by hand: swapoff {' '.join(self.areas())}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def areas(self):
        # An area that was activated in another mount namespace is told without the front of its path.
        return {path: sizes for path, sizes in swaps().items() if "/estiva-bench-memory/swap/" in path}

    def reserved(self):
        return sum(size for size, _ in self.areas().values())

    def add_swap(self, size):
        """As the seed's script does it: a file, mkswap, swapon."""
        if self.reserved() + size > MOST_SWAP:
            return
        path = os.path.join(self.swap, f"bench-{len(os.listdir(self.swap))}")
        with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        for command in (["mkswap", "-q", path], ["swapon", path]):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def start(self, *command, **more):
        """A process in the group."""
        inside = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
        process = subprocess.Popen(["sh", "-c", inside, self.group, *command], stdout=subprocess.PIPE, text=True,
                                   **more)
        self.started.append(process)
        return process

    def start_manager(self, command, places):
        """Beside the group, in mount and PID namespaces in which /proc/meminfo is the group's."""
        command = command.format(folder=self.swap, group=self.group, meminfo=self.meminfo,
                                 run=os.path.join(self.folder, "run"), **places)
        inside = 'mount --bind "$0" /proc/meminfo && exec sh -c "$1"'
        process = subprocess.Popen(["unshare", "-m", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c", inside,
                                    self.meminfo, "exec " + command], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def oom_kills(self):
        return int(self._read("memory.oom_control").split("oom_kill ")[1].split()[0])

    def used_share(self):
        return int(self._read("memory.usage_in_bytes")) / self.limit

    def refresh(self):
        stat = dict(line.split() for line in self._read("memory.stat").splitlines())
        usage = int(self._read("memory.usage_in_bytes"))
        files = int(stat["total_inactive_file"]) + int(stat["total_active_file"])
        areas = swaps().values()
        total, free = sum(size for size, _ in areas), sum(size - used for size, used in areas)
        rows = {"MemTotal": self.limit, "MemFree": max(0, self.limit - usage),
                "MemAvailable": max(0, self.limit - usage + files // 2), "Buffers": 0, "Cached": files,
                "SwapCached": 0, "AnonPages": int(stat["total_rss"]), "Shmem": int(stat["total_shmem"]),
                "Unevictable": int(stat["total_unevictable"]), "Mlocked": 0, "SwapTotal": total, "SwapFree": free}
        text = "".join(f"{name + ':':<16}{value // 1024:>8} kB\n" for name, value in rows.items())
        # In place: the file is bind-mounted, and others hold it open.
        with open(os.open(self.meminfo, os.O_WRONLY | os.O_CREAT, 0o644), "wb") as file:
            file.write(text.encode())

    def _keep_fresh(self):
        while not self.over.wait(0.01):
            self.refresh()
            sizes = self.areas().values()
            self.most_reserved = max(self.most_reserved, sum(size for size, _ in sizes))
            self.most_used = max(self.most_used, sum(used for _, used in sizes))

    def _read(self, name):
        with open(os.path.join(self.group, name)) as file:
            return file.read()

    def _write(self, name, value):
        with open(os.path.join(self.group, name), "w") as file:
            file.write(str(value))
