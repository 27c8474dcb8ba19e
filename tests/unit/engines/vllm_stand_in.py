"""Answers as a vLLM server does about sleep: docs.vllm.ai, "Sleep Mode", and vllm/entrypoints of 0.11.

    vllm_stand_in.py serve MODEL --port N [--enable-sleep-mode] [--fail PATH] [--no-sleep]

The development endpoints are there only with VLLM_SERVER_DEV_MODE=1. Asleep it refuses completions with 503.
After level 2 its answers are right only once the weights were read again and the prefix cache was reset.
--fail: that path answers 500, as an exception in the engine does. --no-sleep: /sleep answers and does nothing.
"""
import http.server
import json
import os
import sys
from urllib.parse import parse_qs, urlsplit

WORDS = sys.argv[1:]
DEV = os.environ.get("VLLM_SERVER_DEV_MODE") == "1"


def option(name):
    return WORDS[WORDS.index(name) + 1] if name in WORDS else None


class State:
    level = 0
    has_weights = True
    has_stale_cache = False
    asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=""):
        raw = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def begin(self):
        self.query = parse_qs(urlsplit(self.path).query)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        State.asked.append(f"{self.command} {self.path}")
        if path == option("--fail"):
            print("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", flush=True)
            self.answer(500, "Internal Server Error")
            return None
        return path

    def do_GET(self):
        path = self.begin()
        if path is None:
            return
        if path == "/health":
            self.answer(200)
        elif path == "/asked":  # the test's own question
            self.answer(200, "\n".join(State.asked[:-1]))
        elif path == "/is_sleeping" and DEV:
            self.answer(200, json.dumps({"is_sleeping": State.level > 0}))
        else:
            self.answer(404, json.dumps({"detail": "Not Found"}))

    def do_POST(self):
        path = self.begin()
        if path is None:
            return
        known = {"/sleep": self.sleep, "/wake_up": self.wake, "/collective_rpc": self.rpc,
                 "/reset_prefix_cache": self.reset} if DEV else {}
        known["/v1/completions"] = self.complete
        known.get(path, lambda: self.answer(404, json.dumps({"detail": "Not Found"})))()

    def sleep(self):
        if "--enable-sleep-mode" in WORDS and "--no-sleep" not in WORDS:
            State.level = int(self.query.get("level", ["1"])[0])
            State.has_weights = State.level == 1
            State.has_stale_cache = State.level == 2
        self.answer(200)

    def wake(self):
        State.level = 0
        self.answer(200)

    def rpc(self):
        method = json.loads(self.body).get("method")
        if method != "reload_weights":
            return self.answer(400, "Missing 'method' in request body")
        if State.level > 0:
            return self.answer(500, "Internal Server Error")
        State.has_weights = True
        self.answer(200)

    def reset(self):
        State.has_stale_cache = False
        self.answer(200)

    def complete(self):
        if State.level > 0:
            return self.answer(503, "the model is sleeping")
        self.answer(200, "right" if State.has_weights and not State.has_stale_cache else "nonsense")

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(option("--port"))), Handler).serve_forever()
