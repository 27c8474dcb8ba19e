"""A recorded machine, end to end: estivad with --machine shows the GPUs that are in gpus.json.

The recording is written here by hand, from the description of the file: a change of its members
that forgets the schema shows."""
import json
import os

import unittest

from harness import GIB, MIB, Case, until

FIRST = "GPU-11111111-2222-3333-4444-555555555555"
SECOND = "GPU-99999999-2222-3333-4444-555555555555"


def identity(index, uuid, bus):
    return {"id": {"uuid": uuid}, "index": index, "name": "NVIDIA GeForce RTX 3060", "pci_bus_id": bus,
            "architecture": "Ampere"}


def recording():
    lost = {"missing": "lost"}
    first = {"identity": identity(0, FIRST, "00000000:01:00.0"),
             "sample": {"state": "ok", "read_at_ns": 1, "utilization_ratio": 0.25, "temperature_celsius": 61,
                        "power_watts": 103.5, "fan_ratio": {"missing": "not_supported"},
                        "memory": {"total_bytes": 12 * GIB, "used_bytes": 3 * GIB, "free_bytes": 8 * GIB,
                                   "reserved_bytes": GIB, "reserved_known": True},
                        "processes": [{"pid": 4242, "used_bytes": 1200 * MIB, "compute": True,
                                       "name": "llama-server"}]},
             "wear": {"read_at_ns": 1, "retired_pages": 3, "retired_pending": 0,
                      "nvlinks": {"missing": "not_supported"}}}
    second = {"identity": identity(1, SECOND, "00000000:02:00.0"),
              "sample": {"state": "lost", "memory": lost, "utilization_ratio": lost, "processes": lost}}
    driver = {"state": "ok", "version": "550.163.01", "nvml_version": "12.550.1", "cuda_version": 12040}
    return json.dumps({"schema": "estiva/recorded-gpus/1",
                       "readings": [{"at_ns": 1, "driver": driver, "gpus": [first, second]}]})


class Recorded(Case):
    def machine(self, text):
        folder = os.path.join(self.place.dir, "machine")
        os.makedirs(folder)
        with open(os.path.join(folder, "gpus.json"), "w") as file:
            file.write(text)
        return folder

    def test_a_daemon_shows_the_recorded_gpus(self):
        self.place.start("--machine", self.machine(recording()), "--listen", "off")
        until(self.place.gpus, "the recorded GPUs are seen")
        document = self.estiva("gpu", "--json").json()
        self.assertEqual(document["source"], "recorded")
        self.assertIs(document["simulated"], False)
        self.assertEqual(document["driver"]["version"], "550.163.01")
        first, second = document["gpus"]
        self.assertEqual((first["uuid"], second["uuid"]), (FIRST, SECOND))
        for member, size in (("total", 12), ("used", 3), ("free", 8), ("reserved", 1)):
            self.assertEqual(first["memory"][member + "_bytes"], size * GIB, member)
        self.assertEqual((first["utilization_ratio"], first["temperature_celsius"], first["power_watts"]),
                         (0.25, 61, 103.5))
        self.assertEqual([(p["pid"], p["used_bytes"]) for p in first["processes"]], [(4242, 1200 * MIB)])
        self.assertEqual((first["wear"]["retired_pages"], first["wear"]["retired_pages_pending"]), (3, False))
        self.assertIsNone(first["wear"]["nvlinks"])
        self.assertNotEqual(second["health"]["state"], "OK")
        self.assertIsNone(second["memory"] and second["memory"]["used_bytes"])

    def test_placement_is_decided_on_what_was_recorded(self):
        self.place.start("--machine", self.machine(recording()), "--listen", "off")
        until(self.place.gpus, "the recorded GPUs are seen")
        granted = self.expect(self.estiva("assign", "a", "--vram", "8GiB", "--json"), 0).json()
        self.assertEqual(granted["lease"]["gpus"], [FIRST])
        self.expect(self.estiva("assign", "b", "--vram", "1MiB"), 1)

    def test_without_a_daemon_the_same_is_shown(self):
        document = self.estiva("gpu", "--json", "--machine", self.machine(recording())).json()
        self.assertEqual([gpu["uuid"] for gpu in document["gpus"]], [FIRST, SECOND])

    def test_a_cut_recording_is_named_and_the_daemon_lives(self):
        self.place.start("--machine", self.machine(recording()[:-10]), "--listen", "off")
        ran = until(lambda: (lambda r: "gpus.json" in r.out + r.err and r)(self.estiva("gpu")),
                    "the damaged file is named")
        self.assertEqual(ran.code, 3, ran)


if __name__ == "__main__":
    unittest.main(verbosity=2)
