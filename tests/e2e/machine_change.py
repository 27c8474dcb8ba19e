#!/usr/bin/env python3
"""Broken machines: each is a healthy one of tests/machines with ONE named change, and the table says
which signature of the catalogue that change is.

usage: machine_change.py --list                     ids, bases and changes, one a line
       machine_change.py ID BASE DIR                makes that machine in a new folder
       machine_change.py healthy BASE DIR           the base itself
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import changes_apps  # noqa: E402,F401  each family adds its rows to the table
import changes_driver  # noqa: E402,F401
import changes_engine  # noqa: E402,F401
import changes_spec  # noqa: E402,F401
from change_table import CHANGES  # noqa: E402
from machine_tree import BASES, Machine  # noqa: E402


def make(key, base, folder):
    """A machine with that change, ready for `estiva doctor --root FOLDER`."""
    machine = Machine(base, folder)
    if key != "healthy":
        CHANGES[key].make(machine)
    return machine


def main(words):
    if words == ["--list"]:
        for key, row in CHANGES.items():
            print(f"{key}\t{','.join(row.bases)}\t{row.words}")
        return 0
    if len(words) != 3 or words[0] not in (*CHANGES, "healthy") or words[1] not in BASES:
        print(__doc__, file=sys.stderr)
        return 2
    make(*words)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
