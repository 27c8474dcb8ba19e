"""Models of the packaged service on a booted test host: each in a unit of its own, as its own user, not within
estivad's limits; they and the gateway outlive a restart and a stop of estiva.service."""
import json
import os
import re
import unittest

import driver
import setup_hook
from units_test import OnHost, OLD

MIB = 600
UNITS = ("estiva.service", "estiva-gateway.service", "estiva-launch@.service", "estiva-launch.socket",
         "estiva-control.socket", "estiva-lease.socket", "estiva-models.slice")
PROGRAMS = ("estivad", "estiva-gateway", "estiva-sensor", "estiva-launch")
MODEL = """[models.{0}]
engine = "process"
command = ["/usr/bin/ram-model", "${{PORT}}", "{1}"]
vram = "1GiB"
stop_limit = "20s"
{2}
"""

# The simulator has no PCI device to be found by.
SIMULATED = f" --simulated --nvml {driver.LIBRARIES}/libnvidia-ml.so.1"
GET = ("exec 3<>/dev/tcp/127.0.0.1/7701 2>/dev/null || exit 1; "
       r'printf "GET $1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3; cat <&3')


class Models(OnHost):
    @classmethod
    def prepare(cls):
        host = cls.host
        driver.install(host, OLD)
        host.install(setup_hook.ESTIVA, "/usr/bin/estiva")
        for name in PROGRAMS:
            host.install(os.path.join(driver.BUILD, name), f"/usr/libexec/estiva/{name}")
        for name in UNITS:
            host.install(os.path.join(setup_hook.UNITS, name), f"/etc/systemd/system/{name}", 0o644)
        start = re.search(r"^ExecStart=.*", host.read("/etc/systemd/system/estiva.service"), re.M)[0]
        host.write("/etc/systemd/system/estiva.service.d/simulated.conf", f"[Service]\nExecStart=\n{start}{SIMULATED}\n")
        for kind in ("sysusers", "tmpfiles"):
            host.install(os.path.join(setup_hook.UNITS, f"estiva.{kind}.conf"), f"/usr/lib/{kind}.d/estiva.conf", 0o644)
        host.write("/usr/lib/sysusers.d/speaker.conf", "u speaker - voice /srv/voice\n")
        driver.compile_c("ram_model.c", host.path("/usr/bin/ram-model"))
        host.write("/etc/estiva/estiva.toml", MODEL.format("big", MIB, "") + MODEL.format("voice", 1, 'user = "speaker"'))
        host.boot()
        for name in ("estiva-control.socket", "estiva-lease.socket", "estiva-launch.socket", "estiva.service",
                     "estiva-gateway.service"):
            host.run("systemctl", "enable", "--now", "--quiet", name)

    def setUp(self):
        self.host.run("systemctl", "start", "estiva.service", "estiva-gateway.service")

    def ask(self, name):
        """What the model says of itself, through the gateway: (pid, uid)."""
        def answer():
            return re.search(r"^pid (\d+) uid (\d+) 1$", self.get(f"/models/{name}/"), re.M)
        said = self.host.until(answer, f"{name} answers", 30)
        return int(said[1]), int(said[2])

    def get(self, path):
        """The gateway's answer as it is; empty: nobody listens."""
        return self.host.run("timeout", "30", "bash", "-c", GET, "get", path, check=False).out

    def model(self, name):
        said = json.loads(self.host.say("estiva", "models", "--json"))
        return {one["name"]: one for one in said["models"]}[name]

    def log(self, name):
        return self.host.say("cat", f"/var/lib/estiva/engines/{name}.log")

    def property(self, unit, name):
        return self.host.say("systemctl", "show", "-p", name, "--value", unit)

    def unit(self, pid):
        return re.search(r"(estiva-launch@[^/]+\.service)", self.proc(pid, "cgroup"))[1]

    def daemon(self):
        return int(self.property("estiva.service", "MainPID"))

    def proc(self, pid, name):
        return self.host.say("cat", f"/proc/{pid}/{name}")

    def status(self, pid, field):
        return re.search(rf"^{field}:\s*(\d+)", self.proc(pid, "status"), re.M)[1]

    def uid(self, name):
        return int(self.host.say("id", "-u", name))

    def test_a_model_has_a_place_of_its_own(self):
        pid, uid = self.ask("big")
        daemon = self.daemon()
        self.assertGreaterEqual(int(self.status(pid, "VmRSS")), MIB * 1024, "kB in RAM")
        self.assertIn("/estiva.slice/estiva-models.slice/estiva-launch@", self.proc(pid, "cgroup"))
        self.assertIn("/system.slice/estiva.service", self.proc(daemon, "cgroup"))
        # In the container that this machine is, systemd can't set the daemon's own.
        self.assertEqual([self.proc(pid, "oom_score_adj"), self.property("estiva.service", "OOMScoreAdjust")], ["0", "-500"])
        self.assertEqual(uid, self.uid("estiva"))
        filters = [int(self.status(one, "Seccomp_filters")) for one in (1, pid, daemon)]
        self.assertEqual(filters[0], filters[1], "no filter of system calls")
        self.assertGreater(filters[2], filters[1])
        spaces = [self.host.say("readlink", f"/proc/{one}/ns/mnt") for one in (1, pid, daemon)]
        self.assertEqual(spaces[0], spaces[1], "it sees the machine's files")
        self.assertNotEqual(spaces[0], spaces[2], "the daemon's are protected")
        self.assertEqual([self.property(unit, "MemoryMax") for unit in (self.unit(pid), "estiva.service")],
                         ["infinity", str(512 << 20)])

    def test_a_restart_and_a_stop_of_the_daemon_leave_it_and_start_none_anew(self):
        pid = self.ask("big")[0]
        daemon = self.daemon()
        self.host.run("systemctl", "restart", "estiva.service")
        self.assertNotEqual(self.daemon(), daemon)
        self.host.until(lambda: self.model("big")["state"] == "resident", "it is taken over")
        self.assertEqual([self.model("big")["pid"], self.ask("big")[0]], [pid, pid])
        self.host.run("systemctl", "stop", "estiva.service")
        self.assertEqual(self.ask("big")[0], pid, "the gateway goes on without the daemon")
        self.host.run("systemctl", "start", "estiva.service")
        self.host.until(lambda: self.model("big")["state"] == "resident", "it is taken over again")
        self.assertEqual([self.model("big")["pid"], self.ask("big")[0]], [pid, pid])
        running = self.host.say("pgrep", "-f", f"ram-model [0-9]+ {MIB}").split()
        self.assertEqual(running, [str(pid)], "one, and no second start")
        self.host.run("estiva", "unload", "big")
        self.assertNotEqual(self.host.run("test", "-d", f"/proc/{pid}", check=False).code, 0)

    def test_one_with_a_user_runs_as_that_user_and_is_asked_to_end(self):
        pid, uid = self.ask("voice")
        unit = self.unit(pid)
        self.assertEqual(uid, self.uid("speaker"))
        groups = re.search(r"^Groups:\s*(.*)$", self.proc(pid, "status"), re.M)[1].split()
        self.assertEqual(groups, [self.host.say("id", "-g", "speaker")], "nothing of root's is left")
        self.assertEqual(self.status(pid, "NoNewPrivs"), "1")
        self.host.run("systemctl", "restart", "estiva.service")
        self.host.until(lambda: self.model("voice")["state"] == "resident", "it is taken over")
        self.host.run("estiva", "unload", "voice")
        self.assertNotEqual(self.host.run("test", "-d", f"/proc/{pid}", check=False).code, 0)
        self.assertIn("asked to end", self.log("voice"))
        self.host.until(lambda: unit not in self.host.say("systemctl", "list-units", "--all", "--plain"),
                        "its unit is gone", 20)

    def test_how_it_ended_is_known(self):
        pid = self.ask("voice")[0]
        self.host.run("kill", "-9", str(pid))
        self.host.until(lambda: "signal 9" in self.host.run("estiva", "explain", "voice", check=False).out
                        or "signal 9" in self.host.run("journalctl", "-u", "estiva.service", "-o", "cat").out,
                        "the daemon says how it ended", 20)
        self.assertNotEqual(self.ask("voice")[0], pid)

    def test_the_gateway_stops_when_it_is_asked(self):
        self.ask("voice")
        self.host.run("systemctl", "stop", "estiva-gateway.service")
        self.assertEqual(self.get("/v1/models"), "")
        self.assertEqual(self.model("voice")["state"], "resident")
        self.host.run("systemctl", "start", "estiva-gateway.service")
        self.ask("voice")

    def test_the_slice_ends_them_all(self):
        pid = self.ask("voice")[0]
        before = self.log("voice").count("asked to end")
        self.host.run("systemctl", "stop", "estiva-models.slice")
        self.assertEqual(self.log("voice").count("asked to end"), before + 1)
        self.assertNotEqual(self.host.run("test", "-d", f"/proc/{pid}", check=False).code, 0)
        self.assertNotEqual(self.ask("voice")[0], pid)


if __name__ == "__main__":
    unittest.main()
