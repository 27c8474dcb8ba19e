"""estiva top: in a pipe, as JSON, and live on a terminal (a pty), which it gives back however it ends."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import unittest

from harness import ESTIVA, LIBRARY, PATIENCE, SIMULATOR, Case, process_lives, until

BUSY = """scenario "busy"
driver 550.163.01
cuda 12.4
gpu rtx4090-24g
process 4242 gpu 0 vram 3GiB name "python3"
process 4243 gpu 0 vram 1GiB name "ollama" sm 40
"""
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
STOPPED = "stopped\r\n"


def follow(case, *words):
    """`estiva top` in a pipe that goes on until the test has read enough."""
    following = case.place.spawn("top", *words)
    for clean_up in (following.stdout.close, following.stderr.close, following.wait, following.kill):
        case.addCleanup(clean_up)
    return following


def end(case, following):
    following.send_signal(signal.SIGINT)
    case.assertEqual(following.wait(PATIENCE), 0)


class Terminal:
    """A program on a terminal of its own, with a parent in the same session, as under a shell with job
    control. All that it wrote is in `text`."""

    def __init__(self, place, *words, lines=24, columns=100, env=None):
        self.text = ""
        self.parent, self.master = pty.fork()
        if self.parent == 0:
            self.be_a_shell([ESTIVA, *words], dict(place.env, TERM="xterm", **(env or {})))
        self.resize(lines, columns)
        self.reader = threading.Thread(target=self.read_on)
        self.reader.start()

    @staticmethod
    def be_a_shell(command, env):
        """In the child: runs the command as a foreground job and tells what becomes of it."""
        try:
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            ready, go = os.pipe()
            job = os.fork()
            if job == 0:
                os.setpgid(0, 0)
                signal.signal(signal.SIGTTOU, signal.SIG_DFL)
                os.read(ready, 1)
                os.execve(command[0], command, env)
            os.setpgid(job, job)
            os.tcsetpgrp(0, job)
            before = termios.tcgetattr(0)
            os.write(1, f"job {job}\n".encode())
            os.write(go, b"x")
            while True:
                _, status = os.waitpid(job, os.WUNTRACED)
                same = "same" if termios.tcgetattr(0) == before else "changed"
                if os.WIFSTOPPED(status):
                    os.write(1, f"{same} stopped\n".encode())
                    continue
                end = f"exit {os.WEXITSTATUS(status)}" if os.WIFEXITED(status) else f"signal {os.WTERMSIG(status)}"
                os.write(1, f"{same} {end}\n".encode())
                os._exit(0)
        except BaseException as error:  # a forked copy of the test must not go on as the test
            os.write(1, f"broken {error!r}\n".encode())
            os._exit(1)

    def read_on(self):
        while True:
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                return
            if not piece:
                return
            self.text += piece.decode(errors="replace")

    def resize(self, lines, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys):
        os.write(self.master, keys.encode())

    def job(self):
        return int(until(lambda: re.search(r"job (\d+)", self.text), "the job is started")[1])

    def sees(self, text, times=1):
        return until(lambda: self.text.count(text) >= times, f"{text!r} {times} times in {self.text!r}")

    def screens(self):
        """Each screen that was drawn, as lines."""
        return [[line.split("\x1b[K")[0] for line in screen.split("\r\n")]
                for screen in re.split(r"\x1b\[H", self.text)[1:] if screen.endswith("\x1b[J")]

    def ended(self):
        """What the shell said of the end: the terminal's settings, and how."""
        said = until(lambda: re.search(r"(same|changed|broken) (exit|signal|\S+)[^\r]*\r\n$", self.text)
                     and "stopped" not in self.text.splitlines()[-1] and self.text, "it ends")
        os.waitpid(self.parent, 0)
        self.reader.join(PATIENCE)
        os.close(self.master)
        return said.splitlines()[-1].split(LEAVE)[-1]

    def end(self):
        if self.reader.is_alive():
            os.kill(self.job(), signal.SIGKILL)
            self.ended()


