"""Notifications, from a simulated GPU that gets hot to a webhook and a command."""
import http.server
import json
import os
import threading
import unittest

from harness import ONE_GPU, Case, until


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers.get("Title"), body.decode()))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *words):
        pass


class Notify(Case):
    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.server.seen, self.server.status = [], 200
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def configured(self, text):
        config = self.place.file("estiva.toml", "[notify]\n" + text)
        os.chmod(config, 0o600)
        self.simulated(ONE_GPU, "--config", config)

    def test_a_gpu_that_gets_hot_and_cools_down(self):
        self.configured(f'url = "{self.url}/topic"\nshape = "ntfy"\n')
        self.expect(self.estiva("notify", "test"), 0, "Sent")
        self.assertIn("This is a test", self.server.seen.pop()[2])
        shutdown = int(self.place.gpus()[0]["temperature_shutdown_celsius"])
        self.simulate("temperature", "0", str(shutdown - 3))
        until(lambda: self.server.seen, "it is told")
        path, title, body = self.server.seen.pop()
        self.assertEqual(path, "/topic")
        self.assertTrue(title.endswith("GPU 0 is UNHEALTHY"), title)
        self.assertIn(f"it is at {shutdown - 3} C", body)
        self.assertIn("What to do:", body)
        self.simulate("temperature", "0", "40")
        until(lambda: self.server.seen, "its end is told")
        self.assertTrue(self.server.seen.pop()[1].endswith("GPU 0: over"))
        until(lambda: b'estiva_notifications_total{result="sent"} 3\n' in
              self.place.request("GET", "/metrics")[1], "they are counted")

    def test_a_warning_is_told_only_where_it_is_asked_for(self):
        self.configured(f'url = "{self.url}/"\nfrom = "warn"\n')
        self.simulate("xid", "0", "31")
        until(lambda: self.server.seen, "it is told")
        document = json.loads(self.server.seen[0][2])
        self.assertEqual((document["schema"], document["state"], document["subject"]),
                         ("estiva/notification/1", "WARN", "GPU 0"))
        self.assertIn("XID 31", document["text"])

    def test_a_command(self):
        out = os.path.join(self.place.dir, "told")
        self.configured(f'command = ["/bin/sh", "-c", "cat >> {out}"]\n')
        self.simulate("xid", "0", "119")
        until(lambda: os.path.exists(out) and os.path.getsize(out), "the command ran")
        with open(out) as file:
            self.assertEqual(json.loads(file.readline())["state"], "UNHEALTHY")

    def test_what_goes_wrong_is_said(self):
        self.configured(f'url = "{self.url}/"\n')
        self.server.status = 403
        ran = self.expect(self.estiva("notify", "test"), 1, "403")
        self.assertNotIn(self.url, ran.err + ran.out + self.place.read_log(), "the URL may be a secret")
        self.expect(self.estiva("notify", "now"), 2, "'now' is nothing that notify does")

    def test_nothing_is_set(self):
        self.simulated()
        self.expect(self.estiva("notify", "test"), 5, "notify.url")
        self.assertNotIn("estiva_notifications", self.place.request("GET", "/metrics")[1].decode())

    def test_a_file_that_others_may_write_runs_no_command(self):
        config = self.place.file("estiva.toml", '[notify]\ncommand = ["/bin/true"]\n')
        os.chmod(config, 0o666)
        done = self.place.start("--config", config, "--listen", "off", wait=False)
        self.assertNotEqual(done.wait(timeout=30), 0)
        self.assertIn("estiva.toml", self.place.read_log())


if __name__ == "__main__":
    unittest.main()
