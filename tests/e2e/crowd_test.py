"""A container engine with 500 containers: all are known, the one on a GPU is told, and their end is heard
while hundreds of events come at once."""
import concurrent.futures
import io
import json
import tarfile
import unittest

from docker_place import DockerCase
from harness import Case, UnixConnection, until

GPU = """scenario "one"
driver 550.163.01
gpu rtx4090-24g
"""
MANY = 500


class Crowd(DockerCase):
    def setUp(self):
        super().setUp()
        # Nothing is copied for a container of an image that holds one empty file.
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("x"))
        self.docker.run("import", "-", "empty:test", input=tar.getvalue())
        self.simulated(GPU)

    def api(self, method, target, body=None):
        connection = UnixConnection(self.docker.folder + "/docker.sock")
        connection.request(method, target, json.dumps(body) if body else None,
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        self.assertLess(response.status, 300, text)
        return json.loads(text) if text else None

    def known(self):
        return {c["name"]: c for c in self.place.get("/api/v1/containers")[1]["containers"]}

    def test_five_hundred(self):
        def create(i):
            labels = {"com.docker.compose.project": f"p{i % 7}", "com.docker.compose.service": f"s{i}"}
            return self.api("POST", f"/v1.40/containers/create?name=crowd-{i}",
                            {"Image": "empty:test", "Cmd": ["x"], "Labels": labels})["Id"]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(create, range(MANY)))
        name = self.docker.up("chat", "llm", "qwen2.5:7b")
        until(lambda: len(self.known()) == MANY + 1, f"all are known: {len(self.known())}")
        known = self.known()
        for i in range(0, MANY, 37):
            row = known[f"crowd-{i}"]
            self.assertEqual((row["project"], row["service"], row["state"]), (f"p{i % 7}", f"s{i}", "created"))
        pid = self.docker.pid(name)
        self.simulate("alloc", str(pid), "0", "2GiB", "name", "model")
        until(lambda: any(p["container"] == name for p in self.place.gpus()[0]["processes"] or []),
              "the one on the GPU is told")
        def scrape():
            status, text = self.place.request("GET", "/metrics")
            self.assertEqual(status, 200)
            return text if isinstance(text, str) else text.decode()
        until(lambda: f'estiva_containers{{state="created"}} {MANY}\n' in scrape(), "the other one runs")
        text = scrape()
        # Names of containers that are on no GPU are no labels.
        self.assertNotIn("crowd-", text)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda id_: self.api("DELETE", f"/v1.40/containers/{id_}?force=true"), ids))
        until(lambda: list(self.known()) == [name], f"the others are gone: {len(self.known())}")
        self.assertEqual(self.place.get("/api/v1/status")[1]["engine"]["state"], "ready")


if __name__ == "__main__":
    unittest.main(verbosity=2)