class Top(Case):
    def setUp(self):
        super().setUp()
        self.simulated(BUSY)
        until(lambda: len(self.place.gpus()[0]["processes"]) == 2, "the processes are seen")

    def test_in_a_pipe_it_prints_once_and_plainly(self):
        ran = self.expect(self.estiva("top"), 0, "SIMULATED", "RTX 4090", "4242  3.00 GiB", "4243  1.00 GiB", "RAM ")
        self.assertNotIn("\x1b", ran.out)
        self.assertLess(ran.out.index("4242"), ran.out.index("4243"))
        by_sm = self.expect(self.estiva("top", "--sort", "sm", "-1"), 0).out
        self.assertLess(by_sm.index("4243"), by_sm.index("4242"))
        self.expect(self.estiva("top", "--once", "--lines", "1"), 0, "... and 1 more")

    def test_blocks_of_text_each_interval(self):
        following = follow(self, "--interval", "100ms")
        text = ""
        while text.count("SIMULATED") < 3:
            text += following.stdout.readline()
        end(self, following)
        self.assertIn("\n\nSIMULATED", text)
        self.assertNotIn("\x1b", text)
        self.expect(self.estiva("top", "--seconds", "0.1"), 0)

    def test_json_once_and_a_line_for_each_reading(self):
        once = self.expect(self.estiva("top", "--json", "--once"), 0)
        self.assertEqual(len(once.out.splitlines()), 1)
        document = once.json()
        self.assertEqual([document["schema"], document["simulated"]], ["estiva/top/1", True])
        self.assertEqual([row["pid"] for row in document["processes"]], [4242, 4243])
        following = follow(self, "--json", "--sort", "pid")
        stamps = [json.loads(following.stdout.readline())["sampled_at"] for _ in range(3)]
        self.assertEqual(len(set(stamps)), 3, stamps)
        end(self, following)

    def test_one_gpu_and_wrong_words(self):
        uuid = self.place.gpus()[0]["uuid"]
        for gpu in ("0", uuid):
            self.expect(self.estiva("top", "--gpu", gpu), 0, "4242")
        self.expect(self.estiva("top", "--gpu", "7"), 1, "No GPU here is '7'")
        self.expect(self.estiva("top", "--sort", "colour"), 2, "vram, sm, pid, model, container")
        self.expect(self.estiva("top", "--lines", "-1"), 2, "--lines")
        self.expect(self.estiva("top", "--interval", "1ms"), 2, "50ms")

    def test_the_end_of_the_daemon_is_told_in_a_pipe(self):
        following = self.place.spawn("top", "--json")
        following.stdout.readline()
        self.place.stop()
        _, said = following.communicate(timeout=PATIENCE)
        self.assertEqual(following.returncode, 1, said)
        self.assertIn("ended its event stream", said)


