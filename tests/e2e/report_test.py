"""`estiva report`: one archive for a bug report, with no name of the user's in it."""
import json
import os
import signal
import tarfile
import unittest

from harness import LIBRARY, Case, until

SECRET = "s3cr3t"
SCENARIO = f"""scenario "to report"
driver 550.163.01
cuda 12.4
gpu rtx3060-12g uuid GPU-{SECRET}00-0000-4000-8000-000000000007
process 4194000 gpu 0 vram 1GiB name "{SECRET}"
"""


class Report(Case):
    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.place.dir, "report.tar.gz")
        self.place.env["ESTIVA_SIM_SCENARIO"] = self.place.file("scenario", SCENARIO)

    def report(self, *words, code=0):
        return self.expect(self.place.estiva("report", self.file, "--docker", "off", "--nvml", LIBRARY, *words), code)

    def members(self):
        with tarfile.open(self.file) as archive:
            found = {}
            for member in archive.getmembers():
                self.assertEqual((member.uid, member.gid, member.uname, member.gname), (0, 0, "", ""))
                self.assertNotIn(SECRET, member.name)
                if member.isfile():
                    found[member.name.split("/", 1)[1]] = archive.extractfile(member).read().decode()
            return found

    def busy_daemon(self):
        self.config = self.place.file("estiva.toml", (
            f'# {SECRET}\n[placement]\nmargin = "100MiB"\n[notify]\nurl = "http://127.0.0.1:9/{SECRET}"\n'
            'shape = "ntfy"\nper_hour = 7\n'))
        self.place.start_simulated(self.place.env["ESTIVA_SIM_SCENARIO"], "--config", self.config)
        self.expect(self.place.estiva("assign", SECRET + "-model", "--vram", "2GiB"), 0)
        self.expect(self.place.estiva("assign", SECRET + "-big", "--vram", "200GiB"), 1)

    def test_no_name_of_the_users_is_in_it(self):
        self.busy_daemon()
        ran = self.report("--yes", "--config", self.config)
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)
        self.assertLess(ran.out.index("machine/proc/meminfo"), ran.out.index("Wrote "))
        members = self.members()
        for name, text in members.items():
            self.assertNotIn(SECRET, text, name)
        for name in ("status.json", "daemon.json", "journal.json", "leases.json", "estiva.toml",
                     "machine/recording.json", "machine/gpus.json", "machine/proc/meminfo"):
            self.assertIn(name, members)
        self.assertEqual(json.loads(members["leases.json"])["leases"][0]["model"], "model-1")
        kinds = [r["kind"] for r in json.loads(members["journal.json"])["records"]]
        self.assertIn("assigned", kinds)
        self.assertIn("refused", kinds)
        self.assertEqual(members["estiva.toml"],
                         '[placement]\nmargin = "100MiB"\n[notify]\nurl = "(replaced)"\nshape = "ntfy"\nper_hour = 7\n')
        self.assertEqual(json.loads(members["status.json"])["gpus"][0]["memory"]["used_bytes"], 1 << 30)
        self.assertEqual([n for n in os.listdir(self.place.dir) if "partial" in n or n == "report"], [])
        about = json.loads(members["daemon.json"])
        self.assertEqual((about["simulated"], about["gpus"], about["leases"]), (True, 1, 1))

    def test_with_names_it_has_them(self):
        self.busy_daemon()
        self.report("--yes", "--names", "--config", self.config)
        members = self.members()
        self.assertIn(SECRET + "-model", members["leases.json"])
        self.assertIn("no room for " + SECRET + "-big", members["journal.json"])
        self.assertIn(f"# {SECRET}", members["estiva.toml"])

    def test_without_a_daemon_it_says_so(self):
        written = self.report("--yes", "--json").json()
        self.assertEqual((written["file"], written["bytes"]), (self.file, os.path.getsize(self.file)))
        members = self.members()
        self.assertEqual(json.loads(members["daemon.json"])["running"], False)
        self.assertNotIn("journal.json", members)

    def test_nothing_is_written_unasked_or_over_another_file(self):
        listed = self.report(code=5)
        self.assertIn("journal.json", listed.out)
        self.assertIn("--yes", listed.err)
        self.assertFalse(os.path.exists(self.file))
        self.expect(self.place.estiva("report", "--list"), 0)
        self.assertIn("journal.json", " ".join(self.expect(self.place.estiva("report", "--list", "--json"), 0)
                                               .json()["files"]))
        with open(self.file, "w") as file:
            file.write("mine")
        self.report("--yes", code=5)
        with open(self.file) as file:
            self.assertEqual(file.read(), "mine")

    def test_a_colon_in_its_name_is_no_other_machine(self):
        os.mkdir(os.path.join(self.place.dir, "here"))
        self.file = "bug-12:30.tgz"
        self.expect(self.place.estiva("report", self.file, "--docker", "off", "--yes", "--nvml", LIBRARY,
                                      cwd=os.path.join(self.place.dir, "here")), 0)
        self.assertEqual(os.listdir(os.path.join(self.place.dir, "here")), [self.file])

    def test_ctrl_c_leaves_nothing(self):
        running = self.place.spawn("report", self.file, "--docker", "off", "--yes", "--nvml", LIBRARY)
        until(lambda: any("partial" in name for name in os.listdir(self.place.dir)), "it has begun")
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 1, (out, err))
        self.assertEqual([name for name in os.listdir(self.place.dir) if "report" in name], [])

    def test_a_gpu_that_is_ill_is_no_reason_to_leave_things_out(self):
        self.place.env["ESTIVA_SIM_SCENARIO"] = self.place.file("scenario", SCENARIO + "at 1s xid 0 79\n")
        self.busy_daemon()
        until(lambda: self.place.get("/healthz")[0] == 503, "the GPU is ill")
        self.report("--yes")
        for name in ("journal.json", "leases.json"):
            self.assertIn(name, self.members())

    def test_a_folder_that_cannot_be_written_is_named(self):
        self.file = os.path.join(self.place.dir, "gone", "report.tar.gz")
        self.assertIn("no folder", self.report("--yes", code=1).err)
        self.assertFalse(os.path.exists(os.path.join(self.place.dir, "gone")))
        self.file = "/proc/report.tar.gz"
        self.report("--yes", code=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
