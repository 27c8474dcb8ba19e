"""What doctor and 'estiva setup' say of a daemon.json, against what a real dockerd says of it."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import machine_change
from docker_place import program
from harness import ESTIVA

# Texts, and what doctor says of those that Docker refuses.
FILES = (
    ('{}', None),
    ('', None),
    ('{"debug": true, "mtu": 1400, "labels": ["a=b"], "log-opts": {"max-size": "10m"}}', None),
    ('{"features": {"cdi": true, "buildkit": null}, "runtimes": {"x": {"path": "/bin/true"}}}', None),
    ('{"proxies": {"no-proxy": "localhost"}, "http-proxy": 7, "label": 7}', None),
    ('{"stuff": {"debug": true}}', None),
    ('{"debug": true, "debug": false}', None),
    ('{"log-opts": "bad"}', "1:14: 'log-opts' is a text, and must be an object"),
    ('{"log-opts": {"max-size": 10}}', "1:27: 'log-opts.max-size' is a number, and must be a text"),
    ('{"featuers": {"cdi": true}}', "1:14: Docker has no setting 'featuers'; did you mean 'features'?"),
    ('{"debug": "yes"}', "1:11: 'debug' is a text, and must be true or false"),
    ('{"mtu": 1.5}', "1:9: 'mtu' is a number, and must be a whole number"),
    ('{"hosts": [7]}', "1:11: 'hosts' is an array, and must be an array of texts"),
    ('{"Debug": true}', "1:11: Docker has no setting 'Debug'; did you mean 'debug'?"),
    ('{"firewall-backend": "nftables"}', "1:22: Docker 28.5.2 has no setting 'firewall-backend'"),
    ('{\n  "debug": true,\n}', "2:16: after this comma nothing follows"),
    ('{"debug": true', "1:15: the text ends before its value is complete"),
    ('{"debug": true} // mine', "1:17: a comment begins here; JSON has none, and Docker refuses the file too"),
    ('[]', "1:1: 'the whole file' is an array, and must be an object"),
)


class Judged(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can make a device node")
        self.dir = tempfile.mkdtemp(prefix="estiva-json-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.tree = os.path.join(self.dir, "tree")
        machine_change.make("healthy", "debian-gpu", self.tree)
        version = os.path.join(self.tree, "docker/version.json")
        with open(version) as file:
            said = json.load(file)
        said["Version"] = said["Components"][0]["Version"] = "28.5.2"
        with open(version, "w") as file:
            json.dump(said, file)
        self.file = os.path.join(self.tree, "etc/docker/daemon.json")

    def dockerd(self):
        """None where dockerd takes the file."""
        ran = subprocess.run([program("dockerd-28"), "--validate", "--config-file", self.file], text=True,
                             capture_output=True, timeout=60)
        return None if ran.returncode == 0 else ran.stderr

    def estiva(self, *words):
        env = dict(os.environ, ESTIVA_STATE_DIR=self.dir + "/state")
        return subprocess.run([ESTIVA, *words, "--root", self.tree], text=True, capture_output=True, timeout=120, env=env)

    def test_doctor_and_setup_refuse_what_docker_refuses(self):
        for text, why in FILES:
            with self.subTest(text=text):
                with open(self.file, "w") as file:
                    file.write(text)
                refusal = self.dockerd()
                self.assertEqual(refusal is None, why is None, refusal)
                found = [one for one in json.loads(self.estiva("doctor", "--json").stdout)["findings"]
                         if one["id"] == "K7"]
                self.assertEqual([one["title"] for one in found],
                                 [] if why is None else
                                 [f"/etc/docker/daemon.json is not valid: Docker will not start with it ({why})"])
                planned = self.estiva("setup", "plan")
                if why is not None:
                    self.assertEqual(planned.returncode, 5)
                    self.assertIn("/etc/docker/daemon.json:" + why, planned.stderr)
                elif text.count("debug") < 2:
                    self.assertEqual(planned.returncode, 0, planned.stderr)

    def test_what_doctor_mends_is_named(self):
        for text, mends in (('{"debug": true,}', True), ('{"debug": true', True), ('{"debug": "a}', False),
                            ('{"debug": "yes",}', False)):
            with open(self.file, "w") as file:
                file.write(text)
            said = self.estiva("setup", "plan").stderr
            self.assertEqual("'estiva doctor --fix' mends that" in said, mends, said)

    def test_each_setting_that_doctor_knows_docker_knows(self):
        """A wrong type of every setting: dockerd says that it can't read it, not that it does not know it."""
        source = os.path.join(os.path.dirname(__file__), "../../src/decide/setup/dockerd_keys.cpp")
        with open(source) as file:
            rows = re.findall(r'\{"([a-z0-9-]+)", Holds::(\w+)(?:, (\d+))?(?:, (\d+))?\}', file.read())
        self.assertGreater(len(rows), 85)
        wrong = []
        for name, holds, *versions in rows:
            since, gone = (int(one or 0) for one in versions)
            value = '"7"' if holds == "whole" else '7'
            with open(self.file, "w") as file:
                file.write('{"%s": %s}' % (name, value))
            said = self.dockerd() or ""
            is_known = since <= 28 and (gone == 0 or gone > 28)
            # "proxies" is no flag: dockerd only looks at what is in it.
            if is_known and name != "proxies" and "don't match any" in said or (holds != "any" and not said):
                wrong.append((name, holds, said[-100:]))
            if not is_known and not said:
                wrong.append((name, "is known"))
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
