"""Which CDI devices a real dockerd discovers, against what our effective set says of the same folders: valid
and invalid specs, shadowed and conflicting ones. One engine looks at all of them at once."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from docker_place import Docker

BUILD = os.environ["ESTIVA_BUILD_DIR"]
HOOK = '{"hookName": "createContainer", "path": "/bin/true"%s}'


def spec(number, name="0", version="0.5.0", kind=None, edits='{"env": ["A=b"]}', rest=""):
    """One device of a kind of its own, as JSON."""
    return (f'{{"cdiVersion": "{version}", "kind": "{kind or f"case{number:03}.com/gpu"}"{rest}, '
            f'"devices": [{{"name": "{name}", "containerEdits": {edits}}}]}}')


def yaml(number, body, version="0.5.0", name="a"):
    return f"cdiVersion: {version}\nkind: case{number:03}.com/gpu\ndevices:\n- name: {name}\n  containerEdits:\n{body}\n"


NODE = '{"deviceNodes": [{"path": "/dev/x"%s}]}'
NET = '{"netDevices": [{"hostInterfaceName": "e0", "name": "e1"}]}'
RDT = '{"intelRdt": {%s}}'
ENV = "    env: [A=b]"

# What stands in a file, by what it is for; {n} is its number. The engine says which of them count.
CASES = [
    ("plain", lambda n: spec(n)),
    ("yaml", lambda n: yaml(n, ENV)),
    ("json with tabs", lambda n: spec(n).replace(", ", ",\n\t\t")),
    ("yaml begins with ---", lambda n: "---\n" + yaml(n, ENV)),
    ("byte order mark", lambda n: "\ufeff" + yaml(n, ENV)),
    ("two documents", lambda n: yaml(n, ENV) + "---\nnot: a spec\n"),
    ("two documents, the second is broken", lambda n: yaml(n, ENV) + "---\n{[\n"),
    ("ends with ...", lambda n: yaml(n, ENV) + "...\n"),
    ("windows line ends", lambda n: yaml(n, ENV).replace("\n", "\r\n")),
    ("comments", lambda n: "# a\n" + yaml(n, ENV + " # b")),
    ("empty", lambda n: ""),
    ("only a comment", lambda n: "# nothing\n"),
    ("null", lambda n: "null\n"),
    ("a list", lambda n: "[]\n"),
    ("text", lambda n: "spec\n"),
    ("truncated json", lambda n: spec(n)[:-3]),
    ("truncated yaml", lambda n: yaml(n, "    env: [A=b")),
    ("more after the json", lambda n: spec(n) + " x"),
    ("unknown member", lambda n: spec(n, rest=', "unknown": 1')),
    ("unknown member of an edit", lambda n: spec(n, edits='{"envs": ["A=b"]}')),
    ("members in other case", lambda n: spec(n).replace("containerEdits", "CONTAINEREDITS").replace("kind", "Kind")),
    ("member twice", lambda n: spec(n, rest=', "kind": "b.com/gpu"')),
    ("version 0.1.0", lambda n: spec(n, name="a", version="0.1.0")),
    ("version 0.2.0", lambda n: spec(n, name="a", version="0.2.0")),
    ("version 0.3.0", lambda n: spec(n, name="a", version="0.3.0")),
    ("version 0.4.0 with a digit", lambda n: spec(n, version="0.4.0")),
    ("version v0.5.0", lambda n: spec(n, version="v0.5.0")),
    ("version 0.5", lambda n: spec(n, version="0.5")),
    ("version 0.9.0", lambda n: spec(n, version="0.9.0")),
    ("version 1.0.0", lambda n: spec(n, version="1.0.0")),
    ("version 1.1.0", lambda n: spec(n, version="1.1.0")),
    ("no version", lambda n: spec(n).replace('"cdiVersion": "0.5.0", ', "")),
    ("version as a number", lambda n: yaml(n, ENV, version="0.5")),
    ("mount with type, 0.3.0", lambda n: spec(
        n, "a", "0.3.0", edits='{"mounts": [{"hostPath": "/a", "containerPath": "/a", "type": "bind"}]}')),
    ("mount with type, 0.4.0", lambda n: spec(
        n, "a", "0.4.0", edits='{"mounts": [{"hostPath": "/a", "containerPath": "/a", "type": "bind"}]}')),
    ("hostPath, 0.4.0", lambda n: spec(n, "a", "0.4.0", edits=NODE % ', "hostPath": "/dev/y"')),
    ("hostPath, 0.5.0", lambda n: spec(n, "a", edits=NODE % ', "hostPath": "/dev/y"')),
    ("annotations, 0.5.0", lambda n: spec(n, rest=', "annotations": {"a": "b"}')),
    ("annotations, 0.6.0", lambda n: spec(n, version="0.6.0", rest=', "annotations": {"a": "b"}')),
    ("annotation, capital", lambda n: spec(n, version="0.6.0", rest=', "annotations": {"A.com/B_c": "b"}')),
    ("annotation, bad key", lambda n: spec(n, version="0.6.0", rest=', "annotations": {"a b": "b"}')),
    ("annotation, two slashes", lambda n: spec(n, version="0.6.0", rest=', "annotations": {"a/b/c": "b"}')),
    ("annotation, bad prefix", lambda n: spec(n, version="0.6.0", rest=', "annotations": {"a_b/c": "b"}')),
    ("annotation, 63", lambda n: spec(n, version="0.6.0", rest=', "annotations": {"%s": "b"}' % ("a" * 63))),
    ("annotation, 64", lambda n: spec(n, version="0.6.0", rest=', "annotations": {"%s": "b"}' % ("a" * 64))),
    ("annotation, a number", lambda n: spec(n, version="0.6.0", rest=', "annotations": {"a": 5}')),
    ("annotations, all allowed", lambda n: spec(
        n, version="0.6.0", rest=', "annotations": {"a": "%s"}' % ("b" * 262143))),
    ("annotations, one too much", lambda n: spec(
        n, version="0.6.0", rest=', "annotations": {"a": "%s"}' % ("b" * 262144))),
    ("dot in class, 0.5.0", lambda n: spec(n, kind=f"case{n:03}.com/g.u")),
    ("dot in class, 0.6.0", lambda n: spec(n, version="0.6.0", kind=f"case{n:03}.com/g.u")),
    ("gids, 0.6.0", lambda n: spec(n, version="0.6.0", edits='{"additionalGids": [5]}')),
    ("gids, 0.7.0", lambda n: spec(n, version="0.7.0", edits='{"additionalGids": [5]}')),
    ("gid, negative", lambda n: spec(n, version="0.7.0", edits='{"additionalGids": [-1]}')),
    ("gid, largest", lambda n: spec(n, version="0.7.0", edits='{"additionalGids": [4294967295]}')),
    ("gid, too large", lambda n: spec(n, version="0.7.0", edits='{"additionalGids": [4294967296]}')),
    ("rdt, 0.6.0", lambda n: spec(n, version="0.6.0", edits=RDT % "")),
    ("rdt, 0.7.0", lambda n: spec(n, version="0.7.0", edits=RDT % "")),
    ("rdt, enableCMT", lambda n: spec(n, version="0.7.0", edits=RDT % '"enableCMT": true')),
    ("rdt, closID ..", lambda n: spec(n, version="0.7.0", edits=RDT % '"closID": ".."')),
    ("rdt, closID /", lambda n: spec(n, version="0.7.0", edits=RDT % '"closID": "a/b"')),
    ("rdt, closID 4095", lambda n: spec(n, version="0.7.0", edits=RDT % f'"closID": "{"a" * 4095}"')),
    ("rdt, closID 4096", lambda n: spec(n, version="0.7.0", edits=RDT % f'"closID": "{"a" * 4096}"')),
    ("rdt null", lambda n: spec(n, edits='{"env": ["A=b"], "intelRdt": null}')),
    ("net devices, 1.0.0", lambda n: spec(n, version="1.0.0", edits=NET)),
    ("net devices, 1.1.0", lambda n: spec(n, version="1.1.0", edits=NET)),
    ("kind without slash", lambda n: spec(n, kind="gpu")),
    ("kind with two slashes", lambda n: spec(n, kind=f"case{n:03}.com/a/b")),
    ("kind starts with a digit", lambda n: spec(n, kind=f"{n}a.com/gpu")),
    ("kind ends with a dot", lambda n: spec(n, kind=f"case{n:03}./gpu")),
    ("kind with odd characters", lambda n: spec(n, kind=f"case{n:03}:com/gpu")),
    ("kind with _ and -", lambda n: spec(n, kind=f"case{n:03}_a-b/g_p-u")),
    ("kind in capitals", lambda n: spec(n, kind=f"CASE{n:03}.com/GPU")),
    ("name with odd characters", lambda n: spec(n, name="a/b")),
    ("name with marks", lambda n: spec(n, name="0a_b-c.d:e9")),
    ("name starts with -", lambda n: spec(n, name="-a")),
    ("name ends with :", lambda n: spec(n, name="a:")),
    ("name empty", lambda n: spec(n, name="")),
    ("name in greek", lambda n: spec(n, name="aαb")),
    ("name is a number", lambda n: yaml(n, ENV, name="17")),
    ("name is octal", lambda n: yaml(n, ENV, name="010")),
    ("name is hexadecimal", lambda n: yaml(n, ENV, name="0x1F")),
    ("name is yes", lambda n: yaml(n, ENV, name="yes")),
    ("name is y", lambda n: yaml(n, ENV, name="y")),
    ("name is a float", lambda n: yaml(n, ENV, name="1.50")),
    ("name is 1e3", lambda n: yaml(n, ENV, name="1e3")),
    ("name is 1234567.0", lambda n: yaml(n, ENV, name="1234567.0")),
    ("name is 1_000", lambda n: yaml(n, ENV, name="1_000")),
    ("name is 0:1", lambda n: yaml(n, ENV, name="0:1")),
    ("name is a date", lambda n: yaml(n, ENV, name="2001-01-02")),
    ("name is tagged", lambda n: yaml(n, ENV, name="!!str 012")),
    ("name is null", lambda n: yaml(n, ENV, name="null")),
    ("name is a list", lambda n: yaml(n, ENV, name="[a]")),
    ("no devices", lambda n: f'{{"cdiVersion": "0.5.0", "kind": "case{n:03}.com/gpu", "devices": []}}'),
    ("devices null", lambda n: f'{{"cdiVersion": "0.5.0", "kind": "case{n:03}.com/gpu", "devices": null}}'),
    ("device twice", lambda n: yaml(n, ENV) + "- name: a\n  containerEdits: {env: [A=b]}\n"),
    ("no edits", lambda n: spec(n, edits="{}")),
    ("edits null", lambda n: spec(n, edits="null")),
    ("edits with empty lists", lambda n: spec(n, edits='{"env": []}')),
    ("env without =", lambda n: spec(n, edits='{"env": ["A"]}')),
    ("env with = first", lambda n: spec(n, edits='{"env": ["=a"]}')),
    ("env without value", lambda n: spec(n, edits='{"env": ["A="]}')),
    ("env null", lambda n: spec(n, edits='{"env": [null]}')),
    ("env not a list", lambda n: spec(n, edits='{"env": "A=b"}')),
    ("env a number", lambda n: spec(n, edits='{"env": [5]}')),
    ("node", lambda n: spec(n, edits=NODE % "")),
    ("node without path", lambda n: spec(n, edits='{"deviceNodes": [{"hostPath": "/dev/x"}]}')),
    ("node type u", lambda n: spec(n, edits=NODE % ', "type": "u"')),
    ("node type p", lambda n: spec(n, edits=NODE % ', "type": "p"')),
    ("node type d", lambda n: spec(n, edits=NODE % ', "type": "d"')),
    ("node permissions rwm", lambda n: spec(n, edits=NODE % ', "permissions": "mwrr"')),
    ("node permissions x", lambda n: spec(n, edits=NODE % ', "permissions": "rx"')),
    ("node permissions none", lambda n: spec(n, edits=NODE % ', "permissions": "none"')),
    ("node major", lambda n: spec(n, edits=NODE % ', "major": 195, "minor": 0, "fileMode": 438, "uid": 0, "gid": 0')),
    ("node major negative", lambda n: spec(n, edits=NODE % ', "major": -1')),
    ("node major 1.0", lambda n: spec(n, edits=NODE % ', "major": 1.0')),
    ("node major 1.5", lambda n: spec(n, edits=NODE % ', "major": 1.5')),
    ("node major text", lambda n: spec(n, edits=NODE % ', "major": "195"')),
    ("node major true", lambda n: spec(n, edits=NODE % ', "major": true')),
    ("node major largest", lambda n: spec(n, edits=NODE % ', "major": 9223372036854775807')),
    ("node major too large", lambda n: spec(n, edits=NODE % ', "major": 9223372036854775808')),
    ("node fileMode octal", lambda n: yaml(n, "    deviceNodes: [{path: /dev/x, fileMode: 0666}]")),
    ("node uid negative", lambda n: spec(n, edits=NODE % ', "uid": -1')),
    ("mount", lambda n: spec(n, edits='{"mounts": [{"hostPath": "/a", "containerPath": "/b", "options": ["ro"]}]}')),
    ("mount without host", lambda n: spec(n, edits='{"mounts": [{"containerPath": "/b"}]}')),
    ("mount without container", lambda n: spec(n, edits='{"mounts": [{"hostPath": "/b"}]}')),
    ("hook", lambda n: spec(n, edits='{"hooks": [%s]}' % (HOOK % ', "args": ["true"], "timeout": 5'))),
    ("hook, odd name", lambda n: spec(n, edits='{"hooks": [{"hookName": "poststarted", "path": "/a"}]}')),
    ("hook, no path", lambda n: spec(n, edits='{"hooks": [{"hookName": "prestart"}]}')),
    ("hook, bad env", lambda n: spec(n, edits='{"hooks": [%s]}' % (HOOK % ', "env": ["A"]'))),
    ("hook, timeout text", lambda n: spec(n, edits='{"hooks": [%s]}' % (HOOK % ', "timeout": "5"'))),
    ("edits of the spec only", lambda n: spec(n, edits="{}", rest=', "containerEdits": {"env": ["A=b"]}')),
    ("bad edits of the spec", lambda n: spec(n, rest=', "containerEdits": {"env": ["A"]}')),
    ("alias", lambda n: yaml(n, "    env: &e [A=b]") + "- name: b\n  containerEdits: {env: *e}\n"),
    ("merge", lambda n: yaml(n, ENV) + "- name: b\n  containerEdits:\n    <<: {env: [A=b]}\n"),
    ("merge twice the same", lambda n: yaml(n, "    env: [A=b]\n    <<: {env: [A=b]}")),
    ("alias of nothing", lambda n: yaml(n, "    env: *e")),
    ("NUL", lambda n: yaml(n, "    env: [\"A=\0\"]")),
    ("escaped NUL", lambda n: spec(n, edits='{"env": ["A=\\u0000"]}')),
    ("escaped e acute", lambda n: spec(n, edits='{"env": ["A=\\u00e9"]}')),
    ("escaped surrogates", lambda n: spec(n, edits='{"env": ["A=\\ud83d\\ude00"]}')),
    ("escaped half of a pair", lambda n: spec(n, edits='{"env": ["A=\\ud83d"]}')),
    ("emoji", lambda n: spec(n, edits='{"env": ["A=\U0001f600"]}')),
    ("escaped slash", lambda n: spec(n, edits='{"env": ["A=\\/"]}')),
    ("escaped nonsense", lambda n: spec(n, edits='{"env": ["A=\\q"]}')),
    ("single quotes", lambda n: yaml(n, "    env: ['A=''b']")),
    ("folded text", lambda n: yaml(n, "    env:\n    - >\n      A=b\n      c\n")),
    ("text over lines", lambda n: yaml(n, "    env:\n    - A=b\n      c\n")),
    ("colon in plain text", lambda n: yaml(n, "    env:\n    - A=b:c:d\n")),
    ("colon and blank in plain text", lambda n: yaml(n, "    env:\n    - A=b: c\n")),
    ("hash in plain text", lambda n: yaml(n, "    env:\n    - A=b#c\n")),
    ("at sign", lambda n: yaml(n, "    env:\n    - @A=b\n")),
    ("percent", lambda n: yaml(n, "    env:\n    - A=%b\n")),
    ("yaml directive 1.1", lambda n: "%YAML 1.1\n---\n" + yaml(n, ENV)),
    ("flow over lines", lambda n: yaml(n, "    env: [\nA=b,\n]")),
    ("lists at the key", lambda n: yaml(n, "    env:\n    - A=b")),
    ("lists further in", lambda n: yaml(n, "    env:\n         - A=b")),
    ("wrong indentation", lambda n: yaml(n, "    env:\n   - A=b")),
    ("complex key", lambda n: yaml(n, "    ? env\n    : [A=b]")),
    ("key is a list", lambda n: yaml(n, "    [env]: [A=b]")),
    ("null key", lambda n: yaml(n, "    ~: [A=b]")),
    ("line separator", lambda n: spec(n, edits='{"env": ["A=\u2028b"]}')),
    ("bell", lambda n: yaml(n, "    env: [\"A=\a\"]")),
    ("DEL", lambda n: yaml(n, "    env: [\"A=\x7f\"]")),
    ("tab as indentation", lambda n: yaml(n, "\tenv: [A=b]")),
    ("no UTF-8", lambda n: yaml(n, ENV).encode() + b"# \xff\n"),
]


class Engine(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="cdi", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.docker = Docker(self.dir + "/d", "-28")
        self.folders = [self.dir + "/static", self.dir + "/run"]
        self.docker.configure(features={"cdi": True}, **{"cdi-spec-dirs": self.folders})
        for folder in self.folders:
            os.makedirs(folder)
        self.addCleanup(self.docker.stop)

    def write(self, folder, name, text):
        with open(os.path.join(self.folders[folder], name), "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def compare(self):
        """(the engine's devices, ours by file)"""
        self.docker.start()
        info = json.loads(self.docker.say("info", "--format", "{{json .}}"))
        self.warnings = info.get("Warnings") or []
        theirs = sorted(device["ID"] for device in info.get("DiscoveredDevices") or [])
        version = self.docker.say("version", "--format", "{{.Server.Version}}")
        said = subprocess.run([BUILD + "/cdi-effective", version, *self.folders], check=True, stdout=subprocess.PIPE)
        return theirs, json.loads(said.stdout)

    def test_each_file_counts_here_where_it_counts_there(self):
        for number, (_, make) in enumerate(CASES):
            self.write(0, f"case{number:03}.{'json' if number % 2 else 'yaml'}", make(number))
        theirs, ours = self.compare()
        self.assertGreaterEqual(len(CASES), 30)
        self.assertGreaterEqual(len(theirs), 30)
        self.assertGreaterEqual(len(ours["unused"]), 30)
        differing = sorted(set(theirs) ^ set(ours["devices"]))
        notes = [f"{CASES[int(name[4:7])][0] if name[4:7].isdigit() else '?'}: {name} "
                 f"({'theirs' if name in theirs else 'ours'})" for name in differing]
        notes += [w for w in self.warnings for name in differing if name.lower()[:7] in w.lower()]
        notes += [f"{f}: {t}" for f, t in ours["unused"].items() for name in differing if name.lower()[:7] in f]
        self.assertEqual(differing, [], "\n".join(notes))

    def render(self, how, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as file:
            file.write(text)
        return subprocess.run([BUILD + "/cdi-effective", "render-" + how, path], check=True, stdout=subprocess.PIPE).stdout

    def test_what_we_write_reaches_a_container_as_it_is(self):
        """Each hostile text, in YAML and in JSON, and a node and a mount beside it."""
        texts = ["", " ", "a b", "#", "a: b", "'", '"', "\\", "\\n", "{}", "[a", "&a *b", "!!int 5", "%", "@", "yes", "~", "\t",
                 "a\nb", "\x01\x7f", "\u0085", "\u00e9", "\u2028", "\ufeff", "\ufffe", "\U0001f600", "x" * 3000]
        wanted = [f"T{i}={text}" for i, text in enumerate(texts)]
        for how in ("yaml", "json"):
            text = json.dumps({
                "cdiVersion": "0.5.0", "kind": f"{how}.estiva.test/gpu", "devices": [{"name": "0", "containerEdits": {
                    "env": wanted, "deviceNodes": [{"path": "/dev/given", "hostPath": "/dev/null"}],
                    "mounts": [{"hostPath": self.dir + "/a b: #", "containerPath": "/given: #'", "options": ["ro", "rbind"]}],
                }}]}, ensure_ascii=False)
            # What may not stand as it is, as an escape.
            text = "".join(c if c in "\n" or c.isprintable() else f"\\u{ord(c):04x}" for c in text)
            self.write(0, f"{how}.{how}", self.render(how, how, text))
        with open(self.dir + "/a b: #", "w") as file:
            file.write("mounted")
        self.docker.start()
        self.docker.import_image()
        for how in ("yaml", "json"):
            run = ["run", "--rm", "--network", "none", "--device", f"{how}.estiva.test/gpu=0", "busybox:test", "/bin/busybox"]
            got = self.docker.run(*run, "env", "-0").stdout.decode().split("\0")
            self.assertEqual([one for one in got if one.startswith("T")], wanted)
            self.assertEqual(self.docker.say(*run, "cat", "/given: #'"), "mounted")
            self.assertEqual(self.docker.say(*run, "stat", "-c", "%t:%T", "/dev/given"), "1:3")

    def test_files_win_shadow_and_take_each_other_away(self):
        kind = "estiva.test/gpu"
        self.write(0, "a.yaml", spec(0, "only-static", kind=kind))
        self.write(0, "b.yaml", spec(0, "both", kind=kind))
        self.write(1, "b.yaml", spec(0, "both", kind=kind))
        for name in ("c.yaml", "d.json"):
            self.write(0, name, spec(0, "conflict", kind=kind))
        for folder, name in ((0, "e.yaml"), (0, "f.yaml"), (1, "g.yaml")):
            self.write(folder, name, spec(0, "conflict-below", kind=kind))
        for folder, name in ((0, "h.yaml"), (1, "i.yaml"), (1, "j.yaml")):
            self.write(folder, name, spec(0, "conflict-above", kind=kind))
        self.write(0, "k.yml", spec(0, "yml", kind=kind))
        self.write(0, "l.yaml~", spec(0, "backup", kind=kind))
        self.write(0, ".yaml", spec(0, "hidden", kind=kind))
        self.write(0, "m.YAML", spec(0, "capitals", kind=kind))
        os.makedirs(self.folders[0] + "/below.yaml")
        self.write(0, "below.yaml/n.yaml", spec(0, "below", kind=kind))
        self.write(0, "new.yaml", spec(0, "new", version="1.1.0", kind=kind))
        theirs, ours = self.compare()
        self.assertEqual(sorted(ours["devices"]), theirs)
        self.assertEqual(theirs, [f"{kind}={name}" for name in ("both", "hidden", "only-static")])
        self.assertEqual(ours["devices"][kind + "=both"], self.folders[1] + "/b.yaml")
        self.assertEqual(ours["vanished"], [f"{kind}={name}" for name in ("conflict", "conflict-above", "conflict-below")])

    def test_what_ends_an_engine_is_refused_here(self):
        """The library of Docker 28 takes a slice out of a name of one letter, and looks into a node that is null."""
        files = {"a.yaml": spec(0, kind="x/gpu"), "b.yaml": spec(0, kind="a.com/x"),
                 "c.yaml": spec(0, edits='{"deviceNodes": [null]}')}
        for name, text in files.items():
            self.write(0, name, text)
            with self.assertRaisesRegex(AssertionError, "dockerd ended"):
                self.docker.start()
            said = subprocess.run([BUILD + "/cdi-effective", "28.5.2", *self.folders], check=True, stdout=subprocess.PIPE)
            self.assertIn("ends engines that read it", json.loads(said.stdout)["unused"][f"{self.folders[0]}/{name}"])
            os.remove(f"{self.folders[0]}/{name}")
        self.docker.start()


if __name__ == "__main__":
    unittest.main()
