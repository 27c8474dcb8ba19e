"""Stands for an Ollama server, which can't be had here: its documented API (docs/api.md), and its process tree: a
child 'ollama runner --model PATH/blobs/sha256-DIGEST --port N' for each loaded model, which holds the model's bytes.

    with OllamaStand(folder, {"tiny:latest": Model(64 << 20)}) as server: ... server.url

What a test may set while it runs: `vram` (bytes that models may take on the GPU; the rest goes to the CPU, as Ollama does
it), `load_seconds`, `unload_seconds`, `answer_seconds`, `error` (status and words of the next load). Standard library only.
"""
import hashlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time

RUNNER = """import os, sys
held = bytearray(int(os.environ["STAND_BYTES"]))
for at in range(0, len(held), 4096):
    held[at] = 1
command = os.environ.get("STAND_COMMAND")
if command:
    import subprocess
    child = subprocess.Popen(["/bin/sh", "-c", command])
print("ready", flush=True)
sys.stdin.read()
"""


class Model:
    def __init__(self, size, embedding=False, parameters="", info=None, command=""):
        self.size, self.embedding, self.parameters = size, embedding, parameters
        self.info = info or {"general.architecture": "llama", "llama.block_count": 2, "llama.attention.head_count": 4,
                             "llama.attention.head_count_kv": 2, "llama.embedding_length": 256}
        self.command = command  # run by the runner's side, for tests that want it to allocate somewhere


class Loaded:
    def __init__(self, process, size, size_vram, expires):
        self.process, self.size, self.size_vram, self.expires = process, size, size_vram, expires
        self.requests = 0


