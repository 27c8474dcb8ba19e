"""/metrics as its readers see it: promtool, a real Prometheus, and the queries of the dashboards that
people have for dcgm-exporter (12239) and nvidia_gpu_exporter (14574, 25547). What Prometheus answers is
compared with the JSON of the API."""
import json
import math
import os
import socket
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request

from harness import MIB, Case, has_real_gpu, until
from models_place import ModelsPlace, model

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
PEERS = os.environ.get("ESTIVA_PEERS_DIR", os.path.join(ROOT, "build/peers"))
EIGHT = os.path.join(ROOT, "tests/sim/scenarios/eight-cards.scenario")
# The names of other exporters are theirs; promtool's taste is ours to follow only in our own.
THEIRS = ("DCGM_FI_", "nvidia_smi_")


def peer(name):
    path = os.path.join(PEERS, "bin", name)
    if not os.path.exists(path):
        raise AssertionError(f"{path} is missing; run: bench/peers prometheus promtool")
    return path


class Promtool(Case):
    def test_both_forms_are_well_formed(self):
        self.simulated(EIGHT)
        self.expect(self.estiva("assign", 'qu"o\\te', "--vram", "1GiB"), 0)
        for accept in ("text/plain", "application/openmetrics-text"):
            status, body = self.place.request("GET", "/metrics", None, {"Accept": accept})
            self.assertEqual(status, 200)
            done = subprocess.run([peer("promtool"), "check", "metrics"], input=body,
                                  capture_output=True, timeout=60)
            complaints = [line for line in done.stderr.decode().splitlines()
                          if not line.startswith(THEIRS)]
            if accept == "text/plain":  # promtool 2.42 reads only that one
                self.assertEqual(complaints, [], body)

    def test_a_machine_without_a_gpu_is_well_formed_too(self):
        self.place.start("--listen", "off")
        body = self.place.get("/metrics")[1]
        done = subprocess.run([peer("promtool"), "check", "metrics"], input=body, capture_output=True,
                              timeout=60)
        self.assertEqual(done.stderr.decode(), "", body)
        self.assertIn(b"estiva_driver_state", body)
        self.assertNotIn(b"estiva_gpu_memory_used_bytes", body)


class Models(unittest.TestCase):
    """Two models that leave for each other on a card of 4 GB; the second one takes more than it declares."""

    def setUp(self):
        if has_real_gpu():
            self.skipTest("this machine has a real GPU: simulation is refused there")
        self.place = ModelsPlace()
        self.addCleanup(self.place.remove)

    def figures(self, accept="text/plain"):
        status, body = self.place.request("GET", "/metrics", None, {"Accept": accept})
        self.assertEqual(status, 200)
        self.text = body.decode()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in self.text.splitlines() if not line.startswith("#")}

    def test_what_they_did_is_counted_and_well_formed(self):
        liar = model("liar", "3GiB").replace('vram = "3GiB"', 'vram = "2GiB"')
        self.place.begin(model("a", "3GiB", load_time=300) + liar)
        self.place.until_gateway()
        for name in ("a", "liar", "a"):
            self.assertEqual(self.place.speak(name)[0], 200, self.place.read_log())
            until(lambda: self.place.models()[name]["vram_bytes"]["measured"] == 3 << 30, "it is measured")
        seen = self.figures()
        done = subprocess.run([peer("promtool"), "check", "metrics"], input=self.text.encode(),
                              capture_output=True, timeout=60)
        self.assertEqual([line for line in done.stderr.decode().splitlines() if not line.startswith(THEIRS)], [])
        for series, value in {
                'estiva_models{state="resident"}': 1,
                'estiva_model_state{model="a",state="resident"}': 1,
                'estiva_model_vram_bytes{model="a",kind="measured"}': 3 << 30,
                'estiva_model_vram_bytes{model="liar",kind="charged"}': 0,
                'estiva_model_need_bytes{model="liar",kind="declared"}': 2 << 30,
                'estiva_model_need_bytes{model="liar",kind="learned"}': 3 << 30,
                'estiva_model_loads_total{model="a",how="start"}': 2,
                'estiva_model_unloads_total{model="a",how="stop"}': 1,
                'estiva_model_unloads_total{model="liar",how="stop"}': 1,
                'estiva_model_mispredictions_total{model="a"}': 0,
                'estiva_model_mispredictions_total{model="liar"}': 1,
                'estiva_model_swap_phases_total{model="liar",phase="release"}': 1}.items():
            self.assertEqual(seen[series], value, (series, self.text))
        self.assertGreater(seen['estiva_model_swap_seconds_total{model="a",phase="load"}'], 0.6)
        room = {name.split("{")[0]: value for name, value in seen.items() if name.startswith("estiva_gpu_memory_")}
        self.assertEqual(room["estiva_gpu_memory_charged_bytes"], 3 << 30)
        self.assertEqual(room["estiva_gpu_memory_foreign_bytes"],
                         room["estiva_gpu_memory_used_bytes"] - (3 << 30))
        self.assertIn("estiva_gpu_memory_margin_bytes", room)
        self.figures("application/openmetrics-text")
        self.assertIn("# TYPE estiva_model_swap_seconds counter\n", self.text)


