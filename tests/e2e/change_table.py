"""The table of changes that break a healthy machine (machine_change.py), and what follows from each."""
import dataclasses
import typing

from machine_tree import BASES

HOSTS = ("debian-gpu", "ubuntu-gpu", "rhel-gpu", "arch-gpu")  # with the driver's kernel module
ALL = tuple(BASES)
# Where '--gpus' still goes through NVIDIA's hook: Docker 28 (29.2 makes CDI devices of it).
HOOKS = ("debian-gpu", "laptop-prime", "rhel-gpu", "wsl-gpu")


@dataclasses.dataclass
class Change:
    signature: str
    words: str
    make: typing.Callable
    bases: tuple = HOSTS

    def also(self, base):
        """The signatures that follow from it on that base."""
        follows = ALSO.get(self.signature, ())
        return set(follows.get(base, ()) if isinstance(follows, dict) else follows)


CHANGES = {}  # by signature, or "SIGNATURE/VARIANT"

# What follows from a change, by the rules' own reasons: files that go missing are missed by the spec that names
# them (C8, C10, C12), a name that nobody declares any more is missed (C1), a runtime that can't be found is not one.
ALSO = {
    "D1": ("C8",), "D3": ("C8",), "D11": ("C12",), "K29": ("C12",), "K32": ("C1",),
    "D7": {"ubuntu-gpu": ("D2",)},  # nouveau has one of its two cards
    "K1": {"debian-gpu": ("C10", "K11"), "rhel-gpu": ("C10", "K11"), "wsl-gpu": ("C10",)},
    "K11": {"ubuntu-gpu": ("K9",)},  # where Docker has not read the runtime before
    "K26": {"debian-gpu": ("K23",)},  # driver 550
    "P1": {"wsl-gpu": ("C1",)},  # whose spec has "all" alone
}


def change(signature, words, bases=HOSTS, variant=None):
    def add(make):
        key = f"{signature}/{variant}" if variant else signature
        assert key not in CHANGES, key
        CHANGES[key] = Change(signature, words, make, bases)
        return make
    return add
