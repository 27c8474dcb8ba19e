"""estiva models discover: real folders with GGUF files, an Ollama that answers, a real dockerd with Compose's
labels. In a network namespace of its own, so that nothing else of the machine is asked."""
import fcntl
import http.server
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import tomllib
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import gguf_writer
from docker_place import PEERS, DockerCase
from harness import ESTIVA, PATIENCE, Case, Ran

# The namespace has no network: loopback comes up, the stand-ins of the test are started in it, then estiva.
INSIDE = """
import json, os, subprocess, sys
sys.path.insert(0, os.path.dirname({here!r}))
import discover_test
discover_test.bring_loopback_up()
for port, answers in json.loads(sys.argv[1]):
    discover_test.serve(port, answers)
sys.exit(subprocess.run(sys.argv[2:]).returncode)
"""
OLLAMA = {
    "/api/version": {"version": "0.12.3"},
    "/api/tags": {"models": [
        {"name": "qwen2.5:7b", "size": 4683087332, "details": {"format": "gguf", "family": "qwen2"}},
        {"name": "tiny:latest", "size": 1000, "details": {"format": "gguf", "family": "llama"}}]},
    "/api/ps": {"models": [{"name": "qwen2.5:7b", "size": 5 << 30, "size_vram": 5 << 30}]},
    "/api/show": {"model_info": {"general.architecture": "qwen2", "qwen2.block_count": 28,
                                 "qwen2.embedding_length": 3584, "qwen2.attention.head_count": 28,
                                 "qwen2.attention.head_count_kv": 4, "qwen2.context_length": 32768}}}
VLLM = {"/v1/models": {"object": "list", "data": [{"id": "Qwen/Qwen3-8B", "owned_by": "vllm"}]}}


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        answer = self.server.answers.get(self.path)
        body = json.dumps(answer).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


def bring_loopback_up():
    set_flags, up_and_running = 0x8914, 0x41  # SIOCSIFFLAGS; IFF_UP | IFF_RUNNING
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh22x", b"lo", up_and_running))


def serve(port, answers):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answers)
    server.answers = answers
    threading.Thread(target=server.serve_forever, daemon=True).start()


