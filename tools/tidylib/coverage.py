"""docs/coverage.md: a row may name only tests that exist and that the last run did not skip.

A row is | statement | where | test |. In the last column every `name` in backquotes is a CTest name; a
trailing * stands for any ending. "not yet" claims nothing.
"""
import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree

from . import tree

_NAME = re.compile(r"`([^`]+)`")


def rows(source):
    """(line number, cells) of each table row that is neither a heading nor a rule."""
    for number, line in enumerate(source.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and not set(cells[0]) <= set("-: "):
            yield number, cells


def known_tests(build):
    """All tests of the builds that ./test makes, or None when the build folder has not been configured. It builds some
    tests under the sanitizers only; in the other build their place has a name that no row has."""
    tests = listed_tests(build)
    return tests if tests is None else tests | (listed_tests(build.parent / "asan") or set())


def listed_tests(build):
    """CTest's own list; None: not configured."""
    if not (build / "CTestTestfile.cmake").exists():
        return None
    listed = subprocess.run(["ctest", "--test-dir", str(build), "--show-only=json-v1"],
                            capture_output=True, text=True, check=False)
    try:
        return {test["name"] for test in json.loads(listed.stdout)["tests"]}
    except (ValueError, KeyError):
        return None


def skipped_tests(root):
    """Names that the last ./test skipped."""
    skipped = set()
    for path in (root / "build/log").glob("*.junit.xml"):
        try:
            cases = ElementTree.parse(path).getroot().iter("testcase")
        except ElementTree.ParseError:
            continue
        skipped.update(case.get("name") for case in cases if case.find("skipped") is not None)
    return skipped


def _matches(pattern, names):
    if pattern.endswith("*"):
        return {name for name in names if name.startswith(pattern[:-1])}
    return {pattern} & names


def check_coverage(root, build):
    path = root / "docs/coverage.md"
    tests, skipped = known_tests(build), skipped_tests(root)
    if tests is None:
        return [f"{build} is not configured: run ./test, or cmake --preset dev"]
    violations, proven, total = [], 0, 0
    for line, (statement, _, proof) in rows(tree.text(path)):
        if statement.lower() == "statement":
            continue
        total += 1
        names = _NAME.findall(proof)
        proven += bool(names)
        if not names and "not yet" not in proof and "no test" not in proof:
            violations.append(f"{tree.where(path, root, line)}: names no test: write one, \"not yet\" or \"no test: why\"")
        for name in names:
            found = _matches(name, tests)
            if not found:
                violations.append(f"{tree.where(path, root, line)}: there is no test {name}")
            elif found <= skipped:
                violations.append(f"{tree.where(path, root, line)}: the test {name} was skipped in the last run")
    print(f"coverage: {proven} of {total} statements have a test")
    return violations