class OllamaStand:
    VERSION = "0.12.3"

    def __init__(self, folder, models, port=0):
        self.folder, self.models = folder, models
        self.vram = 1 << 40
        self.load_seconds = self.unload_seconds = self.answer_seconds = 0.0
        self.error = None
        self.calls = []
        self.loaded = {}
        self.lock = threading.RLock()
        self.one_load = threading.Lock()
        os.makedirs(folder + "/blobs", exist_ok=True)
        with open(folder + "/runner", "w") as file:
            file.write(RUNNER)
        stand = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                stand.handle(self, None)

            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                stand.handle(self, self.rfile.read(length))

            do_DELETE = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.is_ending = False
        for work in (self.server.serve_forever, self.expire):
            threading.Thread(target=work, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.is_ending = True
        self.server.shutdown()
        self.server.server_close()
        for name in list(self.loaded):
            self.end_runner(name)

    # ---- what its processes are

    def digest(self, name):
        return hashlib.sha256(name.encode()).hexdigest()

    def blob(self, name):
        return f"{self.folder}/blobs/sha256-{self.digest(name)}"

    def pid(self, name):
        return self.loaded[name].process.pid

    def start_runner(self, name):
        model = self.models[name]
        words = ["ollama", "runner", "--model", self.blob(name), "--port", "0"]
        env = dict(os.environ, PYTHONHOME=sys.base_prefix, STAND_BYTES=str(model.size), STAND_COMMAND=model.command)
        process = subprocess.Popen(words, executable=sys.executable, cwd=self.folder, env=env, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, start_new_session=True)
        if process.stdout.readline() != b"ready\n":
            raise AssertionError("the stand-in's runner did not start")
        return process

    def end_runner(self, name):
        """As the scheduler does: first out of the list, then the process."""
        with self.lock:
            loaded = self.loaded.pop(name, None)
        if loaded is None:
            return
        time.sleep(self.unload_seconds)
        try:
            os.killpg(loaded.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        loaded.process.wait()
        loaded.process.stdin.close()
        loaded.process.stdout.close()

    def expire(self):
        while not self.is_ending:
            time.sleep(0.01)
            with self.lock:
                over = [name for name, one in self.loaded.items()
                        if (one.requests == 0 and one.expires is not None and time.monotonic() >= one.expires)
                        or one.process.poll() is not None]
            for name in over:
                self.end_runner(name)

    # ---- what it answers

    def handle(self, to, body):
        path = to.path.split("?")[0]
        request = json.loads(body) if body else {}
        with self.lock:
            self.calls.append((path, request))
        answers = {"/api/version": lambda: (200, {"version": self.VERSION}), "/api/tags": self.tags, "/api/ps": self.ps,
                   "/api/show": lambda: self.show(request), "/api/generate": lambda: self.generate(request),
                   "/api/embed": lambda: self.embed(request), "/api/delete": lambda: (500, {"error": "never"})}
        if path == "/":
            status, text = 200, b"Ollama is running"
        elif path in answers:
            status, document = answers[path]()
            text = json.dumps(document).encode()
        else:
            status, text = 404, b"404 page not found"
        try:
            to.send_response(status)
            to.send_header("Content-Type", "application/json; charset=utf-8")
            to.send_header("Content-Length", str(len(text)))
            to.end_headers()
            to.wfile.write(text)
        except (BrokenPipeError, ConnectionResetError):
            to.close_connection = True

    def full(self, name):
        return name if ":" in name.rsplit("/", 1)[-1] else name + ":latest"

    def row(self, name):
        return {"name": name, "model": name, "size": self.models[name].size, "digest": self.digest("manifest " + name),
                "details": {"format": "gguf", "family": "llama", "parameter_size": "1B", "quantization_level": "Q4_0"}}

    def tags(self):
        return 200, {"models": [dict(self.row(name), modified_at="2026-01-01T00:00:00Z") for name in self.models]}

    def ps(self):
        with self.lock:
            return 200, {"models": [dict(self.row(name), size=one.size, size_vram=one.size_vram,
                                         expires_at="2318-01-01T00:00:00Z") for name, one in self.loaded.items()]}

    def show(self, request):
        name = self.full(request.get("model") or request.get("name", ""))
        if name not in self.models:
            return 404, {"error": f"model '{name}' not found"}
        model = self.models[name]
        return 200, {"modelfile": f"# Modelfile generated by \"ollama show\"\n\nFROM {self.blob(name)}\nTEMPLATE x\n",
                     "parameters": model.parameters, "template": "x", "details": self.row(name)["details"],
                     "model_info": model.info, "capabilities": ["embedding" if model.embedding else "completion"]}

    def keep(self, name, request):
        """Loads it where it is not, as the first part of each request does; its error, or None."""
        with self.one_load:
            with self.lock:
                if name in self.loaded:
                    self.set_expiry(name, request)
                    return None
                error, self.error = self.error, None
            time.sleep(self.load_seconds)
            if self.is_ending:
                return 503, "server is ending"
            if error:
                return error
            process = self.start_runner(name)
            with self.lock:
                size = self.models[name].size
                used = sum(one.size_vram for one in self.loaded.values())
                self.loaded[name] = Loaded(process, size, max(0, min(size, self.vram - used)), time.monotonic() + 300)
                self.set_expiry(name, request)
        return None

    def set_expiry(self, name, request):
        keep_alive = request.get("keep_alive")
        if keep_alive is not None:
            self.loaded[name].expires = None if keep_alive < 0 else time.monotonic() + keep_alive

    def generate(self, request):
        name = self.full(request.get("model", ""))
        if name not in self.models:
            return 404, {"error": f"model '{name}' not found"}
        empty = {"model": name, "created_at": "2026-01-01T00:00:00Z", "response": "", "done": True}
        if not request.get("prompt") and request.get("keep_alive") == 0:
            with self.lock:
                if name in self.loaded:
                    self.loaded[name].expires = 0
            return 200, dict(empty, done_reason="unload")
        if self.models[name].embedding:
            return 400, {"error": f"\"{name}\" does not support generate"}
        error = self.keep(name, request)
        if error:
            return error[0], {"error": error[1]}
        if not request.get("prompt"):
            return 200, dict(empty, done_reason="load")
        with self.lock:
            loaded = self.loaded[name]
            loaded.requests += 1
        time.sleep(self.answer_seconds)
        loaded.requests -= 1
        return 200, dict(empty, response="echo: " + request["prompt"], done_reason="stop")

    def embed(self, request):
        name = self.full(request.get("model", ""))
        if name not in self.models:
            return 404, {"error": f"model '{name}' not found"}
        error = self.keep(name, request)
        if error:
            return error[0], {"error": error[1]}
        given = request.get("input") or []
        given = [given] if isinstance(given, str) else given
        return 200, {"model": name, "embeddings": [[float(len(text)), 1.0] for text in given]}


def main():
    """ollama_stand.py FOLDER NAME=BYTES...: a server of its own process; prints its address, ends with its input."""
    models = {name: Model(int(size)) for name, size in (word.rsplit("=", 1) for word in sys.argv[2:])}
    with OllamaStand(sys.argv[1], models) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