class Prometheus(Case):
    def free_port(self):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            return one.getsockname()[1]

    def scrape(self, *words):
        """A Prometheus that scrapes the daemon each second, with its token."""
        self.simulated(EIGHT, *words)
        token = self.place.file("bearer", self.estiva("token").out.strip())
        self.target = f"127.0.0.1:{self.place.tcp_port()}"
        config = self.place.file("prometheus.yml", json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "estiva", "authorization": {"credentials_file": token},
                                "static_configs": [{"targets": [self.target]}]}]}))
        self.port = self.free_port()
        log = open(os.path.join(self.place.dir, "prometheus.log"), "w")
        self.addCleanup(log.close)
        server = subprocess.Popen(
            [peer("prometheus"), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{self.port}",
             f"--storage.tsdb.path={os.path.join(self.place.dir, 'tsdb')}"], stdout=log, stderr=log)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        until(lambda: self.ask("up") and self.ask("up")[0][1] == 1, "Prometheus has scraped the daemon")

    def ask(self, query):
        """-> [(labels, value)] of an instant query."""
        address = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            with urllib.request.urlopen(address, timeout=60) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return []  # it still starts
            raise AssertionError(f"{query}: {error.read().decode()}") from error
        except OSError:
            return []  # it does not listen yet
        self.assertEqual(answer["status"], "success", query)
        return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]

    def by_gpu(self, query, label="uuid"):
        return {labels[label]: value for labels, value in self.ask(query)}

    def test_what_it_stores_is_what_the_api_says(self):
        self.scrape()
        self.expect(self.estiva("assign", "a", "--vram", "1GiB"), 0)
        gpus = {gpu["uuid"]: gpu for gpu in self.place.gpus()}
        self.assertEqual(len(gpus), 8)
        members = {"estiva_gpu_memory_used_bytes": lambda gpu: gpu["memory"]["used_bytes"],
                   "estiva_gpu_memory_total_bytes": lambda gpu: gpu["memory"]["total_bytes"],
                   "estiva_gpu_utilization_ratio": lambda gpu: gpu["utilization_ratio"],
                   "estiva_gpu_temperature_celsius": lambda gpu: gpu["temperature_celsius"],
                   "nvidia_smi_memory_used_bytes": lambda gpu: gpu["memory"]["used_bytes"]}
        for name, member in members.items():
            self.assertEqual(set(self.by_gpu(name)), set(gpus), name)

            # The cards warm up: both are asked until they speak of the same second.
            def agree():
                stored = self.by_gpu(name)
                return all(math.isclose(stored[gpu["uuid"]], member(gpu)) for gpu in self.place.gpus())
            until(agree, f"{name} is what the API says")
        used = self.by_gpu("DCGM_FI_DEV_FB_USED", "UUID")
        self.assertEqual(used, {uuid: gpu["memory"]["used_bytes"] // MIB for uuid, gpu in gpus.items()})
        until(lambda: self.ask('estiva_model_vram_bytes{model="a",kind="declared"} == 2^30'),
              "the model's promise is stored")

    # The expressions of the three dashboards with their variables filled in, as of 2026-11. Where the
    # driver does not report a figure the panel says so itself ("N/A", "Not reported").
    def test_the_dashboards_have_their_figures(self):
        self.scrape()
        job = f'instance="{self.target}", job="estiva"'
        host = self.ask("DCGM_FI_DEV_GPU_TEMP")[0][0]["Hostname"]
        dcgm = f'{{Hostname=~"{host}", gpu=~"0|1|2|3|4|5|6|7"}}'
        for query, rows in {
                f"max(DCGM_FI_DEV_GPU_TEMP{dcgm}) by (Hostname, gpu, uuid)": 8,
                f"avg(DCGM_FI_DEV_GPU_TEMP{dcgm})": 1,
                f"max(DCGM_FI_DEV_POWER_USAGE{dcgm}) by (Hostname, gpu, uuid)": 8,
                f"sum(max(DCGM_FI_DEV_POWER_USAGE{dcgm}) by (gpu))": 1,
                f"max(DCGM_FI_DEV_SM_CLOCK{dcgm} * 1000000) by (Hostname, UUID, gpu)": 8,
                f"max(DCGM_FI_DEV_GPU_UTIL{dcgm}) by (Hostname, gpu, UUID)": 8,
                f"max(DCGM_FI_DEV_FB_USED{dcgm}) by (Hostname, gpu, UUID)": 8,
                # Only where the driver has GPM; the simulator has not.
                f"max(DCGM_FI_PROF_GR_ENGINE_ACTIVE{dcgm}) by (Hostname, gpu, GPU_I_ID)": 0}.items():
            self.assertEqual(len(self.ask(query)), rows, query)

        uuid = self.place.gpus()[0]["uuid"]
        one = f'{{uuid="{uuid}", {job}}}'
        reasons = " + ".join(
            f"(sum by(uuid) (nvidia_smi_clocks_event_reasons_{why}{one} or "
            f"nvidia_smi_clocks_throttle_reasons_{why}{one}) or "
            f"(sum by(uuid) (nvidia_smi_gpu_info{one}) * 0))"
            for why in ("sw_power_cap", "sw_thermal_slowdown", "hw_thermal_slowdown",
                        "hw_power_brake_slowdown"))
        limit = " or ".join(f"nvidia_smi_{name}_watts{one}"
                            for name in ("enforced_power_limit", "power_limit", "power_default_limit"))
        for query in (f"nvidia_smi_gpu_info{one}", f"nvidia_smi_pstate{one}", reasons,
                      f"nvidia_smi_utilization_gpu_ratio{one}", f"nvidia_smi_utilization_memory_ratio{one}",
                      f"nvidia_smi_memory_used_bytes{one}", f"nvidia_smi_temperature_gpu{one}",
                      f"nvidia_smi_power_draw_watts{one}",
                      f"nvidia_smi_power_draw_watts{one} / ({limit})",
                      f"sum(nvidia_smi_fan_speed_ratio{one}) or sum(nvidia_smi_gpu_info{one}) * 0 - 1"):
            self.assertEqual(len(self.ask(query)), 1, query)
        labels = self.ask(f"nvidia_smi_gpu_info{one}")[0][0]
        for name in ("name", "index", "driver_version", "cuda_version", "pci_bus_id", "compute_cap"):
            self.assertTrue(labels.get(name), (name, labels))

        every = f'{{uuid=~".+", {job}}}'
        joined = f"* on(uuid) group_left(index, name) nvidia_smi_gpu_info{every}"
        for query in (f"(nvidia_smi_utilization_gpu_ratio{every}) {joined}",
                      f"(nvidia_smi_utilization_memory_ratio{every}) {joined}",
                      f"(nvidia_smi_memory_used_bytes{every} / nvidia_smi_memory_total_bytes{every}) {joined}",
                      f"(nvidia_smi_temperature_gpu{every}) {joined}",
                      f"(nvidia_smi_power_draw_watts{every}) {joined}"):
            rows = self.ask(query)
            self.assertEqual(len(rows), 8, query)
            self.assertEqual({labels["index"] for labels, _ in rows}, set("01234567"), query)


if __name__ == "__main__":
    unittest.main(verbosity=2)
