"""Keys of the gateway: made, shown once, counted and revoked; and used from inside containers of a real
dockerd, by address and by the name `estiva`. The engines are small HTTP servers that say who they are."""
import http.client
import json
import os
import subprocess
import tempfile
import unittest

import harness
from docker_place import Docker, program
from harness import Case, until
from models_place import FOUR_GB, ModelsPlace

ENGINE = """import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer()
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer()
    def answer(self):
        body = json.dumps({"engine": sys.argv[1], "path": self.path,
                           "fields": sorted(name.lower() for name in self.headers)}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""
# Lines of JSON in, [host, method, path, fields, body]; lines of JSON out, on one connection a host.
CLIENT = """import http.client, json, ssl, sys
connections = {}
def connect(host):
    if not host.startswith("https://"):
        return http.client.HTTPConnection(host, timeout=60)
    return http.client.HTTPSConnection(host[8:], timeout=60, context=ssl.create_default_context(cafile="/certificate"))
for line in sys.stdin:
    host, method, path, fields, body = json.loads(line)
    if host not in connections:
        connections[host] = connect(host)
    try:
        connections[host].request(method, path, body and json.dumps(body), fields)
        answer = connections[host].getresponse()
        said = [answer.status, answer.read().decode(), dict(answer.getheaders())]
    except (OSError, http.client.HTTPException) as failure:
        said = [0, str(failure), {}]
        connections.pop(host).close()
    print(json.dumps(said), flush=True)
"""
COMPOSE = """version: "3"
services:
  app:
    image: busybox:test
    command: ["/bin/sleep", "100000"]
    stop_grace_period: 1s
    extra_hosts: ["estiva:host-gateway"]
    volumes: {volumes}
