"""A recorded machine, end to end: estivad with --machine shows the GPUs that are in gpu.frames.

The recording is written here, byte by byte, from the description of the sensor's messages: a change
of them that forgets the version, or shifts a field, shows."""
import os
import struct

import unittest

from harness import GIB, MIB, Case, until

MAGIC, VERSION = 0x31535345, 3
STATE, INVENTORY, SAMPLES, PROCESSES, DONE, WEAR = 17, 18, 19, 20, 21, 22
READY, OK, LOST = 5, 0, 1
# 0: known; else one more than the reason's place in the list of reasons.
KNOWN, NOT_SUPPORTED, IS_LOST = 0, 2, 5


def message(kind, rows=(), argument=0):
    body = struct.pack("<IHHQII", MAGIC, VERSION, kind, 1, len(rows), argument) + b"".join(rows)
    return struct.pack("<I", len(body)) + body


def state(version, cuda):
    return struct.pack("<BB6xQ16s80s80s80s640s320s", READY, KNOWN, cuda, b"nvml", version, b"12.550.1",
                       b"", b"", b"")


def identity(device, uuid, name, bus):
    values, why = [0] * 12, [NOT_SUPPORTED] * 12
    return struct.pack("<IIBB6x16s96s96s96s32s48s48s32s12Q12B4x", device, device, 0, 0, b"nvidia",
                       uuid, b"", name, bus, b"", b"", b"Ampere", *values, *why)


def sample(device, health=OK, memory=(0, 0, 0, 0), readings=None):
    """`readings` by their place: 0 is the utilisation, 4 the temperature, 6 the power."""
    values, why = [0.0] * 18, [NOT_SUPPORTED if health == OK else IS_LOST] * 18
    for place, value in (readings or {}).items():
        values[place], why[place] = value, KNOWN
    missing = KNOWN if health == OK else IS_LOST
    return struct.pack("<IBBBBq4Q18d18BB5x", device, health, missing, 1, missing, 1, *memory,
                       *values, *why, 1)


def process(device, pid, used, name):
    return struct.pack("<IiQdBBB5x16s", device, pid, used, 0.0, KNOWN, NOT_SUPPORTED, 1, name)


def wear(device, readings):
    """`readings` by their place: 5 is the count of retired pages, 6 whether one waits for a reset."""
    values, why = [0] * 15, [NOT_SUPPORTED] * 15
    for place, value in readings.items():
        values[place], why[place] = value, KNOWN
    return struct.pack("<IIq15Q15B1x", device, 0, 1, *values, *why)


FIRST = "GPU-11111111-2222-3333-4444-555555555555"
SECOND = "GPU-99999999-2222-3333-4444-555555555555"


def recording():
    memory = (12 * GIB, 3 * GIB, 8 * GIB, GIB)
    return b"".join([
        message(STATE, [state(b"550.163.01", 12040)]),
        message(INVENTORY, [identity(0, FIRST.encode(), b"NVIDIA GeForce RTX 3060", b"00000000:01:00.0"),
                            identity(1, SECOND.encode(), b"NVIDIA GeForce RTX 3060", b"00000000:02:00.0")], 2),
        message(SAMPLES, [sample(0, OK, memory, {0: 0.25, 4: 61.0, 6: 103.5}), sample(1, LOST)]),
        message(WEAR, [wear(0, {5: 3, 6: 0})]),
        message(PROCESSES, [process(0, 4242, 1200 * MIB, b"llama-server")]),
        message(DONE, [struct.pack("<8I", *[0] * 8)]),  # what the tiers took
    ])


class Recorded(Case):
    def machine(self, frames):
        folder = os.path.join(self.place.dir, "machine")
        os.makedirs(folder)
        with open(os.path.join(folder, "gpu.frames"), "wb") as file:
            file.write(frames)
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
        ran = until(lambda: (lambda r: "gpu.frames" in r.out + r.err and r)(self.estiva("gpu")),
                    "the damaged file is named")
        self.assertEqual(ran.code, 3, ran)


if __name__ == "__main__":
    unittest.main(verbosity=2)