class Live(Case):
    def setUp(self):
        super().setUp()
        self.simulated(BUSY)

    def top(self, *words, **more):
        terminal = Terminal(self.place, "top", *words, **more)
        self.addCleanup(terminal.end)
        terminal.sees(ENTER)
        terminal.sees("4242")
        return terminal

    def gives_back(self, terminal, end):
        self.assertEqual(terminal.ended(), "same " + end, terminal.text)
        after = terminal.text[terminal.text.rindex(ENTER):]
        self.assertIn("\x1b[?25h" + LEAVE, after)
        self.assertNotIn("\x1b[H", after.split(LEAVE)[-1], "nothing is drawn afterwards")

    def test_q_ends_it(self):
        terminal = self.top()
        terminal.press("xQ")
        self.gives_back(terminal, "exit 0")

    def test_a_screen_is_drawn_for_each_reading_in_place(self):
        terminal = self.top()
        until(lambda: len(terminal.screens()) >= 3, "screens follow")
        terminal.press("q")
        self.gives_back(terminal, "exit 0")
        for screen in terminal.screens():
            self.assertLessEqual(len(screen), 24)
        self.assertNotIn("\x1b[2J", terminal.text, "clearing first would flicker")
        self.assertNotIn("\x1b[1m", terminal.text, "NO_COLOR")
        self.assertEqual(terminal.text.count(ENTER), 1)

    def test_colours_where_they_are_wanted(self):
        terminal = self.top(env={"NO_COLOR": ""})
        terminal.sees("\x1b[1mGPU")
        terminal.press("q")
        self.gives_back(terminal, "exit 0")

    def test_ctrl_c_and_the_signals_that_ask_it_to_end(self):
        terminal = self.top()
        terminal.press("\x03")
        self.gives_back(terminal, "exit 0")
        for number in (signal.SIGTERM, signal.SIGHUP):
            terminal = self.top()
            os.kill(terminal.job(), number)
            self.gives_back(terminal, "exit 0")

    def test_a_crash_gives_the_terminal_back_too(self):
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGQUIT):
            terminal = self.top()
            os.kill(terminal.job(), number)
            self.gives_back(terminal, f"signal {int(number)}")

    def test_ctrl_z_gives_it_back_and_fg_takes_it_again(self):
        terminal = self.top()
        for times in (1, 2):
            terminal.press("\x1a")
            terminal.sees(STOPPED, times)
            self.assertIn("same " + STOPPED, terminal.text.split(LEAVE)[-1], "before the shell speaks")
            os.kill(terminal.job(), signal.SIGCONT)
            terminal.sees(ENTER, times + 1)
            until(lambda: "4242" in terminal.text.split(ENTER)[-1], "it is drawn again")
        terminal.press("q")
        self.gives_back(terminal, "exit 0")

    def test_it_fits_the_terminal_and_follows_its_size(self):
        terminal = self.top(lines=30, columns=120)
        before = len(terminal.screens())
        terminal.resize(6, 40)
        os.kill(terminal.job(), signal.SIGWINCH)  # the kernel sends it, too
        until(lambda: len(terminal.screens()) > before + 1, "it is drawn anew")
        last = terminal.screens()[-1]
        self.assertLessEqual(len(last), 6)
        self.assertTrue(all(len(line) <= 40 for line in last), last)
        self.assertTrue(last[-1].startswith("RAM "), last)
        terminal.press("q")
        self.gives_back(terminal, "exit 0")

    def test_a_daemon_that_is_restarted_is_waited_for(self):
        terminal = self.top()
        self.place.stop()
        terminal.sees("Old figures, trying again")
        self.place.start_simulated(BUSY)
        until(lambda: "Old figures" not in "".join(terminal.screens()[-1]), "it goes on")
        terminal.press("q")
        self.gives_back(terminal, "exit 0")

    def test_a_daemon_that_hangs_is_told_and_q_works(self):
        terminal = self.top()
        daemon = self.place.estivad_pid()
        os.kill(daemon, signal.SIGSTOP)
        self.addCleanup(os.kill, daemon, signal.SIGCONT)
        terminal.sees("The daemon has said nothing for")
        self.assertIn("4242", "".join(terminal.screens()[-1]), "the old figures stay")
        terminal.press("q")
        self.gives_back(terminal, "exit 0")

    def test_json_never_touches_the_terminal(self):
        terminal = Terminal(self.place, "top", "--json", "--once")
        self.addCleanup(terminal.end)
        self.assertEqual(terminal.ended(), "same exit 0")
        self.assertNotIn("\x1b", terminal.text)


class Alone(Case):
    """Without a daemon it reads by itself."""

    def setUp(self):
        super().setUp()
        folder = os.path.join(self.place.dir, "sim")
        self.simulator = subprocess.Popen([SIMULATOR, "run", "--dir", folder, self.place.file("busy", BUSY)],
                                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.simulator.stdout.close)
        self.addCleanup(self.simulator.wait)
        self.addCleanup(self.simulator.terminate)
        self.place.env["ESTIVA_SIM_DIR"] = folder
        until(lambda: "4242" in self.estiva("top", "--nvml", LIBRARY, "-1").out, "the simulator answers")

    def test_it_reads_again_and_again_and_leaves_no_process(self):
        following = follow(self, "--nvml", LIBRARY, "--json", "--interval", "100ms")
        stamps = [json.loads(following.stdout.readline())["sampled_at"] for _ in range(3)]
        self.assertEqual(len(set(stamps)), 3, stamps)
        end(self, following)
        self.assertFalse(self.place.children(following.pid))
        self.expect(self.estiva("top", "--nvml", LIBRARY, "-1"), 0, "No daemon is running")

    def test_live_without_a_daemon(self):
        terminal = Terminal(self.place, "top", "--nvml", LIBRARY)
        self.addCleanup(terminal.end)
        terminal.sees("4242")
        job = terminal.job()
        terminal.press("q")
        self.assertEqual(terminal.ended(), "same exit 0", terminal.text)
        self.assertFalse(process_lives(job))


if __name__ == "__main__":
    unittest.main(verbosity=2)