"""
# What /sys/class/net shows belongs to who mounted it.
OWN_SYS = """groups=$(mktemp -d) && mount --rbind /sys/fs/cgroup $groups && mount -t sysfs none /sys &&
mount --rbind $groups /sys/fs/cgroup && umount -l $groups && rmdir $groups && exec "$@" """
BRIDGE = "10.231.7.1"
FAR = "10.77.0.1"  # of an interface that is no bridge: the network begins there


class NetPlace(ModelsPlace):
    """In the network of a test's own dockerd."""

    def __init__(self, docker):
        super().__init__()
        self.docker = docker
        self.env["DOCKER_HOST"] = docker.address

    def begin_daemon(self, *words):
        log = open(self.log, "a")
        self.daemon = subprocess.Popen(
            ["nsenter", "-t", str(self.docker.process.pid), "-n", "unshare", "--mount", "sh", "-c", OWN_SYS, "sh",
             harness.ESTIVAD, "--simulated", "--nvml", harness.LIBRARY, "--listen", "off", "--config", self.config,
             "--interval", "200ms", *words],
            env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        until(self.answers, "the daemon answers")

    def key(self, name, *flags):
        ran = self.estiva("key", "create", name, *flags)
        if ran.code != 0:
            raise AssertionError(ran)
        return ran.out.strip()

    def usage(self, name):
        keys = json.loads(self.estiva("key", "usage", "--json").out)["keys"]
        return next(key for key in keys if key["name"] == name)


class FromContainers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if harness.has_real_gpu():
            raise unittest.SkipTest("this machine has a real GPU: simulation is refused there")
        folder = tempfile.mkdtemp(prefix="keys", dir="/tmp")
        cls.addClassCleanup(subprocess.run, ["rm", "-rf", folder])
        cls.docker = Docker(folder + "/dk")
        cls.docker.configure(bridge="", bip=BRIDGE + "/24")
        cls.addClassCleanup(cls.docker.stop)
        cls.docker.start()
        for words in ("link set lo up", "link add far type veth peer name near", f"address add {FAR}/24 dev far",
                      "link set far up", "link set near up"):
            subprocess.run(["nsenter", "-t", str(cls.docker.process.pid), "-n", "ip", *words.split()], check=True)
        cls.docker.import_image()
        cls.place = NetPlace(cls.docker)
        cls.addClassCleanup(cls.place.remove)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=far", "-addext",
                        f"subjectAltName=IP:{FAR}", "-keyout", cls.place.dir + "/far.key", "-out", cls.place.dir + "/far.pem"],
                       check=True, capture_output=True)
        engine = cls.place.file("engine.py", ENGINE)
        cls.place.file("client.py", CLIENT)
        cls.place.begin("".join(
            f'[models.{name}]\nengine = "process"\naliases = ["{name}-too"]\nvram = "200MiB"\n'
            f'command = ["/usr/bin/python3", "{engine}", "{name}", "${{PORT}}"]\n'
            'ready = "http://127.0.0.1:${PORT}/"\n' for name in ("one", "two"))
            + f'[gateway]\nlisten = ["127.0.0.1:7701", "docker", "{FAR}:7702"]\n'
            f'certificate = "{cls.place.dir}/far.pem"\nprivate_key = "{cls.place.dir}/far.key"\n', FOUR_GB)
        cls.container = cls.up(folder)

    @classmethod
    def up(cls, folder):
        """A service of a Compose project, on a network of its own, with our alias; python3 is this machine's."""
        mounts = [f"{cls.place.dir}/client.py:/client.py:ro", f"{cls.place.dir}/far.pem:/certificate:ro"]
        mounts += [f"{path}:{path}:ro" for path in ("/usr", "/lib", "/lib64") if os.path.isdir(path)]
        with open(folder + "/docker-compose.yml", "w") as file:
            file.write(COMPOSE.format(volumes=json.dumps(mounts)))
        done = subprocess.run([program("docker-compose"), "-p", "web", "up", "-d"], env=cls.docker.env, cwd=folder,
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.addClassCleanup(subprocess.run, [program("docker-compose"), "-p", "web", "down", "-t", "0"],
                            env=cls.docker.env, cwd=folder, capture_output=True, timeout=60)
        return cls.docker.say("ps", "--format", "{{.Names}}")

    def setUp(self):
        self.client = subprocess.Popen(
            [program("docker"), "exec", "-i", self.container, "/usr/bin/python3", "-u", "/client.py"], env=self.docker.env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.client.wait)
        self.addCleanup(self.client.stdout.close)
        self.addCleanup(self.client.stdin.close)

    def ask(self, path, key=None, body=None, host="estiva:7701", method=None, **fields):
        """(status, document or text, fields), asked from inside the container on its kept connection."""
        if key:
            fields["Authorization"] = "Bearer " + key
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        self.client.stdin.write(json.dumps([host, method or ("POST" if body else "GET"), path, fields, body]) + "\n")
        self.client.stdin.flush()
        status, text, headers = json.loads(self.client.stdout.readline())
        try:
            return status, json.loads(text), headers
        except ValueError:
            return status, text, headers

    def until_open(self, asked="docker"):
        def is_open():
            told = json.loads(self.place.estiva("key", "--json").out)["listeners"]
            return [one for one in told if one["asked"] == asked and one["open"]]
        return until(is_open, f"the gateway listens on {asked}")[0]

    def test_a_key_opens_the_models_by_every_api_until_it_is_revoked(self):
        key = self.place.key("n8n")
        self.assertEqual(self.until_open()["address"], f"{BRIDGE}:7701")
        for path, body, engine in (("/v1/chat/completions", {"model": "one", "messages": []}, "one"),
                                   ("/v1/embeddings", {"model": "two-too", "input": "x"}, "two"),
                                   ("/api/generate", {"model": "one", "prompt": "x"}, "one"),
                                   ("/api/chat", {"model": "two", "messages": []}, "two"),
                                   ("/v1/messages", {"model": "one", "messages": []}, "one")):
            status, answer, _ = self.ask(path, key, body)
            self.assertEqual((status, answer["engine"], answer["path"]), (200, engine, path))
            self.assertNotIn("authorization", answer["fields"], "our key is not the engine's business")
        self.assertEqual(self.ask("/models/two/any/path?x=1", key)[1]["path"], "/any/path?x=1")
        self.assertEqual(self.ask("/v1/models", x_api_key=key)[0], 200)
        self.assertEqual(self.ask("/api/tags", key, host=f"{BRIDGE}:7701")[0], 200)
        self.until_open(f"{FAR}:7702")
        self.assertEqual(self.ask("/v1/models", key, host=f"https://{FAR}:7702")[0], 200, "beyond the machine it is TLS")
        self.assertEqual(self.ask("/v1/models", key, host=f"{FAR}:7702")[0], 0, "and nothing else")
        for wrong in (None, "estiva-" + "0" * 64, key[:-1]):
            status, answer, _ = self.ask("/v1/chat/completions", wrong, {"model": "one"})
            self.assertEqual((status, answer["error"]["type"]), (401, "authentication_error"))
        self.assertEqual(self.ask("/v1/models", key)[0], 200)
        self.assertEqual(self.place.estiva("key", "revoke", "n8n").code, 0)
        until(lambda: self.ask("/v1/models", key)[0] == 401, "the same connection is refused", 5)

    def test_roles_say_what_a_key_may_do(self):
        view, use, operate = (self.place.key(role, "--role", role) for role in ("view", "use", "operate"))
        some = self.place.key("some", "--role", "operate", "--model", "two")
        self.until_open()
        chat = {"model": "one", "messages": []}
        self.assertEqual([m["id"] for m in self.ask("/v1/models", view)[1]["data"]], ["one", "two"])
        self.assertEqual(self.ask("/v1/chat/completions", view, chat)[0], 403)
        self.assertEqual(self.ask("/models/one/x", view)[0], 403)
        self.assertEqual(self.ask("/v1/chat/completions", use, chat)[0], 200)
        self.assertEqual(self.ask("/api/v1/models", use)[0], 403)
        self.assertEqual(self.ask("/api/v1/models/one/unload", use, method="POST")[0], 403)

        self.assertEqual(self.ask("/api/v1/models/one/unload", operate, method="POST")[0], 200)
        states = {m["name"]: m for m in self.ask("/api/v1/models", operate)[1]["models"]}
        self.assertEqual(states["one"]["state"], "absent")
        self.assertEqual(self.ask("/api/v1/models/load?model=one", operate, method="POST")[0], 200)
        self.assertEqual(self.ask("/api/v1/models/one/pin", operate, method="POST")[0], 200)
        self.assertTrue(self.place.models()["one"]["pinned"])
        self.assertEqual(self.ask("/api/v1/models/one/unpin", operate, method="POST")[0], 200)
        for path, method in (("/api/v1/keys", "GET"), ("/api/v1/leases", "GET"), ("/api/v1/models/one/log", "GET"),
                             ("/api/v1/models/one/policy", "POST"), ("/api/v1/models/../keys", "GET"),
                             ("/api/v1/models/one/../../keys", "POST")):
            self.assertEqual(self.ask(path, operate, method=method)[0], 404, path)

        self.assertEqual([m["id"] for m in self.ask("/v1/models", some)[1]["data"]], ["two"])
        self.assertEqual(self.ask("/v1/chat/completions", some, chat)[0], 403)
        self.assertEqual(self.ask("/v1/models/one", some)[0], 403)
        self.assertEqual(self.ask("/models/one/x", some)[0], 403)
        self.assertEqual(self.ask("/api/v1/models/one/load", some, method="POST")[0], 403)
        self.assertEqual(self.ask("/v1/chat/completions", some, {"model": "two-too"})[0], 200)
        self.assertNotIn("one", json.dumps(self.ask("/v1/chat/completions", some, {"model": "ones"})[1]["error"]["message"]
                                           .replace("ones", "")))

    def test_quotas_and_use_outlive_the_daemon(self):
        key = self.place.key("day", "--quota", "4")
        self.until_open()
        self.assertEqual(self.ask("/v1/chat/completions", key, {"model": "one"})[0], 200)
        until(lambda: self.place.usage("day")["requests_total"] == 1, "the use is told")
        self.place.stop()
        self.assertEqual(self.ask("/v1/chat/completions", key, {"model": "one"})[0], 200, "without a daemon")
        self.place.begin_daemon()
        used = until(lambda: (lambda u: u["requests_total"] == 2 and u)(self.place.usage("day")), "both are counted")
        self.assertGreater(used["received_bytes_total"], 0)
        self.assertGreater(used["sent_bytes_total"], used["received_bytes_total"])
        self.assertTrue(used["last_used_at"])
        os.kill(self.place.gateway_pid(), 9)
        until(lambda: self.ask("/healthz")[0] == 200, "the next gateway answers")
        self.assertEqual([self.ask("/v1/models", key)[0] for _ in range(3)], [200, 200, 429], "a new gateway goes on counting")
        status, answer, fields = self.ask("/v1/models", key)
        self.assertEqual(status, 429)
        self.assertIn("4 requests", answer["error"]["message"])
        self.assertLessEqual(int(fields["Retry-After"]), 86400)
        until(lambda: self.place.usage("day")["refused_total"] == 2, "those that were refused are counted")
        self.assertEqual(self.place.usage("day")["requests_today"], 4)
        self.assertIn("day", self.place.estiva("key", "usage").out)

    def test_pages_of_other_sites_are_refused_with_a_key_too(self):
        key = self.place.key("page")
        self.until_open()
        for fields, status in (({"Host": "evil.example"}, 403), ({"Host": "estiva"}, 200), ({"Host": "estiva:7701"}, 200),
                               ({"Host": "host.docker.internal:7701"}, 200), ({"Host": f"{BRIDGE}:7701"}, 200),
                               ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
                               ({"Origin": "http://estiva:7701"}, 200)):
            self.assertEqual(self.ask("/v1/models", key, **fields)[0], status, fields)


class Words(Case):
    """The verb, without a gateway."""

    def setUp(self):
        super().setUp()
        self.simulated(harness.ONE_GPU, "--gateway", "docker:7712")

    def test_a_key_is_shown_once_and_kept_as_a_digest(self):
        made = self.expect(self.estiva("key", "create", "n8n", "--quota", "1000", "--at-once", "4", "--model", "a"), 0,
                           "shown this once", "http://estiva:7712/v1", "estiva:host-gateway")
        secret = made.out.strip()
        self.assertRegex(secret, r"^estiva-[0-9a-f]{64}$")
        path = os.path.join(self.place.state, "keys.json")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        for name in os.listdir(self.place.state):
            with open(os.path.join(self.place.state, name), "rb") as file:
                self.assertNotIn(secret[7:].encode(), file.read(), name)
        self.expect(self.estiva("key", "create", "n8n"), 5, "there is a key 'n8n' already")
        other = json.loads(self.expect(self.estiva("key", "create", "web", "--role", "view", "--json"), 0).out)
        self.assertEqual((other["schema"], other["key"]["role"], other["key"]["requests_a_day"]), ("estiva/key/1", "view", None))
        self.assertNotEqual(other["secret"], secret)
        listed = self.expect(self.estiva("key"), 0, "n8n", "1000", "never", "web", "view").out
        self.assertNotIn(secret[:20], listed)
        document = self.estiva("key", "--json").json()
        self.assertEqual([key["name"] for key in document["keys"]], ["n8n", "web"])
        self.assertEqual((document["keys"][0]["models"], document["keys"][0]["at_once"]), (["a"], 4))

        self.place.stop()
        self.place.start_simulated(harness.ONE_GPU)
        self.assertEqual(self.estiva("key", "--json").json()["keys"], document["keys"])
        self.expect(self.estiva("key", "revoke", "n8n"), 0, "refused from now on")
        self.expect(self.estiva("key", "revoke", "n8n"), 1, "there is no key 'n8n'")
        self.expect(self.estiva("events"), 0, "the key was revoked")
        with open(path) as file:
            self.assertNotIn("n8n", file.read())

    def test_without_a_key_the_listener_is_refused_with_a_sentence(self):
        self.expect(self.estiva("key"), 0, "There is no key", "does not listen on docker:7712", "estiva key create")
        self.assertIn("does not listen on docker:7712", self.place.read_log())

    def test_what_is_wrong_is_told(self):
        for words, code, part in ((("create",), 2, "needs the name"), (("revoke",), 2, "needs the name"), (("list", "x"), 2, "no name"),
                                  (("make", "x"), 2, "'make' is not"), (("create", "a b"), 2, "can't be the name"),
                                  (("create", "x", "--role", "root"), 2, "'root' is not"), (("create", "x", "--quota", "0"), 2, "--quota"),
                                  (("usage", "--quota", "3"), 2, "for 'key create'"), (("create", ".."), 2, "can't be the name")):
            self.expect(self.estiva("key", *words), code, part)
        self.assertFalse(os.path.exists(os.path.join(self.place.state, "keys.json")))

    def test_keys_are_the_control_socket_s_alone(self):
        self.place.stop()
        self.place.start_simulated(harness.ONE_GPU)
        with open(os.path.join(self.place.state, "token")) as file:
            token = file.read().strip()
        tcp = http.client.HTTPConnection("127.0.0.1", self.place.tcp_port(), timeout=60)
        status, answer = self.place.request("GET", "/api/v1/keys", None, {"Authorization": f"Bearer {token}"}, tcp)
        self.assertEqual(status, 403)
        self.assertIn("control socket", answer["error"]["message"])

    def test_a_damaged_file_stops_the_start_and_stays(self):
        self.estiva("key", "create", "x")
        self.place.stop()
        path = os.path.join(self.place.state, "keys.json")
        for text, mode, part in (('{"version":1,"keys":[{"name":"x","sha256":"1"}]}', 0o600, "damaged"), ("{", 0o600, "damaged"),
                                 (None, 0o644, "only its owner")):
            if text:
                with open(path, "w") as file:
                    file.write(text)
            os.chmod(path, mode)
            daemon = self.place.start("--simulate", self.place.file("scenario", harness.ONE_GPU), "--listen", "127.0.0.1:0", wait=False)
            self.assertEqual(daemon.wait(harness.PATIENCE), 5)
            self.place.daemon = None
            self.assertIn(part, self.place.read_log())
            self.assertTrue(os.path.exists(path))


if __name__ == "__main__":
    unittest.main()
