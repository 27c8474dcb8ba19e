"""The gateway's listener with TLS, as real clients see it: Python's ssl and curl, on OpenSSL."""
import hashlib
import http.client
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from gateway_place import GATEWAY, GatewayPlace
from harness import PATIENCE, until

KEY = {"name": "k", "role": "use", "sha256": hashlib.sha256(b"secret").hexdigest()}
BEARER = {"Authorization": "Bearer secret"}


def certificate(folder, name):
    """A new pair, as a renewal makes it: files of another name, then renamed."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", folder + "/new.key", "-out", folder + "/new.pem"],
                   check=True, capture_output=True)
    os.rename(folder + "/new.key", folder + "/key")
    os.rename(folder + "/new.pem", folder + "/pem")


class TlsPlace(GatewayPlace):
    def __init__(self):
        self.files = tempfile.mkdtemp(prefix="estiva-tls-", dir="/tmp")
        certificate(self.files, "first")
        super().__init__("--listen-tls", "127.0.0.1:0", "--certificate", self.files + "/pem", "--private-key", self.files + "/key",
                         keys=[KEY])

    def context(self):
        return ssl.create_default_context(cafile=self.files + "/pem")

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=self.context())

    def name(self):
        """Of the certificate that is shown to a new client."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as plain, context.wrap_socket(plain) as wire:
            shown = ssl.DER_cert_to_PEM_cert(wire.getpeercert(True))
        return subprocess.run(["openssl", "x509", "-noout", "-subject"], input=shown, capture_output=True, text=True).stdout.strip()[-6:]

    def close(self):
        super().close()
        subprocess.run(["rm", "-rf", self.files], check=True)


class Tls(unittest.TestCase):
    def setUp(self):
        self.place = TlsPlace()
        self.addCleanup(self.place.close)

    def test_requests_bodies_and_streams_pass_as_without(self):
        upstream = self.place.serve("a")
        connection = self.place.connect()
        for size in (0, 1, 16_383, 16_385, 3_000_000):
            body = b'{"model":"a","x":"' + b"y" * size + b'"}'
            status, _, answer = self.place.call("/v1/chat/completions", body, BEARER, connection=connection)
            self.assertEqual((status, answer["sha256"]), (200, hashlib.sha256(body).hexdigest()))
        connection.close()
        self.assertEqual(len(upstream.requests), 5)
        self.assertEqual(self.place.chat("a")[0], 401)

        def stream(request):
            request.read_body()
            request.start_events()
            for i in range(3):
                request.send_chunk(b"data: %d\n\n" % i)
                self.seen.acquire()
            request.send_chunk(b"z" * 2_000_000)
            request.send_chunk(b"")
        self.seen = threading.Semaphore(0)
        self.place.serve("b", stream)
        connection = self.place.connect()
        connection.request("POST", "/v1/chat/completions", b'{"model":"b"}', BEARER)
        answer = connection.getresponse()
        for i in range(3):  # each arrives before the next is sent
            self.assertEqual((answer.readline(), answer.readline()), (b"data: %d\n" % i, b"\n"))
            self.seen.release()
        self.assertEqual(len(answer.read()), 2_000_000)
        connection.close()

    def test_curl_verifies_it_and_old_protocols_are_refused(self):
        self.place.serve("a")
        url = f"https://127.0.0.1:{self.place.port}/v1/models"
        curl = ["curl", "-sS", "--cacert", self.place.files + "/pem", "-H", "x-api-key: secret", url]
        self.assertIn('"id":"a"', subprocess.run(curl, capture_output=True, text=True).stdout)
        self.assertIn('"id":"a"', subprocess.run([*curl, "--tls-max", "1.2"], capture_output=True, text=True).stdout)
        self.assertNotEqual(subprocess.run([*curl, "--tls-max", "1.1"], capture_output=True).returncode, 0)
        self.assertNotEqual(subprocess.run(["curl", "-sS", url], capture_output=True).returncode, 0, "nobody vouches for it")
        self.assertNotEqual(subprocess.run(["curl", "-sS", url.replace("https", "http")], capture_output=True).returncode, 0)

    def test_a_client_that_hangs_up_leaves_the_queue_and_the_engine(self):
        ended = []

        def slow(request):
            request.read_body()
            request.start_events()
            request.send_chunk(b"data: 1\n\n")
            ended.append(request.wire.recv(1))
            return False
        self.place.serve("a", slow)
        for model in ("a", "b"):  # one is answered already, one waits for its model
            connection = self.place.connect()
            connection.request("POST", "/v1/chat/completions", b'{"model":"%s"}' % model.encode(), BEARER)
            if model == "a":
                connection.getresponse()
            else:
                self.place.estivad.heard("want", model="b")
            connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.place.estivad.heard("leave")
        until(lambda: ended == [b""], "the engine's connection is closed")

    def test_an_engine_that_dies_in_mid_stream_cuts_the_body(self):
        def dies(request):
            request.read_body()
            request.wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\nhello")
            return False
        self.place.serve("a", dies)
        connection = self.place.connect()
        connection.request("POST", "/v1/chat/completions", b'{"model":"a"}', BEARER)
        with self.assertRaises((http.client.IncompleteRead, OSError)):
            connection.getresponse().read()

    def test_a_renewed_certificate_is_shown_and_streams_go_on(self):
        self.place.serve("a")
        connection = self.place.connect()
        self.assertEqual(self.place.chat("a", headers=BEARER, connection=connection)[0], 200)
        self.assertTrue(self.place.name().endswith("first"))
        certificate(self.place.files, "second")
        until(lambda: self.place.name().endswith("second"), "the new one is shown")
        self.assertEqual(self.place.chat("a", headers=BEARER, connection=connection)[0], 200, "the old connection")
        self.assertEqual(self.place.chat("a", headers=BEARER)[0], 200)

    def test_without_both_files_it_does_not_start(self):
        for words in (["--listen-tls", "127.0.0.1:0"], ["--certificate", "/x"], ["--private-key", "/x"]):
            done = subprocess.run([GATEWAY, "--socket", "/nowhere", *words], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("private key", done.stderr)


if __name__ == "__main__":
    unittest.main()