class DiscoverCase(Case):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can make a network of its own")
        self.home = os.path.join(self.place.dir, "home")
        os.makedirs(self.home)
        for name in ("OLLAMA_HOST", "OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "LLAMA_CACHE"):
            self.place.env.pop(name, None)
        self.place.env["HOME"] = self.home
        self.config = os.path.join(self.place.dir, "models.toml")

    def model(self, kind, *where):
        path = os.path.join(self.home, *where)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        gguf_writer.write(path, *gguf_writer.MODELS[kind]())
        return path

    def discover(self, *words, servers=(), docker="off"):
        script = INSIDE.format(here=os.path.abspath(__file__))
        done = subprocess.run(
            ["unshare", "--net", sys.executable, "-B", "-c", script, json.dumps(servers), ESTIVA, "models",
             "discover", "--docker", docker, *words], env=self.place.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        return Ran(done)

    def found(self, *words, code=0, **more):
        done = self.discover("--json", *words, **more)
        self.assertEqual(done.code, code, done)
        document = done.json()
        self.assertEqual(document["schema"], "estiva/models-discover/1")
        return {model["name"]: model for model in document["models"]}, document


class Files(DiscoverCase):
    def test_folders_of_three_programs_and_one_of_the_users(self):
        here = self.model("llama-8b", ".cache/llama.cpp", "ggml-org_Llama-GGUF_Llama-3.1-8B-Q4_K_M.gguf")
        # Hugging Face's snapshots are links to blobs; a second snapshot has the same file.
        hub = os.path.join(self.home, ".cache/huggingface/hub/models--Qwen--Qwen3-8B-GGUF")
        blob = self.model("qwen3-8b", hub, "blobs", "0" * 64)
        for commit in ("a", "b"):
            os.makedirs(f"{hub}/snapshots/{commit}")
            os.symlink(blob, f"{hub}/snapshots/{commit}/Qwen3-8B-Q4_K_M.gguf")
        self.model("tiny", ".lmstudio/models/me/tiny/Tiny.gguf")
        other = self.model("gemma3-12b", "other/deep/er/gemma.gguf")
        models, document = self.found("--folder", os.path.join(self.home, "other"), "--context", "32768")
        self.assertEqual(sorted(models), ["gemma", "llama-3.1-8b-q4_k_m", "qwen3-8b-q4_k_m", "tiny"])
        self.assertEqual(models["gemma"]["where"], other)
        # As llama-fit-params of llama.cpp 0.7.0 prints for this file: "6314 2528" MiB.
        estimate = models["gemma"]["estimate"]
        self.assertEqual((estimate["weights_bytes"] >> 20, estimate["cache_bytes"]), (6314, 2528 << 20))
        llama = models["llama-3.1-8b-q4_k_m"]
        self.assertEqual(llama["where"], here)
        # "4437 512" at 4,096 tokens, of which the table of tokens (281.8 MiB) stays in RAM.
        self.assertEqual(llama["estimate"]["weights_bytes"], 4653375488 - 128256 * 4096 // 256 * 144)
        tables = tomllib.loads(document["configuration"])["models"]
        self.assertEqual(sorted(tables), sorted(models))
        self.assertEqual(tables["gemma"], {"engine": "llama-server", "file": other,
                                           "vram": tables["gemma"]["vram"]})
        self.assertEqual(document["not_seen"], [])

    def test_damaged_and_incomplete_files_are_told(self):
        whole = self.model("tiny", "m", "whole.gguf")
        cut = self.model("tiny", "m", "cut.gguf")
        os.truncate(cut, os.path.getsize(cut) - 4096)
        with open(os.path.join(self.home, "m/none.gguf"), "w") as file:
            file.write("<html>404</html>")
        os.symlink("nowhere", os.path.join(self.home, "m/gone.gguf"))
        os.symlink("..", os.path.join(self.home, "m/loop"))
        models, document = self.found("--folder", os.path.join(self.home, "m"), "--folder", "/nowhere/x", code=3)
        self.assertEqual([model["where"] for model in models.values()], [whole])
        self.assertIn("cut.gguf is left out", document["left_out"][0])
        told = " ".join(document["not_seen"])
        for part in ("none.gguf can't be read: this is no GGUF", "gone.gguf can't be read", "/nowhere/x can't be"):
            self.assertIn(part, told)

    def test_a_model_in_parts_is_one(self):
        keys, tensors = gguf_writer.MODELS["tiny"]()
        folder = os.path.join(self.home, "m")
        os.makedirs(folder)
        total = 0
        for i in range(3):
            part = dict(keys if i == 0 else {}, **{"split.no": i, "split.count": 3})
            total += gguf_writer.write(f"{folder}/big-0000{i + 1}-of-00003.gguf", part, tensors[i::3])
        models, _ = self.found("--folder", folder)
        self.assertEqual(list(models), ["big"])
        # Its table of tokens stays in RAM: 256 x 320 values as Q4_K.
        self.assertEqual(models["big"]["estimate"]["weights_bytes"], total - 320 * 144)
        os.remove(f"{folder}/big-00002-of-00003.gguf")
        models, document = self.found("--folder", folder)
        self.assertEqual(models, {})
        self.assertIn("big-00002-of-00003.gguf is missing", document["left_out"][0])

    def test_safetensors_are_for_vllm(self):
        folder = os.path.join(self.home, ".cache/huggingface/hub/models--Qwen--Qwen3-0.6B/snapshots/a")
        os.makedirs(folder)
        header = json.dumps({"w": {"dtype": "BF16", "shape": [512, 1024], "data_offsets": [0, 1 << 20]}}).encode()
        with open(folder + "/model.safetensors", "wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(8 + len(header) + (1 << 20))
        with open(folder + "/config.json", "w") as file:
            json.dump({"model_type": "qwen3", "num_hidden_layers": 28}, file)
        models, document = self.found()
        self.assertEqual(list(models), ["qwen3-0.6b"])
        table = tomllib.loads(document["configuration"])["models"]["qwen3-0.6b"]
        self.assertEqual(table["engine"], "vllm")
        self.assertEqual(table["command"], ["vllm", "serve", folder, "--port", "${PORT}"])
        self.assertEqual(models["qwen3-0.6b"]["estimate"]["weights_bytes"], 1 << 20)


def fit_params(path, context):
    """(model, context, compute) in MiB, as llama.cpp itself says of a file."""
    root = os.path.join(PEERS, "llama")
    program, libraries = root + "/usr/bin/llama-fit-params", root + "/usr/lib/x86_64-linux-gnu"
    if not os.path.exists(program):
        raise unittest.SkipTest("llama-fit-params is not here")
    # Without repacking, which would hide weights in another buffer.
    done = subprocess.run(
        [libraries + "/ld-linux-x86-64.so.2", "--library-path", f"{libraries}:{libraries}/llama", program, "-m", path,
         "-c", str(context), "-np", "1", "-fitp", "on", "-nr"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=True)
    device, *sizes = done.stdout.split()
    return [int(size) for size in sizes]


class LlamaCpp(DiscoverCase):
    def test_the_estimate_is_what_llama_cpp_says(self):
        paths = {kind: self.model(kind, "m", kind + ".gguf") for kind in gguf_writer.MODELS}
        for context in (512, 4096, 32768):
            models, _ = self.found("--folder", os.path.join(self.home, "m"), "--context", str(context))
            self.assertEqual(sorted(models), sorted(paths))
            for kind, path in paths.items():
                with self.subTest(kind, context=context):
                    weights, cache, _compute = fit_params(path, context)
                    estimate = models[kind]["estimate"]
                    self.assertEqual(estimate["cache_bytes"] >> 20, cache)
                    # It computes on the CPU, and so has the table of tokens with the rest.
                    table = gguf_writer.table_of_tokens(kind)
                    self.assertEqual((estimate["weights_bytes"] + table) >> 20, weights)


class Servers(DiscoverCase):
    def test_ollama_that_answers_and_an_engine_beside_it(self):
        models, document = self.found(servers=[(11434, OLLAMA), (8000, VLLM), (8080, {"/health": {}})])
        self.assertEqual(sorted(models), ["qwen2.5:7b", "qwen3-8b", "tiny"])
        qwen = models["qwen2.5:7b"]
        self.assertEqual((qwen["engine"], qwen["where"]), ("ollama", "http://127.0.0.1:11434"))
        # 28 blocks x 4,096 cells x 4 heads x (128 + 128) x 2 bytes.
        self.assertEqual(qwen["estimate"]["cache_bytes"], 28 * 4096 * 4 * 256 * 2)
        self.assertEqual(qwen["estimate"]["weights_bytes"], 4683087332)
        tables = tomllib.loads(document["configuration"])["models"]
        self.assertEqual(tables["tiny"]["model"], "tiny:latest")
        self.assertEqual({key: tables["qwen3-8b"][key] for key in ("engine", "url", "model")},
                         {"engine": "remote", "url": "http://127.0.0.1:8000", "model": "Qwen/Qwen3-8B"})

    def test_ollama_that_does_not_run_has_its_folder(self):
        store = os.path.join(self.home, ".ollama/models")
        blob = self.model("llama-8b", store, "blobs", "sha256-" + "a" * 64)
        manifest = store + "/manifests/registry.ollama.ai/library/llama3.1/8b"
        os.makedirs(os.path.dirname(manifest))
        with open(manifest, "w") as file:
            json.dump({"layers": [{"mediaType": "application/vnd.ollama.image.model",
                                   "digest": "sha256:" + "a" * 64, "size": os.path.getsize(blob)}]}, file)
        models, _ = self.found()
        self.assertEqual(list(models), ["llama3.1:8b"])
        self.assertEqual(models["llama3.1:8b"]["where"], store)
        self.assertEqual(models["llama3.1:8b"]["estimate"]["cache_bytes"], 512 << 20)

    def test_another_machines_ollama_is_not_asked(self):
        self.place.env["OLLAMA_HOST"] = "192.0.2.1:11434"
        _, document = self.found(code=3)
        self.assertIn("which is not this machine", document["not_seen"][0])


class Writing(DiscoverCase):
    def setUp(self):
        super().setUp()
        self.model("tiny", ".lmstudio/models/me/tiny/Tiny.gguf")

    def read(self):
        with open(self.config) as file:
            return file.read()

    def test_a_new_file_then_nothing_then_what_is_missing(self):
        done = self.discover("--write", self.config)
        self.expect(done, 0, "tiny", "Wrote 1 table to " + self.config)
        first = self.read()
        self.assertTrue(first.startswith("# Models for estiva"))
        self.assertEqual(list(tomllib.loads(first)["models"]), ["tiny"])
        self.assertEqual(os.stat(self.config).st_mode & 0o777, 0o644)
        self.expect(self.discover("--write", self.config), 0, "configured", "it was not changed")
        self.assertEqual(self.read(), first)

        self.model("tiny", ".lmstudio/models/you/tiny/Tiny.gguf")
        os.chmod(self.config, 0o600)
        done = self.discover("--write", self.config)  # nobody to ask
        self.assertEqual(done.code, 5, done)
        self.assertIn("+[models.tiny-2]", done.out)
        self.assertIn("--yes", done.err)
        self.assertEqual(self.read(), first)
        self.expect(self.discover("--write", self.config, "--yes"), 0, "Wrote 1 table")
        self.assertTrue(self.read().startswith(first))
        self.assertEqual(list(tomllib.loads(self.read())["models"]), ["tiny", "tiny-2"])
        self.assertEqual(os.stat(self.config).st_mode & 0o777, 0o600)

    def test_what_a_person_wrote_stays_and_is_known_again(self):
        where = os.path.join(self.home, ".lmstudio/models/me/tiny/Tiny.gguf")
        mine = f'# mine\n[models.own]\nengine = "llama-server"\nfile = "{where}"\nvram="1GiB"'
        with open(self.config, "w") as file:
            file.write(mine)
        self.expect(self.discover("--write", self.config, "--yes"), 0, "own", "it was not changed")
        self.assertEqual(self.read(), mine)

    def test_files_that_are_not_written(self):
        with open(self.config, "w") as file:
            file.write("[models.a\n")
        done = self.discover("--write", self.config, "--yes")
        self.assertEqual(done.code, 2, done)
        self.assertIn("models.toml:1:", done.err)
        self.assertEqual(self.read(), "[models.a\n")
        os.remove(self.config)
        with open(self.config, "w"):
            pass
        os.chown(self.config, 1234, 1234)
        done = self.discover("--write", self.config, "--yes")
        self.assertEqual(done.code, 5, done)
        self.assertIn("belongs to another user (uid 1234)", done.err)
        self.assertEqual(self.discover("--yes").code, 2)
        self.assertEqual(self.discover("--context", "many").code, 2)

    def test_for_people(self):
        done = self.discover()
        self.expect(done, 0, "NAME", "ENGINE", "llama-server", "[models.tiny]", "--write FILE")
        shutil.rmtree(os.path.join(self.home, ".lmstudio"))
        self.expect(self.discover(), 0, "No model was found.")


class Containers(DockerCase, DiscoverCase):
    """Images are busybox under the names of others; what serves in them is the test's own."""

    def test_services_of_compose_and_containers(self):
        for name in ("ollama/ollama:0.12.3", "vllm/vllm-openai:v0.9", "ghcr.io/coqui-ai/xtts-streaming-server:latest"):
            self.docker.run("tag", "busybox:test", name)
        self.docker.up("chat", "web", "qwen3")  # by its label
        for name, image in (("tts", "ghcr.io/coqui-ai/xtts-streaming-server:latest"), ("ollama", "ollama/ollama:0.12.3")):
            self.docker.run("run", "-d", "--network", "none", "--name", name, image, "/bin/sleep", "1000")
        self.docker.run("create", "--network", "none", "--name", "plain", "busybox:test", "true")
        self.docker.run("create", "--network", "none", "--label", "com.docker.compose.project=llm", "--label",
                        "com.docker.compose.service=vllm", "--name", "llm-vllm-1", "vllm/vllm-openai:v0.9", "true")
        models, document = self.found(docker=self.docker.address)
        self.assertEqual({name: (model["engine"], model["where"]) for name, model in models.items()},
                         {"qwen3": ("container", "chat/web"), "tts": ("container", "tts"),
                          "vllm": ("container", "llm/vllm")})
        self.assertIn("ollama (ollama/ollama:0.12.3) did not answer", document["left_out"][0])
        tables = tomllib.loads(document["configuration"])["models"]
        self.assertEqual(tables["vllm"], {"engine": "container", "container": "llm/vllm"})
        self.assertIn('# vram = "4GiB"', document["configuration"])
        self.assertIn("container llm-vllm-1 of image vllm/vllm-openai:v0.9, stopped", document["configuration"])

    def test_an_engine_that_may_not_be_asked_is_told(self):
        models, document = self.found(docker="tcp://127.0.0.1:1", code=3)
        self.assertEqual(models, {})
        self.assertIn("containers: ", document["not_seen"][0])


if __name__ == "__main__":
    unittest.main()
