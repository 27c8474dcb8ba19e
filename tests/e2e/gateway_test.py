"""The gateway as a program: what it relays, byte for byte, and what it answers by itself."""
import hashlib
import http.client
import json
import os
import random
import socket
import unittest

from gateway_place import GatewayPlace
from harness import PATIENCE

# How many random bodies; `./test --long` sends 10,000, one in 200 of up to 100 MB.
LONG = bool(os.environ.get("ESTIVA_LONG"))
BODIES = 10_000 if LONG else 120


class Case(unittest.TestCase):
    def place(self, *flags, **more):
        place = GatewayPlace(*flags, **more)
        self.addCleanup(place.close)
        return place


class Relaying(Case):
    def body_of(self, rng, size):
        """A JSON body of about that size, with its model at a random place."""
        text = "".join(rng.choice('abc\\"\n{}[],: é') for _ in range(200))
        filler = (text * (size // 200 + 1))[:size * 3 // 4]  # escapes make it longer
        members = [('"prompt"', json.dumps(filler)), ('"n"', "1"), ('"deep"', '{"model":"no"}'),
                   ('"model"', '"a"')]
        rng.shuffle(members)
        return ("{" + ",".join(f"{k}: {v}" for k, v in members) + "}").encode()

    def test_bodies_arrive_byte_for_byte(self):
        place = self.place()
        upstream = place.serve("a")
        rng = random.Random(5)
        connection = place.connect()
        sizes = [1, 200, 64 << 10, 65 << 10, 1 << 20, 2 << 20, 30 << 20, 100 << 20]
        while len(sizes) < BODIES:
            sizes.append(int(2 ** rng.uniform(0, 26.6 if LONG and len(sizes) % 200 == 0 else 18)))
        for size in sizes:
            body = self.body_of(rng, size)
            wanted = hashlib.sha256(body).hexdigest()
            chunked = rng.random() < 0.3
            headers = {"Content-Type": "application/json"}
            sent = iter([body[:100], body[100:]]) if chunked and len(body) > 100 else body
            connection.request("POST", "/v1/completions", sent, headers, encode_chunked=sent is not body)
            response = connection.getresponse()
            answer = json.loads(response.read())
            self.assertEqual((response.status, answer["sha256"], answer["size"]), (200, wanted, len(body)))
        self.assertEqual(len(upstream.requests), len(sizes))

    def test_forty_alternating_requests_on_one_socket(self):
        place = self.place()
        place.serve("a")
        place.serve("b")
        connection = place.connect()
        for i in range(40):
            model = "ab"[i % 2]
            status, headers, answer = place.chat(model, connection=connection)
            self.assertEqual((status, answer["engine"], headers["x-estiva-model"]), (200, model, model))

    def test_pipelined_requests_reach_their_own_engines(self):
        place = self.place()
        place.serve("a")
        place.serve("b")
        wire = place.raw()
        text = b""
        for i in range(30):
            body = json.dumps({"model": "ab"[i % 2], "i": i}).encode()
            text += b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" \
                % (len(body), body)
        wire.sendall(text)
        reader = wire.makefile("rb")
        for i in range(30):
            response = http.client.HTTPResponse(_Wire(reader))
            response.begin()
            self.assertEqual(json.loads(response.read())["engine"], "ab"[i % 2])

    def test_the_name_that_the_engine_knows_is_written_into_the_body(self):
        place = self.place(routes=[{"model": "a", "aliases": ["nick"], "upstream_model": 'q"8'}])
        upstream = place.serve("a")
        for size in (10, 3 << 20):
            for tail in (True, False):
                rest = json.dumps("x" * size)
                body = f'{{"p":{rest}, "model" : "nick" }}' if tail else f'{{"model":"nick","p":{rest}}}'
                wanted = body.replace('"nick"', '"q\\"8"').encode()
                status, _, answer = place.call("/v1/completions", body.encode())
                self.assertEqual((status, answer["sha256"]), (200, hashlib.sha256(wanted).hexdigest()))
        self.assertEqual(len(upstream.requests), 4)

    def test_a_form_names_its_model(self):
        place = self.place(routes=[{"model": "w", "upstream_model": "whisper-1"}])
        place.serve("w")
        sound = os.urandom(3 << 20)
        for order in (0, 1):
            parts = [b'Content-Disposition: form-data; name="file"; filename="model"\r\n\r\n' + sound,
                     b'Content-Disposition: form-data; name="model"\r\n\r\nw']
            if order:
                parts.reverse()
            body = b"".join(b"--x=?\r\n" + part + b"\r\n" for part in parts) + b"--x=?--\r\n"
            wanted = body.replace(b'name="model"\r\n\r\nw', b'name="model"\r\n\r\nwhisper-1')
            status, _, answer = place.call("/v1/audio/transcriptions", body,
                                           {"Content-Type": 'multipart/form-data; boundary="x=?"'})
            self.assertEqual((status, answer["sha256"]), (200, hashlib.sha256(wanted).hexdigest()))

    def test_raw_paths_lose_their_prefix_and_the_longest_name_wins(self):
        place = self.place(models=("org", "org/name:8b"))
        place.serve("org")
        place.serve("org/name:8b", path_prefix="/pre")
        for target, engine, seen in (("/models/org/x?y=1", "org", "/x?y=1"),
                                     ("/models/org/name:8b/v1/z", "org/name:8b", "/pre/v1/z"),
                                     ("/models/org%2Fname%3A8b/", "org/name:8b", "/pre/"),
                                     ("/models/org", "org", "/"),
                                     ("/models/org/name:8bb/q", "org", "/name:8bb/q")):
            status, _, answer = place.call(target, b"any", method="PUT")
            self.assertEqual((status, answer["engine"], answer["target"]), (200, engine, seen), target)

    def test_websockets_go_through(self):
        def switch(request):
            self.assertEqual(request.headers["upgrade"], "websocket")
            request.wire.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                                 b"Upgrade: websocket\r\n\r\nfirst")
            while data := request.reader.read1(1 << 16):
                request.wire.sendall(data.upper())
            return False
        place = self.place()
        place.serve("a", switch)
        wire = place.raw()
        wire.sendall(b"GET /models/a/ws HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n"
                     b"Upgrade: websocket\r\n\r\nearly")
        reader = wire.makefile("rb")
        self.assertIn(b" 101 ", reader.readline())
        while reader.readline() != b"\r\n":
            pass
        self.assertEqual(reader.read(10), b"firstEARLY")
        big = os.urandom(1 << 20).lower()
        sender = __import__("threading").Thread(target=lambda: (wire.sendall(big), wire.shutdown(socket.SHUT_WR)))
        sender.start()
        self.assertEqual(hashlib.sha256(reader.read()).hexdigest(), hashlib.sha256(big.upper()).hexdigest())
        place.estivad.heard("use", model="a", in_flight=0)


class _Wire:
    """What http.client wants of a socket, over one reader for several responses."""

    def __init__(self, reader):
        self.reader = reader

    def makefile(self, *_):
        return _Kept(self.reader)


class _Kept:
    def __init__(self, reader):
        self.reader = reader

    def __getattr__(self, name):
        return getattr(self.reader, name)

    def close(self):
        pass


class Answers(Case):
    def test_what_can_not_be_served_is_said_in_the_form_of_each_api(self):
        place = self.place(models=("llama3", "mistral"))
        for target, pick in (("/v1/chat/completions", lambda d: d["error"]["message"]),
                             ("/v1/messages", lambda d: d["error"]["message"]),
                             ("/api/chat", lambda d: d["error"])):
            status, _, answer = place.call(target, {"model": "lama3"})
            self.assertEqual(status, 404)
            self.assertIn("Did you mean llama3?", pick(answer))
            status, _, answer = place.call(target, {"prompt": "x"})
            self.assertEqual(status, 400)
            self.assertIn("names no model", pick(answer))
        self.assertEqual(place.call("/v1/messages", {})[2]["type"], "error")
        for body in (b"[1]", b'{"model":"llama3"', b'{"model":3}', b'{"model":"llama3","model":"mistral"}'):
            self.assertEqual(place.call("/v1/completions", body)[0], 400, body)
        self.assertEqual(place.call("/v2/x", {})[0], 404)
        self.assertEqual(place.call("/api/pull", {"model": "llama3"})[0], 404)

    def test_the_lists_come_from_the_routes(self):
        place = self.place(models=("org/m:1", "b"))
        place.serve("b")
        names = [m["id"] for m in place.call("/v1/models", None, method="GET")[2]["data"]]
        self.assertEqual(names, ["org/m:1", "b"])
        self.assertEqual(place.call("/v1/models/org%2Fm:1", None, method="GET")[2]["id"], "org/m:1")
        self.assertEqual(place.call("/v1/models/none", None, method="GET")[0], 404)
        tags = place.call("/api/tags", None, method="GET")[2]["models"]
        self.assertEqual([m["name"] for m in tags], names)
        self.assertEqual([m["name"] for m in place.call("/api/ps", None, method="GET")[2]["models"]], ["b"])
        self.assertIn("version", place.call("/api/version", None, method="GET")[2])
        self.assertEqual(place.call("/healthz", None, method="GET")[0], 200)

    def test_pages_of_other_sites_are_kept_out(self):
        place = self.place()
        place.serve("a")
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            self.assertEqual(place.chat("a", headers=headers)[0], 403)
        self.assertEqual(place.chat("a", headers={"Origin": "http://localhost:3000"})[0], 200)

    def test_a_body_that_is_too_long_before_its_model_is_refused(self):
        place = self.place("--listen", "127.0.0.1:0", "--body-limit", "1MiB")
        place.serve("a")
        body = b'{"p":"%s","model":"a"}' % (b"x" * (2 << 20))
        self.assertEqual(place.call("/v1/completions", body)[0], 413)
        body = b'{"model":"a","p":"%s"}' % (b"x" * (2 << 20))
        self.assertEqual(place.call("/v1/completions", body)[0], 200)
