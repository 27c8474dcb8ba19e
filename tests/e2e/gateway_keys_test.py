"""A listener with keys: who is admitted and how many at once, and addresses that open and close while it runs."""
import hashlib
import http.client
import subprocess
import threading
import unittest

from gateway_place import GATEWAY, GatewayPlace, in_background
from harness import PATIENCE, until


class Keys(unittest.TestCase):
    def place(self, *flags, **more):
        place = GatewayPlace(*flags, **more)
        self.addCleanup(place.close)
        return place

    def key(self, name, role="use", **more):
        return dict(more, name=name, role=role, sha256=hashlib.sha256(f"key-{name}".encode()).hexdigest())

    def test_a_listener_with_keys_admits_by_role_quota_and_until_revoked(self):
        place = self.place("--listen-with-key", "127.0.0.1:0", keys=[
            self.key("u"), self.key("v", "view"), self.key("q", requests_a_day=2)])
        upstream = place.serve("a")
        bearer = lambda name: {"Authorization": f"Bearer key-{name}"}  # noqa: E731
        self.assertEqual(place.chat("a")[0], 401)
        self.assertEqual(place.chat("a", headers=bearer("x"))[0], 401)
        self.assertEqual(place.chat("a", headers=bearer("v"))[0], 403)
        self.assertEqual(place.call("/v1/models", None, bearer("v"), "GET")[0], 200)
        self.assertEqual(place.chat("a", headers=bearer("u"))[0], 200)
        self.assertEqual(place.chat("a", headers={"x-api-key": "key-u"})[0], 200)
        for request in upstream.requests:
            self.assertFalse({"authorization", "x-api-key"} & set(request.headers))
        self.assertEqual([place.chat("a", headers=bearer("q"))[0] for _ in range(3)], [200, 200, 429])
        told = lambda name, what: sum(m.get(what, 0) for m in place.estivad.said  # noqa: E731
                                      if m["kind"] == "key" and m["key"] == name)
        until(lambda: told("u", "requests") == 2, "both requests are told")
        self.assertGreater(told("u", "bytes_in"), 0)
        self.assertGreater(told("u", "bytes_out"), 0)
        until(lambda: (told("q", "requests"), told("q", "refused"), told("v", "refused")) == (2, 1, 1), "refusals, too")
        place.routes([{"model": "a"}], keys=[self.key("v", "view")])
        until(lambda: place.chat("a", headers=bearer("u"))[0] == 401, "the key is revoked")

    def test_so_many_at_once(self):
        place = self.place("--listen-with-key", "127.0.0.1:0", keys=[self.key("k", at_once=2)])
        going = threading.Semaphore(0)

        def slow(request):
            request.read_body()
            going.acquire()
            request.respond(200, b"{}")
        upstream = place.serve("a", slow)
        bearer = {"x-api-key": "key-k"}
        busy = [in_background(lambda: place.chat("a", headers=bearer)[0]) for _ in range(2)]
        until(lambda: len(upstream.requests) == 2, "both are with the engine")
        status, fields, _ = place.chat("a", headers=bearer)
        self.assertEqual((status, fields["retry-after"], fields["x-estiva-reason"]), (429, "1", "at-once"))
        going.release(2)
        self.assertEqual([one.result() for one in busy], [200, 200])
        going.release()
        self.assertEqual(place.chat("a", headers=bearer)[0], 200)

    def test_estivad_opens_and_closes_addresses_while_it_runs(self):
        """127.0.0.2 stands for an address of a bridge: it is as far from this machine's users' as that."""
        place = self.place()
        tell = lambda listen, **more: place.estivad.send(  # noqa: E731
            "routes", routes=[{"model": "a"}], keys=[self.key("k")], listen=[{"address": a} for a in listen], **more)
        port = place.port

        def status(host, key=None):
            wire = http.client.HTTPConnection(host, port, timeout=PATIENCE)
            try:
                wire.request("GET", "/v1/models", headers={"x-api-key": key} if key else {})
                return wire.getresponse().status
            except (ConnectionRefusedError, ConnectionResetError):  # reset: it was in the queue of one that closed
                return None
            finally:
                wire.close()
        tell([f"127.0.0.2:{port}", f"127.0.0.1:{port}", "203.0.113.9:1"])
        place.estivad.heard("listens", address=f"127.0.0.2:{port}", problem=0)
        self.assertIn("in use", place.estivad.heard("listens", address=f"127.0.0.1:{port}")["problem"])
        self.assertIn("TLS", place.estivad.heard("listens", address="203.0.113.9:1")["problem"])
        self.assertEqual([status("127.0.0.2"), status("127.0.0.2", "key-k"), status("127.0.0.1")], [401, 200, 200])
        kept = http.client.HTTPConnection("127.0.0.2", port, timeout=PATIENCE)
        kept.request("GET", "/v1/models", headers={"x-api-key": "key-k"})
        kept.getresponse().read()
        tell([])  # it is not complete: Docker has not answered yet
        place.estivad.said.clear()
        tell([f"127.0.0.2:{port}"])
        place.estivad.heard("listens", address=f"127.0.0.2:{port}")
        tell([], listens_only=True)
        until(lambda: status("127.0.0.2") is None, "it is closed")
        kept.request("GET", "/v1/models", headers={"x-api-key": "key-k"})
        self.assertEqual(kept.getresponse().status, 200, "a connection of before goes on")
        kept.close()
        tell([f"127.0.0.2:{port}"])
        until(lambda: status("127.0.0.2", "key-k") == 200, "it is open again")
        self.assertEqual(status("127.0.0.1"), 200)

    def test_beyond_loopback_a_key_is_needed_without_being_asked_for(self):
        address = None
        with open("/proc/net/fib_trie") as file:
            lines = file.read().split("\n")
        for before, line in zip(lines, lines[1:]):
            if "/32 host LOCAL" in line and "127." not in before:
                address = before.split()[-1]
        if address is None:
            self.skipTest("this machine has only the loopback address")
        place = self.place("--listen-behind-tls", f"{address}:0", keys=[self.key("u")])
        place.serve("a")
        place.connect = lambda: http.client.HTTPConnection(address, place.port, timeout=PATIENCE)
        self.assertEqual(place.chat("a")[0], 401)
        self.assertEqual(place.chat("a", headers={"x-api-key": "key-u"})[0], 200)
        for where in (f"{address}:0", "0.0.0.0:0", "[::]:0"):
            done = subprocess.run([GATEWAY, "--socket", "/nowhere", "--listen", where], text=True,
                                  capture_output=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 5)
            self.assertIn("beyond this machine", done.stderr)

    def test_the_engine_s_own_key_goes_to_the_engine(self):
        place = self.place()
        upstream = place.serve("a", bearer="engine-key")
        place.chat("a", headers={"Authorization": "Bearer mine"})
        self.assertEqual(upstream.requests[0].headers["authorization"], "Bearer engine-key")
